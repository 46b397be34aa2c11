"""The preview against a slow ray caster, optics and symmetries."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import trimesh

from imfield_jax.camera import Camera
from imfield_jax.mesh import preview, raster
from imfield_jax.types import Mesh

CAMERA = Camera(0.5, 0.3, 1.8, 0.7)


def ball(radius=0.3, detail=4, smooth=True):
    mesh = trimesh.creation.icosphere(detail, radius=radius)
    vertices = np.asarray(mesh.vertices, np.float32)
    return Mesh(vertices, np.asarray(mesh.faces, np.int32), vertices / np.float32(radius) if smooth else None)


def triangles(count, rng):
    """Triangles that cross each other, as one mesh."""
    centers = rng.uniform(-0.3, 0.3, (count, 1, 3))
    vertices = (centers + rng.uniform(-0.25, 0.25, (count, 3, 3))).reshape(-1, 3).astype(np.float32)
    return Mesh(vertices, np.arange(3 * count, dtype=np.int32).reshape(-1, 3))


def background(size):
    return preview.shade(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), CAMERA, size)


def visible(mesh, camera, size):
    """Face at each pixel [size, size], -1 for none."""
    pixels, depth = camera.project(mesh.vertices.astype(float), size)
    rows, columns, face = raster.visible(pixels[mesh.faces], 1 / depth[mesh.faces], size)
    image = np.full((size, size), -1)
    image[rows, columns] = face
    return image


def ray_cast(mesh, camera, size):
    """The same by Moeller and Trumbore, every ray against every face."""
    axis = np.arange(size) + 0.5
    directions = camera.pixel_directions(axis[None, :], axis[:, None], size).reshape(-1, 1, 3)
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces].astype(float), 1, 0)
    across = np.cross(directions, c - a)
    scale = 1 / ((b - a) * across).sum(-1)
    offset = camera.eye() - a
    u = (offset * across).sum(-1) * scale
    along = np.cross(offset, b - a)
    v = (directions * along).sum(-1) * scale
    depth = ((c - a) * along).sum(-1) * scale
    depth[(u < 0) | (v < 0) | (u + v > 1) | (depth <= 0)] = np.inf
    face = depth.argmin(axis=1)
    return np.where(np.isfinite(depth.min(axis=1)), face, -1).reshape(size, size)


def test_the_nearest_face_is_seen(rng):
    for count in (1, 40, 300):
        mesh = triangles(count, rng)
        fast, slow = visible(mesh, CAMERA, 64), ray_cast(mesh, CAMERA, 64)
        assert (slow >= 0).any()
        assert (fast != slow).sum() <= 2  # a sample on an edge may fall either way


def test_neither_block_size_nor_face_order_nor_winding_changes_the_image(rng, monkeypatch):
    mesh = triangles(60, rng)
    expected = preview.shade(mesh, CAMERA, 64)
    order = rng.permutation(60)
    np.testing.assert_array_equal(
        preview.shade(dataclasses.replace(mesh, faces=mesh.faces[order]), CAMERA, 64), expected
    )
    turned = preview.shade(dataclasses.replace(mesh, faces=mesh.faces[:, ::-1]), CAMERA, 64)
    assert np.abs(turned.astype(int) - expected).max() <= 1
    monkeypatch.setattr(raster, "PIXELS_AT_ONCE", 100)
    np.testing.assert_array_equal(preview.shade(mesh, CAMERA, 64), expected)


def test_a_sphere_has_the_pinhole_radius():
    radius, size = 0.3, 256
    seen = visible(ball(radius), CAMERA, size) >= 0
    focal = size / 2 / np.tan(CAMERA.fov_radians / 2)
    expected = focal * np.tan(np.arcsin(radius / CAMERA.distance))
    assert np.sqrt(seen.sum() / np.pi) == pytest.approx(expected, abs=0.4)
    image = preview.shade(ball(radius), CAMERA, size)
    changed = np.ptp(image.astype(int), axis=2) > 1  # clay is warm, ground and shadow are grey
    assert (changed != seen).mean() < 0.01


def test_no_cracks_between_faces(rng):
    """A crumpled sheet of many faces covers its outline without a gap."""
    axis = np.linspace(-0.4, 0.4, 80)
    x, y = np.meshgrid(axis, axis)
    vertices = np.stack([x, y, rng.normal(0, 1e-3, x.shape)], axis=-1).reshape(-1, 3).astype(np.float32)
    corner = (np.arange(79)[:, None] * 80 + np.arange(79)).reshape(-1, 1)
    faces = np.concatenate([corner + np.array(around) for around in ((0, 1, 80), (1, 81, 80))]).astype(np.int32)
    seen = visible(Mesh(vertices, faces), Camera(0.0, 0.0, 1.5, 0.7), 300) >= 0
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    inside = seen[rows[0] + 2 : rows[-1] - 1, columns[0] + 2 : columns[-1] - 1]
    assert inside.shape[0] > 200 and inside.all()


def test_turning_camera_and_object_together_changes_nothing():
    mesh = ball()
    mesh = dataclasses.replace(mesh, vertices=mesh.vertices * np.float32([1, 0.5, 0.7]), normals=None)
    angle = 1.1
    # Azimuth grows from -z towards +x.
    turn = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
    turned = dataclasses.replace(mesh, vertices=(mesh.vertices @ turn.T).astype(np.float32))
    before = preview.shade(mesh, CAMERA, 96).astype(int)
    camera = dataclasses.replace(CAMERA, azimuth_radians=CAMERA.azimuth_radians + angle)
    after = preview.shade(turned, camera, 96)
    assert np.abs(before - after).mean() < 0.1
    assert np.abs(before - preview.shade(mesh, camera, 96)).mean() > 2


def test_normals_make_a_coarse_ball_as_smooth_as_a_fine_one():
    fine = preview.shade(ball(detail=5), CAMERA, 128).astype(float)
    smooth = preview.shade(ball(detail=2), CAMERA, 128).astype(float)
    flat = preview.shade(ball(detail=2, smooth=False), CAMERA, 128).astype(float)
    inside = visible(ball(0.28), CAMERA, 128) >= 0
    error = [np.abs(image - fine)[inside].mean() for image in (smooth, flat)]
    assert error[0] < 1.5 and error[1] > 3 * error[0]


def test_planes_and_balls_are_open_and_corners_are_not():
    def openness(vertices, faces):
        pixels, depth = CAMERA.project(np.asarray(vertices, float), 256)
        corners, nearness = pixels[faces], 1 / depth[faces]
        rows, columns, face = raster.visible(corners, nearness, 256)
        weights = raster.barycentric(corners[face], columns + 0.5, rows + 0.5)
        near = np.zeros((256, 256), np.float32)
        near[rows, columns] = (weights * nearness[face]).sum(axis=1)
        return preview._openness(near, rows, columns, 256)

    floor = np.array([[-0.4, -0.2, -0.4], [0.4, -0.2, -0.4], [0.4, -0.2, 0.4], [-0.4, -0.2, 0.4]])
    square = np.array([[0, 1, 2], [0, 2, 3]])
    assert openness(floor, square).min() > 0.99
    assert openness(ball().vertices, ball().faces).min() > 0.99
    wall = floor[:, [0, 2, 1]] * (1, 1, -1) + (0, 0.2, 0.2)
    cornered = openness(np.concatenate([floor, wall]), np.concatenate([square, square + 4]))
    assert cornered.min() < 0.85 and (cornered > 0.99).mean() > 0.4


def test_the_shadow_falls_on_the_floor_around_the_feet():
    """Darkest right under the mesh, none far away, none on a floor seen from below."""
    camera = dataclasses.replace(CAMERA, elevation_radians=0.6)
    light = preview._shadow(ball(0.2), camera, 128)
    (column, row), _ = camera.project(np.array([0.0, -0.2, 0.0]), 128)
    dark_row, dark_column = np.unravel_index(light.argmin(), light.shape)
    assert np.hypot(dark_row - row, dark_column - column) < 8
    assert light.min() < 0.75 and light[:20].min() == 1 and (light > 0.999).mean() > 0.5
    below = dataclasses.replace(CAMERA, elevation_radians=-0.5)
    assert (preview._shadow(ball(0.2), below, 128) == 1).all()


def test_blurring_keeps_the_sum_and_widens_evenly():
    dot = np.zeros((41, 41), np.float32)
    dot[20, 20] = 1
    blurred = preview._blurred(dot, 3)
    assert blurred.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(blurred, blurred.T, atol=1e-7)
    np.testing.assert_allclose(blurred, blurred[::-1, ::-1], atol=1e-7)
    row = np.arange(41) - 20
    assert (blurred.sum(axis=1) * row**2).sum() == pytest.approx(3 * (7**2 - 1) / 12, rel=1e-4)


def test_the_three_quarter_view_shows_all_of_the_mesh_and_little_else(rng):
    for stretch in ([1, 0.2, 0.3], [0.1, 1, 0.1], [1, 1, 1]):
        mesh = ball()
        mesh = dataclasses.replace(mesh, vertices=mesh.vertices * np.float32(stretch))
        camera = preview.three_quarter_view(mesh)
        pixels, _ = camera.project(mesh.vertices, 100)
        assert np.abs(pixels - 50).max() == pytest.approx(45, abs=1)
        assert camera.eye()[2] < 0  # from the front


def test_empty_and_degenerate_meshes_and_faces_behind_the_camera():
    empty = background(64)
    assert empty.shape == (64, 64, 3) and empty.dtype == np.uint8 and empty.min() > 220
    point = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32))
    np.testing.assert_array_equal(preview.shade(point, CAMERA, 64), empty)
    behind = ball(0.1)
    behind = dataclasses.replace(behind, vertices=behind.vertices + (2 * CAMERA.eye()).astype(np.float32))
    np.testing.assert_array_equal(preview.shade(behind, CAMERA, 64), empty)
    huge = dataclasses.replace(behind, vertices=ball(1.0).vertices * 50)
    assert preview.shade(huge, CAMERA, 64).shape == (64, 64, 3)  # from inside
    none = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    np.testing.assert_array_equal(preview.shade(none, preview.three_quarter_view(none), 64), empty)


def test_input_is_not_changed_and_same_input_gives_same_bytes():
    mesh = ball(detail=3)
    copies = [array.copy() for array in (mesh.vertices, mesh.faces, mesh.normals)]
    np.testing.assert_array_equal(preview.shade(mesh, CAMERA, 64), preview.shade(mesh, CAMERA, 64))
    for copy, array in zip(copies, (mesh.vertices, mesh.faces, mesh.normals), strict=True):
        np.testing.assert_array_equal(copy, array)


def test_nothing_but_numpy_is_needed():
    """Inference runs where no renderer, mesh or image library is installed."""
    program = (
        "import sys; import imfield_jax.mesh.preview, imfield_jax.framing;"
        "print({'embreex', 'numba', 'trimesh', 'tensorflow'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


@pytest.mark.parametrize("x", [-1, 1])
@pytest.mark.parametrize("z", [-1, 1])
def test_a_wheel_that_is_missing_shows_in_one_of_the_sides(x, z):
    """Each of four balls beside a body is hidden from the opposite side and seen from its own."""
    body = trimesh.creation.box((0.3, 0.3, 0.6))
    wheel = trimesh.creation.icosphere(2, radius=0.05)
    wheel.apply_translation((0.2 * x, -0.1, 0.2 * z))
    shown = []
    for solid in (trimesh.util.concatenate([body, wheel]), body):
        mesh = Mesh(np.asarray(solid.vertices, np.float32), np.asarray(solid.faces, np.int32))
        corners = np.float32([[s * 0.4] * 3 for s in (-1, 1)])  # the same extent, so that the cameras are the same
        shown.append(preview.sides(dataclasses.replace(mesh, vertices=np.vstack([mesh.vertices, corners])), 64))
    assert shown[0].shape == (64, 256, 3)
    change = np.abs(shown[0].astype(int) - shown[1]).max(axis=2).reshape(64, 4, 64).max(axis=(0, 2))
    assert (change > 40).any() and change.min() < change.max()
