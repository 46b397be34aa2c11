"""Keys of the lattice against plain index arithmetic, and sorted tables against Python's sets."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.coordinates import grid_points
from imfield_jax.extraction import table
from imfield_jax.extraction.lattice import MAXIMUM_RESOLUTION, Lattice


@pytest.mark.parametrize("resolution", [2, 16, 33, 4096, MAXIMUM_RESOLUTION])
def test_indices_to_keys_to_indices_is_the_identity_and_keeps_the_order(resolution, rng):
    lattice = Lattice(resolution, objects=5)
    indices = rng.integers(-1, 2 * resolution, (1000, 3))  # coarse lattices reach beyond the ring
    owners = rng.integers(lattice.objects, size=1000)
    order = np.lexsort((*indices.T[::-1], owners))
    indices, owners = indices[order], owners[order]
    keys = lattice.keys(indices, owners)
    np.testing.assert_array_equal(lattice.indices(keys), indices)
    np.testing.assert_array_equal(lattice.owners(keys), owners)
    assert (np.diff(keys) >= 0).all() and keys.min() >= 0


def test_offsets_are_what_a_move_adds(rng):
    lattice = Lattice(50)
    indices, moves = rng.integers(10, 40, (100, 3)), rng.integers(-10, 10, (100, 3))
    np.testing.assert_array_equal(lattice.keys(indices) + lattice.offsets(moves), lattice.keys(indices + moves))


def test_points_are_cell_centres():
    indices = np.stack(np.meshgrid(*[np.arange(9)] * 3, indexing="ij"), axis=-1)
    np.testing.assert_array_equal(Lattice(9).points(indices), grid_points(9))


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16])
def test_cells_start_on_the_ring_and_cover_the_grid_of_each_object(stride):
    lattice = Lattice(21, objects=2)
    keys = lattice.cells(stride)
    assert (np.diff(keys) > 0).all()
    for number in range(2):
        low = lattice.indices(keys[lattice.owners(keys) == number])
        axes = np.arange(-1, 21, stride)
        np.testing.assert_array_equal(low, np.stack(np.meshgrid(axes, axes, axes, indexing="ij"), -1).reshape(-1, 3))


def test_parts_of_all_cells_are_all_smaller_cells():
    lattice = Lattice(30, objects=2)
    for finer in (1, 2, 4, 8):
        parts = lattice.parts(lattice.cells(8), 8, finer)
        inside = (lattice.indices(parts) < 30).all(axis=1)  # the last cells of side 8 reach beyond the grid
        np.testing.assert_array_equal(parts[inside], lattice.cells(finer))


def test_tables_do_what_sets_do(rng):
    first = table.sorted_unique(rng.integers(0, 300, 150))
    assert first.tolist() == sorted(set(first.tolist()))
    wanted = rng.integers(0, 300, 80)
    rows, there = table.find(first, wanted)
    assert there.tolist() == [key in set(first.tolist()) for key in wanted.tolist()]
    np.testing.assert_array_equal(first[rows[there]], wanted[there])
    second = np.setdiff1d(np.arange(0, 320, 3), first)
    joined = table.Table(first, first.astype(np.float32)).with_rows(second, second.astype(np.float32))
    np.testing.assert_array_equal(joined.keys, np.union1d(first, second))
    np.testing.assert_array_equal(joined.values, joined.keys)


def test_nothing_is_in_an_empty_table():
    assert not table.find(np.zeros(0, np.int64), np.arange(4))[1].any()
