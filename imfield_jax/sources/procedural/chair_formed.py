"""Upholstered, moulded and tubular chairs: easy chairs, office chairs, cantilevers, moulded shells."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import chair_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.chair_parts import Frame
from imfield_jax.sources.procedural.furniture_colors import FABRICS, METALS, PAINTS, WOODS, pick
from imfield_jax.sources.procedural.solids import Piece


def armchair(rng: np.random.Generator) -> list[Piece]:
    """An upholstered easy chair: box, club, wing or tub."""
    wide, deep = float(rng.uniform(0.66, 0.95)), float(rng.uniform(0.68, 0.9))
    seat, legs = float(rng.uniform(0.38, 0.46)), float(rng.uniform(0.06, 0.18))
    arm, arm_high = float(rng.uniform(0.09, 0.19)), seat + float(rng.uniform(0.1, 0.24))
    high = max(arm_high + 0.05, seat + float(rng.uniform(0.34, 0.68)))
    thick, soft = float(rng.uniform(0.13, 0.22)), float(rng.uniform(0.03, 0.08))
    rake = float(rng.uniform(4, 14))
    cloth = pick(rng, FABRICS)
    pillow = cloth if rng.random() < 0.6 else pick(rng, FABRICS)
    base_top = seat - 0.13
    rear = deep / 2 - thick / 2
    base = solids.block((wide - 0.02, base_top - legs, deep - 0.04), (0, (base_top + legs) / 2, 0), 0.03)
    back = solids.block((wide - 0.02, high - legs, thick), (0, (high - legs) / 2, 0), soft, 4)
    back = back.rotate((rake, 0, 0)).translate((0, legs, rear - 0.05))
    side = solids.block(
        (arm, arm_high - legs, deep - 0.03), (wide / 2 - arm / 2, (arm_high + legs) / 2, -0.01), soft, 4
    )
    cushion = solids.block((wide - 2 * arm + 0.02, 0.17, deep - thick), (0, seat - 0.085, -thick / 2), 0.05, 4)
    pieces = [(cloth, base), (cloth, back), (cloth, solids.mirrored(side)), (pillow, cushion)]
    if rng.random() < 0.3 and high - arm_high > 0.2:
        wing = solids.block((0.08, high - seat - 0.06, 0.3), (wide / 2 - 0.05, (high - seat) / 2, -0.16), 0.035, 3)
        pieces.append((cloth, solids.mirrored(wing.rotate((rake, 0, 0)).translate((0, seat - 0.02, rear + 0.02)))))
    if rng.random() < 0.4:
        loose = solids.block((wide - 2 * arm, 0.34, 0.13), (0, 0.2, 0), 0.055, 4)
        pieces.append((pillow, loose.rotate((rake + 3, 0, 0)).translate((0, seat - 0.04, rear - 0.5 * thick - 0.04))))
    wood = pick(rng, WOODS if rng.random() < 0.7 else METALS)
    thin = float(rng.uniform(0.018, 0.03))
    feet = [
        solids.tube([(wide / 2 - 0.07, 0, z), (wide / 2 - 0.08, legs + 0.04, z)], [0.75 * thin, thin])
        for z in (-deep / 2 + 0.08, deep / 2 - 0.09)
    ]
    pieces.append((wood, solids.mirrored(feet[0] + feet[1])))
    return pieces


def office(rng: np.random.Generator) -> list[Piece]:
    """A swivel chair on five castors."""
    f = Frame(
        width=float(rng.uniform(0.44, 0.54)),
        depth=float(rng.uniform(0.43, 0.52)),
        height=float(rng.uniform(0.43, 0.54)),
        thickness=float(rng.uniform(0.06, 0.11)),
        back=float(rng.uniform(0.38, 0.78)),
        rake=float(rng.uniform(4, 14)),
        bar=0.022,
    )
    cloth, frame = pick(rng, FABRICS), pick(rng, METALS)
    plan = solids.rounded(np.array([(-1, -1), (1, -1), (0.92, 1), (-0.92, 1)]) * (f.width / 2, f.depth / 2), 0.12, 6)
    pieces = [(cloth, solids.slab(plan, f.height - f.thickness, f.height, 0.45 * f.thickness))]
    pieces.append((frame, parts.star_base(rng, f.height - 0.5 * f.thickness, True)))
    gap = float(rng.choice([0.0, 0.08, 0.14]))
    bow, thick = float(rng.uniform(0.0, 0.06)), float(rng.uniform(0.04, 0.09))
    pad = parts.panel(f.width * float(rng.uniform(0.84, 1.0)), gap, f.back, thick, bow, float(rng.uniform(0, 0.1)))
    if gap == 0 and f.back > 0.6 and rng.random() < 0.5:
        pad += solids.block((0.6 * f.width, 0.15, thick + 0.04), (0, f.back - 0.05, -0.01), 0.04, 3)
    pieces.append((cloth, parts.lean(f, pad)))
    if gap:
        spine = solids.bent([(0, -0.02, -0.12), (0, -0.02, 0.045), (0, gap + 0.2, 0.02 + thick / 2)], 0.05)
        pieces.append((frame, parts.lean(f, solids.tube(spine, 0.024, 10))))
    if rng.random() < 0.7:
        x, y, z = (
            f.width / 2 + 0.035,
            f.height + float(rng.uniform(0.17, 0.24)),
            float(rng.uniform(0.0, 0.06)),
        )
        low = f.height - 0.6 * f.thickness
        if rng.random() < 0.5:
            path = [(0.2, low, z), (x, low, z), (x, y, z)]
        else:  # a loop that returns to the seat
            path = [
                (0.2, low, z - 0.1),
                (x, low, z - 0.1),
                (x, y - 0.01, z - 0.14),
                (x, y - 0.01, z + 0.14),
                (x, low, z + 0.1),
                (0.2, low, z + 0.1),
            ]
        rest = solids.block((0.075, 0.035, 0.26), (x, y, z - 0.02), 0.015)
        pieces += [
            (frame, solids.mirrored(solids.tube(solids.bent(path, 0.05), 0.017, 10))),
            ((0.1, 0.1, 0.11, 1.0), solids.mirrored(rest)),
        ]
    return pieces


def cantilever(rng: np.random.Generator) -> list[Piece]:
    """Seat and back on two bent tubes, without rear legs."""
    f = parts.draw_frame(rng)
    metal, cover = pick(rng, METALS), pick(rng, FABRICS if rng.random() < 0.6 else WOODS)
    x, bar = f.width / 2 - 0.016, float(rng.uniform(0.014, 0.02))
    front, rear, seat = -f.depth / 2 - 0.02, f.depth / 2, f.height - f.thickness / 2 - 0.01
    lean = np.tan(np.radians(f.rake)) * f.back
    top = (x, seat + f.back, rear + lean)
    path = [
        top,
        (x, seat, rear),
        (x, seat, front),
        (x, bar, front + float(rng.uniform(-0.02, 0.05))),
        (x, bar, rear),
    ]
    rails = solids.mirrored(solids.tube(solids.bent(path, 0.07, 5), bar, 10))
    bars = [
        solids.tube([(-x, p[1], p[2]), (x, p[1], p[2])], bar, 10) for p in ((x, bar, rear), top, (x, seat, 0.3 * rear))
    ]
    plan = solids.rounded(np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (f.width / 2, f.depth / 2 - 0.02), 0.03, 4)
    high = float(rng.uniform(0.3, 1.0)) * f.back
    pad = parts.panel(
        2 * x + 0.01,
        f.back - high + 0.02,
        f.back + 0.01,
        float(rng.uniform(0.03, 0.06)),
        float(rng.uniform(0, 0.015)),
    )
    pad = pad.rotate((f.rake, 0, 0)).translate((0, seat, rear - 0.004))
    pieces = [
        (metal, solids.union([rails, *bars])),
        (cover, solids.slab(plan, f.height - f.thickness, f.height, 0.02)),
        (cover, pad),
    ]
    if rng.random() < 0.4:
        y = seat + float(rng.uniform(0.18, 0.24))
        arm = solids.bent(
            [(x, y, rear + lean * (y - seat) / f.back), (x, y, front + 0.02), (x, seat, front + 0.03)], 0.06
        )
        pieces.append((metal, solids.mirrored(solids.tube(arm, bar, 10))))
    return pieces


def moulded(rng: np.random.Generator) -> list[Piece]:
    """A seat and back in one curved shell on legs, a star base, a disc or an integral foot."""
    wide, seat, back = (
        float(rng.uniform(0.44, 0.6)),
        float(rng.uniform(0.40, 0.46)),
        float(rng.uniform(0.32, 0.5)),
    )
    half, lean = float(rng.uniform(0.2, 0.24)), float(rng.uniform(0.05, 0.16))
    color = pick(rng, PAINTS if rng.random() < 0.7 else WOODS)
    base = rng.random()
    rim = float(rng.choice([0.0, 0.04, 0.09, 0.14]))
    path = [
        (-half - 0.02, seat - 0.015),
        (-half + 0.1, seat),
        (0.5 * half, seat - 0.01),
        (half, seat + 0.03),
        (half + 0.35 * lean, seat + 0.4 * back),
        (half + lean, seat + back),
    ]
    own_foot = base > 0.85
    if own_foot:
        path = [
            (half, 0.02),
            (-0.3 * half, 0.02),
            (-half + 0.02, 0.05),
            (-0.55 * half, 0.6 * seat),
            (-half - 0.03, seat - 0.04),
            *path[2:],
        ]
        rim = 0.0
    curve = parts.resampled(solids.bent(path, 0.09, 4), 32)
    fraction = np.linspace(0, 1, len(curve))
    round_ends = np.sqrt(1 - 0.6 * np.clip((fraction - 0.82) / 0.18, 0, 1) ** 3)
    widths = wide * round_ends * (1 - 0.16 * np.clip(fraction - 0.5, 0, 1))
    if not own_foot:
        widths *= np.sqrt(1 - 0.35 * np.clip(1 - fraction / 0.12, 0, 1) ** 2)
    fade = np.clip(fraction / 0.25, 0, 1) * np.clip((1 - fraction) / 0.25, 0, 1)
    shell = parts.shell(curve, widths, rim * fade, float(rng.uniform(0.026, 0.034)))
    pieces = [(color, shell)]
    if own_foot:
        return pieces
    frame = pick(rng, METALS if rng.random() < 0.5 else WOODS)
    if base < 0.5:
        x, z = 0.32 * wide, 0.6 * half
        splay = float(rng.uniform(0.02, 0.1))
        legs = [
            solids.tube([(x + splay, 0, e * (z + splay)), (0.8 * x, seat - 0.008, 0.8 * e * z)], [0.014, 0.019])
            for e in (-1, 1)
        ]
        under = solids.block((1.5 * x, 0.03, 1.7 * z), (0, seat - 0.03, 0), 0.01)
        pieces.append((frame, solids.mirrored(legs[0] + legs[1]) + under))
    elif base < 0.65:
        pieces.append((frame, parts.star_base(rng, seat, rng.random() < 0.6)))
    else:
        pieces.append((color if rng.random() < 0.5 else frame, parts.disc_base(rng, seat)))
    if rng.random() < 0.4:
        pad = solids.slab(
            solids.rounded(np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (0.36 * wide, 0.85 * half), 0.1, 5),
            seat - 0.02,
            seat + 0.035,
            0.02,
        )
        pieces.append((pick(rng, FABRICS), pad))
    return pieces
