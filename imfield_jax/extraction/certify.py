"""All active cells of a field, with proof that none is missed, however thin the part.

Boxes of lattice cells, halved repeatedly, are proved to be empty or full by bounds on the field within them.
The field is evaluated at every node of the other boxes. Bounds cost as much as many field evaluations, so boxes of
few nodes are not bounded, nor are levels where hardly any box can be proved: a decoder's bounds
widen much faster than its values, and are useless for large boxes.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from imfield_jax.extraction import active_cells
from imfield_jax.extraction.active_cells import Active
from imfield_jax.extraction.chunked import ChunkedField
from imfield_jax.extraction.lattice import Lattice
from imfield_jax.extraction.phases import Phases
from imfield_jax.extraction.samples import Samples

STARTING_BOXES = 16  # maximum number of boxes per axis at the start
SMALLEST_BOX = 8  # cells per axis of a box, below which evaluating all its nodes is cheaper than bounds
WORTHWHILE = 0.1  # fraction of a level's volume that must be provable before all of its boxes are bounded


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Statistics of the proof that an extraction misses nothing.

    boxes: number of boxes bounded.   empty, full: fractions of all lattice cells proved empty or full. The field
    was evaluated at every node of the other cells.
    """

    boxes: int
    empty: float
    full: float


def certified(
    samples: Samples, bounds: ChunkedField, phases: Phases, smallest: int = SMALLEST_BOX
) -> tuple[Active, Certificate]:
    """All active cells of the fine lattice, and the proof that none is missed.

    bounds:   of the field that `samples` evaluates: boxes [chunk, 6], centre and half sides in the cube, and their
              objects [chunk] -> [chunk, 2], lower and upper bounds on the values in the box, rounding included.
    smallest: cells per axis of the smallest boxes to bound, a power of two.
    """
    lattice = samples.lattice
    stride = smallest
    while stride * STARTING_BOXES < lattice.resolution + 1:
        stride *= 2
    cells, boxes, volumes = lattice.cells(stride), 0, {-1: 0, 1: 0}
    while True:
        with phases("bound"):
            proved, bounded = _sifted(lattice, bounds, cells, stride)
        boxes += bounded
        for sign in volumes:
            volumes[sign] += int(_cells_within(lattice, cells[proved == sign], stride).sum())
        cells = cells[proved == 0]
        if stride <= smallest:
            break
        cells = lattice.parts(cells, stride, stride // 2)
        stride //= 2
    found = [_evaluate_all(samples, slab, stride) for slab in _slabs(lattice, cells)]
    active = Active(
        np.concatenate([piece.cells for piece in found] or [np.zeros(0, np.int64)]),
        np.concatenate([piece.values for piece in found] or [np.zeros((0, 8), np.float32)]),
    )
    whole = lattice.objects * (lattice.resolution + 1) ** 3
    return active, Certificate(boxes, volumes[-1] / whole, volumes[1] / whole)


def _sifted(lattice: Lattice, bounds: ChunkedField, cells: np.ndarray, stride: int) -> tuple[np.ndarray, int]:
    """As `_proved`, for the cells where bounds are worthwhile, and the number of cells bounded.

    An evenly spread chunk of cells is bounded first and decides whether to bound the others.
    """
    proved, tried = np.zeros(len(cells), np.int8), np.zeros(len(cells), bool)
    tried[:: max(1, len(cells) // bounds.chunk)] = True
    proved[tried] = _proved(lattice, bounds, cells[tried], stride)
    volumes = _cells_within(lattice, cells, stride)
    if volumes[proved != 0].sum() > WORTHWHILE * volumes[tried].sum():
        proved[~tried] = _proved(lattice, bounds, cells[~tried], stride)
        return proved, len(cells)
    return proved, int(tried.sum())


def _proved(lattice: Lattice, bounds: ChunkedField, cells: np.ndarray, stride: int) -> np.ndarray:
    """-1 for cells of this side that are empty, 1 for full ones, 0 where that is not proved: [n] -> [n] int8.

    Only the nodes in the cube are bounded. Nodes outside of it are empty, so a cell with both kinds is never full.
    """
    low = lattice.indices(cells)
    high = low + stride
    clipped = np.clip(np.stack([low, high]), 0, lattice.resolution - 1)
    inside = ((low >= 0) & (high < lattice.resolution)).all(axis=-1)
    beyond = ((high < 0) | (low >= lattice.resolution)).any(axis=-1)
    first, last = lattice.points(clipped)
    box = np.concatenate([(first + last) / 2, (last - first) / 2 + np.float32(2**-22)], axis=1)  # wider than rounding
    lower, upper = bounds(box, lattice.owners(cells)).reshape(-1, 2).T
    return np.where(beyond | (upper < 0), -1, np.where(inside & (lower > 0), 1, 0)).astype(np.int8)


def _cells_within(lattice: Lattice, cells: np.ndarray, stride: int) -> np.ndarray:
    """The number of fine lattice cells in each cell of side `stride`: [n] -> [n]."""
    return np.clip(lattice.resolution - lattice.indices(cells), 0, stride).prod(axis=-1)


def _slabs(lattice: Lattice, cells: np.ndarray) -> list[np.ndarray]:
    """Sorted cells in groups of the same object and x."""
    return np.split(cells, np.flatnonzero(np.diff(cells >> 2 * lattice.bits)) + 1) if len(cells) else []


def _evaluate_all(samples: Samples, slab: np.ndarray, stride: int) -> Active:
    """The active cells of the fine lattice in a slab. Only its last nodes in x are also nodes of the next slab."""
    lattice = samples.lattice
    samples.forget((slab[0] >> 2 * lattice.bits) << 2 * lattice.bits)
    return active_cells.among(samples, lattice.parts(slab, stride, 1), 1)
