"""Lifting features of a view into the cube: against its definition, and that the camera decides where they go."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from imfield_jax.camera import Camera, view_camera
from imfield_jax.models import plane_image_encoder
from imfield_jax.models.camera_head import likeliest
from imfield_jax.models.networks import Networks
from imfield_jax.models.planes import PLANES
from imfield_jax.training.losses import latent_loss

CAMERAS = np.stack([view_camera(Camera(azimuth, 0.3, 2.0, 0.8), 137, (10, 20, 100)) for azimuth in (0.2, 3.0)])


@pytest.fixture(scope="module")
def networks(tiny_planes):
    return Networks(tiny_planes)


@pytest.fixture(scope="module")
def params(networks, filled):
    return filled(networks)[0]


@pytest.fixture
def views(rng):
    return rng.random((2, 128, 128, 2), dtype=np.float32)


def test_samples_of_a_linear_image_are_its_values_and_the_border_continues(rng):
    size = 9
    row, column = np.mgrid[:size, :size]
    image = np.stack([3 * column + 1, 2 * row - column], axis=-1).astype(np.float32)
    places = rng.uniform(-1 + 1 / size, 1 - 1 / size, (100, 2)).astype(np.float32)  # between the centres of pixels
    x, y = ((places + 1) * size / 2 - 0.5).T
    expected = np.stack([3 * x + 1, 2 * y - x], axis=-1)
    np.testing.assert_allclose(plane_image_encoder.interpolated(image, places), expected, atol=1e-4)
    corners = np.array([[-9, -9], [9, -9], [-9, 9], [9, 9]], np.float32)
    found = plane_image_encoder.interpolated(image, corners)
    np.testing.assert_allclose(found, image[[0, 0, -1, -1], [0, -1, 0, -1]], atol=1e-4)


def test_points_on_one_ray_have_the_same_features(rng):
    features = rng.random((32, 32, 5), dtype=np.float32)
    camera = Camera(0.2, 0.3, 2.0, 0.8)
    ray = camera.eye() + np.array([[1.8], [2.0], [2.2]]) * camera.pixel_directions(np.array(60), np.array(70), 137)
    lifted = np.asarray(plane_image_encoder.lifted(features, CAMERAS[0], ray.astype(np.float32)))
    np.testing.assert_allclose(lifted[:, :5], np.broadcast_to(lifted[0, :5], (3, 5)), atol=1e-4)
    assert (np.diff(lifted[:, 5]) < -0.1).all()  # and tell how near they are


def test_planes_learn_the_means_of_the_others_along_shared_axes(rng):
    planes = rng.random((2, 3, 4, 4, 5), dtype=np.float32)
    found = np.asarray(plane_image_encoder.means_of_others(planes))
    along = {  # mean over everything but one axis of the cube
        (number, axis): planes[:, number].mean(axis=2 - plane.index(axis))
        for number, plane in enumerate(PLANES)
        for axis in plane
    }
    for number, (row, column) in enumerate(PLANES):
        for i, j in np.ndindex(4, 4):
            expected = [
                along[other, axis][:, (i, j)[(row, column).index(axis)]]
                for other, plane in enumerate(PLANES)
                if other != number
                for axis in plane
                if axis in (row, column)
            ]
            np.testing.assert_allclose(found[:, number, i, j], np.concatenate(expected, axis=-1), rtol=1e-5)


def test_the_camera_decides_where_features_go_and_an_unknown_one_is_predicted(networks, params, views):
    encode = jax.jit(networks.encode_views_in_training)
    encoded = networks.encode_views_in_full(params, {}, views)
    alone, _, estimates = encode(params, {}, views)
    np.testing.assert_allclose(likeliest(estimates), encoded.camera, atol=1e-5)
    np.testing.assert_allclose(encoded.z, alone, rtol=1e-3, atol=1e-4)
    unknown, _, _ = encode(params, {}, views, np.full((2, 7), np.nan, np.float32))
    np.testing.assert_allclose(unknown, alone, rtol=1e-3, atol=1e-4)
    known, _, _ = encode(params, {}, views, CAMERAS)
    assert np.abs(np.asarray(known) - np.asarray(alone)).max() > 1e-2


def test_latents_deviate_from_the_mean_latent_in_units_of_their_deviation(networks, params, views, rng):
    latents = rng.normal(4.0, 2.0, (6, networks.preset.decoder.latent)).astype(np.float32)
    statistics = networks.with_statistics({}, latents)
    maps = np.asarray(networks.encode_views(params, {}, views))
    scale = np.asarray(networks.latent_scale(statistics))
    expected = latents.mean(axis=0) + scale * maps
    np.testing.assert_allclose(networks.encode_views(params, statistics, views), expected, rtol=1e-4, atol=1e-4)
    mean = np.broadcast_to(latents.mean(axis=0), latents.shape)
    assert latent_loss(mean, latents, scale) == pytest.approx(1.0, rel=1e-4)
