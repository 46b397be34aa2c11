"""Marching cubes on a list of cells: triangles, welded by lattice edge.

A vertex belongs to one lattice edge and is placed on it by linear interpolation of the two values, or by
another rule (see `regula_falsi`). The edge is owned by the cell whose lowest corner it starts from. That cell
has the edge's sign change among its own corners, so it is active whenever the edge is cut, and a vertex
is found through its owner by binary search: nothing is sorted, hashed or compared by position.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Float32, Int8, Int32, Int64, UInt8

from imfield_jax.extraction import cubes, table
from imfield_jax.extraction.lattice import CORNERS, Lattice
from imfield_jax.types import Mesh

# Vertices keep this distance from lattice nodes, in units of the edge: values of 0 would
# put several vertices on one node, and formats that weld by position (STL) would tear the mesh there.
NODE_MARGIN = 1e-4


@dataclasses.dataclass(frozen=True)
class Crossings:
    """Where the surface cuts the lattice, one row per vertex of the mesh.

    nodes: keys of the lower ends of the cut edges.   axes: direction of the edges.
    lower, upper: values at both ends; exactly one is positive. -inf outside of the cube.
    """

    nodes: Int64[np.ndarray, " V"]
    axes: Int8[np.ndarray, " V"]
    lower: Float32[np.ndarray, " V"]
    upper: Float32[np.ndarray, " V"]

    @property
    def within(self) -> Bool[np.ndarray, " V"]:
        """Which edges have both ends in the cube."""
        return np.isfinite(self.lower) & np.isfinite(self.upper)


def cases(values: Float[np.ndarray, "*shape 8"]) -> UInt8[np.ndarray, "*shape"]:
    """The case of each cell from the values at its corners."""
    return np.packbits(values > 0, axis=-1, bitorder="little")[..., 0]


def crossings(
    cells: Int64[np.ndarray, " A"], values: Float32[np.ndarray, "A 8"]
) -> tuple[Crossings, Int32[np.ndarray, "A 3"]]:
    """The cut edges that start at the cells' lowest corners, and their numbers.

    cells: sorted keys.   numbers: the row of the crossing on the x, y and z edge of each cell's lowest corner,
    meaningless where that edge is not cut.
    """
    inside = values > 0
    cut = inside[:, :1] != inside[:, cubes.AXIS_CORNERS]
    numbers = np.cumsum(cut.ravel(), dtype=np.int32).reshape(cut.shape) - 1
    rows, axes = np.nonzero(cut)
    ends = values[rows, cubes.AXIS_CORNERS[axes]]
    return Crossings(cells[rows], axes.astype(np.int8), values[rows, 0], ends), numbers


def linear_fractions(cut: Crossings) -> Float[np.ndarray, " V"]:
    """The position of each vertex along its edge, in [0, 1], by linear interpolation of the values.

    An edge that leaves the cube is cut at its middle: there, half a cell beyond the last centre, is the border.
    """
    lower, upper = cut.lower.astype(np.float64), cut.upper.astype(np.float64)
    return np.divide(-lower, upper - lower, out=np.full(len(lower), 0.5), where=cut.within)


def edge_indices(lattice: Lattice, cut: Crossings, fractions: Float[np.ndarray, " V"]) -> Float[np.ndarray, "V 3"]:
    """Fractional grid indices of the points at these fractions along the cut edges."""
    indices = lattice.indices(cut.nodes).astype(np.float64)
    indices[np.arange(len(fractions)), cut.axes] += fractions
    return indices


def faces(
    lattice: Lattice,
    cells: Int64[np.ndarray, " A"],
    codes: UInt8[np.ndarray, " A"],
    numbers: Int32[np.ndarray, "A 3"],
) -> Int32[np.ndarray, "F 3"]:
    """Triangles of all cells, in rows of `crossings`.

    cells: sorted keys, closed under "has a common sign-changing face".   codes: their cases.
    numbers: as `crossings` returns them.
    """
    edges = np.empty((len(cells), 12), np.int32)
    for corner in range(7):  # no edge starts from the highest corner
        owners, _ = table.find(cells, cells + lattice.offsets(CORNERS[corner]))
        for edge in np.flatnonzero(np.equal(cubes.EDGE_STARTS, corner)):
            edges[:, edge] = numbers[owners, cubes.EDGE_AXES[edge]]
    triangles, counts = cubes.triangle_table()
    first = np.repeat(np.cumsum(counts[codes]) - counts[codes], counts[codes])
    rows = np.repeat(np.arange(len(cells)), counts[codes])
    slots = np.arange(len(rows)) - first
    return edges[rows[:, None], triangles[codes[rows], slots]]


def march(
    lattice: Lattice,
    cells: Int64[np.ndarray, " A"],
    values: Float32[np.ndarray, "A 8"],
    place: Callable[[Crossings], Float[np.ndarray, " V"]] = linear_fractions,
) -> list[Mesh]:
    """The surface inside the given cells of the fine lattice, one mesh for each object, without normals.

    cells:  keys, sorted: every active cell of each component, as `sparse` finds them.
    values: at the cells' corners, -inf outside of the cube.
    place:  crossings -> position of each vertex along its edge, in [0, 1].

    Meshes are closed: each edge has two triangles, which traverse it in opposite directions. Faces
    are counter-clockwise seen from outside (where values are not positive).
    """
    cut, numbers = crossings(cells, values)
    triangles = faces(lattice, cells, cases(values), numbers)
    fractions = np.clip(place(cut), NODE_MARGIN, 1 - NODE_MARGIN)
    vertices = lattice.points(edge_indices(lattice, cut, fractions))
    # Keys are sorted by object first, and so are vertices and triangles.
    owners, numbers_of_objects = lattice.owners(cut.nodes), np.arange(lattice.objects + 1)
    of_vertices = np.searchsorted(owners, numbers_of_objects)
    of_triangles = np.searchsorted(owners[triangles[:, 0]], numbers_of_objects)
    return [
        Mesh(vertices[low:high], triangles[first:last] - np.int32(low))
        for (low, high), (first, last) in zip(
            itertools.pairwise(of_vertices), itertools.pairwise(of_triangles), strict=True
        )
    ]
