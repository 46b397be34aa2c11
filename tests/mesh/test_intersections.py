"""Crossing faces, against every edge and face solved one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import trimesh

from imfield_jax.mesh.intersections import self_intersections
from imfield_jax.types import Mesh


def slow(mesh: Mesh) -> set[tuple[int, int]]:
    """Each edge of one face meets the plane of the other where two barycentric coordinates and a share say."""

    def pierces(start, end, triangle):
        a, b, c = triangle
        try:
            u, v, share = np.linalg.solve(np.stack([b - a, c - a, start - end], axis=1), start - a)
        except np.linalg.LinAlgError:
            return False
        return u > 1e-12 and v > 1e-12 and u + v < 1 - 1e-12 and 1e-12 < share < 1 - 1e-12

    corners = mesh.vertices[mesh.faces].astype(np.float64)
    found = set()
    for one, other in itertools.combinations(range(len(corners)), 2):
        edges = [(corners[one], corners[other]), (corners[other], corners[one])]
        if any(pierces(t[i], t[(i + 1) % 3], s) for t, s in edges for i in range(3)):
            found.add((one, other))
    return found


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices, np.float32), np.array(shape.faces, np.int32))


@pytest.mark.parametrize("seed", range(4))
def test_random_triangles_cross_as_the_slow_way_says(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(0.02, 1, (40, 1, 1))  # from within a cell of the grid to across many
    corners = rng.uniform(-0.5, 0.5, (40, 1, 3)) + sizes * rng.normal(size=(40, 3, 3))
    mesh = Mesh(corners.reshape(-1, 3).astype(np.float32), np.arange(120, dtype=np.int32).reshape(-1, 3))
    expected = slow(mesh)
    assert len(expected) > 10
    assert set(map(tuple, self_intersections(mesh).tolist())) == expected


def test_faces_that_share_vertices_may_cross_too():
    rng = np.random.default_rng(0)
    mesh = Mesh(
        rng.uniform(size=(9, 3)).astype(np.float32),
        rng.permuted(np.tile(np.arange(9), (30, 1)), axis=1)[:, :3].astype(np.int32),
    )
    assert set(map(tuple, self_intersections(mesh).tolist())) == slow(mesh)


def test_two_balls_cross_where_they_overlap_and_one_ball_does_not():
    ball = trimesh.creation.icosphere(4, 0.3)
    assert not len(self_intersections(as_mesh(ball)))
    for shift, crossing in ((0.5, True), (0.7, False), (0.0, False)):
        other = trimesh.creation.icosphere(3, 0.3 if shift else 0.2)
        other.apply_translation([shift, 0.011, 0.007])
        both = as_mesh(trimesh.util.concatenate([ball, other]))
        pairs = self_intersections(both)
        assert bool(len(pairs)) == crossing
        assert (pairs[:, 0] < len(ball.faces)).all() and (pairs[:, 1] >= len(ball.faces)).all()


def test_an_empty_mesh_has_none():
    assert self_intersections(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))).shape == (0, 2)
