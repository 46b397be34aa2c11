"""Views against optics: pinhole images of spheres, reflections, glass and lace."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import trimesh

from imfield_jax.camera import Camera
from imfield_jax.preparation.rendering import VIEW_SIZE, camera_ring, diagonal, render_views
from imfield_jax.preparation.rendering import surface as surfaces
from imfield_jax.sources.scene import Part, Scene

FOV = 2 * np.arctan(16 / 35)
GREY = (0.7, 0.7, 0.7, 1.0)


def part(mesh, shift=(0, 0, 0), color=GREY):
    return Part(np.asarray(mesh.vertices) + shift, np.asarray(mesh.faces), color)


def ball(radius, **kwargs):
    return part(trimesh.creation.icosphere(4, radius=radius), **kwargs)


def box(*sides, **kwargs):
    return part(trimesh.creation.box(sides), **kwargs)


def wall(z, color=GREY, texture=None, half=0.4):
    """A double-sided square at this z."""
    square = half * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) + (0, 0, z)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    return Part(square, np.array([[0, 1, 2], [0, 2, 3]]), color, uv, texture)


def lace():
    """Checks with round holes, their transparent texels bright green."""
    row, column = np.mgrid[:64, :64]
    texture = np.where(((row // 8 + column // 8) % 2)[..., None], [220, 60, 40, 255], [240, 220, 180, 255])
    texture[(row % 16 - 8) ** 2 + (column % 16 - 8) ** 2 < 25] = (0, 255, 0, 0)
    return texture.astype(np.uint8)


def still_life():
    """Texture, lace, glass in front of and behind objects, smooth and flat faces, an inside-out ball."""
    inside_out = ball(0.12, shift=(-0.15, 0.2, 0), color=(0.9, 0.9, 0.3, 1.0))
    inside_out = dataclasses.replace(inside_out, faces=inside_out.faces[:, ::-1])
    crate = trimesh.creation.box((0.5, 0.15, 0.3))
    corners = crate.triangles.reshape(-1, 3)
    uv = np.stack([corners[:, 0] * 2 + corners[:, 2], corners[:, 1] * 4 + corners[:, 2]], 1).astype(np.float32)
    opaque = lace()
    opaque[..., 3] = 255
    return Scene(
        (
            Part(corners, np.arange(len(corners)).reshape(-1, 3), (1, 1, 1, 1), uv, opaque),
            part(
                trimesh.creation.cylinder(0.12, 0.3, sections=48),
                shift=(0.1, 0.2, 0),
                color=(0.2, 0.4, 0.8, 1),
            ),
            inside_out,
            box(0.2, 0.25, 0.2, shift=(0.1, 0.25, -0.1), color=(0.6, 0.8, 0.9, 0.4)),
            wall(-0.25, (1, 1, 1, 1), lace()),
        )
    )


def front(distance=1.4, azimuth=0.0, elevation=0.0):
    return Camera(azimuth, elevation, distance, FOV)


# Cameras ------------------------------------------------------------------------------------------


def test_eye_matches_the_camera_type():
    np.testing.assert_allclose(front(2.0).eye(), [0, 0, -2], atol=1e-12)
    np.testing.assert_allclose(front(2.0, np.pi / 2).eye(), [2, 0, 0], atol=1e-12)
    np.testing.assert_allclose(front(2.0, 0.3, np.pi / 2).eye(), [0, 2, 0], atol=1e-12)


def test_axes_are_right_handed_level_and_look_at_the_origin():
    for camera in camera_ring(np.random.default_rng(0), views=50):
        right, up, back = axes = camera.axes()
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(np.cross(right, up), back, atol=1e-12)
        assert right[1] == 0 and up[1] > 0
        pixel, depth = camera.project(np.zeros(3), VIEW_SIZE)
        np.testing.assert_allclose(pixel, VIEW_SIZE / 2)
        assert depth == pytest.approx(camera.distance)


def test_project_agrees_with_the_view_matrix_and_inverts_pixel_directions():
    rng = np.random.default_rng(1)
    for camera in camera_ring(rng, views=10):
        points = rng.uniform(-0.5, 0.5, (20, 3))
        pixels, depth = camera.project(points, 137)
        view = camera.view_matrix()
        right, up, back, _ = view @ np.c_[points, np.ones(20)].T
        slopes = np.stack([right, -up], axis=1) / -back[:, None] * (35 / 16)
        np.testing.assert_allclose((slopes + 1) * 68.5, pixels, atol=1e-9)
        np.testing.assert_allclose(-back, depth)
        np.testing.assert_allclose(view[:3, :3] @ camera.eye() + view[:3, 3], 0, atol=1e-12)
        directions = camera.pixel_directions(pixels[:, 0], pixels[:, 1], 137)
        np.testing.assert_allclose(camera.eye() + depth[:, None] * directions, points, atol=1e-12)


def test_camera_ring_is_the_published_distribution():
    cameras = camera_ring(np.random.default_rng(2), diagonal=1.5, views=4000)
    azimuth, elevation, distance, fov = np.array([dataclasses.astuple(camera) for camera in cameras]).T
    for values, low, high in [
        (azimuth, 0, 2 * np.pi),
        (elevation, np.radians(25), np.radians(30)),
        (distance / 1.5, 1.75 * 0.65, 1.75 * 0.95),
    ]:
        assert low <= values.min() and values.max() <= high
        # Uniform: the empirical distribution stays within the Kolmogorov bound of the diagonal.
        uniform = (np.sort(values) - low) / (high - low)
        assert np.abs(uniform - np.linspace(0, 1, 4000)).max() < 0.03
    np.testing.assert_allclose(np.degrees(fov), 49.13, atol=0.01)
    assert np.abs(np.corrcoef([azimuth, elevation, distance]) - np.eye(3)).max() < 0.06
    assert camera_ring(np.random.default_rng(3)) == camera_ring(np.random.default_rng(3))
    assert len(camera_ring(np.random.default_rng(3))) == 24


def test_diagonal_counts_used_vertices_only():
    vertices = np.array([[0, 0, 0], [1, 2, 0], [0, 2, 2], [9, 9, 9]], float)
    assert diagonal(Scene((Part(vertices, np.array([[0, 1, 2]])),))) == pytest.approx(3)


# Surfaces -----------------------------------------------------------------------------------------


def test_duplicates_and_slivers_are_removed_for_any_winding():
    clean = ball(0.3)
    doubled = dataclasses.replace(clean, faces=np.concatenate([clean.faces, clean.faces[::3, ::-1], clean.faces]))
    flat = dataclasses.replace(clean, faces=np.concatenate([clean.faces, [[0, 0, 1], [2, 2, 2]]]))
    expected = surfaces.surface_of(Scene((clean,)))
    for mesh in (Scene((doubled,)), Scene((flat,)), Scene((clean, clean))):
        np.testing.assert_array_equal(surfaces.surface_of(mesh).corners, expected.corners)
        np.testing.assert_array_equal(surfaces.surface_of(mesh).normals, expected.normals)


def test_every_face_that_is_kept_has_a_normal():
    """Slivers whose area is a rounding error, and exactly zero when computed from the edges at another corner."""
    rng = np.random.default_rng(0)
    ends = rng.uniform(-0.5, 0.5, (20_000, 2, 3))
    between = ends[:, 0] + rng.random((20_000, 1)) * (ends[:, 1] - ends[:, 0])
    slivers = Part(np.concatenate([ends, between[:, None]], axis=1).reshape(-1, 3), np.arange(60_000).reshape(-1, 3))
    normals = surfaces.surface_of(Scene((slivers,))).normals
    np.testing.assert_allclose(np.linalg.norm(normals, axis=2), 1, atol=1e-6)


def test_normals_are_smooth_on_balls_flat_on_boxes_and_ignore_winding():
    ball_surface = surfaces.surface_of(Scene((ball(0.3),)))
    cosine = (ball_surface.normals * ball_surface.corners / 0.3).sum(axis=2)
    assert cosine.min() > 0.999

    crate = surfaces.surface_of(Scene((box(0.3, 0.2, 0.1),)))
    faces = np.cross(crate.corners[:, 1] - crate.corners[:, 0], crate.corners[:, 2] - crate.corners[:, 0])
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    np.testing.assert_allclose(crate.normals, np.broadcast_to(faces[:, None], (12, 3, 3)), atol=1e-6)

    mixed = ball(0.3)
    faces = mixed.faces.copy()
    turned = np.random.default_rng(0).random(len(faces)) < 0.5
    faces[turned] = faces[turned][:, ::-1]
    normals = surfaces.surface_of(Scene((dataclasses.replace(mixed, faces=faces),))).normals
    normals[turned] = -normals[turned][:, ::-1]
    np.testing.assert_allclose(normals, ball_surface.normals, atol=1e-6)


def test_normals_do_not_depend_on_the_chunk_size():
    mesh = trimesh.creation.icosphere(2).triangles
    welded = surfaces._weld(mesh)
    whole = surfaces._smooth_normals(mesh, welded)
    np.testing.assert_allclose(surfaces._smooth_normals(mesh, welded, pairs_at_once=50), whole, atol=1e-12)


# Views --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [VIEW_SIZE, 240])
def test_the_silhouette_of_a_sphere_has_the_pinhole_radius(size):
    """tan of the half angle asin(r / d) against the field of view, and pi r^2 pixels of alpha."""
    radius, distance = 0.3, 1.3
    focal = size / 2 / np.tan(FOV / 2)
    expected = focal * np.tan(np.arcsin(radius / distance))
    for azimuth, elevation in [(0, 0), (2.1, 0.5)]:
        view = render_views(Scene((ball(radius),)), [front(distance, azimuth, elevation)], size=size)[0]
        alpha = view[..., 3] / 255
        assert np.sqrt(alpha.sum() / np.pi) == pytest.approx(expected, abs=0.15)
        row, column = np.mgrid[:size, :size] + 0.5
        np.testing.assert_allclose(
            [(row * alpha).sum() / alpha.sum(), (column * alpha).sum() / alpha.sum()],
            size / 2,
            atol=0.05,
        )


def test_a_point_appears_at_its_projection():
    for camera in camera_ring(np.random.default_rng(4), views=5):
        place = np.array([0.2, 0.1, -0.15])
        alpha = render_views(Scene((ball(0.02, shift=place),)), [camera])[0, ..., 3].astype(float)
        row, column = np.mgrid[:VIEW_SIZE, :VIEW_SIZE] + 0.5
        centre = (alpha * column).sum() / alpha.sum(), (alpha * row).sum() / alpha.sum()
        np.testing.assert_allclose(centre, camera.project(place, VIEW_SIZE)[0], atol=0.1)


def test_front_is_seen_from_azimuth_zero():
    """With the camera in front (-z), the object's right side (+x) is on the left."""
    scene = Scene(
        (ball(0.1, shift=(0.25, 0, 0), color=(1, 0, 0, 1)), ball(0.1, shift=(0, 0.25, 0), color=(0, 1, 0, 1)))
    )
    view = render_views(scene, [front()])[0].astype(int)
    red, green = view[..., 0] > view[..., 1], view[..., 1] > view[..., 0]
    assert np.argwhere(red)[:, 1].max() < VIEW_SIZE / 2
    assert np.argwhere(green)[:, 0].max() < VIEW_SIZE / 2


