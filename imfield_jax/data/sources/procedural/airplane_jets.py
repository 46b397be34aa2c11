"""Jets: airliners and cargo airplanes, business jets, fighters."""

from __future__ import annotations

import numpy as np

from imfield_jax.data.sources.procedural import airplane_parts as parts
from imfield_jax.data.sources.procedural import airplane_trim as trim
from imfield_jax.data.sources.procedural import solids
from imfield_jax.data.sources.procedural.solids import Piece


def airliner(rng) -> list[Piece]:
    """A tube with swept wings and engines under them, or behind under a T-tail; cargo jets carry it high."""
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
    shares = (0.3, 0.58) if rng.random() < (0.8 if cargo else 0.3) else (0.32,)
    if len(shares) == 2:
        size *= 0.8
    for share in shares:
        x = share * span / 2
        wing_y = y_wing + np.tan(np.radians(dihedral)) * x
        lead = z_wing + np.tan(np.radians(sweep)) * x
        middle = (x, wing_y - 1.08 * size - 0.3 * thin, lead - 2.1 * size)
        pieces += _hung_jet(nacelle, size, 3.9 * size, middle, wing_y, thin, metal)
    if rng.random() < 0.3:
        ground = min(y_wing - 2.7 * size - 0.6 * thin, -1.5 * radius)
        legs, wheels = parts.undercarriage(
            ((0.75 * radius, -0.5 * radius, z_wing + 0.85 * root), ground),
            ((0, -0.5 * radius, -0.36 * length), ground, 0.32 * radius),
            0.4 * radius,
            thin,
        )
        pieces += [(trim.STEEL, legs), (trim.DARK, wheels)]
    return pieces


def _hung_jet(color, radius, length, middle, wing_y, thin, metal) -> list[Piece]:
    """A pair of nacelles on pylons below the wing."""
    shell, core = parts.jet(radius, length, middle)
    x, y, z = middle
    pylon = parts.foil(
        [
            (x, y + 0.6 * radius, z + 0.22 * length, 0.75 * length),
            (x, wing_y, z + 0.42 * length, 0.75 * length),
        ],
        thin,
        0.0,
    )
    return [
        (color, solids.mirrored(shell)),
        (trim.DARK, solids.mirrored(core)),
        (metal, solids.mirrored(pylon)),
    ]


def _pod(color, radius, length, middle, root, thin) -> list[Piece]:
    """A pair of nacelles on stubs beside the rear fuselage; root is (x, y) inside the body."""
    shell, core = parts.jet(radius, length, middle)
    x, y, z = middle
    stub = parts.foil(
        [(root[0], root[1], z + 0.25 * length, 0.55 * length), (x, y, z + 0.3 * length, 0.5 * length)],
        thin,
        0.0,
    )
    return [(color, solids.mirrored(shell + stub)), (trim.DARK, solids.mirrored(core))]


def business_jet(rng) -> list[Piece]:
    """A small jet: engines beside the tail, T-tail, wing below the cabin."""
    length = float(rng.uniform(13, 26))
    radius = length * float(rng.uniform(0.052, 0.064))
    span = length * float(rng.uniform(0.85, 1.05))
    thin = parts.thinnest(length, span)
    line = parts.streamline(length, radius, float(rng.uniform(0.17, 0.24)), float(rng.uniform(0.36, 0.44)), 0.6, 0.45)
    livery, metal = trim.vivid(rng), (0.82, 0.83, 0.84, 1.0)
    pieces: list[Piece] = [(trim.WHITE, parts.fuselage(line))]
    place = (-0.7 * radius, length * float(rng.uniform(-0.06, 0.0)))
    pieces.append(
        (
            metal,
            parts.wing(
                span,
                length * float(rng.uniform(0.13, 0.17)),
                float(rng.uniform(0.3, 0.5)),
                float(rng.uniform(12, 33)),
                4,
                place,
                thin,
                0.15,
            ),
        )
    )
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
        legs, wheels = parts.undercarriage(
            ((1.2 * radius, -0.7 * radius, place[1] + 0.09 * length), ground),
            ((0, -0.5 * radius, -0.36 * length), ground, 0.26 * radius),
            0.32 * radius,
            thin,
        )
        pieces += [(trim.STEEL, legs), (trim.DARK, wheels)]
    return pieces


def fighter(rng) -> list[Piece]:
    """A combat jet: swept, trapezoid or delta wing; one or two fins and engines; perhaps canards."""
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
            (
                color,
                parts.fin(1.15 * height, 1.15 * chord, 0.4, lean, (0.45 * radius, z - 0.02 * length), thin),
            )
        )
    if shape != "delta":
        pieces.append(
            (
                color,
                parts.wing(0.62 * span, 0.75 * chord, 0.4, 42, -2, (0, z + 0.05 * length), thin, 0.0, 0.05),
            )
        )
    elif rng.random() < 0.55:
        pieces.append(
            (
                color,
                parts.wing(
                    0.5 * span,
                    0.1 * length,
                    0.35,
                    45,
                    5,
                    (0.35 * radius, nose + 0.24 * length),
                    thin,
                    0.0,
                    0.05,
                ),
            )
        )
    pieces += _fighter_details(rng, length, radius, wide, color, twin)
    if rng.random() < 0.5:
        x = 0.46 * span
        tip = np.array([x, place[0] + np.tan(np.radians(dihedral)) * x, place[1] + np.tan(np.radians(sweep)) * x])
        ends = [tip + np.array([0.02 * span, 0, share * length]) for share in (-0.05, -0.04, 0.12)]
        missile = solids.tube(ends, np.array([0.25, 0.62, 0.62]) * thin, 10)
        low, high = (
            np.array([0.06 * span, 0.45 * thin, 0]),
            np.array([0.02 * span, 0.45 * thin, 0.07 * length]),
        )
        rail = trim.box(tip - low, tip + high)
        pieces.append((trim.WHITE if rng.random() < 0.5 else color, solids.mirrored(missile + rail)))
    return pieces


def _fighter_details(rng, length, radius, wide, color, twin) -> list[Piece]:
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
            (1.3 * radius, 0.7 * radius, 0.4 * length),
            (0, -0.95 * radius, where + 0.22 * length),
            0.22 * radius,
            3,
        )
        mouth = solids.block(
            (1.1 * radius, 0.5 * radius, 0.4 * length),
            (0, -0.95 * radius, where + 0.22 * length - 0.05 * radius),
            0.18 * radius,
            3,
        )
        pieces += [(color, box), (trim.DARK, mouth)]
    size = 0.62 * radius if twin else 0.78 * radius
    end = length / 2 - 0.045 * length
    x = 0.42 * wide if twin else 0.0
    pipe = solids.turned(
        [
            (0, -0.2 * length),
            (size, -0.2 * length),
            (size, -0.02 * length),
            (0.82 * size, 0.045 * length),
            (0.7 * size, 0.045 * length),
            (0.66 * size, 0.0),
            (0, 0.0),
        ],
        "z",
        (x, 0, end),
        24,
    )
    pieces.append(((0.22, 0.22, 0.23, 1.0), solids.mirrored(pipe) if twin else pipe))
    return pieces
