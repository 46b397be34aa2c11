"""Chairs joined from bars and boards: kitchen chairs, Windsors, stools, folding and rocking chairs."""

from __future__ import annotations

import dataclasses

import numpy as np

from imfield_jax.sources.procedural import chair_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.furniture_colors import FABRICS, METALS, WOODS, pick, wood_or_paint
from imfield_jax.sources.procedural.solids import Piece


def dining(rng: np.random.Generator) -> list[Piece]:
    """Four legs and an upright back, with or without arms."""
    f = parts.draw_frame(rng)
    plan = parts.seat_plan(rng, f)
    wood = wood_or_paint(rng)
    corners = parts.leg_corners(f, plan, f.bar + float(rng.uniform(0.0, 0.03)))
    style = str(rng.choice(["straight", "tapered", "splayed"]))
    splay = float(rng.uniform(0.03, 0.1)) if style == "splayed" else float(rng.choice([0.0, 0.015]))
    taper = float(rng.uniform(0.6, 0.8)) if style != "straight" else 1.0
    segments = 4 if style == "straight" or rng.random() < 0.35 else 12
    pieces = [
        (wood, parts.seat(rng, f, plan)),
        (wood, parts.four_legs(rng, f, corners, splay, taper, segments, 0.5)),
    ]
    if segments == 4 and rng.random() < 0.6:
        pieces.append((wood, parts.apron(f, corners)))
    kind = str(rng.choice(["slats", "ladder", "solid", "open", "cross", "slats"]))
    width = 2 * (corners[1][0] + f.bar) * float(rng.uniform(0.94, 1.0))
    f = parts.above_legs(f, corners)
    soft = pick(rng, FABRICS)
    upholstered = kind == "solid" and rng.random() < 0.6
    pieces.append((soft if upholstered else wood, parts.lean(f, parts.back(rng, f, width, kind))))
    if upholstered or rng.random() < 0.4:
        pieces.append((soft, parts.cushion(rng, f, plan)))
    if rng.random() < 0.3 and kind != "solid":
        pieces.append((wood, parts.arms(rng, f, width / 2)))
    return pieces


def windsor(rng: np.random.Generator) -> list[Piece]:
    """A saddle seat of wood, turned legs, and a bow of bent wood filled with spindles."""
    f = dataclasses.replace(parts.draw_frame(rng), thickness=float(rng.uniform(0.035, 0.05)))
    wood = wood_or_paint(rng)
    plan = parts.seat_plan(rng, f)
    corners = parts.leg_corners(f, plan, 0.07)
    pieces = [
        (wood, parts.seat(rng, f, plan)),
        (wood, parts.four_legs(rng, f, corners, float(rng.uniform(0.04, 0.1)), 0.75, 12, 0.9)),
    ]
    f = parts.above_legs(f, corners)
    half = min(corners[1][0] + 0.03, 0.46 * f.width)
    angle = np.linspace(0, np.pi, 17)
    bulge = float(rng.uniform(1.0, 1.2))
    x, y = half * bulge * np.cos(angle), f.back * np.sin(angle) ** 0.7
    x[[0, -1]] = half, -half
    hoop = solids.tube(np.stack([x, y, np.zeros(17)], axis=-1), 0.016, 10)
    count = int(rng.integers(4, 8))
    spindles = []
    for s in np.linspace(-0.78, 0.78, count):
        top = f.back * (1 - s**2) ** 0.35
        spindles.append(solids.tube([(0.85 * half * s, 0, 0), (half * bulge * s, top, 0)], 0.011, 8))
    pieces.append((wood, parts.lean(f, solids.union([hoop, *spindles]))))
    if rng.random() < 0.4:
        pieces.append((wood, parts.arms(rng, f, half * bulge)))
    return pieces


def stool(rng: np.random.Generator) -> list[Piece]:
    """A seat without a back, or with a low one: on legs with a foot rail, or on a column."""
    f = dataclasses.replace(
        parts.draw_frame(rng),
        height=float(rng.uniform(0.42, 0.8)),
        width=float(rng.uniform(0.3, 0.42)),
        depth=float(rng.uniform(0.3, 0.38)),
        thickness=float(rng.uniform(0.035, 0.09)),
        back=float(rng.uniform(0.16, 0.3)),
    )
    frame = pick(rng, METALS) if rng.random() < 0.5 else wood_or_paint(rng)
    top = pick(rng, FABRICS) if rng.random() < 0.5 else wood_or_paint(rng)
    angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    disc = np.stack([f.width / 2 * np.cos(angle), f.width / 2 * np.sin(angle)], axis=-1)
    on_column = rng.random() < 0.3
    plan = disc if on_column or rng.random() < 0.5 else parts.seat_plan(rng, f)
    pieces = [(top, parts.seat(rng, f, plan))]
    if on_column:
        base = (
            parts.star_base(rng, f.height - 0.02, rng.random() < 0.5)
            if rng.random() < 0.4
            else parts.disc_base(rng, f.height - 0.02)
        )
        pieces.append((frame, base))
    else:
        corners = parts.leg_corners(f, plan, 0.05)
        splay = float(rng.uniform(0.0, 0.12)) * f.height
        pieces.append(
            (
                frame,
                parts.four_legs(rng, f, corners, splay, float(rng.uniform(0.7, 1)), int(rng.choice([4, 12])), 1.0),
            )
        )
    if rng.random() < 0.3:
        f = dataclasses.replace(f, depth=2 * float(plan[:, 1].max()) * 0.95)
        wide = 2 * float(np.abs(plan[plan[:, 1] > 0.3 * f.depth, 0]).max())
        pieces.append((frame, parts.lean(f, parts.back(rng, f, wide, "open"))))
    return pieces


