"""The cube and its grids: inverses, symmetry, nesting and a brute-force pooling."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax import coordinates

RESOLUTIONS = [1, 2, 3, 16, 64, 100, 256]


def pool_by_loops(grid, factor):
    """The obvious max-pooling: inspect every voxel of every cell."""
    coarse = np.zeros([side // factor for side in grid.shape], grid.dtype)
    for i, j, k in np.ndindex(*grid.shape):
        cell = i // factor, j // factor, k // factor
        coarse[cell] = max(coarse[cell], grid[i, j, k])
    return coarse


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_index_to_point_and_back_is_the_identity(resolution):
    index = np.arange(resolution)
    points = coordinates.index_to_point(index, resolution)
    np.testing.assert_allclose(coordinates.point_to_index(points, resolution), index, atol=1e-9)
    np.testing.assert_array_equal(coordinates.containing_cell(points, resolution), index)


def test_point_to_index_and_back_is_the_identity(rng):
    points = rng.uniform(-0.5, 0.5, (1000, 3))
    index = coordinates.point_to_index(points, 37)
    np.testing.assert_allclose(coordinates.index_to_point(index, 37), points, atol=1e-12)


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_centres_are_inside_the_cube_symmetric_and_evenly_spaced(resolution):
    centres = coordinates.index_to_point(np.arange(resolution), resolution)
    np.testing.assert_allclose(centres, -centres[::-1], atol=1e-12)
    np.testing.assert_allclose(np.diff(centres), 1 / resolution, atol=1e-12)
    np.testing.assert_allclose(centres[0] - 0.5 / resolution, -coordinates.HALF, atol=1e-12)


@pytest.mark.parametrize(("resolution", "factor"), [(16, 4), (32, 2), (64, 4), (5, 3)])
def test_a_coarse_centre_is_the_mean_of_its_fine_centres(resolution, factor):
    fine = coordinates.index_to_point(np.arange(resolution * factor), resolution * factor)
    coarse = coordinates.index_to_point(np.arange(resolution), resolution)
    np.testing.assert_allclose(fine.reshape(resolution, factor).mean(axis=1), coarse, atol=1e-12)


@pytest.mark.parametrize("resolution", [3, 16, 256])
def test_every_point_lies_within_half_a_cell_of_the_centre_of_its_cell(resolution, rng):
    points = rng.uniform(-0.5, 0.5, (2000, 3))
    centres = coordinates.index_to_point(coordinates.containing_cell(points, resolution), resolution)
    assert np.abs(points - centres).max() <= 0.5 / resolution + 1e-12


def test_points_on_and_beyond_the_border_belong_to_the_nearest_cell():
    points = np.array([[-0.5, 0.5, 0.0], [-9.0, 9.0, 0.5]])
    cells = coordinates.containing_cell(points, 8)
    np.testing.assert_array_equal(cells, [[0, 7, 4], [0, 7, 7]])


def test_grid_points_are_in_array_order_x_y_z():
    grid = coordinates.grid_points(5)
    assert grid.shape == (5, 5, 5, 3) and grid.dtype == np.float32
    for cell in np.ndindex(5, 5, 5):
        np.testing.assert_allclose(grid[cell], coordinates.index_to_point(np.array(cell), 5), atol=1e-7)


@pytest.mark.parametrize("factor", [1, 2, 3, 6])
def test_max_pool_equals_pooling_by_loops(factor, rng):
    grid = (rng.random((6, 6, 6)) < 0.1).astype(np.uint8)
    pooled = coordinates.max_pool(grid, factor)
    np.testing.assert_array_equal(pooled, pool_by_loops(grid, factor))
    assert pooled.dtype == grid.dtype


def test_pooling_twice_equals_pooling_once_by_the_product(rng):
    grid = rng.random((24, 24, 24)) < 0.01
    twice = coordinates.max_pool(coordinates.max_pool(grid, 2), 4)
    np.testing.assert_array_equal(twice, coordinates.max_pool(grid, 8))


def test_a_pooled_voxel_is_the_cell_that_contains_its_centre(rng):
    grid = np.zeros((12, 12, 12), bool)
    voxel = rng.integers(0, 12, 3)
    grid[tuple(voxel)] = True
    cell = coordinates.containing_cell(coordinates.index_to_point(voxel, 12), 4)
    np.testing.assert_array_equal(np.argwhere(coordinates.max_pool(grid, 3)), cell[None])


def test_a_factor_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="10 cells cannot be pooled by 4"):
        coordinates.max_pool(np.zeros((10, 10, 10), bool), 4)
