"""Sofas of two to four seats: boxy, rolled, tufted without cushions, on frames, and day beds."""

from __future__ import annotations

import numpy as np
from manifold3d import Manifold

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.furniture_colors import FABRICS, METALS, WOODS, pick, wood_or_paint
from imfield_jax.sources.procedural.solids import Piece
from imfield_jax.sources.scene import Scene


def build(rng: np.random.Generator) -> Scene:
    """One random sofa."""
    kind = rng.choice(len(KINDS), p=list(KINDS.values()))
    return solids.as_scene(list(KINDS)[kind](rng))


def upholstered(rng: np.random.Generator) -> list[Piece]:
    """Base, arms and back of one cloth, with loose cushions on the seat and before the back."""
    seats = int(rng.integers(2, 5))
    place, arm = float(rng.uniform(0.5, 0.72)), float(rng.uniform(0.08, 0.26))
    inner, deep = seats * place, float(rng.uniform(0.75, 1.05))
    wide = inner + 2 * arm
    legs, seat = float(rng.choice([0.02, 0.08, 0.16]) * rng.uniform(0.8, 1.2)), float(rng.uniform(0.36, 0.47))
    pad = float(rng.uniform(0.1, 0.2))
    arm_high = seat + float(rng.uniform(0.02, 0.26))
    high = max(arm_high + float(rng.uniform(0.0, 0.2)), seat + float(rng.uniform(0.25, 0.5)))
    thick, soft = float(rng.uniform(0.12, 0.26)), float(rng.uniform(0.02, 0.07))
    rake, rear = float(rng.uniform(0, 12)), deep / 2 - thick / 2
    cloth = pick(rng, FABRICS)
    pillow = cloth if rng.random() < 0.7 else pick(rng, FABRICS)
    base_top = seat - pad
    base = solids.block((wide - 0.02, base_top - legs + 0.02, deep - 0.03), (0, (base_top + legs) / 2, 0), 0.025)
    back = solids.block((wide - 0.02, high - legs, thick), (0, (high - legs) / 2, 0), soft, 4)
    back = back.rotate((rake, 0, 0)).translate((0, legs, rear - 0.04))
    pieces: list[Piece] = [(cloth, base), (cloth, back)]
    pieces.append((cloth, solids.mirrored(_arm(rng, wide, arm, legs, arm_high, deep, soft))))
    divided = rng.random() < 0.75
    count = seats if divided else 1
    step = inner / count
    front = -deep / 2 + 0.01
    cushion_deep = rear - thick / 2 - front + 0.03
    swell = float(rng.uniform(0.25, 0.48)) * pad
    for number in range(count):
        x = step * (number - (count - 1) / 2)
        cushion = solids.block(
            (step - 0.012, pad + 0.03, cushion_deep), (x, seat - pad / 2, front + cushion_deep / 2), swell, 4
        )
        pieces.append((pillow, cushion))
    if rng.random() < 0.6:
        tall, fat = (high - seat) * float(rng.uniform(0.75, 1.05)), float(rng.uniform(0.1, 0.2))
        for number in range(count):
            x = step * (number - (count - 1) / 2)
            loose = solids.block((step - 0.03, tall, fat), (x, tall / 2, 0), 0.45 * fat, 4)
            tilt = loose.rotate((rake + 4, 0, 0)).translate((0, seat - 0.03, rear - 0.45 * thick - 0.3 * fat - 0.04))
            pieces.append((pillow, tilt))
    if legs > 0.03:
        pieces.append((pick(rng, WOODS if rng.random() < 0.6 else METALS), _feet(rng, wide, deep, legs)))
    return pieces


def _arm(
    rng: np.random.Generator, wide: float, arm: float, legs: float, high: float, deep: float, soft: float
) -> Manifold:
    """The right arm: a box, one with a roll on top, or a slope towards the front."""
    x, length = wide / 2 - arm / 2, deep - 0.02
    style = str(rng.choice(["box", "roll", "slope"]))
    box = solids.block((arm, high - legs, length), (x, (high + legs) / 2, 0), soft, 4)
    if style == "roll":
        radius = 0.5 * arm + 0.03
        return box + solids.turned(
            solids.rounded(
                np.array([(0, -length / 2), (radius, -length / 2), (radius, length / 2), (0, length / 2)]), 0.01, 2
            ),
            "z",
            (x + 0.02, high - 0.6 * radius, 0),
            24,
        )
    if style == "slope":
        drop = float(rng.uniform(0.1, 0.6)) * (high - legs) * 0.6
        return box.trim_by_plane((0, -1.0, drop / length), -(high - drop / 2))
    return box


def _feet(rng: np.random.Generator, wide: float, deep: float, legs: float) -> Manifold:
    thin, splay = float(rng.uniform(0.014, 0.03)), float(rng.choice([0.0, 0.02, 0.04]))
    x, segments = wide / 2 - 0.08, int(rng.choice([4, 12]))
    feet = [
        solids.tube(
            [(x + splay, 0, end * (deep / 2 - 0.09 + splay)), (x, legs + 0.04, end * (deep / 2 - 0.1))],
            [0.7 * thin, thin],
            segments,
        )
        for end in (-1, 1)
    ]
    return solids.mirrored(feet[0] + feet[1])


