"""The methods that ours is benchmarked against work correctly."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import rivals
from benchmarks.completeness import same
from imfield_jax.extraction.sparse import extract
from imfield_jax.mesh.check import check

CENTER, RADIUS = np.array([0.05, -0.1, 0.02]), 0.3


def ball(points):
    return (RADIUS - np.linalg.norm(points - CENTER, axis=-1)).astype(np.float32)


def counted(field):
    evaluated = []

    def evaluate(points):
        evaluated.append(len(points))
        return field(points)

    return evaluate, evaluated


@pytest.mark.parametrize("method", [rivals.dense, rivals.imnet, rivals.mise])
@pytest.mark.parametrize("resolution", [32, 64])
def test_a_ball_is_closed_and_in_its_place(method, resolution):
    mesh = method(ball, resolution)
    report = check(mesh)
    assert report.sound and report.euler == 2
    assert report.signed_volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.01)
    distance = np.linalg.norm(mesh.vertices - CENTER, axis=1)
    np.testing.assert_allclose(distance, RADIUS, atol=0.06 / resolution)


def test_dense_equals_ours_where_nothing_is_missed():
    assert same(extract(ball, 48).mesh, rivals.dense(ball, 48))
    assert not same(extract(ball, 48).mesh, rivals.dense(ball, 47))


@pytest.mark.parametrize("method", [rivals.imnet, rivals.mise])
def test_coarse_to_fine_evaluates_less_than_everything(method):
    evaluate, evaluated = counted(ball)
    method(evaluate, 128)
    assert sum(evaluated) < 0.2 * 128**3


def test_imnet_grows_along_a_rod_that_its_coarse_cells_see_only_at_its_foot():
    def rod(points):
        thin = 0.006 - np.abs(points[:, [0, 2]] - [0.051, 0.02]).max(axis=1)
        thin = np.minimum(thin, 0.4 - np.abs(points[:, 1]))
        return np.maximum(thin, 0.1 - np.linalg.norm(points - [0, -0.35, 0], axis=1)).astype(np.float32)

    assert rivals.imnet(rod, 128).vertices[:, 1].max() > 0.38
