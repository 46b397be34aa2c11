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

NEAR = 0.5  # a node is near the surface when its value is below this share of what it changes by to a neighbour


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


def coarse(samples: Samples, stride: int) -> np.ndarray:
    """Cells of the lattice with this stride that can hold the surface, every node of which is asked for.

    They are the active ones, and those with a node near the surface: such a node's value would be 0 if the field
    went on for half a cell as it changes to one of the node's neighbours, so a thin part may pass between
    the nodes. Returns [n] sorted keys.
    """
    nodes = samples.lattice.coarse_nodes(stride)
    values = samples.at(nodes.ravel()).reshape(nodes.shape)
    inside, near = values > 0, _near(values)
    last = nodes.shape[-1] - 1
    corners = [(..., *(slice(start, last + start) for start in corner)) for corner in CORNERS]
    count = sum(inside[corner].astype(np.uint8) for corner in corners)
    held = (count > 0) & (count < 8) | np.any([near[corner] for corner in corners], axis=0)
    return nodes[corners[0]][held]


def _near(values: np.ndarray) -> np.ndarray:
    """Which nodes of dense lattices are near the surface: [..., n, n, n] -> [..., n, n, n] bool."""
    known = np.where(np.isfinite(values), values, np.nan)
    steepest = np.zeros_like(values)
    for axis in (-3, -2, -1):
        change = np.abs(np.diff(known, axis=axis))
        for side in (slice(None, -1), slice(1, None)):
            at_side = np.moveaxis(steepest, axis, -1)[..., side]  # a view
            np.fmax(at_side, np.moveaxis(change, axis, -1), out=at_side)
    return np.abs(known) < NEAR * steepest


def split(samples: Samples, cells: np.ndarray, stride: int, finer: int) -> Active:
    """The active ones among the cells of side `finer` in these cells of side `stride`, [n] sorted keys."""
    moves = np.stack(np.meshgrid(*[np.arange(0, stride, finer)] * 3), axis=-1).reshape(-1, 3)
    parts = cells + samples.lattice.offsets(moves)[:, None]
    asked = with_corners(samples, table.sorted_unique(parts.ravel()), finer)
    active = np.isin(cases(asked.values), (0, 255), invert=True)
    return Active(asked.cells[active], asked.values[active])


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
