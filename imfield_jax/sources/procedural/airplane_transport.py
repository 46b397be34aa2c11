"""Airplanes with a cabin: airliners and cargo jets, business jets, turboprops."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_gear as gear
from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.solids import Piece


def airliner(rng: np.random.Generator) -> list[Piece]:
    """A tube with swept wings, engines under them or at the rear under a T-tail; cargo jets have high wings."""
    length = float(rng.uniform(30, 66))
    kind = str(rng.choice(["below", "behind", "cargo"], p=[0.66, 0.2, 0.14]))
    behind, cargo = kind == "behind", kind == "cargo"
    radius = length * float(rng.uniform(0.06, 0.07) if cargo else rng.uniform(0.043, 0.058))
    span = length * float(rng.uniform(0.82, 1.08))
    thin = parts.thinnest(length, span)
    tail_up = float(rng.uniform(0.55, 0.95))
    line = parts.streamline(length, radius, float(rng.uniform(0.1, 0.15)), float(rng.uniform(0.28, 0.38)), tail_up)
    sweep, dihedral = float(rng.uniform(24, 37)), float(rng.uniform(-4, -1) if cargo else rng.uniform(3.5, 7))
    root, taper = length * float(rng.uniform(0.12, 0.16)), float(rng.uniform(0.25, 0.4))
    z_wing = length * float(rng.uniform(-0.14, -0.09) + (0.06 if behind else 0))
    y_wing = (0.78 if cargo else -0.62) * radius
    body, livery = (trim.WHITE if rng.random() < 0.7 else trim.vivid(rng)), trim.vivid(rng)
    if cargo and rng.random() < 0.6:
        body, livery = trim.military(rng), trim.military(rng)
    metal = trim.STEEL if rng.random() < 0.5 else (0.8, 0.81, 0.83, 1.0)
    pieces: list[Piece] = [(body, parts.fuselage(line))]
    kink = float(rng.uniform(0.15, 0.5))
    pieces.append((metal, parts.wing(span, root, taper, sweep, dihedral, (y_wing, z_wing), thin, kink)))
    pieces += trim.jet_tail(rng, length, radius * tail_up, thin, metal, livery, high=behind or cargo)
    pieces += trim.cabin_paint(rng, line, length, radius, livery)
    size = radius * float(rng.uniform(0.42, 0.62))
    nacelle = livery if rng.random() < 0.3 else body
    if behind:
        x, z = radius + 0.75 * size, length * float(rng.uniform(0.19, 0.24))
        pieces += _pod(nacelle, 0.85 * size, 4.6 * size, (x, 0.3 * radius, z), (0.5 * radius, 0.3 * radius), thin)
        return pieces
    fractions = (0.3, 0.58) if rng.random() < (0.8 if cargo else 0.3) else (0.32,)
    if len(fractions) == 2:
        size *= 0.8
    for fraction in fractions:
        x = fraction * span / 2
        wing_y = y_wing + np.tan(np.radians(dihedral)) * x
        lead = z_wing + np.tan(np.radians(sweep)) * x
        middle = (x, wing_y - 1.08 * size - 0.3 * thin, lead - 2.1 * size)
        pieces += hung_jet(nacelle, size, 3.9 * size, middle, wing_y, thin, metal)
    if rng.random() < 0.3:
        ground = min(y_wing - 2.7 * size - 0.6 * thin, -1.5 * radius)
        pieces += gear.undercarriage(
            trim.STEEL,
            ((0.75 * radius, -0.5 * radius, z_wing + 0.85 * root), ground),
            ((0, -0.5 * radius, -0.36 * length), ground, 0.32 * radius),
            0.4 * radius,
            thin,
        )
    return pieces


def hung_jet(
    color: solids.Color,
    radius: float,
    length: float,
    middle: solids.Point,
    wing_y: float,
    thin: float,
    metal: solids.Color,
) -> list[Piece]:
    """A pair of nacelles on pylons below the wing."""
    shell, core = parts.jet(radius, length, middle)
    x, y, z = middle
    pylon = parts.foil(
        [(x, y + 0.6 * radius, z + 0.22 * length, 0.75 * length), (x, wing_y, z + 0.42 * length, 0.75 * length)],
        thin,
        0.0,
    )
    return [(color, solids.mirrored(shell)), (trim.DARK, solids.mirrored(core)), (metal, solids.mirrored(pylon))]


def _pod(
    color: solids.Color, radius: float, length: float, middle: solids.Point, root: tuple[float, float], thin: float
) -> list[Piece]:
    """A pair of nacelles on stubs at the rear fuselage; root is (x, y) inside the body."""
    shell, core = parts.jet(radius, length, middle)
    x, y, z = middle
    stub = parts.foil(
        [(root[0], root[1], z + 0.25 * length, 0.55 * length), (x, y, z + 0.3 * length, 0.5 * length)], thin, 0.0
    )
    return [(color, solids.mirrored(shell + stub)), (trim.DARK, solids.mirrored(core))]


def business_jet(rng: np.random.Generator) -> list[Piece]:
    """A small jet: rear-mounted engines, T-tail, wing below the cabin."""
    length = float(rng.uniform(13, 26))
    radius = length * float(rng.uniform(0.052, 0.064))
    span = length * float(rng.uniform(0.85, 1.05))
    thin = parts.thinnest(length, span)
    line = parts.streamline(length, radius, float(rng.uniform(0.17, 0.24)), float(rng.uniform(0.36, 0.44)), 0.6, 0.45)
    livery, metal = trim.vivid(rng), (0.82, 0.83, 0.84, 1.0)
    pieces: list[Piece] = [(trim.WHITE, parts.fuselage(line))]
    place = (-0.7 * radius, length * float(rng.uniform(-0.06, 0.0)))
    chord, taper = length * float(rng.uniform(0.13, 0.17)), float(rng.uniform(0.3, 0.5))
    pieces.append((metal, parts.wing(span, chord, taper, float(rng.uniform(12, 33)), 4, place, thin, 0.15)))
    pieces += trim.jet_tail(rng, length, 0.6 * radius, thin, metal, livery, high=rng.random() < 0.85)
    pieces += trim.cabin_paint(rng, line, length, radius, livery)
    size = radius * float(rng.uniform(0.42, 0.54))
    pieces += _pod(
        trim.WHITE,
        size,
        4.4 * size,
        (radius + 0.7 * size, 0.38 * radius, 0.17 * length),
        (0.4 * radius, 0.3 * radius),
        thin,
    )
    if rng.random() < 0.4:
        ground = -2.3 * radius
        pieces += gear.undercarriage(
            trim.STEEL,
            ((1.2 * radius, -0.7 * radius, place[1] + 0.09 * length), ground),
            ((0, -0.5 * radius, -0.36 * length), ground, 0.26 * radius),
            0.32 * radius,
            thin,
        )
    return pieces


def turboprop(rng: np.random.Generator) -> list[Piece]:
    """A regional or cargo airplane with two or four propellers, mostly with a high wing."""
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
    for fraction in (0.28, 0.54) if four else (0.3,):
        x = fraction * span / 2
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
        pieces += gear.undercarriage(
            trim.STEEL,
            ((0.75 * radius, -0.5 * radius, z_wing + 0.7 * chord), ground),
            ((0, -0.5 * radius, -0.37 * length), ground, 0.3 * radius),
            0.38 * radius,
            thin,
        )
    return pieces
