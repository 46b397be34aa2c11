"""Labelled points of a solid, for training and scoring the autoencoder.

Training points are sampled as in the improved IM-NET (voxel centres of the 256^3 grid, chosen
by the cells of a 16^3, 32^3 or 64^3 grid, concentrated around the surface); see `sample_level`.
Evaluation points are uniform in the cube; see `uniform_points`.
"""

from __future__ import annotations

import zlib

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy import ndimage

from imfield_jax.coordinates import HALF, LEVEL_SIZES, SOLID_RESOLUTION, VOXEL_RESOLUTION, containing_cell, max_pool

LABELS = ("pooled", "exact")
_RANDOM_TRIES = 100


def voxels64(solid: Bool[np.ndarray, "256 256 256"]) -> UInt8[np.ndarray, "64 64 64"]:
    """The input of the voxel encoder: the max-pooled solid, 0 or 1."""
    _check_solid(solid)
    return max_pool(solid, SOLID_RESOLUTION // VOXEL_RESOLUTION).astype(np.uint8)


def sample_level(
    solid: Bool[np.ndarray, "256 256 256"], level: int, labels: str = "pooled", rng: np.random.Generator | int = 0
) -> tuple[UInt8[np.ndarray, "P 3"], UInt8[np.ndarray, " P"]]:
    """Labelled voxel centres for one training level, sampled as in the improved IM-NET.

    level:  cells per axis, 16, 32 or 64. Level 16 takes one point in every cell; 32 and 64 prefer
            cells near the surface, visited in IM-NET's strided order, and add random others.
    labels: "pooled" labels a point with its cell (occupied if any of its voxels is) and picks a voxel
            that agrees, so that both labels are true; thin gaps then never appear empty. "exact" takes a
            uniformly random voxel of the cell with its own value.
    rng:    a generator, or a seed for one.

    Returns points, indices in the 256^3 grid (the point is the centre of that voxel), and values, 1 inside;
    P = LEVEL_SIZES[level].

    Raises ValueError for a grid that is not 256^3, an unknown level or unknown labels.
    """
    _check_solid(solid)
    if level not in LEVEL_SIZES:
        raise ValueError(f"unknown sampling level {level}: expected one of {sorted(LEVEL_SIZES)}")
    if labels not in LABELS:
        raise ValueError(f"unknown labels {labels!r}: expected one of {LABELS}")
    rng = np.random.default_rng(rng)
    side = SOLID_RESOLUTION // level
    pooled = max_pool(solid, side)
    cells = _choose_cells(pooled, LEVEL_SIZES[level], rng)
    if labels == "exact":
        points = cells * side + rng.integers(side, size=cells.shape)
        values = solid[tuple(points.T)]
    else:
        values = pooled[tuple(cells.T)]
        points = _agreeing_voxels(solid, cells, values, side, rng)
    return points.astype(np.uint8), values.astype(np.uint8)


def _check_solid(solid: np.ndarray) -> None:
    if solid.shape != (SOLID_RESOLUTION,) * 3 or solid.dtype != np.bool_:
        raise ValueError(f"expected a solid of {SOLID_RESOLUTION}^3 bool, found {solid.shape} {solid.dtype}")


def _choose_cells(pooled: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Cells to sample, [count, 3] int64: all, or those at the surface followed by random ones."""
    level = pooled.shape[0]
    if count == level**3:
        return np.stack(np.unravel_index(np.arange(count), pooled.shape), axis=-1)
    near = _surface_cells(pooled)[:count]
    taken = np.zeros(pooled.shape, bool)
    taken[tuple(near.T)] = True
    others = rng.choice(np.flatnonzero(~taken), count - len(near), replace=False)
    return np.concatenate([near, np.stack(np.unravel_index(others, pooled.shape), axis=-1)])


def _surface_cells(pooled: np.ndarray) -> np.ndarray:
    """Inner cells with both values in their 3^3 neighbourhood, in IM-NET's visiting order: [n, 3].

    Each axis is traversed with stride 4 from 1, 2, 3 and 4 in turn, y outermost, then x, then z: a
    smaller budget still covers the whole shape, only with fewer slices of y.
    """
    mixed = ndimage.maximum_filter(pooled, 3) != ndimage.minimum_filter(pooled, 3)
    walk = np.concatenate([np.arange(start, pooled.shape[0] - 1, 4) for start in (1, 2, 3, 4)])
    y, x, z = np.nonzero(mixed[np.ix_(walk, walk, walk)].transpose(1, 0, 2))
    return np.stack([walk[x], walk[y], walk[z]], axis=-1)


def _agreeing_voxels(
    solid: np.ndarray, cells: np.ndarray, values: np.ndarray, side: int, rng: np.random.Generator
) -> np.ndarray:
    """For each cell, a voxel in it with the value of the cell: [n, 3] int64.

    100 random tries each, then the agreeing voxel nearest to the centre of the cell.
    """
    points = cells * side
    pending = np.arange(len(cells))
    for _ in range(_RANDOM_TRIES):
        points[pending] = cells[pending] * side + rng.integers(side, size=(len(pending), 3))
        pending = pending[solid[tuple(points[pending].T)] != values[pending]]
        if not len(pending):
            return points
    outward = _outward_offsets(side)
    block = cells[pending, None] * side + outward  # [pending, side^3, 3]
    agrees = solid[tuple(np.moveaxis(block, -1, 0))] == values[pending, None]
    points[pending] = cells[pending] * side + outward[agrees.argmax(axis=1)]
    return points


def _outward_offsets(side: int) -> np.ndarray:
    """All offsets in a cell, by increasing Chebyshev distance from its centre: [side^3, 3]."""
    offsets = np.stack(np.unravel_index(np.arange(side**3), (side,) * 3), axis=-1)
    return offsets[np.argsort(np.abs(offsets - side // 2).max(axis=1), kind="stable")]


def uniform_points(
    solid: Bool[np.ndarray, "R R R"], count: int, rng: np.random.Generator | list[int] | int = 0
) -> tuple[Float32[np.ndarray, "{count} 3"], UInt8[np.ndarray, " {count}"]]:
    """Uniformly random points in the cube with the value of their voxel, for evaluation."""
    points = np.random.default_rng(rng).uniform(-HALF, HALF, (count, 3)).astype(np.float32)
    cells = containing_cell(points, solid.shape[0])
    return points, solid[tuple(cells.T)].astype(np.uint8)


def pack_solid(solid: Bool[np.ndarray, "R R R"]) -> bytes:
    """A boolean grid as compressed bytes (zlib of its bits in array order): about 20 kB at 256^3."""
    return zlib.compress(np.packbits(solid).tobytes(), level=6)


def unpack_solid(packed: bytes, resolution: int = SOLID_RESOLUTION) -> Bool[np.ndarray, "R R R"]:
    """The inverse of `pack_solid`.

    Raises ValueError for bytes that are not such a grid.
    """
    try:
        bits = np.frombuffer(zlib.decompress(packed), np.uint8)
    except zlib.error as error:
        raise ValueError(f"expected a packed solid, found damaged bytes ({error})") from error
    if len(bits) != -(-(resolution**3) // 8):
        raise ValueError(f"expected the packed solid of a {resolution}^3 grid, found {len(bits)} bytes")
    return np.unpackbits(bits, count=resolution**3).astype(bool).reshape((resolution,) * 3)
