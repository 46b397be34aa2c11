"""Voxels enclosed by open but well-oriented faces: the generalised winding number, coarse to fine.

It bridges holes smoothly, but also bulges in front of a sheet; so space visible in
many views is classified as outside directly.

Jacobson et al., "Robust inside-outside segmentation using generalized winding numbers", 2013; fast
evaluation by Barill et al., "Fast winding numbers for soups and clouds", 2018 (libigl).
"""

from __future__ import annotations

import igl
import numpy as np
from jaxtyping import Bool, Float, Int

from imfield_jax.coordinates import index_to_point
from imfield_jax.preparation.solidify.hidden import Sight, exposed
from imfield_jax.preparation.solidify.voxelise import grown, surface_voxels

_COARSEST = 64
_MAX_EXPOSED = 0.4  # fraction of views: a voxel in front of a flat face is visible in half, through a hole in few


def enclosed_by(
    vertices: Float[np.ndarray, "V 3"],
    faces: Int[np.ndarray, "F 3"],
    sights: list[Sight],
    known: Bool[np.ndarray, "R R R"],
) -> Bool[np.ndarray, "R R R"]:
    """Unexposed voxels whose generalised winding number exceeds a half.

    faces: outward.   sights: views of the whole mesh.   known: voxels to skip, False in the result.
    A level refines cells with a mixed neighbourhood or a face passing through; below R = 128 there is one level.
    """
    level = resolution = known.shape[0]
    if not len(faces):
        return np.zeros_like(known)
    while level % 2 == 0 and level > _COARSEST:
        level //= 2
    vertices, faces = np.ascontiguousarray(vertices), np.ascontiguousarray(faces)
    inside, where = np.zeros((level,) * 3, bool), np.ones((level,) * 3, bool)
    while level < resolution:
        _evaluate(vertices, faces, inside, where)
        where = (grown(inside) & grown(~inside)) | surface_voxels(vertices, faces, level)
        level *= 2
        inside, where = (grid.repeat(2, 0).repeat(2, 1).repeat(2, 2) for grid in (inside, where))
    settled = known | exposed(sights, (inside | where) & ~known, _MAX_EXPOSED)
    _evaluate(vertices, faces, inside, where & ~settled)
    return inside & ~settled


def _evaluate(vertices: np.ndarray, faces: np.ndarray, inside: np.ndarray, where: np.ndarray) -> None:
    """Sets `inside` at the cells `where` to whether their centre is enclosed."""
    cells = np.argwhere(where)
    points = index_to_point(cells, inside.shape[0])
    inside[tuple(cells.T)] = igl.fast_winding_number(vertices, faces, points) > 0.5