def folding(rng: np.random.Generator) -> list[Piece]:
    """Crossed legs, one pair of which continues into the back."""
    f = parts.draw_frame(rng)
    frame, cover = (
        pick(rng, METALS) if rng.random() < 0.5 else wood_or_paint(rng),
        pick(rng, FABRICS + WOODS),
    )
    bar, x = float(rng.uniform(0.014, 0.02)), f.width / 2
    front, rear = -f.depth / 2, f.depth / 2
    segments = int(rng.choice([4, 12]))
    head = (f.height + f.back, rear + 0.3 * f.back)
    stem = [
        (x, 0, front - 0.02),
        (x, f.height, rear - 0.04),
        (x, head[0], rear + float(rng.uniform(0.05, 0.2))),
    ]
    brace = [(x - 2 * bar + 0.004, 0, rear + 0.04), (x - 2 * bar + 0.004, f.height - 0.01, front + 0.06)]
    sides = solids.mirrored(solids.tube(solids.bent(stem, 0.1), bar, segments) + solids.tube(brace, bar, segments))
    inner, slope = x - 2 * bar, (f.depth - 0.02) / f.height
    bars = (
        (x, 0.12, front - 0.02 + 0.12 * slope),
        (inner, 0.1, rear + 0.04 - 0.1 * slope),
        (inner, f.height - 0.02, front + 0.06),
        (x, f.height - 0.01, rear - 0.04),
    )
    ties = [solids.tube([(-reach, y, z), (reach, y, z)], 0.8 * bar, segments) for reach, y, z in bars]
    plan = solids.rounded(np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (x - 0.004, f.depth / 2 - 0.005), 0.03, 3)
    pieces = [
        (frame, solids.union([sides, *ties])),
        (cover, solids.slab(plan, f.height - 0.03, f.height, 0.01)),
    ]
    span = np.array(stem[2]) - np.array(stem[1])
    tilt = float(np.degrees(np.arctan2(span[2], span[1])))
    tall = float(np.hypot(span[1], span[2]))
    low = float(rng.uniform(0.3, 0.7)) * tall
    board = (
        parts.panel(2 * x, low, tall + 0.01, 0.028, 0.0, 0.0)
        .rotate((tilt, 0, 0))
        .translate(tuple(np.array(stem[1]) * (0, 1, 1)))
    )
    pieces.append((cover, board))
    return pieces


def rocking(rng: np.random.Generator) -> list[Piece]:
    """A slatted or laddered armchair on two curved runners."""
    f = dataclasses.replace(
        parts.draw_frame(rng),
        height=float(rng.uniform(0.38, 0.44)),
        back=float(rng.uniform(0.55, 0.75)),
        width=float(rng.uniform(0.48, 0.56)),
    )
    wood = wood_or_paint(rng)
    x, z = f.width / 2, f.depth / 2
    plan = solids.rounded(np.array([(-x, -z), (x, -z), (x, z), (-x, z)]), 0.04, 4)
    corners = [(x - f.bar, -z + f.bar), (x - f.bar, z - f.bar)]
    t = np.linspace(-1, 1, 13)
    reach = z + float(rng.uniform(0.14, 0.24))
    sag = float(rng.uniform(0.08, 0.13))
    runner = solids.tube(np.stack([np.full(13, x - f.bar), 0.02 + sag * t**2, reach * t + 0.06], axis=-1), 0.021, 4)
    pieces = [
        (wood, parts.seat(rng, f, plan)),
        (wood, parts.four_legs(rng, f, corners, 0.0, 1.0, 12, 1.0).trim_by_plane((0, 1, 0), 0.03)),
    ]
    pieces.append((wood, solids.mirrored(runner)))
    pieces.append((wood, parts.lean(f, parts.back(rng, f, f.width, str(rng.choice(["slats", "ladder", "spindles"]))))))
    pieces.append((wood, parts.arms(rng, f, f.width / 2)))
    if rng.random() < 0.5:
        pieces.append((pick(rng, FABRICS), parts.cushion(rng, f, plan)))
    return pieces
