"""Propeller airplanes: light ones, fighters of the 1940s, biplanes, turboprops."""

from __future__ import annotations

import numpy as np

from imfield_jax.data.sources.procedural import airplane_parts as parts
from imfield_jax.data.sources.procedural import airplane_trim as trim
from imfield_jax.data.sources.procedural import solids
from imfield_jax.data.sources.procedural.solids import Piece


def light(rng) -> list[Piece]:
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
    pieces += _light_cabin(rng, line, power, nose, length, roof, tall, wide, high, accent)
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
    legs, wheels = parts.undercarriage((top, ground), third, 0.25, thin)
    pieces += [(body, legs), (trim.DARK, wheels)]
    return pieces


def _light_cabin(rng, line, power, nose, length, roof, tall, wide, high, accent) -> list[Piece]:
    """Windows as part of the fuselage's skin; low wings may have a bubble canopy; a stripe."""
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


def _floats(rng, length, wide, belly, z_wing, thin, color) -> list[Piece]:
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


def warbird(rng) -> list[Piece]:
    """A propeller fighter of the 1940s: low wing, pointed or radial nose, bubble or framed canopy."""
    length = float(rng.uniform(8.5, 11))
    span = length * float(rng.uniform(1.1, 1.35))
    thin = parts.thinnest(length, span)
    color, radial = trim.military(rng) if rng.random() < 0.75 else trim.STEEL, rng.random() < 0.5
    second = trim.vivid(rng)
    radius = float(rng.uniform(0.62, 0.76)) if radial else float(rng.uniform(0.5, 0.6))
    nose = -length / 2 + 0.3
    first = (0.9 if radial else 0.5) * radius
    line = [
        (nose, 0, first, first),
        (
            nose + 0.04 * length,
            0,
            0.97 * radius if radial else 0.66 * radius,
            radius if radial else 0.72 * radius,
        ),
        (nose + 0.25 * length, 0, radius, 1.12 * radius),
        (nose + 0.45 * length, 0.03, 0.92 * radius, 1.15 * radius),
        (nose + 0.7 * length, 0.08, 0.55 * radius, 0.72 * radius),
        (length / 2, 0.16, 0.12, 0.2),
    ]
    pieces: list[Piece] = [(color, parts.fuselage(line, 2.1))]
    z_wing, chord = nose + length * float(rng.uniform(0.22, 0.28)), float(rng.uniform(2.0, 2.5))
    y_wing = -0.72 * radius
    taper, dihedral, lead = float(rng.uniform(0.35, 0.6)), float(rng.uniform(4, 7)), float(rng.uniform(2, 9))
    pieces.append((color, parts.wing(span, chord, taper, lead, dihedral, (y_wing, z_wing), thin, 0.0, 0.13)))
    pieces += trim.plain_tail(rng, length, span, thin, color)
    reach = length * float(rng.uniform(0.085, 0.13))
    canopy = solids.ball((0.6 * radius, 0.62 * radius, reach), (0, 1.02 * radius, nose + 0.45 * length), 22)
    pieces.append((trim.GLASS, canopy))
    if rng.random() < 0.5:
        spine = solids.tube(
            [
                (0, 0.95 * radius, nose + 0.45 * length),
                (0, 1.05 * radius, nose + 0.53 * length),
                (0, 0.5 * radius, nose + 0.85 * length),
            ],
            np.array([0.5, 0.56, 0.25]) * radius,
            14,
        )
        pieces.append((color, spine))
    blades, spinner = parts.propeller(
        rng, float(rng.uniform(1.35, 1.65)), (0, 0, nose - 0.08), 0.9 * thin, int(rng.choice([3, 4]))
    )
    pieces += [(trim.DARK, blades), (second, spinner)]
    band = parts.fuselage(line, 2.1, 0.01)
    if radial:
        pieces.append(
            (
                trim.DARK,
                solids.turned(
                    [(0, -0.02), (0.8 * radius, -0.02), (0.8 * radius, 0.3), (0, 0.3)], "z", (0, 0, nose), 24
                ),
            )
        )
    if rng.random() < 0.6:
        pieces.append((second, band ^ trim.box((-9, -9, nose - 1), (9, 9, nose + 0.07 * length))))
    if rng.random() < 0.45:
        scoop = solids.block(
            (0.7 * radius, 0.5 * radius, 0.24 * length),
            (0, -1.15 * radius, nose + 0.5 * length),
            0.15 * radius,
            3,
        )
        pieces.append((color, scoop))
    if rng.random() < 0.5:
        ground = -radius - float(rng.uniform(0.8, 1.0))
        legs, wheels = parts.undercarriage(
            ((0.17 * span, y_wing + 0.2, z_wing + 0.3 * chord), ground),
            ((0, 0.05, length / 2 - 0.9), -0.55, 0.18),
            0.38,
            thin,
        )
        pieces += [(trim.STEEL, legs), (trim.DARK, wheels)]
    return pieces


