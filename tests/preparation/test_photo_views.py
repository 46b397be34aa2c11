"""Views as photographs show objects: from all sides and distances, under any lights."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import trimesh

from imfield_jax.camera import Camera
from imfield_jax.preparation.record import Settings, make_record
from imfield_jax.preparation.rendering import R2N2, VIEW_SIZE, corners, photo_cameras, photo_lights, render_views
from imfield_jax.preparation.rendering.cameras import PHOTO_DISTANCE, PHOTO_ELEVATION_RADIANS, PHOTO_FILL
from imfield_jax.sources.scene import Part, Scene
from imfield_jax.sources.shape import Shape

GREY = (0.6, 0.6, 0.6, 1.0)
ABOVE = Camera(0.0, np.radians(80), 2.5, 0.6)


def part(mesh, shift=(0, 0, 0)):
    return Part(np.asarray(mesh.vertices) + shift, np.asarray(mesh.faces), GREY)


FLOOR = part(trimesh.creation.box((0.8, 0.02, 0.8)), shift=(0, -0.3, 0))
LID = part(trimesh.creation.box((0.3, 0.02, 0.3)), shift=(0, 0.2, 0))


@pytest.mark.parametrize("extents", [(0.3, 0.3, 0.9), (0.9, 0.1, 0.1), (0.5, 0.9, 0.5)])
def test_the_object_fills_the_image_from_everywhere(extents):
    scene = Scene((part(trimesh.creation.box(extents)),))
    box = corners(scene)
    np.testing.assert_allclose(np.ptp(box, axis=0), extents)
    cameras = photo_cameras(np.random.default_rng(0), box, 500)
    for camera in cameras:
        pixels, depth = camera.project(box, VIEW_SIZE)
        reach = np.abs(pixels - VIEW_SIZE / 2).max() / (VIEW_SIZE / 2)
        assert PHOTO_FILL[0] <= reach <= PHOTO_FILL[1] and depth.min() > 0
    azimuths, elevations, distances, fields = np.array([dataclasses.astuple(camera) for camera in cameras]).T
    assert PHOTO_ELEVATION_RADIANS[0] <= elevations.min() and elevations.max() <= PHOTO_ELEVATION_RADIANS[1]
    assert np.ptp(elevations) > np.radians(50)
    assert PHOTO_DISTANCE[0] <= (distances / np.linalg.norm(extents)).min()
    assert (distances / np.linalg.norm(extents)).max() <= PHOTO_DISTANCE[1]
    assert np.histogram(azimuths, 8, (0, 2 * np.pi))[0].min() > 30
    assert fields.min() > 0 and fields.max() < np.radians(120)


def test_a_lamp_casts_shadows_only_where_something_stands_in_its_way():
    lighting = dataclasses.replace(R2N2, lamps=np.array([[0, 1, 0]], np.float32), powers=np.array([0.4], np.float32))
    casting = dataclasses.replace(lighting, shadows=True)
    beside = Camera(0.0, np.radians(20), 2.5, 0.6)
    for scene, darker in ((Scene((FLOOR,)), False), (Scene((FLOOR, LID)), True)):
        plain, shadowed = render_views(scene, [beside, beside], [lighting, casting]).astype(int)
        np.testing.assert_array_equal(plain[..., 3], shadowed[..., 3])
        assert (plain[..., :3] >= shadowed[..., :3] - 1).all()
        assert ((plain - shadowed).max() > 40) == darker


def test_a_highlight_is_brightest_where_the_lamp_is_mirrored():
    glossy = dataclasses.replace(R2N2, gloss=0.5, shininess=40.0)
    to_eye = np.tile(np.array([[0, 0, -1]], np.float32), (3, 1))
    half = R2N2.lamps[0] + to_eye[0]
    normals = np.stack([half / np.linalg.norm(half), np.array([0, 0, -1]), np.array([0, 1, 0])]).astype(np.float32)
    bright, highlight = glossy.shade(normals, to_eye)
    np.testing.assert_array_equal(bright, R2N2.shade(normals, to_eye)[0])
    assert highlight[0] == pytest.approx(0.5 * R2N2.powers[0], rel=1e-5)
    assert highlight[1:].max() < 0.01
    assert not R2N2.shade(normals, to_eye)[1].any()


def test_lights_differ_and_expose_the_object():
    means = []
    for lighting in photo_lights(np.random.default_rng(1), 200):
        view = render_views(Scene((FLOOR, LID)), [ABOVE], [lighting])[0]
        means.append(view[view[..., 3] == 255][:, :3].mean())
    assert np.min(means) > 60 and np.quantile(means, 0.95) < 245 and np.std(means) > 10


def test_the_same_seed_gives_the_same_photographs_and_the_default_stays_that_of_r2n2():
    shape = Shape("n/a", "test", lambda: Scene((FLOOR, LID)))
    photos = [make_record(shape, Settings(views=3, views_like="photos")) for _ in range(2)]
    np.testing.assert_array_equal(*(record.views for record in photos))
    np.testing.assert_array_equal(*(record.cameras for record in photos))
    elevations = np.degrees(make_record(shape, Settings(views=24)).cameras[:, 1])
    assert elevations.min() >= 25 and elevations.max() <= 30
    with pytest.raises(ValueError, match="unknown views 'x': expected one of r2n2, photos"):
        Settings(views_like="x")
