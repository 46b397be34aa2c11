"""Benches: park benches with backs, plain and upholstered ones, picnic tables, and blocks of stone or wood."""

from __future__ import annotations

import numpy as np
from manifold3d import Manifold

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.furniture_colors import FABRICS, METALS, PAINTS, WOODS, pick, wood_or_paint
from imfield_jax.sources.procedural.solids import Piece
from imfield_jax.sources.scene import Scene


def build(rng: np.random.Generator) -> Scene:
    """One random bench."""
    kind = rng.choice(len(KINDS), p=list(KINDS.values()))
    return solids.as_scene(list(KINDS)[kind](rng))


def park(rng: np.random.Generator) -> list[Piece]:
    """Slats along the seat and the back, on two or three frames, with or without arms."""
    wide, seat, deep = float(rng.uniform(1.1, 2.0)), float(rng.uniform(0.4, 0.47)), float(rng.uniform(0.38, 0.52))
    high, rake = float(rng.uniform(0.32, 0.5)), float(rng.uniform(4, 20))
    wood, metal = wood_or_paint(rng), pick(rng, METALS + PAINTS[:2])
    bar, thick = float(rng.uniform(0.018, 0.03)), float(rng.uniform(0.02, 0.04))
    x, z = wide / 2 - float(rng.uniform(0.06, 0.2)), deep / 2 - 0.03
    lean = np.tan(np.radians(rake)) * high
    under, segments = seat - thick, int(rng.choice([4, 10]))
    frame = [
        solids.tube([(x, 0, -z + 0.02), (x, under, -z)], bar, segments),
        solids.tube([(x, 0, z + 0.04), (x, under, z), (x, seat + high, z + lean)], bar, segments),
        solids.tube([(x, under - bar / 2, -z - 0.02), (x, under - bar / 2, z)], bar, segments),
    ]
    if rng.random() < 0.6:
        arm = seat + float(rng.uniform(0.17, 0.24))
        path = [(x, arm, z + lean * (arm - seat) / high), (x, arm, -z - 0.01), (x, under, -z)]
        frame.append(solids.tube(solids.bent(path, 0.05), bar, segments))
    frames = solids.mirrored(solids.union(frame))
    if wide > 1.5 and rng.random() < 0.4:
        frames += solids.union(frame[:3]).translate((-x, 0, 0))
    pieces: list[Piece] = [(metal if rng.random() < 0.65 else wood, frames)]
    count = int(rng.integers(2, 7))
    step = (deep + 0.02) / count
    gap = 0.012 if rng.random() < 0.8 else 0.0
    slats = [
        solids.block((wide, thick + 0.008, step - gap), (0, seat - thick / 2, -z - 0.03 + step * (n + 0.5)), 0.005, 1)
        for n in range(count)
    ]
    pieces.append((wood, solids.union(slats)))
    pieces.append((wood, _back(rng, wide, high, thick, bar).rotate((rake, 0, 0)).translate((0, seat, z))))
    return pieces


def _back(rng: np.random.Generator, wide: float, high: float, thick: float, bar: float) -> Manifold:
    """Upright, its lower edge at y = 0 and its front before z = 0: boards along it, or bars between two rails."""
    depth, front = thick + bar, -thick / 2
    if rng.random() < 0.6:
        count = int(rng.integers(1, 6))
        step = (high - 0.06) / count
        boards = [
            solids.block((wide, step - 0.02, depth), (0, 0.07 + step * (n + 0.5), front), 0.005, 1)
            for n in range(count)
        ]
        return solids.union(boards)
    rails = [solids.block((wide, 0.06, depth), (0, y, front), 0.005, 1) for y in (0.08, high - 0.03)]
    count = int(rng.integers(6, 16))
    bars = [
        solids.block((0.025, high - 0.1, 0.024), (place, high / 2, front), 0.004, 1)
        for place in np.linspace(-0.46, 0.46, count) * wide
    ]
    return solids.union([*rails, *bars])


