"""Colours on shapes whose pictures are known: what is seen is the picture, the rest its mirror image or near it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from imfield_jax import fields
from imfield_jax.camera import Camera, nearness_of, project_view, view_camera
from imfield_jax.extraction.sparse import extract
from imfield_jax.mesh.coloring import colored
from imfield_jax.mesh.preview import shade, three_quarter_view
from imfield_jax.mesh.raster import barycentric, visible
from imfield_jax.mesh.view_fit import fitted_camera
from imfield_jax.models.projection import project

SIZE = 256
VIEW = view_camera(Camera(0.6, 0.45, 2.2, 0.7), SIZE, (30.0, 20.0, 190.0))
# Not symmetric in depth, so that a camera can be told from its opposite; symmetric in x.
SHAPE = fields.union(fields.box((0.2, 0.1, 0.35)), fields.sphere(0.15, (0, 0.15, 0.15)))


def paint(points):
    """A smooth colour for every place, the same on both sides of x = 0."""
    return np.stack([130 + 200 * np.abs(points[:, 0]), 120 + 250 * points[:, 1], 120 + 250 * points[:, 2]], -1)


@pytest.fixture(scope="module")
def mesh():
    return extract(SHAPE, 64).mesh


@pytest.fixture(scope="module")
def picture(mesh):
    """What a camera sees of the painted shape: red, green, blue and transparency."""
    places, nearer = project_view(VIEW, mesh.vertices)
    corners, nearness = ((places + 1) * (SIZE / 2))[mesh.faces], nearness_of(VIEW, nearer)[mesh.faces]
    rows, columns, face = visible(corners, nearness, SIZE)
    weights = barycentric(corners[face], columns + 0.5, rows + 0.5)
    image = np.full((SIZE, SIZE, 4), 255, np.uint8)
    colors = np.einsum("nk,nkc->nc", weights, paint(mesh.vertices)[mesh.faces[face]])
    image[rows, columns, :3] = np.rint(colors.reshape(-1, 3)).clip(0, 255)
    image[rows, columns, 3] = 0
    return image


def test_places_in_a_view_are_those_of_the_projection_of_training(rng):
    points = rng.uniform(-0.5, 0.5, (50, 3)).astype(np.float32)
    for found, expected in zip(project_view(VIEW, points), project(VIEW, points), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_what_is_seen_has_the_colour_of_the_picture(mesh, picture):
    made = colored(mesh, picture, VIEW)
    seen = made.seen == 1
    assert 0.25 < seen.mean() < 0.6
    assert np.abs(made.colors[seen] - paint(mesh.vertices)[seen]).mean() < 4
    facing = mesh.normals @ np.array([np.sin(0.6) * np.cos(0.45), np.sin(0.45), -np.cos(0.6) * np.cos(0.45)])
    assert not (seen & (facing < 0)).any()


def test_the_other_side_mirrors_what_is_seen_and_the_rest_is_near_it(mesh, picture):
    made = colored(mesh, picture, VIEW)
    away = np.abs(made.colors - paint(mesh.vertices)).max(axis=1)
    hidden_side = (made.seen == 0) & (mesh.vertices[:, 0] < -0.15) & (np.abs(mesh.normals[:, 0]) > 0.9)
    assert hidden_side.sum() > 200 and np.median(away[hidden_side]) < 10
    bottom = mesh.normals[:, 1] < -0.9  # seen from nowhere
    assert (made.seen[bottom] == 0).all() and np.abs(made.colors[bottom].astype(float) - 120).mean() < 60


def test_a_part_in_front_hides_what_is_behind_it(mesh, picture):
    """A wall between the camera and the shape takes the picture; nothing behind it is seen."""
    backward = np.array([np.sin(0.6) * np.cos(0.45), np.sin(0.45), -np.cos(0.6) * np.cos(0.45)])
    right = np.cross([0, 1, 0], backward) / np.linalg.norm(np.cross([0, 1, 0], backward))
    up = np.cross(backward, right)
    corners = [backward * 0.6 + 0.6 * (x * right + y * up) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    count = len(mesh.vertices)
    wall = dataclasses.replace(
        mesh,
        vertices=np.concatenate([mesh.vertices, corners]).astype(np.float32),
        faces=np.concatenate([mesh.faces, [[count, count + 1, count + 2], [count, count + 2, count + 3]]]).astype(
            np.int32
        ),
        normals=None,
    )
    made = colored(wall, picture, VIEW)
    assert made.seen is None or not made.seen[:count].any()


def test_a_camera_that_is_off_is_found_again(mesh, picture):
    mask = picture[..., 3] < 128
    off = VIEW + np.array([0, 0, 0.12, 0.2, 0.05, 0.08, -0.06])
    turned = np.arctan2(VIEW[0], VIEW[1]) + 0.15
    off[:2] = np.sin(turned), np.cos(turned)
    found, overlap = fitted_camera(mesh, mask, off)
    assert overlap > 0.97
    assert abs(np.arctan2(found[0], found[1]) - 0.6) < 0.07 and abs(found[2] - 0.45) < 0.07
    _, at_best = fitted_camera(mesh, mask, VIEW)
    assert at_best > 0.98


def test_an_empty_picture_or_mesh_stays_as_it_is(mesh):
    assert colored(mesh, np.full((64, 64, 4), 255, np.uint8), VIEW) is mesh


def test_a_preview_shows_the_colours(mesh):
    red = dataclasses.replace(mesh, colors=np.tile(np.array([200, 20, 20], np.uint8), (len(mesh.vertices), 1)))
    image = shade(red, three_quarter_view(red), 96).astype(int)
    assert ((image[..., 0] - image[..., 1]) > 60).mean() > 0.1
