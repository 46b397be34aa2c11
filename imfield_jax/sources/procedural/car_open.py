"""Small open sports cars."""

from __future__ import annotations

import numpy as np
from manifold3d import CrossSection, Manifold

from imfield_jax.sources.procedural import car_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_colors import STEEL, body_paint, bright_paint, leather, window_glass
from imfield_jax.sources.procedural.car_trim import CHROME, GRILLE, LAMP, PLASTIC, TAIL_LAMP
from imfield_jax.sources.procedural.solids import Color, Piece
from imfield_jax.sources.procedural.wheels import TYRE


def light_sports(rng: np.random.Generator) -> list[Piece]:
    """A small roadster without roof: narrow with separate wings, or round with wings in the body."""
    return _narrow(rng) if rng.random() < 0.55 else _rounded(rng)


def _rim(rng: np.random.Generator) -> Color:
    grey = round(float(rng.choice([0.12, 0.4, 0.6, 0.75])), 4)
    return (grey, grey, grey, 1.0)


def _narrow(rng: np.random.Generator) -> list[Piece]:
    """A slim body between free wheels, like a Lotus Seven and the kit cars after it."""
    paint = body_paint(rng) if rng.random() < 0.5 else bright_paint(rng)
    hide, glass, rim = leather(rng), window_glass(rng), _rim(rng)
    length, half = float(rng.uniform(3.1, 3.45)), float(rng.uniform(0.76, 0.84))
    radius, tyre = float(rng.uniform(0.275, 0.31)), float(rng.uniform(0.16, 0.21))
    floor, high = float(rng.uniform(0.13, 0.17)), float(rng.uniform(0.76, 0.86))
    slim, tub = float(rng.uniform(0.19, 0.25)), float(rng.uniform(0.47, 0.53))
    nose, tail = -length / 2, length / 2
    front = nose + float(rng.uniform(0.4, 0.55))
    rear = min(front + float(rng.uniform(2.15, 2.35)), tail - 0.33)
    scuttle = front + float(rng.uniform(0.9, 1.1))
    stations = [
        (nose, 0.75 * slim, floor + 0.14, high - 0.36),
        (nose + 0.12, slim, floor + 0.08, high - 0.25),
        (front, 1.25 * slim, floor, high - 0.15),
        (scuttle, tub, floor, high),
        (rear - 0.2, tub, floor, high - 0.05),
        (tail, tub - 0.02, floor + 0.05, high - 0.08),
    ]
    top = float(rng.uniform(3.0, 6.0))
    body = parts.hull(stations, top, 8)
    stop = rear - 0.25
    start = scuttle + 0.12
    size = (2 * tub - 0.14, 1.0, stop - start)
    hole = solids.block(size, (0, floor + 0.6, (start + stop) / 2), 0.08)
    if rng.random() < 0.6:
        hole = hole + solids.block((3, 0.3, 0.62), (0, high + 0.03, stop - 0.38), 0.12)
    pieces: list[Piece] = [(paint, body - hole)]
    mouth = solids.along_z(
        solids.rounded(slim * np.array([(-0.7, -1), (0.7, -1), (0.6, 0.5), (-0.6, 0.5)]), 0.05), -9, 0
    )
    skin = parts.hull(stations, top, 8, grow=0.012)
    pieces.append((GRILLE, skin ^ mouth.translate((0, (floor + high - 0.22) / 2 + 0.03, nose + 0.06))))
    if rng.random() < 0.3:
        second = bright_paint(rng)
        stripe = Manifold.cube((0.2, 2, scuttle - nose - 0.3)).translate((-0.1, 0.4, nose + 0.14))
        pieces.append((second, skin ^ stripe))
    seats = parts.seat(
        tub / 2 - 0.01, floor + 0.24, stop - 0.12, tub - 0.1, high - floor - 0.12, 14, rng.random() < 0.4
    )
    pieces.append((hide, solids.mirrored(seats)))
    side = float(rng.choice([-1.0, 1.0])) * tub / 2
    pieces.append((PLASTIC, parts.steering(side, high - 0.04, start + 0.2, 0.15, 15, 0.45)))
    design = int(rng.integers(1 << 30))
    x = half - tyre / 2 - 0.01
    for z in (front, rear):
        pieces += parts.axle(design, radius, tyre, x, z, rim, 0.04)
    inside = half - tyre - 0.03
    pieces.append((PLASTIC, parts.arms(radius, (inside, front), 0.9 * slim, radius + 0.05, 0.16, 0.022)))
    pieces += _separate_wings(rng, paint, (half, tub, tyre, radius), front, rear, scuttle)
    lamp = slim + float(rng.uniform(0.13, 0.2))
    pieces += parts.headlamps(
        lamp, high - 0.06, front + 0.05, float(rng.uniform(0.08, 0.1)), paint if rng.random() < 0.4 else CHROME
    )
    pieces.append(
        (
            PLASTIC,
            solids.mirrored(
                solids.tube([(lamp, high - 0.07, front + 0.1), (0.6 * slim, high - 0.36, front + 0.16)], 0.025, 8)
            ),
        )
    )
    pieces.append((TAIL_LAMP, parts.discs(half - 0.11, radius + 0.42 * radius, rear + 1.15 * radius, 0.045, 0.12)))
    kind = str(rng.choice(["full", "low", "none"], p=[0.5, 0.25, 0.25]))
    if kind == "full":
        pieces += parts.windscreen(
            2 * tub - 0.06, float(rng.uniform(0.28, 0.34)), 22, (0, high - 0.05, start - 0.08), PLASTIC, glass
        )
    elif kind == "low":
        pieces.append((glass, parts.pane(2 * tub - 0.2, 0.19, 0.045, 45, (0, high - 0.05, start - 0.1))))
    if rng.random() < 0.7:
        pieces.append((PLASTIC if rng.random() < 0.6 else CHROME, _roll_bar(rng, tub - 0.07, high, stop + 0.06, tail)))
    if rng.random() < 0.6:
        low, beside = floor + 0.13, -(tub + 0.045)
        pipe = [
            (-0.8 * slim, low + 0.16, front + 0.3),
            (beside, low, scuttle - 0.1),
            (beside, low, rear - 1.5 * radius),
            (beside + 0.14, low, rear - 1.3 * radius),
        ]
        pieces.append((CHROME, solids.tube(solids.bent(pipe, 0.15), 0.045)))
    if rng.random() < 0.35:
        pieces += _spare(0.93 * radius, 0.75 * tyre, (0, 0.5 * (floor + high) + 0.05, tail + 0.02), rim)
    return pieces


