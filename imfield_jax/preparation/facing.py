"""Shapes that face another way than the others of their category, found by comparing coarse voxels.

A network that is shown cars from the front and from the side under one name learns neither.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, Integer

FEWEST = 5  # shapes of which a common direction can be seen
_CELLS = 16  # per axis
# By how much the correlation of another turn must be better: a mean of few shapes is noisy. No procedural car, chair or
# airplane of 900, a hundred at a time, is named; where some of 10 to 100 are turned, one of 4,000 of the others is.
_MARGIN, _MARGIN_OF_FEW = 0.05, 0.4


def coarse(voxels: Integer[np.ndarray, "64 64 64"]) -> Float32[np.ndarray, "16 16 16"]:
    """The occupied fraction of coarse cells."""
    size = len(voxels) // _CELLS
    return voxels.reshape(_CELLS, size, _CELLS, size, _CELLS, size).mean(axis=(1, 3, 5), dtype=np.float32)


def turned(grids: Sequence[Float[np.ndarray, "X Y Z"]]) -> dict[int, int]:
    """By number of a shape that faces another way: the angle about y, in degrees, that it should be turned by.

    grids: coarse voxels of all shapes, indexed by x, y, z. Each is compared, in four quarter turns, with the mean of
    the others. A shape that looks the same after a turn is never in the result.
    """
    count = len(grids)
    if count < FEWEST:
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
