"""Rare upright chairs: bentwood, bar chairs, high chairs."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import chair_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.furniture_colors import FABRICS, METALS, PAINTS, WOODS, pick, wood_or_paint
from imfield_jax.sources.procedural.solids import Piece, Point

CANE = ((0.80, 0.66, 0.42), (0.72, 0.56, 0.33))


def bentwood(rng: np.random.Generator) -> list[Piece]:
    """A cafe chair of bent beech: round seat, hoops as a back, splayed legs, a ring between them."""
    wood = pick(rng, WOODS) if rng.random() < 0.8 else pick(rng, PAINTS)
    height, reach = float(rng.uniform(0.45, 0.48)), float(rng.uniform(0.195, 0.215))
    top, bar = height + float(rng.uniform(0.38, 0.48)), float(rng.uniform(0.0145, 0.0175))
    splay, rake = float(rng.uniform(0.03, 0.06)), float(rng.uniform(0.05, 0.1))
    thick = float(rng.uniform(0.032, 0.042))
    low = height - thick
    rim = solids.rounded(
        np.array([(reach - 0.042, low), (reach, low), (reach, height), (reach - 0.042, height)]), 0.012, 3
    )
    seat = solids.turned(
        [(0, low + 0.008), (reach - 0.03, low + 0.008), (reach - 0.03, height - 0.006), (0, height - 0.006)], "y"
    )
    filling = pick(rng, CANE) if rng.random() < 0.55 else (wood if rng.random() < 0.6 else pick(rng, FABRICS))
    pieces = [(wood, solids.turned(rim, "y", segments=40)), (filling, seat)]
    hold = reach - 0.012
    front, rear = np.radians(float(rng.uniform(38, 45))), np.radians(float(rng.uniform(36, 42)))

    def leg(angle: float, way: int, y: float) -> np.ndarray:
        """The axis of the right leg at a height: front way = -1, rear +1."""
        out = hold + splay * (1 - y / height) - (0.012 if way < 0 else 0.0)
        return np.array([out * np.sin(angle), y, way * out * np.cos(angle)])

    curve = [
        leg(front, -1, y) + np.array([0.01 * np.sin(np.pi * y / height), 0, 0])
        for y in np.linspace(0, height - 0.5 * thick, 6)
    ]
    pieces.append((wood, solids.mirrored(solids.tube(np.array(curve), np.linspace(0.8, 1.15, 6) * bar))))
    # The rear legs and the outer hoop are one bar.
    foot, hip = leg(rear, 1, 0.0), leg(rear, 1, height - 0.5 * thick)
    bulge, rise = float(rng.uniform(1.12, 1.35)), top - height
    angle = np.linspace(0, np.pi / 2, 9)
    arch = np.stack(
        [bulge * hip[0] * np.cos(angle), height + 0.5 * rise + 0.5 * rise * np.sin(angle), np.zeros(9)], axis=-1
    )
    arch[:, 2] = hip[2] + rake * (arch[:, 1] - height) / rise
    side = np.concatenate([[foot, (foot + hip) / 2, hip], [(0.55 * hip + 0.45 * arch[0]) + (0.008, 0, 0)], arch])
    hoop = np.concatenate([side, (side * (-1, 1, 1))[-2::-1]])
    pieces.append((wood, solids.tube(hoop, bar, 12)))
    pieces += _bentwood_back(rng, wood, filling, hip, rise, height, rake, bar, bulge)
    y = height * float(rng.uniform(0.4, 0.55))
    if rng.random() < 0.85:
        out = hold + splay * (1 - y / height) - 0.006 - 0.9 * bar
        turn = np.linspace(0, 2 * np.pi, 33)[:-1]
        points = np.stack([out * np.cos(turn), np.full(32, y), out * np.sin(turn)], axis=-1)
        pieces.append((wood, parts.ring(points, 0.72 * bar)))
    if rng.random() < 0.25:
        z = hip[2] + rake * 0.2 / rise
        x = bulge * hip[0]
        arm = [
            (0.97 * x, height + 0.21, z),
            (1.2 * x, height + 0.22, 0.3 * z),
            (1.15 * x, height + 0.2, -0.35 * z),
            (1.06 * x, height + 0.1, -0.5 * z),
            (0.9 * hold, height - 0.5 * thick, -0.42 * hold),
        ]
        pieces.append((wood, solids.mirrored(solids.tube(solids.bent(arm, 0.07, 4), bar, 12))))
    return pieces


def _bentwood_back(
    rng: np.random.Generator,
    wood: solids.Color,
    filling: solids.Color,
    hip: np.ndarray,
    rise: float,
    height: float,
    rake: float,
    bar: float,
    bulge: float,
) -> list[Piece]:
    """What fills the outer hoop: a smaller hoop, two scrolls, a cane panel or slats."""
    style = str(rng.choice(["hoop", "crossed", "panel", "slats"], p=[0.5, 0.15, 0.2, 0.15]))
    foot = height - 0.02

    def at(x: float, y: float) -> Point:
        return x, y, float(hip[2] + rake * (y - height) / rise)

    if style == "hoop":
        half, high = float(rng.uniform(0.55, 0.7)) * hip[0], float(rng.uniform(0.6, 0.8)) * rise
        angle = np.linspace(0, np.pi, 17)
        points = [at(half * np.cos(a), height + 0.55 * high + 0.45 * high * np.sin(a)) for a in angle]
        # Down to the seat, where the ends come closer to the rim.
        low = (0.95 * half, foot, 0.94 * float(hip[2]))
        path = np.array([low, *points, (-low[0], low[1], low[2])])
        return [(wood, solids.tube(path, 0.85 * bar, 10))]
    if style == "crossed":
        both = [
            solids.tube(
                np.array(
                    [
                        (s * 0.6 * hip[0], foot, 0.96 * hip[2]),
                        at(s * 0.5 * hip[0], height + 0.25 * rise),
                        at(0, height + 0.55 * rise),
                        at(-s * 0.62 * bulge * hip[0], height + 0.89 * rise),
                    ]
                ),
                0.8 * bar,
                10,
            )
            for s in (-1, 1)
        ]
        return [(wood, both[0] + both[1])]
    angle = np.linspace(0, np.pi, 19)
    x = bulge * hip[0]
    tilt = float(np.degrees(np.arctan2(rake, rise)))
    if style == "panel":
        plan = np.concatenate(
            [
                np.stack([0.95 * x * np.cos(angle), 0.5 * rise + 0.47 * rise * np.sin(angle)], axis=-1),
                [(-0.93 * x, 0.32 * rise), (0.93 * x, 0.32 * rise)],
            ]
        )
        board = solids.along_z(plan, -0.009, 0.009)
        ends = np.array([at(-0.95 * x, height + 0.32 * rise), at(0.95 * x, height + 0.32 * rise)])
        pieces: list[Piece] = [(filling, board.rotate((tilt, 0, 0)).translate((0, height, float(hip[2]))))]
        return [*pieces, (wood, solids.tube(ends, 0.9 * bar, 10))]
    bars = [
        solids.tube(
            np.array(
                [
                    (f * hip[0], foot, 0.95 * hip[2]),
                    at(f * x * 0.95, height + (0.5 + 0.5 * np.sqrt(1 - (0.95 * f) ** 2)) * rise),
                ]
            ),
            0.7 * bar,
            8,
        )
        for f in np.linspace(-0.55, 0.55, int(rng.integers(3, 6)))
    ]
    return [(wood, solids.union(bars))]


def bar_chair(rng: np.random.Generator) -> list[Piece]:
    """A tall chair for a counter, with a footrest: on four legs or on a column."""
    height = float(rng.uniform(0.62, 0.8))
    wide, deep = float(rng.uniform(0.36, 0.46)), float(rng.uniform(0.35, 0.42))
    column = rng.random() < 0.4
    frame = wood_or_paint(rng) if not column and rng.random() < 0.7 else pick(rng, METALS)
    cover = pick(rng, FABRICS) if rng.random() < 0.6 else frame
    f = parts.Frame(
        wide,
        deep,
        height,
        float(rng.uniform(0.035, 0.075)),
        float(rng.uniform(0.14, 0.36)),
        float(rng.uniform(4, 14)),
        float(rng.uniform(0.014, 0.02)),
    )
    plan = solids.rounded(
        np.array([(-1, -1), (1, -1), (0.94, 1), (-0.94, 1)]) * (wide / 2, deep / 2), float(rng.uniform(0.05, 0.16)), 6
    )
    pieces: list[Piece] = [(cover, solids.slab(plan, height - f.thickness, height, 0.45 * f.thickness))]
    rest = height * float(rng.uniform(0.3, 0.4))
    if column:
        pieces.append((frame, parts.disc_base(rng, height - 0.5 * f.thickness)))
        turn = np.linspace(0, 2 * np.pi, 33)[:-1]
        out = float(rng.uniform(0.15, 0.18))
        circle = np.stack([out * np.cos(turn), np.full(32, rest), out * np.sin(turn) - 0.02], axis=-1)
        spokes = [
            solids.tube(np.array([(0, rest, 0), end]), 0.011, 8)
            for end in ((0, rest, -out - 0.02), (out, rest, -0.02), (-out, rest, -0.02))
        ]
        pieces.append((frame, solids.union([parts.ring(circle, 0.012), *spokes])))
    else:
        corners = parts.leg_corners(f, plan, f.bar + float(rng.uniform(0.005, 0.03)))
        splay, segments = float(rng.uniform(0.0, 0.09)), int(rng.choice([4, 12]))
        pieces.append((frame, parts.four_legs(rng, f, corners, splay, float(rng.uniform(0.75, 1.0)), segments, 0.0)))
        share = 1 - rest / (height - 0.5 * f.thickness)
        (front, rear) = [np.array([x + splay * share, rest, z + 0.9 * splay * share * np.sign(z)]) for x, z in corners]
        lift = np.array([0, float(rng.choice([0.0, 0.06])), 0])
        ties = [
            (front, front * (-1, 1, 1)),
            (rear, rear * (-1, 1, 1)),
            (front + 0.4 * lift, rear + lift),
            ((front + 0.4 * lift) * (-1, 1, 1), (rear + lift) * (-1, 1, 1)),
        ]
        pieces.append((frame, solids.union(solids.tube(np.array(ends), 0.8 * f.bar, segments) for ends in ties)))
    style = str(rng.choice(["panel", "posts", "hoop"]))
    if style == "panel":
        pad = parts.panel(
            0.94 * wide, 0.0, f.back, float(rng.uniform(0.03, 0.05)), float(rng.uniform(0.02, 0.08)), 0.02
        )
        pieces.append((cover, parts.lean(f, pad)))
    elif style == "posts":
        kind = str(rng.choice(["slats", "ladder", "open", "solid"]))
        pieces.append((frame, parts.lean(f, parts.back(rng, f, 0.92 * wide, kind))))
    else:
        x, z = wide / 2 - 0.02, 0.42 * deep
        path = [
            (x - 0.01, height - 0.5 * f.thickness, -0.2 * z),
            (x, height + 0.8 * f.back, -0.1 * z),
            (0.9 * x, height + f.back, z),
            (0, height + f.back, 1.15 * z),
        ]
        curve = solids.bent(path, 0.09, 4)
        curve = np.concatenate([curve, (curve * (-1, 1, 1))[-2::-1]])
        pieces.append((frame, solids.tube(curve, 0.015, 10)))
        pad = parts.panel(1.5 * x, -0.04, 0.04, 0.035, 0.05).translate((0, height + f.back, 1.15 * z))
        pieces.append((cover, pad))
    return pieces


def high_chair(rng: np.random.Generator) -> list[Piece]:
    """A chair for a small child: long splayed legs, a footboard, arms and a tray."""
    wood = wood_or_paint(rng)
    cover = pick(rng, PAINTS + FABRICS)
    f = parts.Frame(
        float(rng.uniform(0.34, 0.4)),
        float(rng.uniform(0.32, 0.37)),
        float(rng.uniform(0.5, 0.6)),
        0.032,
        float(rng.uniform(0.34, 0.44)),
        float(rng.uniform(4, 10)),
        float(rng.uniform(0.016, 0.02)),
    )
    plan = solids.rounded(np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (f.width / 2, f.depth / 2), 0.05, 5)
    corners = parts.leg_corners(f, plan, 0.03)
    splay = float(rng.uniform(0.07, 0.12))
    segments = int(rng.choice([4, 12]))
    pieces: list[Piece] = [
        (wood, parts.seat(rng, f, plan)),
        (wood, parts.four_legs(rng, f, corners, splay, 0.85, segments, 0.0)),
    ]

    def on_leg(index: int, y: float) -> np.ndarray:
        x, z = corners[index]
        out = splay * (1 - y / (f.height - 0.5 * f.thickness))
        return np.array([x + out, y, z + 0.9 * out * np.sign(z)])

    y = float(rng.uniform(0.14, 0.22))
    ties = [(on_leg(0, y), on_leg(1, y)), (on_leg(1, y + 0.06), on_leg(1, y + 0.06) * (-1, 1, 1))]
    pieces.append((wood, solids.mirrored(solids.union(solids.tube(np.array(ends), 0.013, segments) for ends in ties))))
    step = on_leg(0, f.height - float(rng.uniform(0.24, 0.28)))
    pieces.append((wood, solids.block((2 * step[0] + 0.01, 0.02, 0.1), (0, step[1], step[2] - 0.03), 0.008)))
    kind = str(rng.choice(["slats", "spindles", "solid", "ladder"]))
    pieces.append((wood, parts.lean(f, parts.back(rng, f, 0.96 * f.width, kind))))
    high = f.height + float(rng.uniform(0.17, 0.2))
    behind = f.rear + np.tan(np.radians(f.rake)) * (high - f.height)
    x, front = f.width / 2 - 0.005, -f.depth / 2 - 0.02
    arm = solids.tube(np.array([(x, high, behind + 0.01), (x, high, front)]), 0.015, segments)
    post = solids.tube(
        np.array([(x - 0.02, f.height - 0.02, -0.1 * f.depth), (x, high, -0.14 * f.depth)]), 0.013, segments
    )
    pieces.append((wood, solids.mirrored(arm + post)))
    if rng.random() < 0.8:
        deep = float(rng.uniform(0.22, 0.28))
        tray = solids.rounded(
            np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (x + 0.05, deep / 2) + (0, front - 0.02), 0.1, 6
        )
        plate = solids.slab(tray, high + 0.002, high + 0.034, 0.012)
        inner = solids.slab(0.86 * (tray - (0, front - 0.02)) + (0, front - 0.02), high + 0.018, high + 0.05, 0.002)
        pieces.append((cover if rng.random() < 0.5 else wood, plate - inner))
    else:
        pieces.append(
            (wood, solids.tube(np.array([(-x, high, front + 0.01), (x, high, front + 0.01)]), 0.014, segments))
        )
    if rng.random() < 0.6:
        pieces.append((cover, parts.cushion(rng, f, 0.92 * plan)))
    return pieces
