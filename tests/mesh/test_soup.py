"""Merged points and repeated faces, against numpy's own search for unique rows."""

from __future__ import annotations

import numpy as np

from imfield_jax.mesh.soup import first_copies, merged, with_three_corners


def test_merging_is_numpys_search_for_unique_rows(rng):
    cells = rng.integers(-3, 3, (500, 3))
    rows, index = merged(cells)
    unique, first, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    np.testing.assert_array_equal(cells[rows], unique)
    np.testing.assert_array_equal(rows, first)
    np.testing.assert_array_equal(index, inverse.ravel())


def test_nothing_merges_to_nothing():
    rows, index = merged(np.zeros((0, 3), int))
    assert not len(rows) and not len(index)


def test_first_copies_are_those_that_a_search_from_the_start_keeps(rng):
    faces = rng.integers(0, 5, (200, 3))
    seen: set[tuple[int, ...]] = set()
    expected = [(key := tuple(sorted(face))) not in seen and not seen.add(key) for face in faces.tolist()]
    np.testing.assert_array_equal(first_copies(faces), expected)


def test_faces_without_three_corners_are_seen():
    faces = np.array([[0, 1, 2], [0, 0, 1], [1, 2, 1], [3, 2, 2]])
    np.testing.assert_array_equal(with_three_corners(faces), [True, False, False, False])
