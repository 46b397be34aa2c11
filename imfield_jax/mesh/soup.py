"""Triangle soups: welding equal points, and finding repeated and degenerate faces."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int, Int64


def merged(cells: Int[np.ndarray, "N 3"]) -> tuple[Int64[np.ndarray, " _"], Int64[np.ndarray, " N"]]:
    """The first row of each distinct cell, in lexicographic order, and the index of each cell among them."""
    order = np.lexsort(cells.T[::-1])  # stable, so the first of equal rows comes first
    is_new = np.ones(len(order), bool)
    is_new[1:] = (np.diff(cells[order], axis=0) != 0).any(axis=1)
    index = np.empty(len(order), np.int64)
    index[order] = np.cumsum(is_new) - 1
    return order[is_new], index


def first_copies(faces: Int[np.ndarray, "F 3"]) -> Bool[np.ndarray, " F"]:
    """Faces that repeat no earlier face, whatever their winding."""
    first = np.zeros(len(faces), bool)
    first[merged(np.sort(faces, axis=1))[0]] = True
    return first


def with_three_corners(faces: Int[np.ndarray, "F 3"]) -> Bool[np.ndarray, " F"]:
    """Faces whose corners are three different vertices."""
    a, b, c = faces.T
    return (a != b) & (b != c) & (c != a)
