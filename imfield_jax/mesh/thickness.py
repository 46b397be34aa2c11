"""Thickness of walls, by the largest balls that fit inside a mesh.

At a point of the surface, the ball that touches the point from inside shrinks until it touches no second point (Ma et
al. 2012, "3D medial axis point approximation using nearest neighbors and the normal field"). Where its far side lies on
the surface, too, there is a wall, and the ball's diameter is its thickness. At edges and corners the far side is deep
inside: balls that fit there are small, but there is no thin wall.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float, Float64

from imfield_jax.mesh.sampling import sample_surface
from imfield_jax.types import Mesh

_POINTS = 100_000  # of the surface, that balls may touch
_ROUNDS = 30
_NOISE = 0.01  # of a radius: smaller gains come from the facets of curved surfaces
_OPPOSITE = 0.2  # of the radius: distance of the ball's far side from the surface, at a wall
_NEARBY = np.cos(np.radians(30))  # points at a smaller angle are the first one's own surroundings


def walls(mesh: Mesh, rng: np.random.Generator, balls: int = 5_000) -> Float64[np.ndarray, " W"]:
    """Thicknesses of walls at random points of a closed mesh, uniform over the surface, in units of the mesh.

    balls: how many points are tried. Points without an opposite side, at edges and corners, are left out.
    """
    samples = sample_surface(dataclasses.replace(mesh, normals=None), _POINTS, rng)
    if not len(samples):
        return np.zeros(0)
    points, normals = samples.points[:balls].astype(np.float64), samples.normals[:balls].astype(np.float64)
    radius = np.full(len(points), float(np.ptp(samples.points, axis=0).max()))
    active = np.arange(len(points))
    for _ in range(_ROUNDS):
        distance, nearest = samples.nearest(points[active] - radius[active, None] * normals[active])
        inside = distance < radius[active] * (1 - _NOISE)
        active, other = active[inside], samples.points[nearest[inside]].astype(np.float64)
        apart = points[active] - other
        towards = (apart * normals[active]).sum(axis=1)  # above 0: the other point is inside the ball
        smaller = (apart**2).sum(axis=1) / (2 * towards)
        center = points[active] - smaller[:, None] * normals[active]
        apart_enough = _cosine(points[active], center, other) < _NEARBY
        active = active[apart_enough]
        radius[active] = smaller[apart_enough]
    beyond, _ = samples.nearest(points - 2 * radius[:, None] * normals)
    return 2 * radius[beyond < _OPPOSITE * radius]


def _cosine(
    one: Float[np.ndarray, "N 3"], center: Float[np.ndarray, "N 3"], other: Float[np.ndarray, "N 3"]
) -> Float[np.ndarray, " N"]:
    """Of the angle at the centre between two points."""
    u, v = one - center, other - center
    return (u * v).sum(axis=1) / np.maximum(np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1), 1e-30)