def _roll_bar(rng: np.random.Generator, x: float, foot: float, z: float, tail: float) -> Manifold:
    """One wide hoop or two narrow ones behind the seats, with stays."""
    high = foot + float(rng.uniform(0.2, 0.34))
    stay = solids.tube([(0.45 * x, high - 0.05, z), (0.45 * x, foot - 0.14, min(z + 0.45, tail - 0.05))], 0.024, 8)
    if rng.random() < 0.6:
        return parts.hoop(x, foot - 0.25, high, z, 0.03) + solids.mirrored(stay)
    small = parts.hoop(0.4 * x, foot - 0.25, high, z, 0.028).translate((0.5 * x, 0, 0))
    return solids.mirrored(small + stay)


def _spare(radius: float, width: float, place: tuple[float, float, float], rim: Color) -> list[Piece]:
    """An upright spare wheel that looks backwards."""
    corners = np.array([(0, -width / 2), (radius, -width / 2), (radius, width / 2), (0, width / 2)])
    tyre = solids.rounded(corners, 0.04)
    disc = [(0, 0.0), (0.62 * radius, 0.0), (0.55 * radius, width / 2 + 0.02), (0, width / 2 + 0.03)]
    return [(TYRE, solids.turned(tyre, "z", place)), (rim, solids.turned(disc, "z", place, 24))]


