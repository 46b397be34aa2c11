"""Old propeller airplanes: fighters of the 1940s and biplanes."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_gear as gear
from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.solids import Piece


def warbird(rng: np.random.Generator) -> list[Piece]:
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
        (nose + 0.04 * length, 0, 0.97 * radius if radial else 0.66 * radius, radius if radial else 0.72 * radius),
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
        pieces.append(_radial_engine(0.8 * radius, nose))
    if rng.random() < 0.6:
        pieces.append((second, band ^ trim.box((-9, -9, nose - 1), (9, 9, nose + 0.07 * length))))
    if rng.random() < 0.45:
        scoop = solids.block(
            (0.7 * radius, 0.5 * radius, 0.24 * length), (0, -1.15 * radius, nose + 0.5 * length), 0.15 * radius, 3
        )
        pieces.append((color, scoop))
    if rng.random() < 0.5:
        ground = -radius - float(rng.uniform(0.8, 1.0))
        pieces += gear.undercarriage(
            trim.STEEL,
            ((0.17 * span, y_wing + 0.2, z_wing + 0.3 * chord), ground),
            ((0, 0.05, length / 2 - 0.9), -0.55, 0.18),
            0.38,
            thin,
        )
    return pieces


def biplane(rng: np.random.Generator) -> list[Piece]:
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
        (wing_color, parts.wing(span, chord, 0.95, 0, dihedral, (low + gap, z_low - stagger), thin, 0.0, 0.11))
    )
    bar = 0.52 * thin
    struts = []
    for fraction in (0.4,) if rng.random() < 0.6 else (0.26, 0.42):
        x = fraction * span / upper
        lift = np.tan(np.radians(dihedral)) * x
        for z in (0.2, 0.72):
            struts.append(
                solids.tube(
                    [(x, low + lift, z_low + z * chord), (x, low + gap + lift, z_low - stagger + z * chord)], bar, 8
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
        pieces.append(_radial_engine(0.82 * radius, nose))
    ground = low - float(rng.uniform(0.75, 0.95))
    (_, legs), wheels = gear.undercarriage(
        body,
        ((0.7 * radius, -0.5 * radius, z_low + 0.1), ground),
        ((0, 0.1, length / 2 - 0.35), -0.35, 0.12),
        0.32,
        thin,
    )
    x = 0.7 * radius - 0.1 * (0.5 * radius + ground)
    axle = solids.tube([(-x, ground + 0.32, z_low + 0.1), (x, ground + 0.32, z_low + 0.1)], bar, 8)
    return [*pieces, (body, legs + axle), wheels]


def _radial_engine(radius: float, nose: float) -> Piece:
    """The dark front of a radial engine."""
    profile = [(0, -0.02), (radius, -0.02), (radius, 0.3), (0, 0.3)]
    return trim.DARK, solids.turned(profile, "z", (0, 0, nose), 24)