def plain(rng: np.random.Generator) -> list[Piece]:
    """A seat without a back, of a board or slats or upholstered, on legs, panels or a loop of bars."""
    wide, seat, deep = float(rng.uniform(0.8, 1.9)), float(rng.uniform(0.38, 0.5)), float(rng.uniform(0.28, 0.48))
    color, frame = wood_or_paint(rng), (pick(rng, METALS) if rng.random() < 0.45 else wood_or_paint(rng))
    bar = float(rng.uniform(0.016, 0.032))
    soft = rng.random() < 0.35
    thick = float(rng.uniform(0.07, 0.16)) if soft else float(rng.uniform(0.025, 0.06))
    x, z, top = wide / 2 - float(rng.uniform(0.04, 0.2)), deep / 2 - bar - 0.01, seat - 0.6 * thick
    style = str(rng.choice(["legs", "panels", "loops"]))
    if style == "panels":
        support = solids.mirrored(solids.block((2 * bar, top, 2 * z), (x, top / 2, 0), 0.004, 1))
        if rng.random() < 0.5:
            support += solids.block((2 * x, 0.07, 1.4 * bar), (0, 0.6 * seat, 0), 0.004, 1)
    elif style == "legs":
        splay = float(rng.choice([0.0, 0.05, 0.12]))
        legs = [
            solids.tube(
                [(x + splay, 0, end * (z + splay / 2)), (x, top, end * z)], [0.8 * bar, bar], int(rng.choice([4, 10]))
            )
            for end in (-1, 1)
        ]
        support = solids.mirrored(legs[0] + legs[1])
    else:
        path = [(x, top, -z), (x, bar, -z), (x, bar, z), (x, top, z)]
        loop = solids.tube(solids.bent(path, 0.03), bar, 8) + solids.tube([(x, top, -z), (x, top, z)], bar, 8)
        support = solids.mirrored(loop)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (wide / 2, deep / 2)
    if soft or rng.random() < 0.6:
        plan = solids.rounded(corners, float(rng.choice([0.01, 0.05, 0.12])), 5)
        cover = solids.slab(plan, seat - thick, seat, (0.45 if soft else 0.15) * thick)
    else:
        count = int(rng.integers(2, 6))
        step = deep / count
        slats = [
            solids.block((wide, thick, step - 0.012), (0, seat - thick / 2, -deep / 2 + step * (n + 0.5)), 0.004, 1)
            for n in range(count)
        ]
        braces = solids.mirrored(solids.block((0.05, 0.03, deep - 0.02), (x, seat - thick, 0), 0.004, 1))
        cover = solids.union(slats) + braces
    return [(pick(rng, FABRICS) if soft else color, cover), (frame, support)]


def picnic(rng: np.random.Generator) -> list[Piece]:
    """A table and two benches on one frame."""
    wide, high, seat = float(rng.uniform(1.4, 2.0)), float(rng.uniform(0.7, 0.78)), float(rng.uniform(0.4, 0.46))
    wood, bar = wood_or_paint(rng), float(rng.uniform(0.022, 0.035))
    reach, x = float(rng.uniform(0.62, 0.78)), 0.36 * wide
    parts = [
        solids.block((wide, 0.04, float(rng.uniform(0.65, 0.8))), (0, high - 0.02, 0), 0.006, 1),
        solids.tube([(-x, 0.5 * seat, 0), (x, 0.5 * seat, 0)], 0.8 * bar, 4),
    ]
    bench = solids.block((wide, 0.04, float(rng.uniform(0.22, 0.3))), (0, seat - 0.02, reach), 0.006, 1)
    leg = solids.tube([(x, 0, 0.62 * reach), (x, high - 0.03, 0.2)], bar, 4)
    beam = solids.tube([(x, seat - 0.06, 0), (x, seat - 0.06, reach + 0.08)], bar, 4)
    half = bench + solids.mirrored(leg + beam)
    brace = solids.mirrored(solids.tube([(x, 0.5 * seat, -0.55 * reach), (x, 0.5 * seat, 0.55 * reach)], 0.7 * bar, 4))
    return [(wood, solids.union([*parts, half, half.mirror((0, 0, 1)), brace]))]


def solid(rng: np.random.Generator) -> list[Piece]:
    """A slab on two blocks, or a trunk: stone, concrete or timber."""
    wide, seat, deep = float(rng.uniform(0.9, 1.8)), float(rng.uniform(0.38, 0.48)), float(rng.uniform(0.32, 0.5))
    color = pick(rng, METALS + WOODS)
    thick, edge = float(rng.uniform(0.06, 0.14)), float(rng.uniform(0.005, 0.03))
    top = solids.block((wide, thick, deep), (0, seat - thick / 2, 0), edge)
    block = float(rng.uniform(0.1, 0.3))
    shift = wide / 2 - block / 2 - float(rng.uniform(0.0, 0.2))
    foot = solids.block(
        (block, seat - 0.5 * thick, deep * float(rng.uniform(0.7, 0.98))), (shift, (seat - 0.5 * thick) / 2, 0), edge
    )
    pieces: list[Piece] = [(color, top), (color, solids.mirrored(foot))]
    if rng.random() < 0.3:
        high = float(rng.uniform(0.25, 0.45))
        pieces.append(
            (
                color,
                solids.block((wide, high + thick / 2, 0.1), (0, seat - thick / 2 + high / 2, deep / 2 - 0.05), edge),
            )
        )
    return pieces


KINDS = {park: 0.45, plain: 0.35, picnic: 0.06, solid: 0.14}