def biplane(rng) -> list[Piece]:
    """Two wings joined by struts, an open cockpit, fixed wheels and a tail skid."""
    length = float(rng.uniform(5.8, 7.6))
    span = length * float(rng.uniform(1.1, 1.35))
    thin = parts.thinnest(length, span)
    body, accent = trim.vivid(rng), (trim.vivid(rng) if rng.random() < 0.5 else trim.WHITE)
    radius = float(rng.uniform(0.46, 0.56))
    nose = -length / 2 + 0.15
    radial = rng.random() < 0.6
    first = 0.95 * radius if radial else 0.6 * radius
    line = [
        (nose, 0, first, first),
        (nose + 0.05 * length, 0, 1.02 * radius, 1.02 * radius),
        (nose + 0.2 * length, 0, radius, radius),
        (nose + 0.45 * length, 0.02, 0.92 * radius, 1.05 * radius),
        (length / 2, 0.14, 0.11, 0.18),
    ]
    cockpit = solids.block((1.0 * radius, 0.7, 0.9), (0, 1.1 * radius + 0.02, nose + 0.47 * length), 0.15, 3)
    pieces: list[Piece] = [(body, parts.fuselage(line, 2.4) - cockpit)]
    head = solids.ball((0.16, 0.2, 0.18), (0, radius + 0.18, nose + 0.49 * length), 14) + solids.ball(
        (0.26, 0.32, 0.2), (0, 0.75 * radius, nose + 0.49 * length), 14
    )
    screen = solids.block((0.8 * radius, 0.3, 1.1 * thin), (0, radius + 0.1, nose + 0.47 * length - 0.46), 0.03)
    pieces += [((0.35, 0.24, 0.16, 1.0), head), (trim.GLASS, screen)]
    chord, gap = float(rng.uniform(1.0, 1.3)), float(rng.uniform(1.25, 1.5))
    low, stagger = -0.75 * radius, float(rng.uniform(0.1, 0.5))
    z_low = nose + 0.27 * length
    dihedral = float(rng.uniform(0, 3))
    upper = 1.0 if rng.random() < 0.5 else float(rng.uniform(1.0, 1.15))
    wing_color = accent if rng.random() < 0.5 else body
    pieces.append((wing_color, parts.wing(span / upper, chord, 0.95, 0, dihedral, (low, z_low), thin, 0.0, 0.11)))
    pieces.append(
        (
            wing_color,
            parts.wing(span, chord, 0.95, 0, dihedral, (low + gap, z_low - stagger), thin, 0.0, 0.11),
        )
    )
    bar = 0.52 * thin
    struts = []
    for share in (0.4,) if rng.random() < 0.6 else (0.26, 0.42):
        x = share * span / upper
        lift = np.tan(np.radians(dihedral)) * x
        for z in (0.2, 0.72):
            struts.append(
                solids.tube(
                    [(x, low + lift, z_low + z * chord), (x, low + gap + lift, z_low - stagger + z * chord)],
                    bar,
                    8,
                )
            )
    for z in (0.2, 0.72):
        struts.append(
            solids.tube(
                [
                    (0.6 * radius, 0.5 * radius, z_low - 0.6 * stagger + z * chord),
                    (0.75 * radius, low + gap, z_low - stagger + z * chord),
                ],
                bar,
                8,
            )
        )
    pieces.append((accent, solids.mirrored(solids.union(struts))))
    pieces += trim.plain_tail(rng, length, span, thin, accent if rng.random() < 0.5 else body)
    blades, spinner = parts.propeller(rng, float(rng.uniform(0.95, 1.15)), (0, 0, nose - 0.07), thin, 2)
    pieces += [((0.4, 0.26, 0.15, 1.0), blades), (trim.DARK, spinner)]
    if radial:
        pieces.append(
            (
                trim.DARK,
                solids.turned(
                    [(0, -0.02), (0.82 * radius, -0.02), (0.82 * radius, 0.3), (0, 0.3)],
                    "z",
                    (0, 0, nose),
                    24,
                ),
            )
        )
    ground = low - float(rng.uniform(0.75, 0.95))
    legs, wheels = parts.undercarriage(
        ((0.7 * radius, -0.5 * radius, z_low + 0.1), ground),
        ((0, 0.1, length / 2 - 0.35), -0.35, 0.12),
        0.32,
        thin,
    )
    x = 0.7 * radius - 0.1 * (0.5 * radius + ground)
    axle = solids.tube([(-x, ground + 0.32, z_low + 0.1), (x, ground + 0.32, z_low + 0.1)], bar, 8)
    return [*pieces, (body, legs + axle), (trim.DARK, wheels)]


