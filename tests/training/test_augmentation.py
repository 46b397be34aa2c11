"""Views with the faults of photographs remain views: white where nothing is, and different for each key."""

import jax
import numpy as np
import pytest

from imfield_jax.batches import ViewBatch
from imfield_jax.camera import Camera, view_camera
from imfield_jax.models.projection import project
from imfield_jax.training.augmentation import mirrored, photographed


@pytest.fixture(scope="module")
def views():
    """Discs of several greys on white, [B, 32, 32, 2]."""
    axis = np.arange(32) - 15.5
    alpha = np.clip(10.5 - np.hypot(*np.meshgrid(axis, axis)), 0, 1)
    greys = np.linspace(0, 1, 64)[:, None, None]
    return np.stack(np.broadcast_arrays(greys * alpha + 1 - alpha, 1 - alpha), axis=-1).astype(np.float32)


@pytest.fixture(scope="module")
def made(views):
    return np.asarray(jax.jit(photographed)(views, jax.random.key(1, impl="rbg")))


def test_they_stay_in_range_and_white_where_transparent(made, views):
    assert made.shape == views.shape and made.min() >= 0 and made.max() <= 1
    grey, transparency = made[..., 0], made[..., 1]
    assert (grey >= transparency - 1e-6).all()  # grey on white: what lies behind is white
    np.testing.assert_allclose(made[:, :3], 1)  # far from the object


def test_most_mattes_stay_and_some_are_too_large_or_too_small(made, views):
    difference = (views[..., 1] - made[..., 1]).sum(axis=(1, 2))
    changed = np.abs(difference) > 1
    assert 0.1 < changed.mean() < 0.6
    assert (difference > 3).any() and (difference < -3).any()


def test_brightness_varies_and_keeps_the_order_of_tones(made):
    middle = made[:, 12:20, 12:20, 0].mean(axis=(1, 2))
    assert np.corrcoef(np.arange(64), middle)[0, 1] > 0.8
    assert np.abs(middle - np.linspace(0, 1, 64)).max() > 0.1


def test_each_key_draws_anew(made, views):
    again = np.asarray(jax.jit(photographed)(views, jax.random.key(1, impl="rbg")))
    other = np.asarray(jax.jit(photographed)(views, jax.random.key(2, impl="rbg")))
    np.testing.assert_array_equal(made, again)
    assert np.abs(made - other).max() > 0.05


def test_a_mirrored_view_shows_the_mirrored_shape(rng):
    cameras = [view_camera(Camera(azimuth, 0.3, 2.0, 0.8), 137, (10, 20, 100)) for azimuth in (0.4, -2.0, 3.0)]
    batch = ViewBatch(
        index=np.array([4, 0, 2], np.int32),
        view=rng.random((3, 8, 8, 2), dtype=np.float32),
        camera=np.stack(cameras),
        points=rng.uniform(-0.5, 0.5, (3, 20, 3)).astype(np.float32),
        occupancy=np.ones((3, 20), np.float32),
    )
    made = mirrored(batch, np.array([True, False, True]), shapes=5)
    np.testing.assert_array_equal(made.index, [9, 0, 7])
    for number, sign in enumerate((-1, 1, -1)):
        np.testing.assert_array_equal(made.view[number], batch.view[number][:, ::sign])
        places, nearer = project(batch.camera[number], batch.points[number])
        found, found_nearer = project(made.camera[number], made.points[number])
        np.testing.assert_allclose(found, np.asarray(places) * (sign, 1), atol=1e-5)
        np.testing.assert_allclose(found_nearer, nearer, atol=1e-6)
    again = mirrored(made, np.array([True, False, True]), shapes=-5)
    for left, right in zip(jax.tree.leaves(again), jax.tree.leaves(batch), strict=True):
        np.testing.assert_array_equal(left, right)
