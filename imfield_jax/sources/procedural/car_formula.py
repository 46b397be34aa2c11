"""Formula cars with side pods and wings, of the nineties and of today."""

from __future__ import annotations

import numpy as np
from manifold3d import Manifold

from imfield_jax.sources.procedural import car_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_colors import CARBON, two_colors
from imfield_jax.sources.procedural.car_trim import GRILLE, PLASTIC, TAIL_LAMP
from imfield_jax.sources.procedural.solids import Color, Piece


def nineties(rng: np.random.Generator) -> list[Piece]:
    """A slim nose, long side pods and wide wings."""
    return _winged(rng, False)


def modern(rng: np.random.Generator) -> list[Piece]:
    """Longer, with a high nose, a halo over the cockpit and a fin."""
    return _winged(rng, True)


def _winged(rng: np.random.Generator, modern: bool) -> list[Piece]:
    """What the two eras have in common, and where they differ."""
    paint, second = two_colors(rng)
    half = float(rng.uniform(0.96, 1.0)) if modern else float(rng.uniform(0.9, 1.05))
    base = float(rng.uniform(3.2, 3.6)) if modern else float(rng.uniform(2.75, 3.0))
    small, large = (0.355, 0.36) if modern else (float(rng.uniform(0.29, 0.32)), float(rng.uniform(0.32, 0.34)))
    narrow, fat = float(rng.uniform(0.27, 0.32)), float(rng.uniform(0.36, 0.42))
    floor = float(rng.uniform(0.06, 0.09))
    front, rear = -base / 2, base / 2
    nose = front - float(rng.uniform(0.85, 1.0))
    tail = rear + float(rng.uniform(0.5, 0.62))
    seat = front + (float(rng.uniform(1.05, 1.3)) if modern else float(rng.uniform(0.75, 0.95)))
    high, tub = float(rng.uniform(0.64, 0.72)), float(rng.uniform(0.28, 0.33))
    lift = float(rng.uniform(0.12, 0.26)) if modern or rng.random() < 0.5 else 0.04
    crest = float(rng.uniform(0.9, 1.0))
    stations = [
        (nose, 0.09, floor + lift, floor + lift + 0.09),
        (nose + 0.2, 0.12, floor + lift - 0.02, floor + lift + 0.15),
        (front, 0.2, floor + 0.7 * lift, max(high - 0.17, floor + lift + 0.2)),
        (seat, tub, floor, high),
        (seat + 0.8, tub, floor, high + 0.02),
        (rear - 0.1, 0.2, floor + 0.04, 0.5),
        (rear + 0.4, 0.1, floor + 0.16, 0.42),
    ]
    hole, pieces = parts.cockpit(0.78 * tub, high, floor, seat, PLASTIC)
    body = parts.hull(stations, float(rng.uniform(2.8, 4)), 5)
    cover = [
        (seat + 0.74, 0.13, high - 0.1, crest),
        (seat + 1.0, 0.17, high - 0.3, crest - 0.02),
        (rear - 0.3, 0.1, 0.3, 0.68),
        (rear + 0.3, 0.06, 0.3, 0.46),
    ]
    body = body + parts.hull(cover, 2.6, 4)
    wide, begin = float(rng.uniform(0.6, 0.72)), seat + float(rng.uniform(0.1, 0.4))
    tall = float(rng.uniform(0.4, 0.5))
    waist = rear - large - 0.1
    pods = [
        (begin, wide - 0.06, floor + 0.08, floor + tall - 0.03),
        (begin + 0.12, wide, floor, floor + tall),
        (0.5 * (begin + waist), wide - 0.03, floor, floor + tall - 0.02),
        (waist, 0.42, floor, floor + 0.3),
        (rear + 0.1, 0.22, floor + 0.03, floor + 0.22),
    ]
    body = body + parts.hull(pods, 4.5, 7)
    pieces.append((paint, body - hole))
    mouths = solids.block((0.2, 0.2, 0.12), (wide - 0.19, floor + 0.55 * tall, begin + 0.03), 0.04)
    pieces.append(
        (GRILLE, solids.mirrored(mouths) + solids.block((0.16, 0.12, 0.1), (0, crest - 0.1, seat + 0.75), 0.03))
    )
    sheet = np.array([(0.2, front + 0.6), (0.74, begin + 0.1), (0.74, waist), (0.3, waist + 0.25), (0.3, rear + 0.35)])
    sheet = np.concatenate([sheet, (sheet * (-1, 1))[::-1]])
    pieces.append(
        (
            CARBON,
            Manifold.extrude(solids.outline(sheet * (1, -1)), 0.05).rotate((-90, 0, 0)).translate((0, floor - 0.02, 0)),
        )
    )
    if modern:
        z = seat + 0.02
        ring = [
            (0.27, high + 0.16, z + 0.85),
            (0.27, high + 0.27, z + 0.5),
            (0.2, high + 0.27, z + 0.12),
            (0, high + 0.25, z - 0.03),
        ]
        halo = solids.mirrored(
            solids.tube(solids.bent(ring, 0.16), 0.035) + solids.ball((0.035, 0.035, 0.035), ring[-1])
        )
        legs = solids.tube([(0.27, high + 0.16, z + 0.85), (0.2, high - 0.15, z + 0.95)], 0.035)
        post = solids.tube([(0, high + 0.25, z - 0.03), (0, high - 0.1, z - 0.18)], 0.03)
        pieces.append((CARBON, halo + solids.mirrored(legs) + post))
        if rng.random() < 0.6:
            fin = solids.outline(
                [(seat + 1.1, crest - 0.1), (rear + 0.2, crest - 0.08), (rear + 0.25, 0.4), (seat + 1.1, 0.5)]
            )
            pieces.append((second, solids.along_x(fin, -0.028, 0.028)))
    else:
        pieces.append((PLASTIC, parts.hoop(0.13, high - 0.2, crest + 0.04, seat + 0.76, 0.026, 0.02, 0.7)))
    rim: Color = CARBON if modern and rng.random() < 0.7 else (0.62, 0.62, 0.64, 1.0)
    design = int(rng.integers(1 << 30))
    pieces += parts.axle(design, small, narrow, half - narrow / 2, front, rim, 0.035)
    pieces += parts.axle(design, large, fat, half - fat / 2, rear, rim, 0.04)
    links = parts.arms(small, (half - narrow - 0.02, front), 0.1, small + 0.06, 0.26, 0.027, 0.5)
    links = links + parts.arms(large, (half - fat - 0.02, rear), 0.08, large, 0.34, 0.027, 0.5)
    pieces.append((CARBON, links))
    span = half - (0.02 if modern else float(rng.uniform(0.1, 0.25)))
    pieces += parts.wing(
        rng, span, 0.5 if modern else 0.42, floor + 0.1, nose - 0.06, 3 if modern else 2, 0.26, (second, second)
    )
    pylon = solids.block((0.06, lift + 0.14, 0.24), (0.07, floor + 0.09 + lift / 2, nose + 0.18), 0.02, 1)
    pieces.append((paint, solids.mirrored(pylon)))
    top = float(rng.uniform(0.84, 0.95))
    across = float(rng.uniform(0.48, 0.54))
    pieces += parts.wing(rng, across, 0.36, top - 0.08, tail - 0.36, 2, top - 0.36, (second, paint))
    beam = parts.ribbon([(tail - 0.34, 0.4), (tail - 0.12, 0.44)], -across, across, 0.055)
    box = solids.block((0.16, 0.2, 0.5), (0, 0.36, rear + 0.3), 0.04)
    pieces += [(CARBON, beam + box + solids.tube([(0, 0.36, tail - 0.24), (0, top - 0.03, tail - 0.2)], 0.04, 4))]
    pieces.append((TAIL_LAMP, solids.block((0.08, 0.12, 0.1), (0, 0.37, rear + 0.56), 0.01, 1)))
    return pieces
