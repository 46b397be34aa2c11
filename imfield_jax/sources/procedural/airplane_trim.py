"""Common features of airplanes of several types: colours, tails, and the paint and glass of a fuselage."""

from __future__ import annotations

import colorsys

import numpy as np
from jaxtyping import Float64
from manifold3d import Manifold
from numpy.typing import ArrayLike

from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.solids import Color, Piece

DARK: Color = (0.07, 0.07, 0.08, 1.0)
GLASS: Color = (0.10, 0.14, 0.19, 1.0)
STEEL: Color = (0.62, 0.64, 0.66, 1.0)
WHITE: Color = (0.91, 0.91, 0.92, 1.0)
MILITARY = (
    (0.50, 0.53, 0.56),
    (0.36, 0.39, 0.42),
    (0.33, 0.37, 0.26),
    (0.62, 0.56, 0.42),
    (0.20, 0.22, 0.25),
)


def vivid(rng: np.random.Generator) -> Color:
    color = colorsys.hsv_to_rgb(float(rng.random()), float(rng.uniform(0.55, 0.95)), float(rng.uniform(0.35, 0.85)))
    red, green, blue = (round(c, 4) for c in color)
    return red, green, blue, 1.0


def military(rng: np.random.Generator) -> Color:
    base = np.array(MILITARY[int(rng.integers(len(MILITARY)))]) * rng.uniform(0.85, 1.15)
    return (*np.round(base, 4).tolist(), 1.0)


def box(low: ArrayLike, high: ArrayLike) -> Manifold:
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    return Manifold.cube(tuple(high - low)).translate(tuple(low))


def jet_tail(
    rng: np.random.Generator,
    length: float,
    y_tail: float,
    thin: float,
    metal: solids.Color,
    livery: solids.Color,
    high: bool,
) -> list[Piece]:
    """Fin and tailplane, conventional or T-shaped."""
    height = length * float(rng.uniform(0.13, 0.175))
    root, sweep = length * float(rng.uniform(0.125, 0.16)), float(rng.uniform(32, 44))
    z = length * 0.5 - root * float(rng.uniform(1.12, 1.3))
    taper = float(rng.uniform(0.35, 0.5)) if not high else float(rng.uniform(0.55, 0.7))
    pieces = [(livery, parts.fin(height, root, taper, sweep, (0.6 * y_tail, z), thin))]
    span, chord = length * float(rng.uniform(0.3, 0.38)), 0.66 * root
    if high:
        place = (0.6 * y_tail + height - 0.25 * thin, z + np.tan(np.radians(sweep)) * height)
        pieces.append((metal, parts.wing(0.85 * span, chord, 0.45, 28, -2, place, thin)))
    else:
        pieces.append(
            (
                metal,
                parts.wing(span, chord, 0.4, 32, float(rng.uniform(4, 8)), (0.62 * y_tail, z + 0.3 * root), thin),
            )
        )
    return pieces


def cabin_paint(
    rng: np.random.Generator, line: Float64[np.ndarray, "S 4"], length: float, radius: float, livery: solids.Color
) -> list[Piece]:
    """Cockpit glass, a row of windows, optionally a stripe or a painted belly."""
    skin = parts.fuselage(line, grow=0.018 * radius)
    nose = -length / 2
    pieces = []
    screen = solids.along_x(
        [
            (nose + 0.1 * radius, 0.1 * radius),
            (nose + 1.35 * radius, 0.34 * radius),
            (nose + 1.5 * radius, 0.62 * radius),
            (nose + 0.5 * radius, 0.62 * radius),
        ],
        -2 * radius,
        2 * radius,
    )
    pieces.append((GLASS, skin ^ screen))
    front, rear = nose + 2.4 * radius, length * 0.3
    if rng.random() < 0.5:
        pieces.append((GLASS, skin ^ box((-9, 0.14 * radius, front), (9, 0.3 * radius, rear))))
    else:
        count = int(rng.integers(12, 20))
        step = (rear - front) / count
        panes = [
            box((-9, 0.12 * radius, front + i * step), (9, 0.34 * radius, front + (i + 0.5) * step))
            for i in range(count)
        ]
        pieces.append((GLASS, skin ^ Manifold.compose(panes)))
    style = rng.random()
    if style < 0.3:
        pieces.append((livery, skin ^ box((-9, -0.12 * radius, nose), (9, 0.05 * radius, length))))
    elif style < 0.5:
        pieces.append(((0.55, 0.57, 0.6, 1.0), skin ^ box((-9, -9, nose), (9, -0.4 * radius, length))))
    elif style < 0.7:
        start = length * float(rng.uniform(0.18, 0.26))
        tail = solids.along_x([(start + 2.6 * radius, 9), (start, -9), (length, -9), (length, 9)], -9, 9)
        pieces.append((livery, skin ^ tail))
    return pieces


def small_tail(
    rng: np.random.Generator, length: float, span: float, y: float, thin: float, body: solids.Color, trim: solids.Color
) -> list[Piece]:
    """Fin and tailplane of a propeller airplane; sometimes a T or a V."""
    style = rng.random()
    root = length * float(rng.uniform(0.13, 0.17))
    z = length / 2 - 0.96 * root
    wide = span * float(rng.uniform(0.28, 0.34))
    if style < 0.1:
        one = parts.foil(
            [
                (0.0, y - 0.05, z - 0.1, root),
                (0.36 * wide, y + 0.36 * wide * 0.8, z + 0.15 * root, 0.6 * root),
            ],
            thin,
        )
        return [(trim, solids.mirrored(one))]
    height, sweep = length * float(rng.uniform(0.13, 0.17)), float(rng.uniform(8, 40))
    pieces = [
        (
            trim if rng.random() < 0.5 else body,
            parts.fin(height, root, float(rng.uniform(0.5, 0.7)), sweep, (y, z), thin),
        )
    ]
    if style < 0.25:
        place = (y + height - 0.3 * thin, z + np.tan(np.radians(sweep)) * height - 0.05 * root)
    else:
        place = (y + 0.02, z + 0.12 * root)
    pieces.append(
        (
            body,
            parts.wing(wide, 0.78 * root, float(rng.uniform(0.6, 0.9)), float(rng.uniform(3, 14)), 0, place, thin),
        )
    )
    return pieces


def plain_tail(rng: np.random.Generator, length: float, span: float, thin: float, color: solids.Color) -> list[Piece]:
    root = length * float(rng.uniform(0.14, 0.18))
    z = length / 2 - 0.98 * root
    fin = parts.fin(length * float(rng.uniform(0.13, 0.16)), root, 0.5, float(rng.uniform(10, 25)), (0.1, z), thin)
    plane = parts.wing(span * float(rng.uniform(0.31, 0.37)), 0.82 * root, 0.55, 9, 0, (0.2, z + 0.05 * root), thin)
    return [(color, fin + plane)]