def test_a_symmetric_scene_from_the_other_side_is_the_mirror_image():
    scene = Scene((box(0.5, 0.1, 0.3), ball(0.15, shift=(0, 0.15, -0.1), color=(0.8, 0.2, 0.2, 1.0))))
    for azimuth in (0.4, 1.9):
        left, right = render_views(scene, [front(1.4, azimuth, 0.45), front(1.4, -azimuth, 0.45)])
        assert (left[:, ::-1, 3] != left[..., 3]).mean() > 0.02  # the view itself is not symmetric
        difference = np.abs(left[:, ::-1].astype(int) - right)
        assert difference[..., 3].mean() < 0.05 and (difference > 24).mean() < 2e-3


def test_front_and_back_of_a_symmetric_scene_are_lit_alike():
    scene = Scene((box(0.5, 0.2, 0.3),))
    views = render_views(scene, [front(1.4, 0.4, 0.45), front(1.4, 0.4 + np.pi, 0.45)])
    assert np.abs(views[0].astype(int) - views[1]).mean() < 0.05


def test_nearer_objects_hide_farther_ones():
    scene = Scene((wall(0.2, (1, 0, 0, 1)), wall(-0.2, (0, 0, 1, 1), half=0.1)))
    near, far = render_views(scene, [front(), front(1.4, np.pi)])[:, 68, 68].astype(int)
    assert near[2] > 100 and near[0] < 5
    assert far[0] > 100 and far[2] < 5


