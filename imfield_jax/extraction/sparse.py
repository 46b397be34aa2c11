"""Meshes from fields at the cost of the surface, not of the volume.

The field is evaluated on a coarse lattice. Cells that may contain the surface are halved repeatedly; from a
finer lattice on, cut edges are bisected, and the surface is completed by growing over sign-changing faces.
Marching cubes turns the active cells of the finest lattice into triangles. All lattices are subsets of the finest
(see `lattice`), so no point is evaluated twice, and no array of R^3 elements is allocated.

Exact for what was found: growth reaches every active cell of a component (see `active_cells`), and the mesh then
equals that of dense marching cubes, vertex by vertex.

Limit: a component that is thinner than the cells of the lattice where halving ends, and that lies between its
nodes without a slope towards it, is missed. `python -m benchmarks.completeness` measures how much that is;
`certified` misses nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Int64

from imfield_jax.extraction import active_cells
from imfield_jax.extraction.active_cells import Active
from imfield_jax.extraction.bridging import bridge
from imfield_jax.extraction.certify import Certificate, certified
from imfield_jax.extraction.chunked import CHUNK, ChunkedField, chunked
from imfield_jax.extraction.lattice import Lattice
from imfield_jax.extraction.marching import march
from imfield_jax.extraction.phases import Phases
from imfield_jax.extraction.regula_falsi import refined_fractions
from imfield_jax.extraction.samples import Samples
from imfield_jax.fields import Field
from imfield_jax.mesh.floaters import LeftOut
from imfield_jax.mesh.normals import with_vertex_normals
from imfield_jax.types import Mesh

START = 16  # cells per axis of the coarse lattice
SPLIT = 128  # cells per axis of the lattice down to which cells are halved
REFINEMENT_ITERATIONS = 2  # the default for users: a third moves vertices by less than 0.01 cells


@dataclasses.dataclass(frozen=True)
class Extraction:
    """The meshes of some objects, and statistics of their extraction.

    meshes:    one for each object: closed, outward, welded, with area-weighted vertex normals; empty where the
               field is.
    evaluated: field evaluations by object, without the padding of chunks; lattice points count once.
    active:    active cells of all objects by stride, coarsest first, such as {4: 5000, 1: 87000}.
    seconds:   by phase: coarse, refine, grow (or search), bridge, march, normals, and evaluate and bound for the time
               in the field and its bounds, which the others exclude. Empty without a clock.
    certificate: the proof that nothing is missed; None without `bounds`.
    bridges:   number of bridges, by object.
    left_out:  the floaters that are not in the meshes, by object.
    """

    meshes: list[Mesh]
    evaluated: Int64[np.ndarray, " objects"]
    active: dict[int, int]
    seconds: dict[str, float]
    certificate: Certificate | None
    bridges: list[int]
    left_out: list[LeftOut]

    @property
    def mesh(self) -> Mesh:
        """The mesh of the only object. Raises ValueError when there are several."""
        (mesh,) = self.meshes
        return mesh


def strides(resolution: int, start: int, split: int) -> tuple[list[int], list[int]]:
    """Node spacings of the lattices to visit: those where cells are halved, those where edges are followed.

    The first is the power of two that brings R / stride nearest to `start`; halving continues to the one nearest to
    `split`. The others are powers of four down to 1. With half as many levels they take a tenth fewer evaluations than
    powers of two, because only some nodes of the levels in between are nodes of finer active cells. They take hardly
    more than a single jump to 1, and the number of rounds of growth does not depend on R.
    """
    first, last = (max(0, round(math.log2(resolution / cells))) for cells in (start, max(start, split)))
    halved = [2**power for power in range(first, last - 1, -1)]
    return halved, [2**power for power in range(last - 1, -1, -1) if power % 2 == 0]


def extract(
    field: Field | ChunkedField,
    resolution: int,
    *,
    start: int = START,
    split: int = SPLIT,
    chunk: int = CHUNK,
    refinement_iterations: int = 0,
    bridge_gap: float = 0.0,
    bounds: ChunkedField | None = None,
    clock: Callable[[], float] | None = None,
) -> Extraction:
    """The surface of a field, as marching cubes on the cell centres of the R^3 grid would give it.

    field:      points [chunk, 3] -> values [chunk], positive inside; jax or plain numpy. Fields
                from `evaluator` compile once for all objects, and may be those of several, whose
                points then fill chunks together; others are called directly.
    resolution: R, cells per axis.
    start:      cells per axis of the coarse lattice, to within a factor of sqrt(2), as strides are powers of two.
    split:      those of the lattice down to which cells are halved. Both decide what can be missed (see the
                module docstring).
    chunk:      points per call of the field, unless the field brings its own.
    refinement_iterations: steps that move each vertex along its edge onto the level set, see `regula_falsi`; each
                evaluates the field once per vertex. 0 interpolates linearly, as plain marching cubes does.
    bridge_gap: cube units; pieces whose gap is no wider are joined, see `bridging`. 0 joins none.
    bounds:     of the field in boxes, see `certified`: find all of the surface, with proof, at a much higher cost.
    clock:      seconds, such as time.perf_counter, to fill `Extraction.seconds`.

    Raises ValueError for a resolution, start, chunk, refinement_iterations or number of objects out of range and for a
    field whose values are not finite.
    """
    if start < 2:
        raise ValueError(f"the coarse lattice needs at least 2 cells per axis, not {start}")
    if refinement_iterations < 0:
        raise ValueError(f"refinement_iterations must be 0 or more, not {refinement_iterations}")
    phases = Phases(clock)
    field = chunked(field, chunk)
    samples = Samples(Lattice(resolution, field.objects), field, phases)
    if bounds is None:
        found, active = _search(samples, phases, *strides(resolution, start, split))
        certificate = None
    else:
        with phases("search"):
            found, certificate = certified(samples, bounds, phases)
        active = {1: len(found.cells)}
    bridges = [0] * field.objects
    if bridge_gap > 0:
        with phases("bridge"):
            meshes = march(samples.lattice, found.cells, found.values)
            found, bridges = bridge(samples, found, meshes, bridge_gap)
    with phases("march"):
        place = functools.partial(refined_fractions, samples, iterations=refinement_iterations)
        meshes = march(samples.lattice, found.cells, found.values, place)
    with phases("normals"):
        meshes = [with_vertex_normals(mesh) for mesh in meshes]
    left_out = [LeftOut()] * field.objects
    return Extraction(meshes, samples.evaluated, active, phases.seconds, certificate, bridges, left_out)


def _search(samples: Samples, phases: Phases, halved: list[int], followed: list[int]) -> tuple[Active, dict[int, int]]:
    """Active cells of the fine lattice, found through coarser ones, and the number of active cells by stride."""
    with phases("coarse"):
        cells = samples.lattice.cells(halved[0])
        for stride, finer in itertools.pairwise(halved):
            cells = samples.lattice.parts(active_cells.candidates(samples, cells, stride), stride, finer)
        found = active_cells.among(samples, cells, halved[-1])
    with phases("grow"):
        found = active_cells.grow(samples, found, halved[-1])
    active = {halved[-1]: len(found.cells)}
    for stride, finer in itertools.pairwise((halved[-1], *followed)):
        with phases("refine"):
            found = active_cells.refine(samples, found, stride, finer)
        with phases("grow"):
            found = active_cells.grow(samples, found, finer)
        active[finer] = len(found.cells)
    return found, active
