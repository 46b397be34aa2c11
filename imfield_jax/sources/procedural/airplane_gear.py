"""Landing gear of airplanes: legs and wheels."""

from __future__ import annotations

import numpy as np
from manifold3d import Manifold

from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.solids import Piece


def wheel(radius: float, width: float, center: solids.Point) -> Manifold:
    profile = np.array([(0, -width / 2), (radius, -width / 2), (radius, width / 2), (0, width / 2)])
    return solids.turned(solids.rounded(profile, 0.3 * width, 2), "x", center, 22)


def undercarriage(
    color: solids.Color,
    main: tuple[solids.Point, float],
    nose: tuple[solids.Point, float, float],
    radius: float,
    thin: float,
) -> list[Piece]:
    """Legs in `color` and dark wheels, two pieces, below points of the airframe.

    The points are given as ((x, y, z) top, y of the ground), the nose with the wheel's radius too.
    main: the right main leg, mirrored to the left.   nose: the nose or tail leg on the centre line,
    with a smaller wheel.
    """
    (top, ground) = main
    x, y, z = top
    bar = 0.55 * thin
    width = max(thin, 0.5 * radius)
    foot = (x + 0.1 * (y - ground), ground + radius, z)
    legs = solids.mirrored(solids.tube([foot, top], bar, 8))
    wheels = solids.mirrored(wheel(radius, width, foot))
    top, ground, size = nose
    foot = (0.0, ground + size, top[2])
    legs += solids.tube([foot, top], bar, 8)
    return [(color, legs), (trim.DARK, wheels + wheel(size, max(thin, 0.6 * size), foot))]