def _separate_wings(
    rng: np.random.Generator,
    paint: Color,
    sizes: tuple[float, float, float, float],
    front: float,
    rear: float,
    scuttle: float,
) -> list[Piece]:
    """Cycle wings or long swept ones in front, round ones at the rear."""
    half, tub, tyre, radius = sizes
    color = paint if rng.random() < 0.75 else PLASTIC
    thick = 0.045
    inside = half - tyre - 0.05
    if rng.random() < 0.65:
        path = parts.arc(front, radius, 1.2 * radius, float(rng.uniform(20, 55)), float(rng.uniform(140, 172)))
        wing = parts.ribbon(path, inside, half + 0.01, thick, 0.02)
        post = solids.tube([(inside + 0.02, radius, front), (inside + 0.02, 2.2 * radius, front)], 0.025, 8)
        wing = wing + post
    else:
        over = parts.arc(front, radius + 0.02, 1.22 * radius, 15, 120, 10)
        end = np.array(
            [(front + 2.4 * radius, 1.1 * radius), (scuttle + 0.25, 0.85 * radius), (scuttle + 0.4, 0.85 * radius)]
        )
        wing = parts.ribbon(np.concatenate([over, end]), inside - 0.03, half + 0.01, thick, 0.02)
        step = solids.block(
            (half - tub + 0.06, thick, 0.3), ((half + tub) / 2 - 0.05, 0.85 * radius, scuttle + 0.25), 0.01
        )
        wing = wing + step + solids.tube([(inside, radius, front), (inside, 2.2 * radius, front)], 0.025, 8)
    path = parts.arc(rear, radius, 1.2 * radius, float(rng.uniform(-8, 15)), float(rng.uniform(150, 172)))
    guard = parts.ribbon(path, tub - 0.1, half + 0.01, 0.05, 0.015)
    return [(color, solids.mirrored(wing)), (color, solids.mirrored(guard))]


