"""The visible face of each pixel of an image, in plain numpy.

Triangles are split into rows of pixels and the rows into pixels, all triangles at once, and the
nearest face of every pixel is kept by one maximum over (nearness, face) keys: work grows with the
pixels covered, and neither large nor very many triangles are a special case.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float, Int, Real

PIXELS_AT_ONCE = 1 << 20


def visible(
    corners: Float[np.ndarray, "F 3 2"], nearness: Float[np.ndarray, "F 3"], size: int
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"], Int[np.ndarray, " N"]]:
    """The nearest face of every covered pixel: rows, columns and faces.

    corners: in pixels.   nearness: one over depth, which is linear on the screen.
    """
    slope = _gradient(corners, nearness)
    key = np.zeros(size * size, np.uint64)  # nearness in the high bits, face + 1 in the low ones
    first, count = _span(corners[..., 1].min(axis=1), corners[..., 1].max(axis=1), size)
    for begin, end in _blocks(count):
        face, row = _expand(first[begin:end], count[begin:end])
        face += begin
        left, right = _crossings(corners[face], row + 0.5)
        start, width = _span(left, right, size)
        for low, high in _blocks(width):
            line, column = _expand(start[low:high], width[low:high])
            owner, y = face[low + line], row[low + line]
            offset = np.stack([column + 0.5, y + 0.5], axis=1) - corners[owner, 0]
            near = nearness[owner, 0] + np.einsum("nc,nc->n", slope[owner], offset)
            # The gradient of a sliver is dominated by rounding: clip to the range of the corners.
            near = np.clip(near, nearness[owner].min(axis=1), nearness[owner].max(axis=1))
            bits = near.astype(np.float32).view(np.uint32).astype(np.uint64)  # ordered as the floats are
            np.maximum.at(key, y * size + column, (bits << np.uint64(32)) | (owner + 1).astype(np.uint64))
    covered = np.flatnonzero(key)
    rows, columns = np.divmod(covered, size)
    return rows, columns, (key[covered] & np.uint64(0xFFFFFFFF)).astype(np.int64) - 1


def _span(low: np.ndarray, high: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels whose centre is in [low, high): the first [N] and how many [N], inside the image."""
    first = np.clip(np.ceil(low - 0.5), 0, size).astype(np.int64)
    end = np.clip(np.ceil(high - 0.5), 0, size).astype(np.int64)
    return first, np.maximum(end - first, 0)


def _expand(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All (item, first[item] + 0 .. count[item] - 1): two [sum of count] arrays."""
    item = np.repeat(np.arange(len(count)), count)
    begin = np.cumsum(count) - count
    return item, np.arange(len(item)) - np.repeat(begin - first, count)


def _blocks(count: np.ndarray) -> Iterable[tuple[int, int]]:
    """Splits items into ranges (begin, end) of at most about PIXELS_AT_ONCE pixels in total."""
    total = np.cumsum(count)
    if not len(total) or total[-1] == 0:
        return []
    marks = np.searchsorted(total, np.arange(PIXELS_AT_ONCE, total[-1], PIXELS_AT_ONCE)) + 1
    return itertools.pairwise(np.unique([0, *marks, len(total)]).tolist())


def _crossings(corners: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where horizontal lines y [N] enter and leave triangles [N, 3, 2]: left [N] and right [N]."""
    left, right = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        # Always from the upper end, so that both faces at an edge compute the same crossing.
        swap = corners[:, a, 1] > corners[:, b, 1]
        x0, x1 = (np.where(swap, corners[:, i, 0], corners[:, j, 0]) for i, j in ((b, a), (a, b)))
        y0, y1 = (np.where(swap, corners[:, i, 1], corners[:, j, 1]) for i, j in ((b, a), (a, b)))
        crossed = (y0 <= y) & (y < y1)
        x = x0 + (y - y0) * (x1 - x0) / np.where(crossed, y1 - y0, 1)
        left = np.where(crossed, np.minimum(left, x), left)
        right = np.where(crossed, np.maximum(right, x), right)
    return left, right


def _gradient(corners: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Change per pixel in x and y of values that are linear on each triangle: [F, 2], 0 without area."""
    (ax, ay), (bx, by) = np.moveaxis(corners[:, 1:] - corners[:, :1], 0, -1)
    a, b = (values[:, 1:] - values[:, :1]).T
    area = ax * by - ay * bx
    inverse = np.divide(1, area, out=np.zeros_like(area), where=np.abs(area) > 1e-12)
    return np.stack([(a * by - b * ay) * inverse, (b * ax - a * bx) * inverse], axis=1)


def barycentric(
    corners: Float[np.ndarray, "N 3 2"], x: Real[np.ndarray, " N"], y: Real[np.ndarray, " N"]
) -> Float[np.ndarray, "N 3"]:
    """Screen-space weights of points in triangles, clipped against rounding."""
    (ax, ay), (bx, by) = np.moveaxis(corners[:, 1:] - corners[:, :1], 0, -1)
    px, py = x - corners[:, 0, 0], y - corners[:, 0, 1]
    area = ax * by - ay * bx
    area = np.where(np.abs(area) > 1e-12, area, 1)
    one, two = (px * by - py * bx) / area, (ax * py - ay * px) / area
    weights = np.clip(np.stack([1 - one - two, one, two], axis=1), 0, 1)
    return weights / weights.sum(axis=1, keepdims=True)
