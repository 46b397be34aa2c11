"""The lattice that surfaces are extracted on, with one integer, its key, for every node and cell.

The fine lattice of an R^3 grid has its R^3 cell centres as nodes plus one ring around them, grid
indices -1..R on each axis. The field is never evaluated on the ring: the outside of the cube is empty, so
every surface is closed. A coarser lattice takes every s-th node of the same lattice, s = 2^k, counted
from grid index -1; its last nodes may lie beyond the ring and are empty as well. So a node has the
same key at all levels and needs to be evaluated once.

A key packs the three grid indices plus one, x highest, so keys sort in array order and a step along
an axis is a constant to add. The key of a cell of side s is that of its lowest corner. Corner c = 4 x + 2 y + z
of a cell is its lowest corner moved by (x, y, z) s. R is at most MAXIMUM_RESOLUTION.

Several objects share one lattice of keys: the bits above x hold the number of the object. No step leads from
one object to another, so the same code serves one object and many.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float32, Int, Int64, Real

from imfield_jax import coordinates

MINIMUM_RESOLUTION = 2
MAXIMUM_RESOLUTION = 2**16  # keys could hold more, memory cannot
CORNERS = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)])  # [8, 3], row c is corner c


@dataclasses.dataclass(frozen=True)
class Lattice:
    """Key arithmetic on the R^3 grids of some objects; everything is elementwise on int64 arrays."""

    resolution: int
    objects: int = 1

    def __post_init__(self) -> None:
        if not MINIMUM_RESOLUTION <= self.resolution <= MAXIMUM_RESOLUTION:
            raise ValueError(
                f"the resolution must be from {MINIMUM_RESOLUTION} to {MAXIMUM_RESOLUTION} cells per axis, "
                f"not {self.resolution}"
            )
        if not 1 <= self.objects <= self.maximum_objects:
            raise ValueError(
                f"from 1 to {self.maximum_objects} objects fit a lattice of {self.resolution} cells per axis, "
                f"not {self.objects}"
            )

    @property
    def maximum_objects(self) -> int:
        """How many objects the bits above x can tell apart."""
        return 1 << 63 - 3 * self.bits

    @property
    def bits(self) -> int:
        """Bits of one packed index: the last node of a lattice with stride s <= R is below 2 R + 2."""
        return (2 * self.resolution + 2).bit_length()

    @property
    def steps(self) -> Int64[np.ndarray, " 3"]:
        """The key offsets of one step along x, y and z."""
        return np.array([1 << 2 * self.bits, 1 << self.bits, 1], np.int64)

    def offsets(self, moves: Int[np.ndarray, "*shape 3"]) -> Int64[np.ndarray, "*shape"]:
        """The key offsets of moves by whole grid indices."""
        return np.asarray(np.asarray(moves, np.int64) @ self.steps)

    def keys(
        self, indices: Int[np.ndarray, "*shape 3"], owners: Int[np.ndarray, "*#shape"] | int = 0
    ) -> Int64[np.ndarray, "*shape"]:
        """Keys of grid indices in -1..R of these objects."""
        return self.offsets(np.asarray(indices, np.int64) + 1) + (np.asarray(owners, np.int64) << 3 * self.bits)

    def indices(self, keys: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape 3"]:
        """Grid indices of keys."""
        mask = (1 << self.bits) - 1
        return np.stack([keys >> shift * self.bits & mask for shift in (2, 1, 0)], axis=-1) - 1

    def owners(self, keys: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """Numbers of the objects that keys belong to. With `indices` the inverse of `keys`."""
        return keys >> 3 * self.bits

    def cells(self, stride: int) -> Int64[np.ndarray, " cells"]:
        """All cells of this side, of every object: objects * n^3 sorted keys, n = ceil((R + 1) / stride)."""
        axis = np.arange(-(-(self.resolution + 1) // stride), dtype=np.int64) * stride
        x, y, z = (axis * step for step in self.steps)
        first = np.arange(self.objects, dtype=np.int64) << 3 * self.bits
        return (first[:, None, None, None] + x[:, None, None] + y[:, None] + z).ravel()

    def parts(
        self, cells: Int64[np.ndarray, " n"], stride: int, finer: int
    ) -> Int64[np.ndarray, " n*({stride}//{finer})**3"]:
        """The cells of side `finer` in cells of side `stride`, both as sorted keys."""
        moves = np.stack(np.meshgrid(*[np.arange(0, stride, finer)] * 3), axis=-1).reshape(-1, 3)
        return np.sort((cells + self.offsets(moves)[:, None]).ravel(), kind="stable")

    def in_cube(self, indices: Int[np.ndarray, "*shape 3"]) -> Bool[np.ndarray, "*shape"]:
        """Which grid indices are centres of the R^3 grid, not on the ring or beyond."""
        return np.all((indices >= 0) & (indices < self.resolution), axis=-1)

    def points(self, indices: Real[np.ndarray, "*shape 3"]) -> Float32[np.ndarray, "*shape 3"]:
        """Points in the cube at (fractional) grid indices."""
        return coordinates.index_to_point(indices, self.resolution).astype(np.float32)
