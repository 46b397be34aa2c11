"""Rare small airplanes: gliders, triplanes, ultralights."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_gear as gear
from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.airplane_engines import bar, engine
from imfield_jax.sources.procedural.solids import Color, Piece


def glider(rng: np.random.Generator) -> list[Piece]:
    """A sailplane: very slender wings, a pod that narrows to a boom, one wheel; plastic or an older one."""
    old = rng.random() < 0.3
    length = float(rng.uniform(6.4, 8.4))
    span = length * float(rng.uniform(1.75, 2.1) if old else rng.uniform(2.1, 2.75))
    thin = 0.0088 * span
    body = trim.vivid(rng) if old else (trim.WHITE if rng.random() < 0.85 else trim.vivid(rng))
    accent = trim.vivid(rng)
    nose, wide, tall = -length / 2, float(rng.uniform(0.3, 0.34)), float(rng.uniform(0.42, 0.5))
    tube = max(0.13, 0.75 * thin)
    pod = float(rng.uniform(0.9, 1.12))
    line = [
        (nose, -0.12, 0.04, 0.04),
        (nose + 0.04 * length, -0.1, 0.42 * wide, 0.4 * tall),
        (nose + 0.12 * length, -0.05, 0.84 * wide, 0.78 * tall),
        (nose + 0.22 * length, 0, wide, tall),
        (nose + 0.34 * pod * length, 0.03, 0.96 * wide, 0.96 * tall),
        (nose + 0.5 * pod * length, 0.12, 0.55 * wide + 0.2 * tube, 0.5 * tall),
        (nose + 0.66 * length, 0.16, (1.5 if old else 1.1) * tube, (1.7 if old else 1.15) * tube),
        (length / 2, 0.18, 0.9 * tube, tube),
    ]
    power = 3.0 if old else 2.0
    pieces: list[Piece] = [(body, parts.fuselage(line, power))]
    half, root = span / 2, span * float(rng.uniform(0.058, 0.068) if old else rng.uniform(0.046, 0.055))
    y, z = (0.82 * tall if old or rng.random() < 0.5 else 0.5 * tall), nose + length * float(rng.uniform(0.32, 0.35))
    up, back = np.tan(np.radians(float(rng.uniform(1.5, 4)))), float(rng.uniform(-0.01, 0.02))
    tips = (1.0, 1.0, 0.72, 0.5) if old else (1.0, 0.88, 0.68, 0.4)
    sections = [
        (f * half, y + up * f * half, z + back * f * half + 0.3 * (1 - c) * root, c * root)
        for f, c in zip((-0.01, 0.5, 0.82, 1.0), tips, strict=True)
    ]
    pieces.append((body, solids.mirrored(parts.foil(sections, thin, 0.15))))
    if not old and rng.random() < 0.5:
        x, y_tip, z_tip, chord = sections[-1]
        winglet = [
            (x - 0.2 * thin, y_tip, z_tip, chord),
            (x + 0.12, y_tip + 0.035 * span * 0.7, z_tip + 0.22, 0.5 * chord),
        ]
        pieces.append((accent if rng.random() < 0.5 else body, solids.mirrored(parts.foil(winglet, 0.9 * thin, 0.1))))
    if old and rng.random() < 0.5:
        x = 0.3 * half
        pieces.append((body, bar(((0.7 * wide, -0.5 * tall, z + 0.4 * root), (x, y + up * x, z + 0.4 * root)), thin)))
    pieces += _glider_tail(rng, length, span, thin, body, accent, old)
    skin = parts.fuselage(line, power, 0.02)
    canopy = np.array([(0.07, -0.1), (0.29, 0.1), (0.33, 1.5), (0.07, 1.5)]) * (length, tall) + (nose, 0)
    pieces.append((trim.GLASS, skin ^ solids.along_x(canopy, -9, 9)))
    if rng.random() < 0.35:
        pieces.append((accent, skin ^ trim.box((-9, -9, nose - 1), (9, 9, nose + 0.03 * length))))
    size = float(rng.uniform(0.2, 0.25))
    pieces.append((trim.DARK, gear.wheel(size, max(0.16, thin), (0, -0.98 * tall + 0.25 * size, z + 0.35 * root))))
    tail = gear.wheel(0.13, thin, (0, 0.18 - tube, length / 2 - 0.45))
    return [*pieces, (trim.DARK, tail)]


def _glider_tail(
    rng: np.random.Generator, length: float, span: float, thin: float, body: Color, accent: Color, old: bool
) -> list[Piece]:
    """A slender T-tail, a cross, or on older gliders a low tailplane."""
    height, root = length * float(rng.uniform(0.17, 0.2)), length * float(rng.uniform(0.115, 0.14))
    lean, y, z = float(rng.uniform(8, 20)), 0.12, length / 2 - root
    style = "low" if old and rng.random() < 0.6 else "cross" if rng.random() < 0.25 else "T"
    up = {"low": 0.15, "cross": 0.5, "T": 0.98}[style] * height
    taper = 0.72 if style == "T" else 0.55
    plane = parts.wing(
        length * float(rng.uniform(0.35, 0.42)),
        0.62 * root,
        0.6,
        5,
        0,
        (y + up, z + np.tan(np.radians(lean)) * up + (0.02 if style == "T" else 0.25) * root),
        thin,
    )
    color = accent if rng.random() < 0.35 else body
    return [(color, parts.fin(height, root, taper, lean, (y, z), thin)), (body, plane)]


def triplane(rng: np.random.Generator) -> list[Piece]:
    """A small fighter of 1917 with three wings on single struts and a rotary engine."""
    length = float(rng.uniform(5.6, 6.4))
    span = length * float(rng.uniform(1.15, 1.35))
    thin = 0.9 * parts.thinnest(length, span)
    body = trim.vivid(rng)
    accent = trim.vivid(rng) if rng.random() < 0.5 else trim.WHITE
    radius, nose = float(rng.uniform(0.42, 0.48)), -length / 2 + 0.15
    line = [
        (nose, 0, 0.96 * radius, 0.96 * radius),
        (nose + 0.08 * length, 0, 1.04 * radius, 1.04 * radius),
        (nose + 0.2 * length, 0, 0.9 * radius, radius),
        (nose + 0.45 * length, 0, 0.82 * radius, radius),
        (length / 2, 0.1, 0.12, 0.13),
    ]
    hole = solids.block((radius, 0.7, 0.8), (0, 1.08 * radius, nose + 0.47 * length), 0.15, 3)
    head = solids.ball((0.15, 0.18, 0.17), (0, radius + 0.16, nose + 0.48 * length), 14)
    bust = solids.ball((0.24, 0.36, 0.2), (0, 0.75 * radius, nose + 0.48 * length), 14)
    pieces: list[Piece] = [(body, parts.fuselage(line, 3.0) - hole), ((0.35, 0.24, 0.16, 1.0), head + bust)]
    chord, gap, stagger = float(rng.uniform(0.88, 1.05)), float(rng.uniform(0.78, 0.9)), float(rng.uniform(0.12, 0.28))
    low, z = -0.8 * radius, nose + 0.26 * length
    shrink = float(rng.uniform(0.86, 1.0))
    wings = [(span * shrink ** (2 - i), low + i * gap, z - i * stagger) for i in range(3)]
    color = body if rng.random() < 0.6 else accent
    pieces += [(color, parts.wing(wide, chord, 0.96, 0, 0, (y, at), thin, 0.0, 0.11)) for wide, y, at in wings]
    x = 0.37 * wings[0][0]
    for shift in (0.22, 0.62):
        ends = (x, low, z + shift * chord), (x, low + 2 * gap, z - 2 * stagger + shift * chord)
        pieces.append((accent, bar(ends, thin)))
        ends = (
            (0.6 * radius, 0.4 * radius, z - stagger + shift * chord),
            (0.75 * radius, low + 2 * gap, z - 2 * stagger + shift * chord),
        )
        pieces.append((accent, bar(ends, thin)))
    pieces += trim.plain_tail(rng, length, span, thin, accent if rng.random() < 0.5 else body)
    blades, spinner = parts.propeller(rng, float(rng.uniform(1.1, 1.3)), (0, 0, nose - 0.07), thin, 2)
    disc = solids.turned([(0, -0.02), (0.8 * radius, -0.02), (0.8 * radius, 0.3), (0, 0.3)], "z", (0, 0, nose))
    pieces += [((0.4, 0.26, 0.15, 1.0), blades), (trim.DARK, spinner), (trim.DARK, disc)]
    ground = low - float(rng.uniform(0.7, 0.85))
    main = ((0.7 * radius, -0.5 * radius, z + 0.1), ground)
    (_, legs), wheels = gear.undercarriage(body, main, ((0, 0.1, length / 2 - 0.35), -0.4, 0.1), 0.33, thin)
    x = 0.7 * radius - 0.1 * (0.5 * radius + ground)
    return [*pieces, (body, legs + bar(((-x, ground + 0.33, z + 0.1), (x, ground + 0.33, z + 0.1)), thin)), wheels]


def ultralight(rng: np.random.Generator) -> list[Piece]:
    """A wing on a mast above a small pod and a tail boom, the engine in front of or behind the mast."""
    length = float(rng.uniform(5.2, 6.4))
    span = length * float(rng.uniform(1.5, 1.8))
    thin = 0.8 * parts.thinnest(length, span)
    body, cloth = trim.vivid(rng), (trim.vivid(rng) if rng.random() < 0.6 else trim.WHITE)
    nose, wide, tall = -length / 2, 0.32, float(rng.uniform(0.36, 0.44))
    line = [
        (nose, -0.1, 0.06, 0.06),
        (nose + 0.1 * length, -0.06, 0.7 * wide, 0.7 * tall),
        (nose + 0.24 * length, 0, wide, tall),
        (nose + 0.36 * length, 0, 0.8 * wide, 0.8 * tall),
        (nose + 0.5 * length, 0, 0.3 * wide, 0.3 * tall),
    ]
    hole = solids.block((0.4, 0.6, 0.85), (0, tall, nose + 0.24 * length), 0.12, 3)
    pieces: list[Piece] = [(body, parts.fuselage(line, 2.4) - hole)]
    seat = nose + 0.27 * length
    pieces.append(((0.2, 0.22, 0.26, 1.0), solids.ball((0.24, 0.5, 0.2), (0, 0.3 * tall, seat), 14)))
    pieces.append((trim.WHITE, solids.ball((0.15, 0.17, 0.17), (0, 0.3 * tall + 0.6, seat), 14)))
    y, z, chord = tall + float(rng.uniform(0.95, 1.15)), nose + 0.2 * length, span * float(rng.uniform(0.13, 0.15))
    dihedral = float(rng.uniform(1, 4))
    wing = parts.wing(
        span, chord, float(rng.uniform(0.8, 1.0)), float(rng.uniform(0, 4)), dihedral, (y, z), thin, 0.0, 0.12
    )
    pieces.append((cloth, wing))
    mast = z + 0.62 * chord
    tail = (0.0, 0.1, length / 2 - 0.15)
    frame = [
        bar(((0, -0.1, nose + 0.3 * length), tail), thin, 1.3),
        bar(((0, y, mast), tail), thin),
        bar(((0.12, 0, mast), (0.06, y, mast)), thin),
    ]
    x = 0.3 * span
    lift = y + np.tan(np.radians(dihedral)) * x
    frame += [bar(((0.2, -0.15, z + 0.45 * chord), (x, lift, z + shift * chord)), thin) for shift in (0.2, 0.7)]
    pieces.append((trim.STEEL, solids.union(frame)))
    root = 0.15 * length
    fin = parts.fin(0.17 * length, root, 0.65, 22, (0.06, length / 2 - 0.97 * root), thin)
    plane = parts.wing(0.3 * span, 0.85 * root, 0.8, 10, 0, (0.1, length / 2 - 0.95 * root), thin)
    pieces.append((cloth, fin + plane))
    pusher = rng.random() < 0.6
    hub = (0.0, y - 0.2, (z + 1.12 * chord) if pusher else z - 0.12 * chord)
    pieces += engine(
        rng, hub, 0.2, 0.75 * chord, float(rng.uniform(0.66, 0.78)), thin, (trim.DARK, trim.STEEL), 2, False, pusher
    )
    main = ((0.2, -0.25, mast - 0.1), -tall - float(rng.uniform(0.3, 0.4)))
    legs, wheels = gear.undercarriage(
        trim.STEEL, ((0.25, -0.2, main[0][2]), main[1]), ((0, -0.2, nose + 0.14 * length), main[1], 0.17), 0.2, thin
    )
    spread = bar(((0.2, -0.2, mast - 0.1), (0.75, main[1] + 0.2, mast - 0.1)), thin)
    return [
        *pieces,
        legs,
        wheels,
        (trim.STEEL, spread),
        (trim.DARK, solids.mirrored(gear.wheel(0.2, 1.2 * thin, (0.75, main[1] + 0.2, mast - 0.1)))),
    ]
