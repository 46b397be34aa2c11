"""Single-seaters: racing cars with free wheels, from the cigars of the fifties to those of today."""

from __future__ import annotations

import numpy as np
from manifold3d import Manifold

from imfield_jax.sources.procedural import car_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_colors import STEEL, bright_paint, two_colors
from imfield_jax.sources.procedural.car_formula import modern, nineties
from imfield_jax.sources.procedural.car_trim import CHROME, GRILLE, PLASTIC
from imfield_jax.sources.procedural.solids import Color, Piece


def single_seater(rng: np.random.Generator) -> list[Piece]:
    """A formula car of one of four eras."""
    era = rng.choice(len(ERAS), p=list(ERAS.values()))
    return list(ERAS)[era](rng)


def _fifties(rng: np.random.Generator) -> list[Piece]:
    """A cigar on thin tyres, engine in front or behind, no wings."""
    paint = bright_paint(rng)
    ahead = rng.random() < 0.45  # the engine
    length, half = float(rng.uniform(3.7, 4.2)), float(rng.uniform(0.72, 0.8))
    radius, tyre = float(rng.uniform(0.31, 0.36)), float(rng.uniform(0.15, 0.22))
    if not ahead:
        radius, tyre = float(rng.uniform(0.29, 0.32)), float(rng.uniform(0.19, 0.28))
    tub, floor = float(rng.uniform(0.32, 0.38)), float(rng.uniform(0.12, 0.17))
    high = float(rng.uniform(0.84, 0.96)) if ahead else float(rng.uniform(0.68, 0.76))
    nose, tail = -length / 2, length / 2
    front = nose + float(rng.uniform(0.55, 0.7))
    rear = front + float(rng.uniform(2.25, 2.45))
    tail = max(tail, rear + 0.45)
    seat = rear - 0.85 if ahead else front + float(rng.uniform(0.62, 0.75))
    middle = float(rng.uniform(0.42, 0.48))
    stations = [
        (nose, 0.13, middle - 0.09, middle + 0.07),
        (nose + 0.05, 0.17, middle - 0.13, middle + 0.11),
        (nose + 0.2, 0.21, middle - 0.17, middle + 0.15),
        (front, 0.75 * tub, floor + 0.03, 0.82 * high),
        (seat, tub, floor, high),
        (seat + 0.8, tub, floor, high),
        (rear, 0.9 * tub, floor + 0.05, 0.9 * high),
        (tail - 0.12, 0.13 if ahead else 0.24, middle - 0.06, middle + 0.16),
        (tail, 0.05 if ahead else 0.2, middle, middle + 0.1),
    ]
    hole, pieces = parts.cockpit(0.72 * tub, high, floor, seat, (0.3, 0.18, 0.1, 1.0))
    body = parts.hull(stations, float(rng.uniform(2.1, 2.8)), float(rng.uniform(2.3, 3.4)))
    if ahead or rng.random() < 0.5:
        body = body + solids.ball((0.14, 0.3, min(0.75, tail - seat - 0.85)), (0, high - 0.14, seat + 0.8))
    pieces.append((paint, body - hole))
    skin = parts.hull(stations, 2.4, 2.8, grow=0.012)
    pieces.append((GRILLE, skin ^ solids.block((0.24, 0.2, 0.3), (0, middle - 0.01, nose), 0.09)))
    if rng.random() < 0.5:
        band = Manifold.cube((2, 2, 0.22)).translate((-1, 0, nose + 0.16))
        shade: Color = (0.93, 0.93, 0.9, 1.0) if rng.random() < 0.5 else bright_paint(rng)
        wide = parts.hull(stations, 3.0, 3.6, grow=0.02)
        pieces.append((shade, wide ^ band))
    screen = solids.turned([(0.2, -0.2), (0.25, -0.2), (0.23, 0.1), (0.18, 0.1)], "y", segments=32)
    screen = screen.trim_by_plane((0, 0, -1.0), 0.05)
    pieces.append(((0.3, 0.36, 0.42, 1.0), screen.translate((0, high, seat + 0.2))))
    grey = round(float(rng.choice([0.35, 0.55, 0.72])), 4)
    design = int(rng.integers(1 << 30))
    x = half - tyre / 2
    pieces += parts.axle(design, radius, tyre, x, front, (grey, grey, grey, 1.0), 0.035)
    grown = 1.0 if ahead else float(rng.uniform(1.0, 1.3))
    pieces += parts.axle(
        design,
        radius * (1.04 if ahead else 1.02),
        tyre * grown,
        half - tyre * grown / 2,
        rear,
        (grey, grey, grey, 1.0),
        0.04,
    )
    links = parts.arms(radius, (half - tyre - 0.02, front), 0.5 * tub, radius + 0.06, 0.2, 0.024)
    links = links + parts.arms(radius, (half - tyre * grown - 0.02, rear), 0.5 * tub, radius + 0.06, 0.26, 0.024)
    pieces.append((CHROME if rng.random() < 0.5 else PLASTIC, links))
    if ahead:
        side = float(rng.choice([-1.0, 1.0]))
        pipe = [
            (side * 0.4 * tub, middle, front + 0.4),
            (side * (tub + 0.05), middle - 0.02, front + 0.75),
            (side * (tub + 0.06), middle - 0.04, tail - 0.3),
            (side * 0.14, middle + 0.02, tail - 0.4),
        ]
        pieces.append((STEEL, solids.tube(solids.bent(pipe, 0.2), 0.042)))
    else:
        pipe = solids.tube([(0.14, middle + 0.2, rear - 0.1), (0.16, middle + 0.08, tail + 0.12)], [0.04, 0.055])
        pieces.append((STEEL, solids.mirrored(pipe)))
        hoop = parts.hoop(0.6 * tub, high - 0.25, high + 0.22, seat + 0.78, 0.025, 0.03, 0.6)
        pieces.append((CHROME, hoop))
    return pieces


