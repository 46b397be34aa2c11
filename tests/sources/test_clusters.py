"""Clusters of similar shapes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import trimesh

from imfield_jax.sources import clusters
from imfield_jax.sources.scene import Part, Scene


def box_scene(extents, shift=0.0):
    box = trimesh.creation.box(extents=extents)
    return Scene((Part(np.asarray(box.vertices) + shift, np.asarray(box.faces)),))


def test_surface_points_are_uniform_and_independent_of_position_and_size():
    points = clusters.surface_points(box_scene((1, 1, 1)), count=600)
    half = 0.5 / np.sqrt(3)
    np.testing.assert_allclose(np.abs(points).max(axis=1), half)
    sides = Counter((int(np.abs(p).argmax()), bool(p[np.abs(p).argmax()] > 0)) for p in points)
    assert all(abs(count - 100) <= 2 for count in sides.values())
    moved = clusters.surface_points(box_scene((7, 7, 7), shift=3.0), count=600)
    np.testing.assert_allclose(moved, points, atol=1e-9)


def test_chamfer_distances_are_those_of_brute_force():
    rng = np.random.default_rng(0)
    clouds = [rng.random((40, 3)) for _ in range(3)]
    found = clusters.chamfer_distances(clouds)
    for i in range(3):
        for j in range(3):
            pairs = np.linalg.norm(clouds[i][:, None] - clouds[j][None], axis=-1)
            assert found[i, j] == pytest.approx((pairs.min(axis=0).mean() + pairs.min(axis=1).mean()) / 2)


def test_single_linkage_joins_chains():
    places = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 30.0])
    labels = clusters.single_linkage(np.abs(places[:, None] - places[None]), threshold=1.5)
    assert [list(labels).index(label) for label in labels] == [0, 0, 0, 3, 3, 5]
