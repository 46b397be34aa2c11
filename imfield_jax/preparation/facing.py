"""Shapes that face another way than the others of their category, found by comparing coarse voxels.

A network trained on cars in inconsistent orientations learns none of them well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, Integer

MIN_SHAPES = 5  # for a common direction to be recognisable
_CELLS = 16  # per axis
# Margin by which another rotation must correlate better: a mean of few shapes is noisy. Of 900 procedural cars, chairs
# and airplanes, 100 at a time, none is reported; if some of 10 to 100 are rotated, 1 of 4,000 others is reported.
_MARGIN, _MARGIN_OF_FEW = 0.05, 0.4


def coarse(voxels: Integer[np.ndarray, "64 64 64"]) -> Float32[np.ndarray, "16 16 16"]:
    """The occupied fraction of coarse cells."""
    size = len(voxels) // _CELLS
    return voxels.reshape(_CELLS, size, _CELLS, size, _CELLS, size).mean(axis=(1, 3, 5), dtype=np.float32)


def turned(grids: Sequence[Float[np.ndarray, "X Y Z"]]) -> dict[int, int]:
    """Index of each shape that faces another way -> angle about y, in degrees, to rotate it by.

    grids: coarse voxels of all shapes, indexed by x, y, z. Each is compared, in its four quarter turns, with the mean
    of the others. A shape that is symmetric under a rotation is never in the result.
    """
    count = len(grids)
    if count < MIN_SHAPES:
        return {}
    total = np.sum(grids, axis=0)
    margin = _MARGIN + _MARGIN_OF_FEW / count
    angles = {}
    for number, grid in enumerate(grids):
        others = total - grid
        fits = [_correlation(np.rot90(grid, turn, axes=(2, 0)), others) for turn in range(4)]
        best = int(np.argmax(fits))
        if fits[best] > fits[0] + margin:
            angles[number] = 90 * best
    return angles


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    first, second = first - first.mean(), second - second.mean()
    size = np.linalg.norm(first) * np.linalg.norm(second)
    return float((first * second).sum() / size) if size > 0 else 0.0