def _rounded(rng: np.random.Generator) -> list[Piece]:
    """A low round body with its wings grown in, like the barchettas of the fifties."""
    paint = bright_paint(rng) if rng.random() < 0.5 else body_paint(rng)
    hide, glass, rim = leather(rng), window_glass(rng), _rim(rng)
    length, half = float(rng.uniform(3.5, 4.15)), float(rng.uniform(0.74, 0.84))
    radius, tyre = float(rng.uniform(0.285, 0.32)), float(rng.uniform(0.15, 0.2))
    floor, high = float(rng.uniform(0.13, 0.17)), float(rng.uniform(0.68, 0.78))
    nose, tail = -length / 2, length / 2
    front, rear = nose + float(rng.uniform(0.62, 0.8)), tail - float(rng.uniform(0.68, 0.9))
    mouth = float(rng.uniform(0.42, 0.5))
    stations = [
        (nose, 0.42 * half, mouth - 0.13, mouth + 0.07),
        (nose + 0.06, 0.62 * half, mouth - 0.2, mouth + 0.12),
        (nose + 0.3, 0.82 * half, floor + 0.04, high - 0.12),
        (front + 0.2, 0.93 * half, floor, high - 0.03),
        ((front + rear) / 2, 0.95 * half, floor, high),
        (rear, 0.93 * half, floor, high - 0.01),
        (tail - 0.25, 0.74 * half, floor + 0.08, high - 0.12),
        (tail, 0.4 * half, floor + 0.24, high - 0.3),
    ]
    top = float(rng.uniform(2.5, 3.4))
    peak, back = 2.12 * radius + float(rng.uniform(0.08, 0.18)), 2.12 * radius + float(rng.uniform(0.1, 0.22))

    def shape(grow: float) -> Manifold:
        whole = parts.hull(stations, top, 4, grow=grow)
        x = half - 0.2
        for z, crest in ((front, peak), (rear, back)):
            swell = [
                (max(z - 2.1 * radius, nose + 0.04), 0.1, mouth - 0.04, mouth + 0.1),
                (z - 1.25 * radius, 0.17, floor + 0.06, crest - 0.12),
                (z, 0.2, floor, crest),
                (z + 1.3 * radius, 0.17, floor, crest - 0.11),
                (min(z + 2.6 * radius, tail - 0.04), 0.1, floor + 0.2, high - 0.26),
            ]
            whole = whole + solids.mirrored(parts.hull(swell, 4, 5, grow=grow).translate((x, 0, 0)))
        return whole

    arch = CrossSection.circle(1.12 * radius, 40).translate((0, radius)) + CrossSection.square(
        (2.1 * radius, radius), False
    ).translate((-1.05 * radius, -0.2))
    wells = solids.union([solids.along_x(arch.translate((z, 0)), half - tyre - 0.1, half + 1) for z in (front, rear)])
    start, stop = 0.5 * (front + rear) - float(rng.uniform(0.0, 0.15)), rear - float(rng.uniform(0.2, 0.32))
    inside = 0.68 * half
    hole = solids.block((2 * inside, 1.0, stop - start), (0, floor + 0.58, (start + stop) / 2), 0.2, 3)
    hole = hole + solids.block((2 * half + 1, 0.3, 0.55), (0, high + 0.08, (start + stop) / 2 + 0.05), 0.14)
    outer = shape(0.0) - solids.mirrored(wells)
    fairing = str(rng.choice(["none", "two", "one"], p=[0.4, 0.35, 0.25]))
    if fairing != "none":
        x = inside / 2 if fairing == "two" else 0.0
        bump = solids.ball((0.2, 0.26, min(0.75, tail - stop - 0.1)), (x, high - 0.04, stop + 0.03))
        outer = outer + solids.mirrored(bump)
    pieces: list[Piece] = [(paint, outer - hole)]
    skin = shape(0.012)
    opening = CrossSection.circle(1.0, 32).scale((0.36 * half, 0.085)).translate((0, mouth - 0.03))
    pieces.append((GRILLE, skin ^ solids.along_z(opening, nose - 1, nose + 0.4)))
    lens = CrossSection.circle(float(rng.uniform(0.075, 0.1)), 24).translate((half - 0.2, mouth + 0.14))
    pieces.append((LAMP, skin ^ solids.mirrored(solids.along_z(lens, nose - 1, front - 0.75 * radius))))
    lens = CrossSection.circle(0.05, 16).translate((half - 0.24, mouth + 0.05))
    pieces.append((TAIL_LAMP, skin ^ solids.mirrored(solids.along_z(lens, rear + 1.3 * radius, tail + 1))))
    if rng.random() < 0.3:
        band = Manifold.cube((0.26, 2, length)).translate((-0.13, 0.45, nose)) - hole
        pieces.append(
            (
                bright_paint(rng),
                (skin ^ band) - Manifold.cube((9, 9, stop - nose + 0.1)).translate((-4.5, 0, start - 0.1)),
            )
        )
    seats = parts.seat(inside / 2, floor + 0.22, stop - 0.16, inside - 0.06, high - floor - 0.08, 14)
    pieces.append((hide, solids.mirrored(seats)))
    side = float(rng.choice([-1.0, 1.0])) * inside / 2
    pieces.append((PLASTIC, parts.steering(side, high - 0.02, start + 0.16, 0.16, 12, 0.45)))
    design = int(rng.integers(1 << 30))
    for z in (front, rear):
        pieces += parts.axle(design, radius, tyre, half - tyre / 2 - 0.03, z, rim, 0.06)
    if rng.random() < 0.75:
        tall = float(rng.uniform(0.12, 0.26))
        plan = CrossSection.circle(1.0, 48).scale((inside + 0.02, 0.55)) - CrossSection.circle(1.0, 48).scale(
            (inside - 0.025, 0.505)
        )
        ring = Manifold.extrude(plan ^ CrossSection.square((9, 9), False).translate((-4.5, 0.12)), tall + 0.2)
        screen = ring.rotate((-90, 0, 0)).translate((0, high - 0.2, start + 0.38))
        pieces.append((glass, screen.trim_by_plane((0, -1.0, -0.32), -(high + tall) - 0.32 * (start - 0.17))))
    if rng.random() < 0.4:
        pieces.append((CHROME, _roll_bar(rng, 0.8 * inside, high, stop + 0.06, tail - 0.3)))
    if rng.random() < 0.4:
        pipe = solids.tube([(0.3 * half, floor + 0.06, rear), (0.3 * half, floor + 0.06, tail + 0.03)], 0.04)
        pieces.append((STEEL, solids.mirrored(pipe)))
    return pieces