def framed(rng: np.random.Generator) -> list[Piece]:
    """Cushions on an open frame of bars: wooden or steel, mid-century or garden furniture."""
    seats = int(rng.integers(2, 4))
    inner, deep = seats * float(rng.uniform(0.55, 0.68)), float(rng.uniform(0.68, 0.85))
    bar, seat = float(rng.uniform(0.016, 0.03)), float(rng.uniform(0.36, 0.43))
    high, arm_high = seat + float(rng.uniform(0.3, 0.45)), seat + float(rng.uniform(0.16, 0.24))
    frame, cloth = (pick(rng, METALS) if rng.random() < 0.35 else wood_or_paint(rng)), pick(rng, FABRICS)
    x, z, pad = inner / 2 + bar, deep / 2 - bar, float(rng.uniform(0.09, 0.15))
    segments = 4 if rng.random() < 0.6 else 10
    under = seat - pad
    posts = [
        solids.tube([(x, 0, -z), (x, arm_high, -z)], bar, segments),
        solids.tube([(x, 0, z - 0.05), (x, high, z + 0.05)], bar, segments),
        solids.tube([(x, arm_high, -z - 0.02), (x, arm_high, z)], 1.2 * bar, segments),
        solids.tube([(x, under - bar, -z), (x, under - bar, z)], bar, segments),
    ]
    ties = [
        solids.tube([(-x, y, at), (x, y, at)], bar, segments)
        for y, at in ((under - bar, -z), (under - bar, z - 0.03), (high - 0.02, z + 0.05))
    ]
    bed = solids.block((2 * x, 0.02, 2 * z), (0, under - 0.006, 0), 0.004, 1)
    pieces: list[Piece] = [(frame, solids.mirrored(solids.union(posts)) + solids.union(ties)), (frame, bed)]
    step = inner / seats
    lean = float(rng.uniform(6, 14))
    for number in range(seats):
        place = step * (number - (seats - 1) / 2)
        pieces.append(
            (cloth, solids.block((step - 0.01, pad + 0.01, 2 * z - 0.02), (place, seat - pad / 2, -0.01), 0.4 * pad, 4))
        )
        back = solids.block((step - 0.012, high - seat + 0.04, pad), (place, (high - seat) / 2, 0), 0.4 * pad, 4)
        pieces.append((cloth, back.rotate((lean, 0, 0)).translate((0, seat - 0.02, z - 0.02 - pad / 2))))
    return pieces


def chesterfield(rng: np.random.Generator) -> list[Piece]:
    """Back and arms of one height, a continuous roll around the seat."""
    wide, deep = float(rng.uniform(1.5, 2.3)), float(rng.uniform(0.8, 1.0))
    seat, high, legs = float(rng.uniform(0.38, 0.46)), float(rng.uniform(0.65, 0.82)), float(rng.uniform(0.04, 0.12))
    thick, roll = float(rng.uniform(0.12, 0.2)), float(rng.uniform(0.06, 0.1))
    leather = pick(rng, FABRICS)
    x, rear = wide / 2 - thick / 2, deep / 2 - thick / 2
    wall = solids.block((wide, high - legs, thick), (0, (high + legs) / 2, rear), 0.03, 3)
    side = solids.block((thick, high - legs, deep - 0.02), (x, (high + legs) / 2, 0), 0.03, 3)
    path = [(-x - 0.02, high - 0.3 * roll, -deep / 2 + 0.02), (-x - 0.02, high - 0.3 * roll, rear)]
    path += [(x + 0.02, high - 0.3 * roll, rear), (x + 0.02, high - 0.3 * roll, -deep / 2 + 0.02)]
    rim = solids.tube(solids.bent(path, 0.12, 5), roll, 16)
    base = solids.block((wide - 0.02, seat - 0.12 - legs, deep - 0.03), (0, (seat - 0.12 + legs) / 2, 0), 0.02)
    inner = wide - 2 * thick
    count = int(rng.integers(1, 4))
    step = inner / count
    cushions = [
        solids.block(
            (step - 0.01, 0.16, deep - thick), (step * (n - (count - 1) / 2), seat - 0.08, -thick / 2), 0.05, 4
        )
        for n in range(count)
    ]
    pieces: list[Piece] = [
        (leather, solids.union([wall, solids.mirrored(side), rim, base])),
        (leather, solids.union(cushions)),
    ]
    pieces.append((pick(rng, WOODS), _feet(rng, wide, deep, legs)))
    return pieces


def day_bed(rng: np.random.Generator) -> list[Piece]:
    """A long cushion on a low base, with a bolster at both ends or a low back."""
    wide, deep, seat = float(rng.uniform(1.6, 2.1)), float(rng.uniform(0.7, 0.95)), float(rng.uniform(0.36, 0.46))
    pad, legs = float(rng.uniform(0.12, 0.22)), float(rng.uniform(0.1, 0.2))
    cloth, wood = pick(rng, FABRICS), wood_or_paint(rng)
    under = seat - pad
    pieces: list[Piece] = [
        (wood, solids.block((wide, under - legs + 0.01, deep), (0, (under + legs) / 2, 0), 0.01)),
        (cloth, solids.block((wide - 0.02, pad + 0.01, deep - 0.02), (0, seat - pad / 2, 0), 0.35 * pad, 4)),
        (wood, _feet(rng, wide, deep, legs)),
    ]
    if rng.random() < 0.6:
        radius = float(rng.uniform(0.08, 0.13))
        profile = solids.rounded(np.array([(0, -0.4), (radius, -0.4), (radius, 0.4), (0, 0.4)]) * (1, deep), 0.03, 2)
        bolster = solids.turned(profile, "z", (wide / 2 - radius - 0.02, seat + 0.85 * radius, 0), 24)
        pieces.append((cloth, solids.mirrored(bolster)))
    if rng.random() < 0.6:
        tall = float(rng.uniform(0.25, 0.4))
        wall = solids.block((wide, tall + pad, 0.09), (0, under + (tall + pad) / 2, deep / 2 - 0.045), 0.02)
        pieces.append((cloth if rng.random() < 0.6 else wood, wall))
    return pieces


KINDS = {upholstered: 0.62, framed: 0.16, chesterfield: 0.12, day_bed: 0.1}
