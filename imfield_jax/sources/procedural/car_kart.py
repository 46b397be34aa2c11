"""Racing karts."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import car_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_colors import STEEL, bright_paint
from imfield_jax.sources.procedural.car_trim import CHROME, PLASTIC
from imfield_jax.sources.procedural.furniture_colors import pick
from imfield_jax.sources.procedural.solids import Color, Piece


def kart(rng: np.random.Generator) -> list[Piece]:
    """A racing kart: a flat frame of tubes with a bucket seat, an engine beside it and plastic bumpers."""
    paint, second = bright_paint(rng), bright_paint(rng)
    frame = pick(rng, ((0.1, 0.1, 0.11), (0.7, 0.72, 0.74), (0.7, 0.1, 0.08)))
    half, base = float(rng.uniform(0.6, 0.7)), float(rng.uniform(1.0, 1.1))
    small, large = float(rng.uniform(0.125, 0.14)), float(rng.uniform(0.135, 0.15))
    narrow, fat = float(rng.uniform(0.12, 0.14)), float(rng.uniform(0.18, 0.22))
    front, rear = -base / 2, base / 2
    y, bar = 0.09, 0.018
    nose, tail = front - 0.22, rear + 0.16
    design = int(rng.integers(1 << 30))
    rim: Color = (0.7, 0.6, 0.25, 1.0) if rng.random() < 0.4 else (0.6, 0.6, 0.62, 1.0)
    pieces = parts.axle(design, small, narrow, half - narrow / 2 - 0.03, front, rim, 0.022)
    pieces += parts.axle(design, large, fat, half - fat / 2, rear, rim, 0.024, STEEL)
    rail = [
        (0.16, y, nose),
        (0.17, y + 0.02, front),
        (0.32, y, front + 0.35),
        (0.32, y + 0.02, rear),
        (0.3, y + 0.03, tail),
    ]
    tubes = [solids.mirrored(solids.tube(solids.bent(rail, 0.12), bar, 8))]
    for x, z in ((0.16, nose), (0.17, front), (0.3, front + 0.3), (0.32, rear - 0.2), (0.3, tail)):
        tubes.append(solids.tube([(-x, y + 0.01, z), (x, y + 0.01, z)], bar, 8))
    tubes.append(
        solids.mirrored(
            solids.tube(
                [
                    (0.3, y, front + 0.4),
                    (half - 0.1, y + 0.02, front + 0.4),
                    (half - 0.1, y + 0.02, rear - 0.25),
                    (0.3, y, rear - 0.22),
                ],
                bar,
                8,
            )
        )
    )
    tubes += [solids.block((0.1, 0.1, 0.1), (side * 0.32, large - 0.01, rear), 0.02) for side in (-1, 1)]
    tubes += [solids.block((0.08, 0.08, 0.08), (side * 0.17, small - 0.015, front), 0.02) for side in (-1, 1)]
    pieces.append((frame, solids.union(tubes)))
    pieces.append((STEEL, solids.block((0.5, 0.024, base - 0.5), (0, y, front + 0.3), 0.0)))
    place = rear - float(rng.uniform(0.14, 0.22))
    bucket = parts.seat(0, 0.235, place, 0.36, 0.42, 22) + solids.mirrored(
        solids.block((0.04, 0.24, 0.44), (0.18, 0.25, place - 0.14), 0.018)
    )
    stay = solids.tube([(0.14, 0.14, place - 0.05), (0.32, y + 0.02, place - 0.05)], 0.03, 4)
    pieces.append((PLASTIC, bucket + solids.mirrored(stay)))
    wheel_y = float(rng.uniform(0.46, 0.54))
    pieces.append(
        (PLASTIC, parts.steering(0, wheel_y, place - 0.52, 0.15, 42, (wheel_y - 0.07) / np.sin(np.radians(42))))
    )
    side = float(rng.choice([-1.0, 1.0]))
    engine = solids.block((0.2, 0.22, 0.26), (0, 0.22, 0), 0.03) + solids.block((0.15, 0.13, 0.15), (0, 0.35, 0), 0.02)
    foot = solids.block((0.2, 0.08, 0.2), (0, 0.1, 0))
    cooler = solids.block((0.2, 0.28, 0.22), (-side * 0.36, 0.21, place - 0.06), 0.03)
    pieces.append((CHROME, cooler))
    pieces.append((STEEL, (engine + foot).translate((side * 0.36, 0, place - 0.08))))
    bumper = float(rng.uniform(0.12, 0.17))
    fairing = [
        (nose - 0.12, 0.3, 0.06, 0.06 + bumper - 0.03),
        (nose, 0.46, 0.045, 0.05 + bumper),
        (front - small - 0.02, half - 0.14, 0.05, 0.05 + bumper),
    ]
    pieces.append((paint, parts.hull(fairing, 3, 5)))
    panel = np.array([(nose - 0.02, 0.1), (front + 0.02, 0.24), (front + 0.2, 0.46)])
    shield = parts.ribbon(solids.bent(panel, 0.1), -0.15, 0.15, 0.035)
    column = solids.block((0.05, 0.24, 0.05), (0, 0.2, front + 0.12))
    pieces += [(second, shield), (PLASTIC, column + solids.block((0.06, 0.06, 0.5), (0, 0.1, front - 0.05)))]
    pod = [
        (front + small + 0.06, 0.05, 0.05, 0.16),
        (front + small + 0.2, 0.09, 0.05, 0.2),
        (rear - large - 0.07, 0.1, 0.05, 0.21),
    ]
    pieces.append((paint, solids.mirrored(parts.hull(pod, 4, 5).translate((half - 0.12, 0, 0)))))
    guard = [(-half + 0.02, 0.15, tail + 0.06), (half - 0.02, 0.15, tail + 0.06)]
    links = solids.mirrored(solids.tube([(0.3, 0.13, tail - 0.03), (0.3, 0.15, tail + 0.06)], 0.03, 4))
    pieces.append((PLASTIC, solids.tube(guard, 0.05, 8) + links))
    return pieces
