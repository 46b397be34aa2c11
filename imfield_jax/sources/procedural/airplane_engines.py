"""Engines with propellers that stand out of a wing, a boom or a pylon."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.solids import Color, Piece, Point


def engine(
    rng: np.random.Generator,
    hub: Point,
    size: float,
    reach: float,
    disc: float,
    thin: float,
    colors: tuple[Color, Color],
    blades: int,
    radial: bool = False,
    pusher: bool = False,
) -> list[Piece]:
    """A nacelle of radius `size` and length `reach` with a propeller of radius `disc`, and its mirror image.

    hub: the centre of the propeller; a pusher's nacelle is in front of it.   colors: nacelle, spinner.
    """
    first = 0.88 * size if radial else 0.45 * size
    line = [
        (0, 0, first, first),
        (0.3 * size, 0, 0.98 * size if radial else 0.7 * size, size if radial else 0.75 * size),
        (min(1.2 * size, 0.4 * reach), 0, size, 1.05 * size),
        (0.55 * reach, 0, 0.95 * size, size),
        (reach, 0.05 * size, 0.3 * size, 0.3 * size),
    ]
    propeller, spinner = parts.propeller(rng, disc, (0, 0, -0.12 * size), 0.9 * thin, blades)
    pieces = [(colors[0], parts.fuselage(line, 2.1, 0, 20, 18)), (trim.DARK, propeller), (colors[1], spinner)]
    if radial:
        front = solids.turned([(0, -0.03 * size), (0.76 * size, -0.03 * size), (0.76 * size, size), (0, size)], "z")
        pieces.append((trim.DARK, front))
    way = -1 if pusher else 1
    return [(color, solids.mirrored(solid.scale((1, 1, way)).translate(hub))) for color, solid in pieces]


def bar(ends: tuple[Point, Point], thin: float, width: float = 1.0) -> solids.Manifold:
    """A strut between two points and its mirror image."""
    return solids.mirrored(solids.tube(np.array(ends), 0.55 * width * thin, 8))