def turboprop(rng) -> list[Piece]:
    """A regional or cargo airplane with two or four propellers, the wing mostly on top."""
    length = float(rng.uniform(15, 34))
    radius = length * float(rng.uniform(0.05, 0.066))
    span = length * float(rng.uniform(1.0, 1.25))
    thin = parts.thinnest(length, span)
    military = rng.random() < 0.35
    body, livery = (trim.military(rng), trim.military(rng)) if military else (trim.WHITE, trim.vivid(rng))
    line = parts.streamline(
        length, radius, float(rng.uniform(0.12, 0.17)), float(rng.uniform(0.38, 0.48)), 0.85, 0.35, 0.14
    )
    pieces: list[Piece] = [(body, parts.fuselage(line))]
    high = rng.random() < 0.75
    y_wing = 0.9 * radius if high else -0.7 * radius
    chord, taper, lead = (
        length * float(rng.uniform(0.1, 0.13)),
        float(rng.uniform(0.4, 0.65)),
        float(rng.uniform(2, 7)),
    )
    dihedral = float(rng.uniform(0, 2.5)) if high else float(rng.uniform(4, 7))
    z_wing = length * float(rng.uniform(-0.1, -0.04))
    metal = body if military else (0.82, 0.83, 0.84, 1.0)
    pieces.append((metal, parts.wing(span, chord, taper, lead, dihedral, (y_wing, z_wing), thin, 0.0, 0.14)))
    pieces += trim.jet_tail(rng, length, 0.85 * radius, thin, metal, livery, high=rng.random() < 0.6)
    pieces += trim.cabin_paint(rng, line, length, radius, livery)
    four = rng.random() < 0.35
    disc = min(0.085 * length, 0.1 * span) if four else min(0.115 * length, 0.12 * span)
    count = int(rng.choice([3, 4]))
    size = 0.045 * length * float(rng.uniform(0.85, 1.1)) * (0.85 if four else 1.0)
    for share in (0.28, 0.54) if four else (0.3,):
        x = share * span / 2
        y = y_wing + np.tan(np.radians(dihedral)) * x
        z = z_wing + np.tan(np.radians(lead)) * x
        front = z - 2.0 * size
        nacelle = parts.fuselage(
            [
                (front, 0, 0.35 * size, 0.35 * size),
                (front + 0.35 * size, 0, 0.52 * size, 0.58 * size),
                (z + 0.4 * chord, 0, 0.55 * size, 0.6 * size),
                (z + 1.25 * chord, 0.1 * size, 0.16 * size, 0.2 * size),
            ],
            2.2,
            0,
            18,
            18,
        )
        blades, spinner = parts.propeller(rng, disc, (0, 0, front - 0.1 * size), 0.9 * thin, count)
        for color, solid in ((metal, nacelle), (trim.DARK, blades), (livery, spinner)):
            pieces.append((color, solids.mirrored(solid.translate((x, y, 0)))))
    if rng.random() < 0.4:
        ground = -radius - 0.9 * radius
        legs, wheels = parts.undercarriage(
            ((0.75 * radius, -0.5 * radius, z_wing + 0.7 * chord), ground),
            ((0, -0.5 * radius, -0.37 * length), ground, 0.3 * radius),
            0.38 * radius,
            thin,
        )
        pieces += [(trim.STEEL, legs), (trim.DARK, wheels)]
    return pieces