def test_winding_changes_nothing():
    scene = still_life()
    turned = Scene(tuple(dataclasses.replace(p, faces=p.faces[:, ::-1]) for p in scene.parts))
    cameras = camera_ring(np.random.default_rng(5), diagonal(scene), views=2)
    difference = np.abs(render_views(scene, cameras).astype(int) - render_views(turned, cameras))
    assert difference.mean() < 0.02


def test_holes_are_holes_and_their_colour_does_not_show():
    texture = np.zeros((64, 64, 4), np.uint8)
    texture[...] = (200, 100, 50, 255)
    texture[16:48, 16:48] = (0, 255, 0, 0)
    view = render_views(Scene((wall(0.0, (1, 1, 1, 1), texture),)), [front()])[0].astype(float)
    assert view[68, 68, 3] == 0
    seen = view[view[..., 3] > 0]
    # 2 red = 4 green = 8 blue up to rounding, in every pixel of the rim too.
    bright = seen[seen[:, 3] > 60]
    assert np.abs(bright[:, 0] - 2 * bright[:, 1]).max() <= 4
    closed = render_views(Scene((wall(0.0),)), [front()])[0, ..., 3].sum()
    assert view[..., 3].sum() / closed == pytest.approx(0.75, abs=0.02)


def test_textures_stand_upright():
    """uv has its origin at the bottom left, and the first row of an image is its top."""
    texture = np.zeros((8, 8, 4), np.uint8)
    texture[..., 3] = 255
    texture[:4, :, 0] = 255  # upper half red
    texture[4:, :, 2] = 255
    texture[:, 4:, 1] = 255  # right half also green
    view = render_views(Scene((wall(0.0, (1, 1, 1, 1), texture),)), [front(1.4, np.pi)])[0]
    lit = view[..., :3] > 60
    assert lit[50, 50].tolist() == [True, False, False]
    assert lit[50, 86].tolist() == [True, True, False]
    assert lit[86, 50].tolist() == [False, False, True]
    assert lit[86, 86].tolist() == [False, True, True]


