"""Delta wings: fighters, supersonic airliners, bombers."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.airplane_fighter import details
from imfield_jax.sources.procedural.solids import Color, Piece

NOZZLE: Color = (0.22, 0.22, 0.23, 1.0)


def delta(rng: np.random.Generator) -> list[Piece]:
    """A delta fighter with or without canards, a supersonic airliner, or a bomber."""
    style = rng.random()
    return _delta_fighter(rng) if style < 0.5 else _supersonic(rng) if style < 0.8 else _bomber(rng)


def _delta_fighter(rng: np.random.Generator) -> list[Piece]:
    """Plain, cropped or double delta of one engine; the intakes are at the sides or below."""
    shape = str(rng.choice(["plain", "cropped", "double"]))
    length = float(rng.uniform(14, 18))
    radius = length * float(rng.uniform(0.044, 0.052))
    half = length * float(rng.uniform(0.28, 0.32))
    thin = parts.thinnest(length, 2 * half)
    color, twin = trim.military(rng), shape != "double" and rng.random() < 0.3
    wide = radius * float(rng.uniform(1.45, 1.65) if twin else rng.uniform(1.1, 1.25))
    nose = -length / 2
    line = [
        (nose, -0.12 * radius, 0.07 * radius, 0.07 * radius),
        (nose + 0.07 * length, -0.1 * radius, 0.4 * radius, 0.42 * radius),
        (nose + 0.18 * length, -0.05 * radius, 0.76 * radius, 0.85 * radius),
        (nose + 0.34 * length, 0, radius, 1.02 * radius),
        (nose + 0.6 * length, 0, wide, radius),
        (nose + 0.95 * length, 0, 0.82 * wide, 0.72 * radius),
    ]
    pieces: list[Piece] = [(color, parts.fuselage(line, 2.4))]
    end = 0.9 * length + nose
    if shape == "double":  # a strongly swept inner wing that begins at the intakes
        outline = [(0, 0, 0.66), (0.09, 0.1, 0.66), (0.165, 0.38, 0.65), (half / length, 0.55, 0.63)]
    else:
        root, tip = float(rng.uniform(0.46, 0.53)), 0.03 if shape == "plain" else float(rng.uniform(0.06, 0.1))
        outline = [(0, 0, root), (half / length, root - tip - float(rng.uniform(0.0, 0.03)), root - 0.01)]
    place = (float(rng.uniform(-0.35, 0.1)) * radius, end - outline[0][2] * length)
    pieces.append((color, parts.planform(np.array(outline) * length, place, float(rng.uniform(-2, 1)), thin, 0.045)))
    height, chord = length * float(rng.uniform(0.16, 0.19)), length * float(rng.uniform(0.22, 0.27))
    place = (0.4 * radius, end - 0.96 * chord)
    pieces.append((color, parts.fin(height, chord, 0.22, float(rng.uniform(44, 52)), place, thin)))
    if shape != "double" and rng.random() < 0.55:
        x = float(rng.uniform(0.13, 0.16)) * length
        canard = np.array([(0, 0, 0.13 * length), (x, 0.1 * length, 0.135 * length)])
        place = (0.5 * radius, nose + float(rng.uniform(0.24, 0.28)) * length)
        pieces.append((color, parts.planform(canard, place, float(rng.uniform(0, 6)), thin, 0.05)))
    return pieces + details(rng, length, radius, wide, color, twin)


def _supersonic(rng: np.random.Generator) -> list[Piece]:
    """A slender airliner with an ogival wing and boxes of engines under it."""
    length = float(rng.uniform(50, 64))
    radius = length * float(rng.uniform(0.024, 0.029))
    half = length * float(rng.uniform(0.2, 0.235))
    thin = 0.0095 * length
    droop = float(rng.choice([0.25, 1.1]))
    livery = trim.vivid(rng)
    line = parts.streamline(length, radius, 0.22, float(rng.uniform(0.3, 0.4)), 0.5, droop, 0.08, 1.12)
    line[0, 2:] = 0.16 * radius
    line[1:4, 2:] *= np.array([0.5, 0.7, 0.9])[:, None]  # a needle
    pieces: list[Piece] = [(trim.WHITE, parts.fuselage(line))]
    # Ogee: strongly swept, straighter outboard, curved forward at the tip.
    outline = np.array(
        [
            (0, 0, 0.5),
            (0.09, 0.04, 0.5),
            (0.22, 0.17, 0.498),
            (0.4, 0.29, 0.49),
            (0.62, 0.36, 0.475),
            (0.85, 0.425, 0.46),
            (1, 0.455, 0.455),
        ]
    )
    if rng.random() < 0.4:  # a double delta instead
        outline = np.array([(0, 0, 0.5), (0.12, 0.08, 0.5), (0.36, 0.28, 0.49), (1, 0.43, 0.47)])
    points = outline * np.array([half, length, length])
    points[:, 2] = np.maximum(points[:, 2], points[:, 1] + 0.03 * length)
    place = (-0.65 * radius, -0.14 * length)
    pieces.append((trim.WHITE, parts.planform(points, place, float(rng.uniform(-1.5, 0.5)), thin, 0.02)))
    root = length * float(rng.uniform(0.17, 0.21))
    pieces.append((livery, parts.fin(0.115 * length, root, 0.26, 54, (0.5 * radius, 0.47 * length - 1.2 * root), thin)))
    if rng.random() < 0.3:
        canard = np.array([(0, 0, 0.045), (0.055, 0.02, 0.047)]) * length
        pieces.append((trim.WHITE, parts.planform(canard, (0.7 * radius, -0.36 * length), 0, thin, 0.02)))
    box, high, deep = 0.036 * length, 0.026 * length, float(rng.uniform(0.17, 0.22)) * length
    x, y, z = float(rng.uniform(0.4, 0.5)) * half, place[0] - 0.5 * high, 0.37 * length - deep / 2
    pieces.append((trim.STEEL, solids.mirrored(solids.block((2 * box / 1.3, high, deep), (x, y, z), 0.15 * high))))
    mouth = solids.block((2 * box / 1.3 - 0.3 * high, 0.7 * high, deep), (x, y, z - 0.1 * high), 0.1 * high)
    pipes = [
        solids.turned(
            [(0, 0), (0.42 * high, 0), (0.36 * high, 0.8 * high), (0, 0.8 * high)],
            "z",
            (x + e * 0.38 * box, y, z + 0.48 * deep),
        )
        for e in (-1, 1)
    ]
    pieces += [(trim.DARK, solids.mirrored(mouth)), (NOZZLE, solids.mirrored(pipes[0] + pipes[1]))]
    skin = parts.fuselage(line, grow=0.03 * radius)
    screen = np.array(
        [
            (0.135 * length, -0.05 * radius),
            (0.2 * length, 0.35 * radius),
            (0.2 * length, 0.75 * radius),
            (0.155 * length, 0.75 * radius),
        ]
    )
    pieces.append((trim.GLASS, skin ^ solids.along_x(screen - np.array([length / 2, 0]), -9, 9)))
    pieces.append((trim.GLASS, skin ^ trim.box((-9, 0.2 * radius, -0.27 * length), (9, 0.42 * radius, 0.24 * length))))
    if rng.random() < 0.5:
        pieces.append((livery, skin ^ trim.box((-9, -0.15 * radius, -0.45 * length), (9, 0.05 * radius, 0.4 * length))))
    return pieces


def _bomber(rng: np.random.Generator) -> list[Piece]:
    """A large thick delta with engines buried in its roots."""
    length = float(rng.uniform(28, 33))
    radius, half = 0.048 * length, length * float(rng.uniform(0.47, 0.54))
    thin = parts.thinnest(length, 2 * half) * 0.8
    color = trim.military(rng) if rng.random() < 0.7 else trim.WHITE
    nose = -length / 2
    line = parts.streamline(length, radius, 0.16, 0.4, 0.3, 0.1, 0.2)
    root = float(rng.uniform(0.52, 0.58)) * length
    lead = float(rng.uniform(0.36, 0.42)) * length
    kink = 0.5 * half  # the outer leading edge is less swept
    outline = [
        (0, 0, root),
        (0.2 * half, 0.23 * lead, root),
        (kink, 0.55 * lead, 0.96 * root),
        (half, lead, 0.9 * root),
    ]
    start = nose + float(rng.uniform(0.24, 0.3)) * length
    pieces = [(color, parts.fuselage(line)), (color, parts.planform(outline, (0.1 * radius, start), -1, thin, 0.085))]
    fin, chord = length * float(rng.uniform(0.16, 0.2)), 0.2 * length
    pieces.append((color, parts.fin(fin, chord, 0.5, 46, (0.4 * radius, length * 0.5 - 1.35 * chord), thin)))
    size = (1.9 * radius, 0.72 * radius, 0.16 * length)
    x, z = 1.75 * radius, start + 0.16 * length
    intake = solids.block(size, (x, 0.12 * radius, z), 0.3 * radius, 3)
    mouth = solids.block(
        (1.55 * radius, 0.48 * radius, size[2]), (x, 0.12 * radius, z - 0.07 * radius), 0.2 * radius, 3
    )
    pieces += [(color, solids.mirrored(intake)), (trim.DARK, solids.mirrored(mouth))]
    pipe = [
        (0, -0.2 * length),
        (0.4 * radius, -0.2 * length),
        (0.4 * radius, 0),
        (0.33 * radius, 0.5 * radius),
        (0, 0.5 * radius),
    ]
    pipes = [solids.turned(pipe, "z", (at * radius, 0, start + root)) for at in (1.25, 2.15)]
    pieces.append((NOZZLE, solids.mirrored(pipes[0] + pipes[1])))
    canopy = solids.ball((0.55 * radius, 0.62 * radius, 0.07 * length), (0, 0.68 * radius, nose + 0.17 * length), 22)
    tip = parts.fuselage(line, grow=0.01) ^ trim.box((-9, -9, nose - 1), (9, 9, nose + 0.03 * length))
    return [*pieces, (trim.GLASS, canopy), (trim.DARK, tip)]
