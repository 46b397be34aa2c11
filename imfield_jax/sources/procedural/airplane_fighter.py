"""Combat jets."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.solids import Piece


def fighter(rng: np.random.Generator) -> list[Piece]:
    """A combat jet: swept, trapezoid or delta wing; one or two fins and engines; optional canards."""
    length = float(rng.uniform(13, 20))
    radius = length * float(rng.uniform(0.042, 0.055))
    shape = str(rng.choice(["delta", "swept", "trapezoid", "delta"]))
    span = length * float(rng.uniform(0.55, 0.72))
    thin = parts.thinnest(length, span)
    color = trim.military(rng)
    twin = rng.random() < 0.5
    wide = radius * (float(rng.uniform(1.5, 1.9)) if twin else float(rng.uniform(1.05, 1.35)))
    nose = -length / 2
    line = [
        (nose, -0.15 * radius, 0.08 * radius, 0.08 * radius),
        (nose + 0.06 * length, -0.12 * radius, 0.42 * radius, 0.42 * radius),
        (nose + 0.16 * length, -0.05 * radius, 0.8 * radius, 0.82 * radius),
        (nose + 0.3 * length, 0, radius, radius),
        (nose + 0.5 * length, 0, wide, 1.02 * radius),
        (nose + 0.8 * length, 0, wide, 0.92 * radius),
        (nose + 0.955 * length, 0, 0.86 * wide, 0.68 * radius),
    ]
    pieces: list[Piece] = [(color, parts.fuselage(line, 2.5))]
    root = length * {"delta": 0.46, "swept": 0.27, "trapezoid": 0.3}[shape] * float(rng.uniform(0.9, 1.12))
    sweep = {"delta": 55, "swept": 44, "trapezoid": 34}[shape] + float(rng.uniform(-4, 6))
    taper = {"delta": 0.1, "swept": 0.35, "trapezoid": 0.25}[shape] + float(rng.uniform(0, 0.08))
    back = length * float(rng.uniform(0.33, 0.4)) - (0 if shape == "delta" else 0.1 * length)
    place = (float(rng.uniform(-0.35, 0.3)) * radius, back - root)
    dihedral = float(rng.uniform(-4, 3))
    pieces.append((color, parts.wing(span, root, taper, sweep, dihedral, place, thin, 0.0, 0.05)))
    z = length * float(rng.uniform(0.26, 0.31))
    height, chord = length * float(rng.uniform(0.13, 0.17)), length * float(rng.uniform(0.14, 0.18))
    lean = float(rng.uniform(38, 48))
    if twin or rng.random() < 0.2:
        one = parts.fin(height, chord, 0.42, lean, (0.45 * radius, z), thin, 0.62 * wide, float(rng.uniform(0, 24)))
        pieces.append((color, solids.mirrored(one)))
    else:
        pieces.append(
            (color, parts.fin(1.15 * height, 1.15 * chord, 0.4, lean, (0.45 * radius, z - 0.02 * length), thin))
        )
    if shape != "delta":
        pieces.append(
            (color, parts.wing(0.62 * span, 0.75 * chord, 0.4, 42, -2, (0, z + 0.05 * length), thin, 0.0, 0.05))
        )
    elif rng.random() < 0.55:
        canard = (0.35 * radius, nose + 0.24 * length)
        pieces.append((color, parts.wing(0.5 * span, 0.1 * length, 0.35, 45, 5, canard, thin, 0.0, 0.05)))
    pieces += details(rng, length, radius, wide, color, twin)
    if rng.random() < 0.5:
        x = 0.46 * span
        tip = np.array([x, place[0] + np.tan(np.radians(dihedral)) * x, place[1] + np.tan(np.radians(sweep)) * x])
        ends = [tip + np.array([0.02 * span, 0, fraction * length]) for fraction in (-0.05, -0.04, 0.12)]
        missile = solids.tube(ends, np.array([0.25, 0.62, 0.62]) * thin, 10)
        low, high = np.array([0.06 * span, 0.45 * thin, 0]), np.array([0.02 * span, 0.45 * thin, 0.07 * length])
        rail = trim.box(tip - low, tip + high)
        pieces.append((trim.WHITE if rng.random() < 0.5 else color, solids.mirrored(missile + rail)))
    return pieces


def details(
    rng: np.random.Generator, length: float, radius: float, wide: float, color: solids.Color, twin: bool
) -> list[Piece]:
    """Canopy, air intakes, exhausts."""
    nose = -length / 2
    canopy = solids.ball(
        (0.58 * radius, 0.62 * radius, length * float(rng.uniform(0.075, 0.11))),
        (0, 0.78 * radius, nose + 0.25 * length),
        24,
    )
    spine = solids.tube(
        [
            (0, 0.7 * radius, nose + 0.25 * length),
            (0, 0.82 * radius, nose + 0.42 * length),
            (0, 0.6 * radius, nose + 0.75 * length),
        ],
        np.array([0.4, 0.5, 0.3]) * radius,
        14,
    )
    pieces = [(trim.GLASS, canopy), (color, spine)]
    where = nose + length * float(rng.uniform(0.32, 0.37))
    if rng.random() < 0.72:
        size = (0.62 * radius, 1.15 * radius, 0.3 * length)
        box = solids.block(size, (0.92 * radius + 0.12 * wide, -0.12 * radius, where + 0.15 * length), 0.2 * radius, 3)
        mouth = solids.block(
            (0.48 * radius, 0.95 * radius, 0.3 * length),
            (0.92 * radius + 0.12 * wide, -0.12 * radius, where + 0.15 * length - 0.05 * radius),
            0.15 * radius,
            3,
        )
        pieces += [(color, solids.mirrored(box)), (trim.DARK, solids.mirrored(mouth))]
    else:
        box = solids.block(
            (1.3 * radius, 0.7 * radius, 0.4 * length), (0, -0.95 * radius, where + 0.22 * length), 0.22 * radius, 3
        )
        mouth = solids.block(
            (1.1 * radius, 0.5 * radius, 0.4 * length),
            (0, -0.95 * radius, where + 0.22 * length - 0.05 * radius),
            0.18 * radius,
            3,
        )
        pieces += [(color, box), (trim.DARK, mouth)]
    nozzle = 0.62 * radius if twin else 0.78 * radius
    end = length / 2 - 0.045 * length
    x = 0.42 * wide if twin else 0.0
    pipe = solids.turned(
        [
            (0, -0.2 * length),
            (nozzle, -0.2 * length),
            (nozzle, -0.02 * length),
            (0.82 * nozzle, 0.045 * length),
            (0.7 * nozzle, 0.045 * length),
            (0.66 * nozzle, 0.0),
            (0, 0.0),
        ],
        "z",
        (x, 0, end),
        24,
    )
    pieces.append(((0.22, 0.22, 0.23, 1.0), solids.mirrored(pipe) if twin else pipe))
    return pieces
