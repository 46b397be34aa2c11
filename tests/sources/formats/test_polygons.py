"""Triangulation against geometry: properties that hold for the triangles of any polygon."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from imfield_jax.sources.formats.polygons import triangles


def shoelace(flat):
    """Signed area of a polygon [n, 2]."""
    x, y = flat.T
    return 0.5 * (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()


def star(rng, corners):
    """A random simple polygon around the origin, counter-clockwise."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    return rng.uniform(0.2, 1, corners)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def comb(teeth):
    """A comb, counter-clockwise: few of its corners see each other, and those of its back are collinear."""
    x = np.repeat(np.arange(2 * teeth), 2)[1:-1].astype(float)
    y = np.tile([0, 1, 1, 0], teeth)[1:-1].astype(float)
    back = np.stack([np.arange(2 * teeth - 1, -1, -1), np.full(2 * teeth, -1.0)], axis=1)
    return np.concatenate([np.stack([x, y], axis=1), back])[::-1]


def rotation(rng):
    matrix = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return matrix * np.linalg.det(matrix)


def areas(points, faces):
    a, b, c = np.moveaxis(points[faces], 1, 0)
    return np.cross(b - a, c - a) / 2


SHAPES = {
    "arrow": [[0, 0], [2, 0], [2, 2], [1, 0.5], [0, 2]],
    "dart": [[0, 0], [2, 0], [0.5, 0.5], [0, 2]],
    "dart from its notch": [[0.5, 0.5], [0, 2], [0, 0], [2, 0]],
    "L": [[0, 0], [3, 0], [3, 1], [1, 1], [1, 3], [0, 3]],
    "repeated corners": [[0, 0], [0, 0], [3, 0], [3, 1], [1, 1], [1, 1], [1, 3], [0, 3], [0, 3]],
    "collinear corners": [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1], [2, 1], [1, 1], [1, 2], [1, 3], [0, 3], [0, 1]],
    "touches itself": [[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]],
    "frame, cut open": [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0], [1, 1], [1, 3], [3, 3], [3, 1], [1, 1]],
    "comb": comb(20),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("start", [0, 1, 3])
def test_triangles_cover_the_polygon_once_with_its_orientation(name, start, rng):
    flat = np.roll(np.array(SHAPES[name], float), start, axis=0)
    turn = rotation(rng)
    points = np.c_[flat, np.zeros(len(flat))] @ turn.T + rng.normal(size=3)
    for corners, sign in ((points, 1), (points[::-1], -1)):
        faces = triangles(corners, np.array([len(flat)]))
        normals = areas(corners, faces) @ turn[:, 2] * sign
        assert faces.shape == (len(flat) - 2, 3)
        assert normals.min() > -1e-9
        assert normals.sum() == pytest.approx(shoelace(flat))
        assert np.linalg.norm(areas(corners, faces), axis=1).sum() == pytest.approx(shoelace(flat))


@pytest.mark.parametrize("corners", [5, 12, 100, 3000])
def test_random_polygons_are_covered_and_triangles_meet_at_every_edge(corners, rng):
    flat = star(rng, corners)
    faces = triangles(np.c_[flat, np.zeros(corners)], np.array([corners]))
    normals = areas(np.c_[flat, np.zeros(corners)], faces)[:, 2]
    assert normals.min() > -1e-12 and normals.sum() == pytest.approx(shoelace(flat))
    edges = Counter((int(f[k]), int(f[k - 2])) for f in faces for k in range(3))
    border = {edge for edge, count in edges.items() if edge[::-1] not in edges}
    assert max(edges.values()) == 1
    assert border == {(i, (i + 1) % corners) for i in range(corners)}  # also where corners are collinear


def test_a_warped_polygon_is_covered_in_the_projection_along_its_normal(rng):
    flat = np.array(SHAPES["L"], float)
    points = np.c_[flat, rng.normal(scale=0.05, size=len(flat))]
    normals = areas(points, triangles(points, np.array([len(flat)])))[:, 2]
    assert normals.min() > 0 and normals.sum() == pytest.approx(shoelace(flat))


def test_convex_polygons_stay_fans_and_the_order_is_that_of_the_polygons(rng):
    angles = np.arange(7) * 2 * np.pi / 7
    convex = np.stack([np.cos(angles), np.sin(angles), np.zeros(7)], axis=1)
    arrow = np.c_[SHAPES["arrow"], np.zeros(5)]
    points = np.concatenate([arrow, convex, convex[:3], convex[:2], arrow[:4]])
    faces = triangles(points, np.array([5, 7, 3, 2, 4]))
    fan = [[5, 5 + i, 6 + i] for i in range(1, 6)]
    np.testing.assert_array_equal(faces[3:9], [*fan, [12, 13, 14]])
    assert faces[:3].max() < 5 and faces[9:].min() >= 17  # the polygon of two corners gives none


@pytest.mark.parametrize("bad", ["a point", "a line", "not finite", "crosses itself"])
def test_a_degenerate_polygon_does_not_affect_others(bad, rng):
    made = {
        "a point": np.ones((6, 3)),
        "a line": np.linspace(0, 1, 6)[:, None] * [1.0, 2.0, 3.0],
        "not finite": np.full((6, 3), np.nan),
        "crosses itself": np.c_[rng.normal(size=(6, 2)), np.zeros(6)],
    }[bad]
    arrow = np.c_[SHAPES["arrow"], np.zeros(5)]
    faces = triangles(np.concatenate([arrow, made, arrow]), np.array([5, 6, 5]))
    assert len(faces) == 3 + 4 + 3
    expected = triangles(arrow, np.array([5]))
    np.testing.assert_array_equal(faces[:3], expected)
    np.testing.assert_array_equal(faces[-3:], expected + 11)
