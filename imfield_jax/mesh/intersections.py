"""Faces of a mesh that pass through each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from imfield_jax.types import Mesh

_CELL = 1.5  # of the mean extent of a face's box: side of the cells in which faces are compared
_PAIRS = 1_000_000  # compared at once


def self_intersections(mesh: Mesh) -> Int[np.ndarray, "N 2"]:
    """Pairs of faces that cross, each once, the smaller number first.

    Two faces cross if an edge of one passes through the inside of the other. Touching faces and overlapping ones in a
    plane do not count, nor do the two faces of an edge.
    """
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    pairs = _neighbours(corners)
    found = [_crossing(mesh.faces, corners, pairs[at : at + _PAIRS]) for at in range(0, len(pairs), _PAIRS)]
    return np.concatenate([np.zeros((0, 2), np.int64), *found])


def _neighbours(corners: Float[np.ndarray, "F 3 3"]) -> Int[np.ndarray, "N 2"]:
    """Pairs of faces whose boxes overlap, compared in the cells of a grid."""
    if not len(corners):
        return np.zeros((0, 2), np.int64)
    low, high = corners.min(axis=1), corners.max(axis=1)
    origin, side = low.min(axis=0), max(_CELL * float((high - low).mean()), 1e-12)
    first = ((low - origin) / side).astype(np.int64)
    extent = ((high - origin) / side).astype(np.int64) - first + 1
    counts = extent.prod(axis=1)
    face, place = _ragged(counts)
    cell = first[face] + np.stack(
        [place // extent[face, 1:].prod(axis=1), place // extent[face, 2] % extent[face, 1], place % extent[face, 2]],
        axis=-1,
    )
    number = np.ravel_multi_index(tuple(cell.T), tuple(cell.max(axis=0) + 1))
    order = np.argsort(number, kind="stable")
    face, number = face[order], number[order]
    # Each entry of a cell with all later entries of the cell.
    ends = np.searchsorted(number, number, side="right")
    entry, later = _ragged(ends - np.arange(len(number)) - 1)
    one, other = face[entry], face[entry + 1 + later]
    overlap = ((low[one] <= high[other]) & (low[other] <= high[one])).all(axis=1)
    keys = np.unique(one[overlap] * len(corners) + other[overlap])  # `face` rises within a cell
    return np.stack([keys // len(corners), keys % len(corners)], axis=-1)


def _ragged(counts: Int[np.ndarray, " N"]) -> tuple[Int[np.ndarray, " M"], Int[np.ndarray, " M"]]:
    """Rows of different lengths, one after the other: the row of each entry, and its place there."""
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)


def _crossing(
    faces: Int[np.ndarray, "F 3"], corners: Float[np.ndarray, "F 3 3"], pairs: Int[np.ndarray, "N 2"]
) -> Int[np.ndarray, "N2 2"]:
    """The pairs that cross."""
    shared = (faces[pairs[:, 0], :, None] == faces[pairs[:, 1], None, :]).sum(axis=(1, 2))
    pairs = pairs[shared < 2]
    one, other = corners[pairs[:, 0]], corners[pairs[:, 1]]
    pairs = pairs[_straddles(one, other) & _straddles(other, one)]
    one, other = corners[pairs[:, 0]], corners[pairs[:, 1]]
    hit = np.zeros(len(pairs), bool)
    for edge in range(3):
        hit |= _pierces(one[:, edge], one[:, (edge + 1) % 3], other)
        hit |= _pierces(other[:, edge], other[:, (edge + 1) % 3], one)
    return pairs[hit]


def _straddles(points: Float[np.ndarray, "N 3 3"], triangle: Float[np.ndarray, "N 3 3"]) -> np.ndarray:
    """Whether the points are on both sides of the triangle's plane."""
    sides = np.stack([_volume(points[:, corner], *triangle.transpose(1, 0, 2)) for corner in range(3)])
    return (sides.max(axis=0) > 0) & (sides.min(axis=0) < 0)


def _pierces(start: np.ndarray, end: np.ndarray, triangle: Float[np.ndarray, "N 3 3"]) -> np.ndarray:
    """Whether the segment passes through the inside of the triangle."""
    a, b, c = triangle.transpose(1, 0, 2)
    across = _volume(start, a, b, c) * _volume(end, a, b, c) < 0
    around = np.sign([_volume(start, end, u, v) for u, v in ((a, b), (b, c), (c, a))])
    return across & (np.abs(around.sum(axis=0)) == 3)


def _volume(p: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Six times the signed volume of tetrahedra; 0, exactly, if `p` is one of the other corners."""
    u, v, w = (a - p).T, (b - p).T, (c - p).T
    return u[0] * (v[1] * w[2] - v[2] * w[1]) + u[1] * (v[2] * w[0] - v[0] * w[2]) + u[2] * (v[0] * w[1] - v[1] * w[0])