def test_glass_transmits_by_its_opacity():
    """Two panes of opacity a: alpha 1 - (1 - a)^2 over nothing, and the blend over something."""
    opacity = 0.4
    panes = (wall(-0.2, (0, 0, 1, opacity)), wall(-0.1, (0, 0, 1, opacity)))
    alone = render_views(Scene(panes), [front()])[0, 68, 68] / 255
    assert alone[3] == pytest.approx(1 - (1 - opacity) ** 2, abs=0.01)
    bare = render_views(Scene((wall(0.0, (1, 0, 0, 1)),)), [front()])[0, 68, 68] / 255
    behind = render_views(Scene((*panes, wall(0.0, (1, 0, 0, 1)))), [front()])[0, 68, 68] / 255
    assert behind[3] == 1
    assert behind[0] == pytest.approx(bare[0] * (1 - opacity) ** 2, abs=0.01)
    assert behind[2] == pytest.approx(alone[2] * alone[3], abs=0.01)
    hidden = render_views(Scene((wall(-0.3, (1, 0, 0, 1)), *panes)), [front()])[0, 68, 68] / 255
    np.testing.assert_allclose(hidden, bare, atol=0.005)


def test_panes_are_blended_far_to_near_from_both_sides():
    scene = Scene((wall(-0.1, (1, 0, 0, 0.6)), wall(0.1, (0, 0, 1, 0.6))))
    one, other = render_views(scene, [front(), front(1.4, np.pi)])[:, 68, 68].astype(int)
    assert one[0] > 2 * one[2]
    assert other[2] > 2 * other[0]


