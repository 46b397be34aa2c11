"""The true surface of analytic solids, and the distribution of points drawn from meshes."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax import coordinates
from imfield_jax.mesh.sampling import sample_surface
from imfield_jax.mesh.voxel_surface import DISPLAYED, true_surface
from imfield_jax.types import Mesh

R = 64
CENTER = np.array([0.05, -0.08, 0.11])


def ball(radius: float = 0.25, resolution: int = R) -> np.ndarray:
    return np.linalg.norm(coordinates.grid_points(resolution) - CENTER, axis=-1) < radius


def signed_volume(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(np.float64) for corner in range(3))
    return float(np.einsum("fc,fc->f", a, np.cross(b, c)).sum() / 6)


def is_closed(mesh: Mesh) -> bool:
    """Every directed edge has its opposite, exactly once."""
    edges = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    forward, backward = (e[:, 0].astype(np.int64) * len(mesh.vertices) + e[:, 1] for e in (edges, edges[:, ::-1]))
    return len(np.unique(forward)) == len(forward) and set(forward) == set(backward)


def test_ball_is_closed_outward_and_where_it_should_be():
    mesh = true_surface(ball())
    assert is_closed(mesh)
    assert signed_volume(mesh) == pytest.approx(4 / 3 * np.pi * 0.25**3, rel=0.01)
    radii = np.linalg.norm(mesh.vertices - CENTER, axis=1)
    assert np.abs(radii - 0.25).max() < 0.5 / R
    # A half-voxel slip leaves radii alone but not the centre.
    np.testing.assert_allclose(mesh.vertices.mean(axis=0), CENTER, atol=0.05 / R)


def test_ball_normals_are_radial_and_outward():
    mesh = true_surface(ball(0.35, resolution=128))
    radial = (mesh.vertices - CENTER) / np.linalg.norm(mesh.vertices - CENTER, axis=1, keepdims=True)
    cosine = np.einsum("vc,vc->v", mesh.normals, radial)
    assert cosine.mean() > 0.998
    assert cosine.min() > 0.9
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("width", [1, 2])
def test_thin_rods_and_sheets_survive_whole(width):
    solid = np.zeros((R, R, R), bool)
    solid[10:50, 30 : 30 + width, 20 : 20 + width] = True
    solid[10:50, 40 : 40 + width, 10:50] = True
    mesh = true_surface(solid)
    assert is_closed(mesh)
    inside = coordinates.point_to_index(mesh.vertices, R)
    for low, high in (((10, 30, 20), (49, 29 + width, 19 + width)), ((10, 40, 10), (49, 39 + width, 49))):
        near = np.all((inside > np.array(low) - 1) & (inside < np.array(high) + 1), axis=1)
        # Both ends are within a voxel of where the voxels end, and nothing is broken between.
        assert inside[near, 0].min() < 10.5
        assert inside[near, 0].max() > 48.5
        assert np.diff(np.unique(np.round(inside[near, 0]))).max() == 1


def test_a_narrow_gap_stays_open():
    solid = np.zeros((R, R, R), bool)
    solid[20:31, 20:40, 20:40] = solid[32:43, 20:40, 20:40] = True
    index = coordinates.point_to_index(true_surface(solid).vertices, R)[:, 0]
    assert ((index > 30) & (index < 31)).any()
    assert ((index > 31) & (index < 32)).any()
    between = (index > 30.9) & (index < 31.1)
    assert not between.any()


def test_a_tunnel_of_one_voxel_stays_open():
    solid = np.zeros((R, R, R), bool)
    solid[20:44, 20:44, 20:44] = True
    solid[:, 30, 30] = False
    mesh = true_surface(solid)
    assert is_closed(mesh)
    edges = 3 * len(mesh.faces) // 2
    assert len(mesh.vertices) - edges + len(mesh.faces) == 0  # Euler's number of a torus, not of a ball


def test_solids_that_touch_the_wall_are_closed_there():
    mesh = true_surface(np.ones((16, 16, 16), bool))
    assert is_closed(mesh)
    np.testing.assert_allclose(mesh.vertices.min(axis=0), -0.5, atol=0.5 / 16)
    np.testing.assert_allclose(mesh.vertices.max(axis=0), 0.5, atol=0.5 / 16)
    assert signed_volume(mesh) == pytest.approx(1, rel=0.02)


def test_display_smoothing_is_smoother_and_still_within_a_voxel():
    measured, displayed = true_surface(ball()), true_surface(ball(), DISPLAYED)
    distances = np.abs(displayed.vertices - measured.vertices)
    assert 0 < distances.max() <= 1 / R
    np.testing.assert_array_equal(measured.faces, displayed.faces)


def test_axes_keep_their_order():
    solid = np.zeros((R, R, R), bool)
    solid[8:16, 20:24, 40:60] = True
    vertices = true_surface(solid).vertices
    low, high = coordinates.index_to_point(np.array([[7.5, 19.5, 39.5], [15.5, 23.5, 59.5]]), R)
    np.testing.assert_allclose(vertices.min(axis=0), low, atol=0.3 / R)
    np.testing.assert_allclose(vertices.max(axis=0), high, atol=0.3 / R)


def test_empty_solid_has_an_empty_surface():
    mesh = true_surface(np.zeros((8, 8, 8), bool))
    assert mesh.vertices.shape == mesh.faces.shape == mesh.normals.shape == (0, 3)
    assert len(sample_surface(mesh, 10, np.random.default_rng(0))) == 0


def two_triangles(normals=None) -> Mesh:
    """A triangle of area 0.5 on z = 0, another of area 0.125 on z = 1, and one without area."""
    vertices = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0, 1], [0, 0.5, 1]]
    faces = np.array([[0, 1, 1], [0, 1, 2], [3, 4, 5], [2, 2, 2]], np.int32)
    return Mesh(np.array(vertices, np.float32), faces, normals)


def test_points_are_spread_by_area_over_the_triangles():
    sample = sample_surface(two_triangles(), 50_000, np.random.default_rng(0))
    lower = sample.points[:, 2] == 0
    assert lower.mean() == pytest.approx(0.8, abs=0.01)
    x, y = sample.points[lower, :2].T
    assert (x >= 0).all() and (y >= 0).all() and (x + y <= 1 + 1e-6).all()
    # Even over a triangle: the mean is its centroid, and the middle quarter gets a quarter.
    np.testing.assert_allclose([x.mean(), y.mean()], 1 / 3, atol=5e-3)
    assert ((x < 0.5) & (y < 0.5) & (x + y > 0.5)).mean() == pytest.approx(0.25, abs=0.01)


def test_any_prefix_is_a_draw_of_its_own():
    sample = sample_surface(two_triangles(), 50_000, np.random.default_rng(0)).first(4_000)
    assert (sample.points[:, 2] == 0).mean() == pytest.approx(0.8, abs=0.03)


def test_normals_are_those_of_the_faces_or_interpolated():
    faces = sample_surface(two_triangles(), 100, np.random.default_rng(0)).normals
    np.testing.assert_allclose(faces, np.tile([0, 0, 1], (100, 1)))
    normals = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 1]]
    sample = sample_surface(two_triangles(normals), 100, np.random.default_rng(0))
    np.testing.assert_allclose(sample.normals, np.where(sample.points[:, 2:] == 0, [[1, 0, 0]], [[0, 1, 0]]))


def test_same_generator_state_same_points():
    mesh = true_surface(ball())
    first, again, other = (sample_surface(mesh, 500, np.random.default_rng(seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.points, again.points)
    np.testing.assert_array_equal(first.normals, again.normals)
    assert not np.array_equal(first.points, other.points)
