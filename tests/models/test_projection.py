"""The camera of a view against the camera of its image, and the pixels of the view."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import trimesh

from imfield_jax.camera import image_camera, picture_camera, view_camera
from imfield_jax.framing import FRAMED_SIZE, frame, framed_square
from imfield_jax.models.projection import project, unproject
from imfield_jax.preparation.rendering import photo_cameras, render_views
from imfield_jax.sources.scene import Part, Scene

BOX = np.array([[x, y, z] for x in (-0.3, 0.3) for y in (-0.2, 0.2) for z in (-0.4, 0.4)])


def test_projection_into_the_view_is_that_of_the_image_moved_and_scaled(rng):
    for camera in photo_cameras(rng, BOX, 50):
        left, top = rng.uniform(-20, 40, 2)
        square = (left, top, rng.uniform(60, 150))
        points = rng.uniform(-0.4, 0.4, (30, 3))
        pixels, depth = camera.project(points, 137)
        places, nearer = project(view_camera(camera, 137, square), points.astype(np.float32))
        np.testing.assert_allclose(places, (pixels - square[:2]) / square[2] * 2 - 1, atol=2e-5)
        np.testing.assert_allclose(nearer, camera.distance - depth, atol=1e-5)
        back = picture_camera(view_camera(camera, 137, square), square, (137, 137))
        np.testing.assert_allclose(back.project(points), pixels, atol=1e-2)
        assert np.allclose(back.principal, 137 / 2, atol=1e-3)


def test_unprojection_is_the_inverse_of_projection(rng):
    for camera in photo_cameras(rng, BOX, 20):
        view = view_camera(camera, 137, (*rng.uniform(-20, 40, 2), rng.uniform(60, 150)))
        places, depths = rng.uniform(-1, 1, (5, 2)), rng.uniform(-0.5, 0.5, 4)
        points = np.asarray(unproject(view, places, depths))
        back, nearer = project(view, points.reshape(-1, 3))
        np.testing.assert_allclose(np.reshape(back, (5, 4, 2)), np.repeat(places[:, None], 4, axis=1), atol=1e-5)
        np.testing.assert_allclose(np.reshape(nearer, (5, 4)), np.tile(depths, (5, 1)), atol=1e-5)


def test_the_camera_of_a_whole_image_comes_back(rng):
    for camera in photo_cameras(rng, BOX, 50):
        view = view_camera(camera, 137, (0.0, 0.0, 137.0))
        np.testing.assert_allclose(dataclasses.astuple(image_camera(view)), dataclasses.astuple(camera), rtol=1e-4)
        np.testing.assert_allclose(view[5:], 0, atol=1e-7)


@pytest.mark.parametrize("framing", ["fit", "centre"])
def test_the_view_shows_points_where_the_camera_says(framing, rng):
    """A black ball's centre of darkness is its projection."""
    ball, rod = trimesh.creation.icosphere(3, radius=0.05), trimesh.creation.box((0.02, 0.8, 0.02))
    seen = 0
    for camera in photo_cameras(rng, BOX, 8):
        place = rng.uniform(-0.25, 0.25, 3)
        scene = Scene(
            (
                Part(np.asarray(ball.vertices) + place, np.asarray(ball.faces), (0, 0, 0, 1)),
                Part(np.asarray(rod.vertices) + np.array([0.35, 0, 0]), np.asarray(rod.faces), (1, 1, 1, 1)),
            )
        )
        image = render_views(scene, [camera])[0]
        view = 255.0 - frame(image, framing)[..., 0]
        rows, columns = np.nonzero(view > 150)
        if not len(rows):  # behind the rod, or outside of what 'centre' shows
            continue
        seen += 1
        weights = view[rows, columns]
        found = [(np.average(axis, weights=weights) + 0.5) / FRAMED_SIZE * 2 - 1 for axis in (columns, rows)]
        expected, _ = project(view_camera(camera, 137, framed_square(image, framing)), place[None].astype(np.float32))
        assert np.abs(np.asarray(expected[0]) - found).max() < 0.04
    assert seen >= 4