def _seventies(rng: np.random.Generator) -> list[Piece]:
    """A wedge with a tall air box, huge rear tyres and wings on posts."""
    paint, second = two_colors(rng)
    length, half = float(rng.uniform(4.1, 4.6)), float(rng.uniform(0.92, 1.06))
    small, large = float(rng.uniform(0.25, 0.29)), float(rng.uniform(0.32, 0.35))
    narrow, fat = float(rng.uniform(0.26, 0.33)), float(rng.uniform(0.42, 0.52))
    floor, high, tub = float(rng.uniform(0.07, 0.1)), float(rng.uniform(0.6, 0.7)), float(rng.uniform(0.34, 0.42))
    nose, tail = -length / 2, length / 2
    front = nose + float(rng.uniform(0.75, 0.95))
    rear = front + float(rng.uniform(2.4, 2.65))
    tail = rear + float(rng.uniform(0.55, 0.75))
    seat = front + float(rng.uniform(0.6, 0.75))
    stations = [
        (nose, 0.26, floor + 0.06, floor + 0.15),
        (front, 0.3, floor, floor + 0.36),
        (seat, tub, floor, high),
        (seat + 0.85, tub, floor, high + 0.02),
        (rear, 0.26, floor + 0.06, high - 0.14),
        (rear + 0.35, 0.16, floor + 0.16, high - 0.28),
    ]
    hole, pieces = parts.cockpit(0.7 * tub, high, floor, seat, PLASTIC)
    body = parts.hull(stations, float(rng.uniform(3, 5)), 7)
    pod_half = float(rng.uniform(0.56, 0.66))
    begin, end = seat + float(rng.uniform(0.1, 0.5)), rear - large - 0.06
    pods = solids.block(
        (2 * pod_half, float(rng.uniform(0.32, 0.42)), end - begin), (0, floor + 0.2, (begin + end) / 2), 0.05
    )
    pieces.append((paint, body + pods - hole))
    mouths = solids.block((0.16, 0.2, 0.1), (pod_half - 0.11, floor + 0.21, begin + 0.03), 0.02)
    pieces.append((GRILLE, solids.mirrored(mouths)))
    box = str(rng.choice(["tall", "low", "none"], p=[0.5, 0.25, 0.25]))
    z = seat + 0.72
    if box != "none":
        tip = high + (float(rng.uniform(0.36, 0.52)) if box == "tall" else 0.22)
        scoop = [
            (z, 0.14, tip - 0.2, tip),
            (z + 0.4, 0.17, high - 0.25, tip - 0.03),
            (z + 0.95, 0.1, high - 0.2, high + 0.04),
        ]
        pieces.append((paint, parts.hull(scoop, 3, 5)))
        pieces.append((GRILLE, solids.block((0.2, 0.12, 0.08), (0, tip - 0.1, z + 0.01), 0.03)))
        pieces.append((STEEL, solids.tube([(0, tip - 0.12, z + 0.1), (0, high - 0.3, z + 0.16)], 0.09)))
    hoop_high = high + 0.26
    pieces.append((CHROME, parts.hoop(0.2, high - 0.25, hoop_high, seat + 0.7, 0.026, 0.03, 0.7)))
    engine = solids.block((0.6, 0.34, 0.55), (0, floor + 0.3, rear - 0.35), 0.05)
    pipe = solids.tube([(0.2, floor + 0.34, rear - 0.2), (0.17, floor + 0.3, tail - 0.05)], [0.04, 0.06])
    pieces.append((STEEL, engine + solids.mirrored(pipe)))
    grey = round(float(rng.choice([0.2, 0.6, 0.72])), 4)
    rim: Color = (grey, grey, grey, 1.0) if rng.random() < 0.7 else (0.75, 0.6, 0.2, 1.0)
    design = int(rng.integers(1 << 30))
    pieces += parts.axle(design, small, narrow, half - 0.05 - narrow / 2, front, rim, 0.035)
    pieces += parts.axle(design, large, fat, half - fat / 2, rear, rim, 0.045)
    links = parts.arms(small, (half - 0.07 - narrow, front), 0.24, small, 0.2, 0.025)
    links = links + parts.arms(large, (half - fat - 0.02, rear), 0.14, large, 0.3, 0.025)
    pieces.append((PLASTIC, links))
    style = str(rng.choice(["split", "full", "shovel"]))
    span = half - float(rng.uniform(0.12, 0.3))
    if style == "shovel":
        plow = [
            (nose - 0.04, 0.8 * span, floor + 0.05, floor + 0.12),
            (nose + 0.3, span, floor + 0.03, floor + 0.22),
            (front - small - 0.05, span - 0.05, floor + 0.02, floor + 0.3),
        ]
        pieces.append((paint, parts.hull(plow, 3, 6)))
    elif style == "split":
        pieces += parts.wing(rng, span, 0.34, floor + 0.08, nose + 0.08, 1, 0.16, (second, second))
    else:
        pieces += parts.wing(rng, span, 0.38, floor + 0.08, nose + 0.02, 2, 0.2, (second, second))
    top = float(rng.uniform(0.82, 0.98))
    pieces += parts.wing(
        rng, float(rng.uniform(0.46, 0.56)), 0.46, top, tail - 0.3, int(rng.integers(1, 3)), 0.34, (second, paint)
    )
    post = solids.tube([(0, floor + 0.3, rear + 0.2), (0, top + 0.03, tail - 0.12)], 0.05, 4)
    pieces.append((PLASTIC, post))
    return pieces


ERAS = {_fifties: 0.28, _seventies: 0.24, nineties: 0.24, modern: 0.24}