def test_intersecting_panes_do_not_hide_each_other():
    """In any drawing order of two intersecting panes, one half of each is behind the other."""
    pane = wall(0.0, (0.5, 0.5, 0.5, 0.5))
    turns = (np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) for c, s in ((0.8, 0.6), (0.8, -0.6)))
    crossed = Scene(tuple(dataclasses.replace(pane, vertices=pane.vertices @ turn.T) for turn in turns))
    alpha = render_views(crossed, [front()])[0, 48:90, 48:90, 3] / 255
    np.testing.assert_allclose(np.delete(alpha, slice(18, 24), axis=1), 0.75, atol=0.01)


def test_a_uniform_colour_is_uniform_up_to_the_silhouette():
    """A flat wall is lit evenly when seen from afar; no pixel of its edge may be darker."""
    view = render_views(Scene((wall(0.0, (0.9, 0.6, 0.3, 1)),)), [front(1.3, 0.3)])[0]
    seen = view[view[..., 3] > 0].astype(int)
    partial = seen[seen[:, 3] < 255]
    assert len(partial) > 50
    full = seen[seen[:, 3] == 255]
    assert (partial[partial[:, 3] > 16][:, :3] >= full[:, :3].min(axis=0) - 3).all()
    assert (partial[:, :3] <= full[:, :3].max(axis=0) + 12).all()
    assert (view[view[..., 3] == 0] == 0).all()


def test_a_fully_transparent_object_is_rendered_opaque():
    clear = render_views(Scene((ball(0.2, color=(0.7, 0.7, 0.7, 0.0)),)), [front()])
    np.testing.assert_array_equal(clear, render_views(Scene((ball(0.2),)), [front()]))
    mixed = Scene((ball(0.2, color=(0.7, 0.7, 0.7, 0.0)), box(0.1, 0.1, 0.1)))
    np.testing.assert_array_equal(
        render_views(mixed, [front()]),
        render_views(Scene((box(0.1, 0.1, 0.1),)), [front()]),
    )


def test_equal_inputs_give_equal_bytes():
    scene = still_life()
    cameras = camera_ring(np.random.default_rng(6), diagonal(scene), views=3)
    once = render_views(scene, cameras)
    render_views(Scene((ball(0.3),)), cameras)
    np.testing.assert_array_equal(once, render_views(scene, cameras))
    assert once.shape == (3, 137, 137, 4) and once.dtype == np.uint8
    np.testing.assert_array_equal(once[1], render_views(scene, cameras[1:2])[0])


def test_objects_that_exceed_the_image_or_surround_the_camera():
    view = render_views(Scene((box(4, 4, 4),)), [front(1.0)])
    assert (view[..., 3] == 255).all()
    assert not render_views(Scene((ball(0.05, shift=(0.0, 3.0, 0.0)),)), [front(1.0)]).any()


def test_bad_input_is_one_clear_line():
    scene = Scene((ball(0.3),))
    for empty in (Scene(()), Scene((dataclasses.replace(scene.parts[0], faces=np.zeros((4, 3), int)),))):
        with pytest.raises(ValueError, match="nothing to render"):
            render_views(empty, [front()])
    assert render_views(scene, []).shape == (0, 137, 137, 4)
