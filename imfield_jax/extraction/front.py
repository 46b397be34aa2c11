"""Active cells: found on a coarse lattice, refined along cut edges, grown until complete.

A cell is active when its corners differ in sign, an edge is cut when its ends do. A cell across a
sign-changing face of an active cell has that face among its own and is active too, so growing over
such faces asks only for corners of active cells, and from one cell it reaches every active cell of
the component.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from imfield_jax.extraction import cubes, table
from imfield_jax.extraction.lattice import CORNERS
from imfield_jax.extraction.marching import cases
from imfield_jax.extraction.samples import Samples


@dataclasses.dataclass(frozen=True)
class Active:
    """Active cells: keys [A] int64 sorted, values [A, 8] float32 at their corners."""

    cells: np.ndarray
    values: np.ndarray


def with_corners(samples: Samples, cells: np.ndarray, stride: int) -> Active:
    """Cells of this side, [A] sorted keys that are known to be active, with their corner values."""
    corners = cells + samples.lattice.offsets(CORNERS * stride)[:, None]
    nodes = table.sorted_unique(corners.ravel())
    node_values = samples.at(nodes)
    values = np.empty((len(cells), 8), np.float32)
    for corner, keys in enumerate(corners):
        values[:, corner] = node_values[np.searchsorted(nodes, keys)]
    return Active(cells, values)


def coarse(samples: Samples, stride: int) -> Active:
    """All active cells of the lattice with this stride, every node of which is asked for."""
    nodes = samples.lattice.coarse_nodes(stride)
    inside = (samples.at(nodes.ravel()) > 0).reshape(nodes.shape)
    last = len(nodes) - 1
    views = [inside[tuple(slice(start, last + start) for start in corner)] for corner in CORNERS]
    count = sum(view.astype(np.uint8) for view in views)
    return with_corners(samples, nodes[:-1, :-1, :-1][(count > 0) & (count < 8)], stride)


def cut_edges(samples: Samples, active: Active, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """The cut edges of the cells, each once: ([n] keys of their lower ends sorted, [n] axes)."""
    inside = active.values > 0
    packed = []  # axis in the lowest two bits, so that edges sort by their lower end
    for axis, start in zip(cubes.EDGE_AXES, cubes.EDGE_STARTS, strict=True):
        cut = inside[:, start] != inside[:, start + cubes.AXIS_CORNERS[axis]]
        lower = active.cells[cut] + samples.lattice.offsets(CORNERS[start] * stride)
        packed.append(lower << 2 | axis)
    edges = table.sorted_unique(np.concatenate(packed))
    return edges >> 2, edges & 3


def refine(samples: Samples, active: Active, stride: int, finer: int) -> Active:
    """Cells of side `finer` that each cut edge of the active cells of side `stride` leads to.

    Each edge is halved towards its sign change until it is `finer` long; the four cells around what
    is left are active. They are seeds for `grow`, not yet the whole surface.
    """
    lattice = samples.lattice
    lower, axes = cut_edges(samples, active, stride)
    below = _at_any(samples, lower) > 0
    for half in _halvings(stride, finer):
        middle = lower + lattice.steps[axes] * half
        lower = np.where((_at_any(samples, middle) > 0) == below, middle, lower)
    around = [
        lower[axes == axis] - lattice.offsets(CORNERS[start] * finer)
        for axis, start in zip(cubes.EDGE_AXES, cubes.EDGE_STARTS, strict=True)
    ]
    return with_corners(samples, table.sorted_unique(np.concatenate(around)), finer)


def _halvings(stride: int, finer: int) -> list[int]:
    halves = []
    while stride > finer:
        stride //= 2
        halves.append(stride)
    return halves


def _at_any(samples: Samples, keys: np.ndarray) -> np.ndarray:
    """Values of nodes in any order, with repetitions: [n] -> [n]."""
    nodes = table.sorted_unique(keys)
    return samples.at(nodes)[np.searchsorted(nodes, keys)]


def grow(samples: Samples, active: Active, stride: int) -> Active:
    """The active cells and all others that sign-changing faces connect them to."""
    moves = samples.lattice.offsets(cubes.FACE_MOVES * stride)
    front = active
    while True:
        changes = cubes.face_changes()[cases(front.values)]
        across = [front.cells[changes[:, face]] + move for face, move in enumerate(moves)]
        fresh = [cells[~table.find(active.cells, cells)[1]] for cells in across]
        front = with_corners(samples, table.sorted_unique(np.concatenate(fresh)), stride)
        if not len(front.cells):
            return active
        joined = table.Table(active.cells, active.values).with_rows(front.cells, front.values)
        active = Active(joined.keys, joined.values)
