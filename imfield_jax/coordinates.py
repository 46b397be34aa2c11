"""The cube and its grids: the only owner of index <-> point arithmetic.

Model space is [-0.5, 0.5]^3, right-handed, y up, front -z (ShapeNet v2). A grid of R cells per
axis has its samples at cell centres, point = (index + 0.5) / R - 0.5, and array index order
(i, j, k) is (x, y, z). The surface of an occupancy lies at `LEVEL`.

Everything here is elementwise arithmetic and works on numpy and jax arrays alike.
"""

from __future__ import annotations

import numpy as np

LEVEL = 0.5  # occupancy of the surface: 1 inside, 0 outside
HALF = 0.5  # half the side of the cube
SOLID_RESOLUTION = 256  # the grid that labels are read from (IM-NET's HSP voxels)
VOXEL_RESOLUTION = 64  # the grid the voxel encoder sees
LEVEL_SIZES = {16: 4096, 32: 4096, 64: 16384}  # training grids, cells per axis: labelled points per shape


def index_to_point(index, resolution):
    """Centres of cells: [..., 3] integer (or fractional) indices -> [..., 3] points in the cube."""
    return (index + 0.5) / resolution - HALF


def point_to_index(point, resolution):
    """Fractional cell index of points, the inverse of `index_to_point`: [..., 3] -> [..., 3]."""
    return (point + HALF) * resolution - 0.5


def containing_cell(point, resolution):
    """[..., 3] points -> [..., 3] int64 index of the cell each lies in, clipped to the grid."""
    cell = np.floor((np.asarray(point) + HALF) * resolution).astype(np.int64)
    return np.clip(cell, 0, resolution - 1)


def grid_points(resolution):
    """All cell centres in array order: [R, R, R, 3] float32."""
    axis = index_to_point(np.arange(resolution), resolution).astype(np.float32)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def max_pool(grid, factor):
    """Coarser occupancy, a cell full when any of its voxels is (IM-NET 3.5): [R]*3 -> [R/factor]*3.

    Raises ValueError when `factor` does not divide R.
    """
    resolution = grid.shape[0]
    if resolution % factor:
        raise ValueError(f"a grid of {resolution} cells cannot be pooled by {factor}")
    for axis in range(3):  # one axis after the other is ten times faster than all in one reduction
        blocks = (*grid.shape[:axis], resolution // factor, factor, *grid.shape[axis + 1 :])
        grid = grid.reshape(blocks).max(axis=axis + 1)
    return grid


def occupancy_of_solid(solid, points):
    """Whether points [..., 3] in the cube lie in a full voxel of a solid [R, R, R]: [...] bool."""
    return np.asarray(solid, bool)[tuple(np.moveaxis(containing_cell(points, solid.shape[0]), -1, 0))]
