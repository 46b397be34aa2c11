"""Other extraction methods, implemented as efficiently as we can, as baselines.

Each takes a field, evaluated at all points of a step at once, and a resolution, and returns the mesh.
All of them allocate arrays of R^3 elements.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from skimage.measure import marching_cubes

from imfield_jax.coordinates import grid_points, index_to_point
from imfield_jax.extraction.lattice import CORNERS, Lattice
from imfield_jax.extraction.marching import march
from imfield_jax.types import Mesh

Evaluate = Callable[[np.ndarray], np.ndarray]  # points [P, 3] -> values [P]


def dense(evaluate: Evaluate, resolution: int) -> Mesh:
    """The field at every node, our marching cubes on every active cell: the reference for sparse extraction."""
    grid = np.full((resolution + 2,) * 3, -np.inf, np.float32)
    axis = index_to_point(np.arange(resolution), resolution).astype(np.float32)
    plane = np.stack(np.meshgrid(axis[:1], axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    for x in range(resolution):
        plane[:, 0] = axis[x]
        grid[x + 1, 1:-1, 1:-1] = evaluate(plane).reshape(resolution, resolution)
    lattice, last = Lattice(resolution), resolution + 1
    cells, values = [], []
    for x in range(last):  # plane by plane, as eight shifted copies would need eight times the memory
        views = [grid[x + cx, cy : last + cy, cz : last + cz] for cx, cy, cz in CORNERS]
        count = sum((view > 0).astype(np.uint8) for view in views)
        y, z = np.nonzero((count > 0) & (count < 8))
        cells.append(lattice.keys(np.stack([np.full_like(y, x), y, z], axis=-1) - 1))
        values.append(np.stack([view[y, z] for view in views], axis=-1))
    (mesh,) = march(lattice, np.concatenate(cells), np.concatenate(values))
    return mesh


def imnet(evaluate: Evaluate, resolution: int) -> Mesh:
    """IM-NET's scheme, from R/4 to R: cells with mixed neighbourhoods are evaluated, then those the surface enters.

    The original walks over its cells in Python; this one takes all cells of a round at once. Where the original
    interpolates occupancy, this one has the signed field; cells that are not evaluated hold -1 or 1.
    """
    coarse = resolution // 4
    inside = np.pad(evaluate(grid_points(coarse).reshape(-1, 3)).reshape((coarse,) * 3) > 0, 1)
    around = np.lib.stride_tricks.sliding_window_view(inside, (3, 3, 3)).reshape(coarse, coarse, coarse, 27)
    full = around.all(axis=-1)
    queue = np.argwhere(around.any(axis=-1) & ~full)
    grid = np.where(np.kron(full, np.ones((4, 4, 4), bool)), np.float32(1), np.float32(-1))
    blocks = grid.reshape(coarse, 4, coarse, 4, coarse, 4)
    filled = np.zeros_like(full)
    fine = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    moves = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    while len(queue):
        filled[tuple(queue.T)] = True
        points = index_to_point(4 * queue[:, None] + fine, resolution).astype(np.float32)
        values = evaluate(points.reshape(-1, 3)).reshape(-1, 4, 4, 4)
        x, y, z = queue.T
        blocks[x, :, y, :, z] = values
        grown = queue[(values > 0).any(axis=(1, 2, 3))][:, None] + moves
        grown = grown.reshape(-1, 3)
        grown = np.unique(grown[((grown >= 0) & (grown < coarse)).all(axis=1)], axis=0)
        x, y, z = grown.T
        queue = grown[~inside[x + 1, y + 1, z + 1] & ~filled[x, y, z]]
    return _surface(np.pad(grid, 1, constant_values=-1), lambda index: index_to_point(index - 1, resolution))


def mise(evaluate: Evaluate, resolution: int, start: int = 32) -> Mesh:
    """Multiresolution isosurface extraction (Mescheder et al. 2019): an octree on corners, from 33^3 on.

    Cells whose corners differ in sign are halved, the field is evaluated at their new corners, and so on.
    """
    cells = min(start, resolution)
    axis = np.arange(cells + 1, dtype=np.float32) / cells - np.float32(0.5)
    grid = evaluate(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3))
    grid = grid.reshape((cells + 1,) * 3)
    while cells < resolution:
        inside = grid > 0
        count = sum(inside[tuple(slice(c, cells + c) for c in corner)].astype(np.uint8) for corner in CORNERS)
        mixed = np.argwhere((count > 0) & (count < 8))
        cells *= 2
        finer = np.repeat(np.repeat(np.repeat(grid, 2, 0), 2, 1), 2, 2)[:-1, :-1, :-1]
        new = np.zeros(finer.shape, bool)
        for move in np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3):
            new[tuple((2 * mixed + move).T)] = True
        new[::2, ::2, ::2] = False
        wanted = np.argwhere(new)
        finer[new] = evaluate((wanted / np.float32(cells) - np.float32(0.5)).astype(np.float32))
        grid = finer
    border = np.pad(grid, 1, constant_values=-1e3)
    return _surface(border, lambda index: np.clip((index - 1) / resolution - 0.5, -0.5, 0.5))


def _surface(grid: np.ndarray, place: Callable[[np.ndarray], np.ndarray]) -> Mesh:
    if not (grid > 0).any():
        return Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    vertices, faces, _, _ = marching_cubes(grid, 0.0, gradient_direction="ascent")
    return Mesh(place(vertices).astype(np.float32), faces.astype(np.int32))
