"""A solid from surface points with outward normals, for sources without meshes.

A voxel near the surface is inside when it is behind the nearest points, weighted like the dipoles of a winding number
(Barill et al. 2018, "Fast winding numbers for soups and clouds"). Voxels further away form regions that no surface
crosses, and each region takes the majority label of the voxels at its border. Where the points are sparse, the band of
voxels that separates inside from outside is wider, so that regions do not leak through the gaps between points; its
outer part is evaluated at half the resolution.

`python -m benchmarks.round_trip` rebuilds solids from 100,000 points of their surfaces, rounded to half precision.
Boxes, slabs, sofas, balls, tori and our cars, chairs and airplanes have an IoU above 0.995, in 1 to 5 s. Only solids
whose points are about as far apart as their two sides fall below 0.99: twelve boards side by side (0.970),
a box with walls three voxels thick (0.961) and a hollow ball with a wall of two (0.906).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage
from scipy.spatial import cKDTree

from imfield_jax.coordinates import SOLID_RESOLUTION, containing_cell, index_to_point

_FINE = 2  # voxels around those with points that are evaluated at full resolution
_NEAREST = 6  # points that vote
_POINTS_PER_PATCH = 25  # expected in a square patch as wide as the band, which is empty with probability e^-25
_NEIGHBOURS = 8  # for estimating the density of the points


def solid_of_cloud(
    points: Float[np.ndarray, "n 3"], normals: Float[np.ndarray, "n 3"]
) -> Bool[np.ndarray, "256 256 256"]:
    """The solid that a closed surface bounds.

    points:  in the cube, uniform over the surface.
    normals: outward.
    """
    points, normals = points.astype(np.float64), normals.astype(np.float64)
    tree = cKDTree(points)
    touched = np.zeros((SOLID_RESOLUTION,) * 3, bool)
    touched[tuple(containing_cell(points, SOLID_RESOLUTION).T)] = True
    away = ndimage.distance_transform_cdt(~touched)  # in voxels, diagonals count as 1
    solid = _coarse(tree, normals, away, _band_width(tree))
    fine = away <= _FINE
    solid[fine] = _behind(tree, normals, index_to_point(np.argwhere(fine), SOLID_RESOLUTION))
    return solid


def _band_width(tree: cKDTree) -> int:
    """Number of voxels around the points that closes every gap between them."""
    some = tree.data[:: max(1, tree.n // 2000)]
    reach = tree.query(some, k=min(_NEIGHBOURS + 1, tree.n))[0][:, -1] * SOLID_RESOLUTION
    area = np.pi * np.quantile(reach, 0.9) ** 2 / _NEIGHBOURS  # of the surface per point, in voxel faces
    return max(_FINE, int(np.ceil((np.sqrt(_POINTS_PER_PATCH * area) - 1) / 2)))


def _coarse(tree: cKDTree, normals: np.ndarray, away: np.ndarray, width: int) -> np.ndarray:
    """The solid, at half the resolution, further than `_FINE` from voxels with points: [256, 256, 256] bool."""
    half = SOLID_RESOLUTION // 2
    away = away.reshape(half, 2, half, 2, half, 2).max(axis=(1, 3, 5))
    band = away <= width
    near = ndimage.binary_dilation(band, ndimage.generate_binary_structure(3, 3))
    evaluated = near & (away > _FINE)
    solid = np.zeros_like(band)
    solid[evaluated] = _behind(tree, normals, index_to_point(np.argwhere(evaluated), half))
    regions, count = ndimage.label(~band)
    border = near & ~band
    inside = ndimage.mean(solid[border], regions[border], np.arange(1, count + 1)) > 0.5
    solid = np.where(band, solid, np.concatenate([[False], inside])[regions])
    return solid.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)


def _behind(tree: cKDTree, normals: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Whether each query [q, 3] is on the inner side of the surface, by the dipoles of the nearest points: [q] bool."""
    distances, nearest = tree.query(queries, k=_NEAREST)
    weights = np.maximum(distances, 0.25 / SOLID_RESOLUTION) ** -3
    return np.einsum("qk,qkj,qkj->q", weights, queries[:, None] - tree.data[nearest], normals[nearest]) < 0
