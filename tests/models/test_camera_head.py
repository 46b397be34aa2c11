"""Cameras by classification: exact where the network is sure, a possible camera where it is not."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from imfield_jax.camera import Camera, view_camera
from imfield_jax.models.camera_head import DIRECTIONS, ESTIMATE, CameraHead, direction_loss, likeliest, towards

AZIMUTHS = np.linspace(-7, 7, 101)


def cameras_of(azimuths):
    return np.stack([view_camera(Camera(azimuth, 0.3, 2.0, 0.8), 137, (10, 20, 100)) for azimuth in azimuths])


def test_the_estimate_with_the_least_loss_has_the_true_camera(estimate_of):
    cameras = cameras_of(AZIMUTHS)
    estimates = estimate_of(cameras)
    np.testing.assert_allclose(likeliest(estimates), cameras, atol=1e-4)
    assert direction_loss(estimates, cameras) == pytest.approx(0, abs=1e-4)
    gradient = jax.grad(direction_loss)(jnp.asarray(estimates), cameras)
    assert np.abs(gradient).max() < 1e-4


def test_one_of_two_likely_directions_is_chosen_and_not_their_mean(estimate_of):
    front, side = estimate_of(cameras_of([0.1])), estimate_of(cameras_of([1.6]))
    both = np.logaddexp(front, side - 0.1)
    np.testing.assert_allclose(likeliest(both)[0, :2], [np.sin(0.1), np.cos(0.1)], atol=1e-3)


def test_unknown_cameras_teach_no_direction_and_are_in_the_likeliest_one(estimate_of):
    cameras = cameras_of([0.3, 2.0])
    cameras[1] = np.nan
    estimates = estimate_of(cameras_of([1.0, 2.0]))
    gradient = np.asarray(jax.grad(direction_loss)(jnp.asarray(estimates), cameras))
    assert np.abs(gradient[0]).max() > 0.1 and not gradient[1].any()
    expected = np.concatenate([cameras[:1], likeliest(estimates[1:])])
    np.testing.assert_allclose(towards(estimates, cameras), expected, atol=1e-5)


def test_no_code_predicts_a_camera_that_cannot_project(rng):
    head = CameraHead()
    codes = np.concatenate([rng.normal(0, 100, (50, 8)), np.zeros((1, 8))]).astype(np.float32)
    variables = head.init(jax.random.key(0), jnp.asarray(codes))
    estimates = np.asarray(head.apply(jax.tree.map(lambda leaf: 50 * leaf, variables), codes))
    assert estimates.shape == (51, ESTIMATE) and ESTIMATE == DIRECTIONS + 5
    cameras = np.asarray(likeliest(estimates))
    assert np.isfinite(cameras).all()
    np.testing.assert_allclose((cameras[:, :2] ** 2).sum(axis=-1), 1, rtol=1e-5)
    elevation, scale, nearness = cameras[:, 2:5].T
    assert np.abs(elevation).max() < np.pi / 2 and scale.min() > 0 and nearness.min() > 0
    assert (1 / nearness).min() > np.sqrt(3) / 2  # outside of the cube
