"""Active cells: found on a coarse lattice, refined along cut edges, grown until complete.

A cell is active when its corners differ in sign, an edge is cut when its ends do. The cell across a
sign-changing face of an active cell has the same face and is active too, so growing over
such faces evaluates corners of active cells only, and from one cell it reaches every active cell of
the component.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float32, Int, Int64

from imfield_jax.extraction import cubes, table
from imfield_jax.extraction.lattice import CORNERS
from imfield_jax.extraction.marching import cases
from imfield_jax.extraction.samples import Samples

NEAR = 0.5  # a node is near the surface when |value| is below this fraction of its largest change to a neighbour


@dataclasses.dataclass(frozen=True)
class Active:
    """Active cells: their sorted keys, and the values at their corners."""

    cells: Int64[np.ndarray, " A"]
    values: Float32[np.ndarray, "A 8"]


def with_corners(samples: Samples, cells: Int64[np.ndarray, " A"], stride: int) -> Active:
    """Known active cells of side `stride`, sorted keys, with their corner values."""
    nodes, rows = _corners(samples, cells, stride)
    return Active(cells, samples.at(nodes)[rows])


def _corners(samples: Samples, cells: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Corner nodes of cells, [n] sorted keys, and the rows of each cell's corners in them, [A, 8]."""
    corners = cells + samples.lattice.offsets(CORNERS * stride)[:, None]
    nodes = table.sorted_unique(corners.ravel())
    return nodes, np.stack([np.searchsorted(nodes, keys) for keys in corners], axis=-1)


def candidates(samples: Samples, cells: Int64[np.ndarray, " n"], stride: int) -> Int64[np.ndarray, " m"]:
    """The cells, among these of side `stride` (sorted keys), that may contain the surface.

    These are the active cells and those with a node near the surface: extrapolated over half a cell with the
    slope to a neighbour, its value would reach 0, so a thin part may pass between the nodes.
    """
    nodes, rows = _corners(samples, cells, stride)
    values = samples.at(nodes)
    steepest = np.zeros_like(values)  # change of the value to a neighbour
    for axis, start in zip(cubes.EDGE_AXES, cubes.EDGE_STARTS, strict=True):
        ends = rows[:, start], rows[:, start + cubes.AXIS_CORNERS[axis]]
        first, last = values[ends[0]], values[ends[1]]
        known = np.isfinite(first) & np.isfinite(last)
        change = np.abs(np.subtract(first, last, where=known, out=np.zeros_like(first)))
        for end in ends:
            np.maximum.at(steepest, end, change)
    near = np.isfinite(values) & (np.abs(values) < NEAR * steepest)
    return cells[_mixed(values[rows]) | near[rows].any(axis=1)]


def _mixed(values: np.ndarray) -> np.ndarray:
    """Whether the corner values of each cell differ in sign: [n, 8] -> [n]."""
    return np.isin(cases(values), (0, 255), invert=True)


def among(samples: Samples, cells: Int64[np.ndarray, " n"], stride: int) -> Active:
    """The active cells among these of side `stride`, sorted keys."""
    found = with_corners(samples, cells, stride)
    active = _mixed(found.values)
    return Active(found.cells[active], found.values[active])


def cut_edges(samples: Samples, active: Active, stride: int) -> tuple[Int64[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """The distinct cut edges of the cells: keys of their lower ends, sorted, and axes."""
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

    Each edge is bisected towards its sign change until it is `finer` long; the four cells around the
    remaining edge are active. They are seeds for `grow`, not yet the whole surface.
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
