"""Private airplanes with one propeller, on wheels or floats."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from imfield_jax.sources.procedural import airplane_gear as gear
from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.solids import Piece


def light(rng: np.random.Generator) -> list[Piece]:
    """A private airplane with one propeller: high wing on struts or low wing, wheels or floats."""
    length = float(rng.uniform(6.6, 9.0))
    span = length * float(rng.uniform(1.15, 1.45))
    thin = parts.thinnest(length, span)
    high = rng.random() < 0.55
    body, accent = (trim.WHITE if rng.random() < 0.6 else trim.vivid(rng)), trim.vivid(rng)
    wide, tall = float(rng.uniform(0.5, 0.62)), float(rng.uniform(0.62, 0.78))
    nose = -length / 2 + 0.12
    roof = 0.14 if high else 0.1
    line = [
        (nose, -0.1, 0.34, 0.34),
        (nose + 0.05 * length, -0.08, 0.46, 0.42),
        (nose + 0.17 * length, -0.06, 0.92 * wide, 0.5),
        (nose + 0.3 * length, roof, wide, tall),
        (nose + 0.44 * length, roof, wide, tall),
        (nose + 0.62 * length, 0.08, 0.6 * wide, 0.56 * tall),
        (length / 2, 0.16, 0.13, 0.2),
    ]
    power = float(rng.uniform(2.2, 3.4))
    fuselage = parts.fuselage(line, power)
    pieces: list[Piece] = [(body, fuselage)]
    chord = float(rng.uniform(1.3, 1.7))
    taper, dihedral = float(rng.uniform(0.55, 1.0)), float(rng.uniform(1, 3) if high else rng.uniform(4, 7))
    y_wing = roof + tall - 0.05 if high else roof - tall + 0.22
    z_wing = nose + length * float(rng.uniform(0.24, 0.3))
    wing_color = accent if rng.random() < 0.25 else body
    pieces.append(
        (
            wing_color,
            parts.wing(span, chord, taper, float(rng.uniform(0, 5)), dihedral, (y_wing, z_wing), thin, 0.0, 0.13),
        )
    )
    if high and rng.random() < 0.8:
        x = 0.26 * span
        strut = solids.tube(
            [
                (0.8 * wide, roof - 0.75 * tall, z_wing + 0.4 * chord),
                (x, y_wing + np.tan(np.radians(dihedral)) * x, z_wing + 0.45 * chord),
            ],
            0.55 * thin,
            8,
        )
        pieces.append((body, solids.mirrored(strut)))
    pieces += trim.small_tail(rng, length, span, 0.16, thin, body, accent)
    pieces += cabin(rng, line, power, nose, length, roof, tall, wide, high, accent)
    blades, spinner = parts.propeller(
        rng, float(rng.uniform(0.85, 1.05)), (0, -0.1, nose - 0.05), thin, int(rng.choice([2, 2, 3]))
    )
    pieces += [(trim.DARK, blades), (accent, spinner)]
    if high and rng.random() < 0.3:
        return pieces + _floats(rng, length, wide, roof - tall, z_wing, thin, accent if rng.random() < 0.5 else body)
    ground = roof - tall - float(rng.uniform(0.55, 0.75))
    main_z = z_wing + chord * float(rng.uniform(0.45, 0.6))
    top = (0.6 * wide, roof - 0.7 * tall, main_z) if high else (0.13 * span, y_wing + 0.1, main_z)
    tail_dragger = rng.random() < 0.3
    if tail_dragger:
        top = (top[0], top[1], z_wing + 0.15 * chord)
        third = ((0, 0.1, length / 2 - 0.4), -0.45, 0.13)
    else:
        third = ((0, -0.3, nose + 0.12 * length), ground, 0.2)
    return pieces + gear.undercarriage(body, (top, ground), third, 0.25, thin)


def cabin(
    rng: np.random.Generator,
    line: ArrayLike,
    power: float,
    nose: float,
    length: float,
    roof: float,
    tall: float,
    wide: float,
    high: bool,
    accent: solids.Color,
) -> list[Piece]:
    """Windows as part of the fuselage's skin, or a bubble canopy on some low-wing airplanes; a stripe."""
    skin = parts.fuselage(line, power, 0.008)
    front, rear = nose + 0.2 * length, nose + float(rng.uniform(0.46, 0.54)) * length
    sill = roof + 0.22 * tall
    pieces = []
    if not high and rng.random() < 0.5:
        reach = (rear - front) * 0.5
        pieces.append(
            (
                trim.GLASS,
                solids.ball((0.86 * wide, 0.62 * tall, reach), (0, roof + 0.55 * tall, (front + rear) / 2), 26),
            )
        )
    else:
        head = roof + 0.86 * tall
        sides = solids.along_x(
            [
                (front + 0.12 * length, sill),
                (rear, sill + 0.05),
                (rear - 0.2, head),
                (front + 0.12 * length, head),
            ],
            -2,
            2,
        )
        screen = solids.along_x(
            [
                (front - 0.06 * length, sill),
                (front + 0.085 * length, sill),
                (front + 0.085 * length, head + 0.08),
                (front - 0.06 * length, head + 0.08),
            ],
            -2,
            2,
        )
        pieces.append((trim.GLASS, skin ^ (sides + screen)))
    y = float(rng.uniform(-0.15, 0.0))
    if rng.random() < 0.7:
        pieces.append((accent, skin ^ trim.box((-9, y, -9), (9, y + 0.13, 9))))
    return pieces


def _floats(
    rng: np.random.Generator, length: float, wide: float, belly: float, z_wing: float, thin: float, color: solids.Color
) -> list[Piece]:
    """Two floats on struts."""
    reach, radius = length * float(rng.uniform(0.66, 0.78)), 0.27
    x, y = wide + float(rng.uniform(0.35, 0.55)), belly - float(rng.uniform(0.55, 0.75))
    front = z_wing - 0.36 * reach
    line = [
        (front, 0.1, 0.06, 0.05),
        (front + 0.1 * reach, 0.05, 0.2, 0.17),
        (front + 0.3 * reach, 0, radius, 0.26),
        (front + 0.6 * reach, 0.02, 0.25, 0.23),
        (front + reach, 0.14, 0.07, 0.08),
    ]
    hull = parts.fuselage(line, 2.8, 0.0, 20, 16).translate((x, y, 0))
    struts = []
    for z in (z_wing + 0.05, z_wing + 1.35):
        struts.append(solids.tube([(x, y, z), (0.6 * wide, belly + 0.18, z)], 0.55 * thin, 8))
        struts.append(solids.tube([(0, y + 0.08, z), (x, y + 0.08, z)], 0.5 * thin, 8))
    return [(color, solids.mirrored(solids.union([hull, *struts])))]
