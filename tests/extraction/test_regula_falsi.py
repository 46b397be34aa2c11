"""Refinement along lattice edges: vertices converge to the level set and never leave their edges."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.coordinates import point_to_index
from imfield_jax.extraction.sparse import extract

RESOLUTION, CENTER, RADIUS = 40, np.array([0.05, -0.1, 0.02]), 0.3


def distance(points):
    return RADIUS - np.linalg.norm(points - CENTER, axis=-1)


def kinked(points):
    """The ball, five times as steep inside as outside: a decoder's kink at its surface."""
    return np.where(distance(points) > 0, 5 * distance(points), distance(points))


def curved(points):
    return np.cbrt(distance(points))


def tight(points):
    """A ball that the faces of the cube cut."""
    return 0.55 - np.linalg.norm(points, axis=-1)


def off(mesh):
    """How far from the sphere each vertex is, in cells: [V]."""
    return np.abs(distance(mesh.vertices.astype(np.float64))) * RESOLUTION


@pytest.mark.parametrize("field", [kinked, curved])
def test_vertices_end_on_the_level_set(field):
    before, after = (off(extract(field, RESOLUTION, refinement_iterations=iterations).mesh) for iterations in (0, 12))
    assert np.percentile(before, 95) > 0.15
    assert after.max() < 1e-3


@pytest.mark.parametrize("field", [kinked, curved, distance])
def test_more_iterations_come_nearer(field):
    means = [off(extract(field, RESOLUTION, refinement_iterations=iterations).mesh).mean() for iterations in (0, 2, 4)]
    assert means[1] < 0.5 * means[0]
    assert means[2] <= means[1]


def test_far_more_iterations_than_it_takes_do_no_harm():
    def flat(points):
        """Exactly 0 around the surface: the value at the other end is halved until it is 0, too."""
        return np.where(np.abs(distance(points)) < 1e-4, 0, distance(points))

    vertices = extract(flat, 16, refinement_iterations=1200).mesh.vertices
    assert np.abs(distance(vertices)).max() < 1.01e-4


def test_no_vertex_leaves_its_edge_and_no_triangle_changes():
    before, after = (extract(kinked, RESOLUTION, refinement_iterations=iterations).mesh for iterations in (0, 3))
    np.testing.assert_array_equal(after.faces, before.faces)
    ends = [point_to_index(mesh.vertices.astype(np.float64), RESOLUTION) for mesh in (before, after)]
    moved = np.abs(ends[1] - ends[0]) > 1e-5
    assert moved.any(axis=1).mean() > 0.9
    assert (moved.sum(axis=1) <= 1).all()
    rows, axes = np.nonzero(moved)
    np.testing.assert_array_equal(np.floor(ends[0][rows, axes]), np.floor(ends[1][rows, axes]))


def test_each_iteration_evaluates_the_field_once_per_vertex():
    counts = [extract(kinked, RESOLUTION, refinement_iterations=iterations) for iterations in (0, 1, 2)]
    vertices = len(counts[0].mesh.vertices)
    assert [count.evaluated - counts[0].evaluated for count in counts] == [0, vertices, 2 * vertices]


def test_the_border_of_the_cube_stays_where_it_is():
    mesh = extract(tight, RESOLUTION, refinement_iterations=3).mesh
    on_border = np.isclose(np.abs(mesh.vertices).max(axis=1), 0.5, atol=1e-6)
    assert on_border.any() and not on_border.all()
    radius = np.linalg.norm(mesh.vertices[~on_border], axis=1)
    np.testing.assert_allclose(radius, 0.55, atol=1e-3 / RESOLUTION)


def test_a_negative_number_of_iterations_is_refused():
    with pytest.raises(ValueError, match="refinement_iterations must be 0 or more, not -1"):
        extract(kinked, RESOLUTION, refinement_iterations=-1)
