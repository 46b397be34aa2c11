"""Sampling: every label is true for its voxel, by brute force on the slow, obvious definition."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.coordinates import grid_points
from imfield_jax.preparation import sampling

LEVELS = sorted(sampling.LEVEL_SIZES)


def pooled_by_hand(solid, level):
    side = 256 // level
    full = np.zeros((level,) * 3, bool)
    full[tuple(np.argwhere(solid).T // side)] = True
    return full


def surface_cells_by_hand(pooled):
    """IM-NET's original loops (reference sheet 3.5)."""
    level = pooled.shape[0]
    walk = [i for start in (1, 2, 3, 4) for i in range(start, level - 1, 4)]
    return [
        (x, y, z)
        for y in walk
        for x in walk
        for z in walk
        if 0 < pooled[x - 1 : x + 2, y - 1 : y + 2, z - 1 : z + 2].sum() < 27
    ]


@pytest.fixture(scope="module")
def ball():
    centre = np.array([0.07, -0.03, 0.02], np.float32)
    return np.linalg.norm(grid_points(256) - centre, axis=-1) < 0.31


@pytest.fixture(scope="module")
def wire():
    """Two thin rods: far fewer surface cells than the budget, and cells with one occupied voxel in 4096."""
    solid = np.zeros((256,) * 3, bool)
    solid[40:200, 131, 77] = True
    solid[131, 5, 201] = True
    return solid


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shape", ["ball", "wire"])
def test_pooled_labels_are_those_of_cell_and_voxel(request, shape, level):
    solid = request.getfixturevalue(shape)
    points, values = sampling.sample_level(solid, level, "pooled", 3)
    assert points.dtype == values.dtype == np.uint8
    assert points.shape == (sampling.LEVEL_SIZES[level], 3) and values.shape == points.shape[:1]
    i = points.astype(int)
    np.testing.assert_array_equal(values, solid[tuple(i.T)])
    np.testing.assert_array_equal(values, pooled_by_hand(solid, level)[tuple(i.T // (256 // level))])


@pytest.mark.parametrize("level", LEVELS)
def test_exact_labels_are_those_of_the_voxel_and_resolve_gaps(ball, level):
    points, values = sampling.sample_level(ball, level, "exact", 3)
    i = points.astype(int)
    np.testing.assert_array_equal(values, ball[tuple(i.T)])
    in_full_cells = pooled_by_hand(ball, level)[tuple(i.T // (256 // level))]
    assert (values[in_full_cells] == 0).any()  # never with pooled labels


@pytest.mark.parametrize("labels", sampling.LABELS)
@pytest.mark.parametrize("level", LEVELS)
def test_each_cell_is_sampled_once(wire, level, labels):
    points, _ = sampling.sample_level(wire, level, labels, 0)
    cells = points.astype(int) // (256 // level)
    assert len(np.unique(cells, axis=0)) == len(cells)


@pytest.mark.parametrize("level", [32, 64])
def test_surface_cells_come_in_the_published_order(ball, wire, level):
    for solid in (ball, wire):
        count = sampling.LEVEL_SIZES[level]
        expected = surface_cells_by_hand(pooled_by_hand(solid, level))[:count]
        points, _ = sampling.sample_level(solid, level, "pooled", 1)
        cells = points.astype(int) // (256 // level)
        np.testing.assert_array_equal(cells[: len(expected)], expected)
    assert len(expected) < count  # the wire needs random cells too


def test_random_cells_are_uniform_over_the_other_cells(wire):
    points, _ = sampling.sample_level(wire, 32, "exact", 1)
    near = len(surface_cells_by_hand(pooled_by_hand(wire, 32)))
    octant = (points[near:] >= 128) @ np.array([4, 2, 1])
    fraction = np.bincount(octant, minlength=8) / len(octant)
    assert np.abs(fraction - 1 / 8).max() < 0.03


@pytest.mark.parametrize("level", [32, 64])
def test_points_near_the_surface_have_both_labels(ball, level):
    _, values = sampling.sample_level(ball, level, "pooled", 0)
    assert 0.3 < values.mean() < 0.7


def test_points_are_spread_over_their_cells(ball):
    """A sampler that always returned the cell's corner or centre would pass the label tests."""
    for labels in sampling.LABELS:
        points, _ = sampling.sample_level(ball, 16, labels, 0)
        counts = np.bincount((points % 16).ravel(), minlength=16) / points.size
        assert np.abs(counts - 1 / 16).max() < 0.01


def test_the_fallback_takes_the_occupied_voxel_nearest_to_the_centre():
    offsets = sampling._outward_offsets(16)
    assert len(np.unique(offsets, axis=0)) == 16**3
    distance = np.abs(offsets - 8).max(axis=1)
    assert (np.diff(distance) >= 0).all() and distance[0] == 0


@pytest.mark.parametrize("labels", sampling.LABELS)
def test_equal_seeds_give_equal_points(ball, labels):
    first, again, other = (sampling.sample_level(ball, 32, labels, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[0], again[0])
    assert (first[0] != other[0]).any()


def test_empty_and_full_solids_are_sampled():
    for value in (False, True):
        solid = np.full((256,) * 3, value)
        for level in LEVELS:
            _, values = sampling.sample_level(solid, level, "pooled", 0)
            assert (values == value).all()


def test_voxels64_is_max_pooling(wire):
    voxels = sampling.voxels64(wire)
    assert voxels.dtype == np.uint8
    np.testing.assert_array_equal(voxels, pooled_by_hand(wire, 64))


def test_pack_and_unpack_are_inverse(ball):
    packed = sampling.pack_solid(ball)
    assert isinstance(packed, bytes) and len(packed) < 100_000
    np.testing.assert_array_equal(sampling.unpack_solid(packed), ball)
    odd = np.random.default_rng(0).random((5, 5, 5)) < 0.5
    np.testing.assert_array_equal(sampling.unpack_solid(sampling.pack_solid(odd), 5), odd)


def test_uniform_points_estimate_the_volume_and_agree_with_the_grid(ball):
    points, values = sampling.uniform_points(ball, 50_000, 2)
    assert points.shape == (50_000, 3) and np.abs(points).max() <= 0.5
    cells = np.minimum(((points.astype(np.float64) + 0.5) * 256).astype(int), 255)
    np.testing.assert_array_equal(values, ball[tuple(cells.T)])
    assert abs(values.mean() - ball.mean()) < 4 * np.sqrt(ball.mean() / 50_000)
    assert np.abs(points.mean(axis=0)).max() < 0.01


def test_bad_input_is_refused(ball, unchecked):
    with pytest.raises(ValueError, match="256"):
        sampling.sample_level(ball[::2, ::2, ::2], 16)
    with pytest.raises(ValueError, match="level 8"):
        sampling.sample_level(ball, 8)
    with pytest.raises(ValueError, match="labels 'both'"):
        sampling.sample_level(ball, 16, "both")
    with pytest.raises(ValueError, match="damaged"):
        sampling.unpack_solid(b"not zlib")
    with pytest.raises(ValueError, match="128"):
        sampling.unpack_solid(sampling.pack_solid(ball), 128)
