"""The mean shape against brute force, and retrieval on its own latents."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax import coordinates
from imfield_jax.evaluation import baselines, metrics

R = 16


def ball(radius: float) -> np.ndarray:
    return (np.linalg.norm(coordinates.grid_points(R), axis=-1) < radius).astype(np.uint8)


def test_mean_of_identical_shapes_is_that_shape():
    shape = ball(0.3)
    mean = baselines.mean_shape([shape] * 5)
    assert mean.iou == 1
    np.testing.assert_array_equal(mean.occupancy > coordinates.LEVEL, shape.astype(bool))
    at_centres = mean.field()(coordinates.grid_points(R))
    np.testing.assert_allclose(at_centres, shape - 0.5, atol=1e-5)


def test_level_is_the_best_one_by_brute_force():
    shapes = np.random.default_rng(0).random((7, 6, 6, 6)) < np.linspace(0, 1, 6) ** 2
    mean = baselines.mean_shape(shapes)
    levels = (np.arange(-1, 8) + 0.5) / 7  # one between any two values the mean can have
    tried = [
        np.mean([metrics.volumetric_iou(shapes.mean(axis=0) > level, shape) for shape in shapes]) for level in levels
    ]
    assert mean.iou == pytest.approx(max(tried))
    cut = shapes.mean(axis=0) > mean.level
    np.testing.assert_array_equal(mean.occupancy > coordinates.LEVEL, cut)
    assert np.mean([metrics.volumetric_iou(cut, shape) for shape in shapes]) == pytest.approx(max(tried))
    # In the middle between two values of the mean, where it is least sensitive.
    assert abs(mean.level * 7 % 1 - 0.5) < 0.1


def test_fractions_count_as_volumes():
    solids = [np.random.default_rng(seed).random((8, 8, 8)) < 0.4 for seed in range(3)]
    mean = baselines.mean_shape([baselines.average_pool(solid, 2) for solid in solids])
    cut = np.repeat(np.repeat(np.repeat(mean.occupancy > coordinates.LEVEL, 2, 0), 2, 1), 2, 2)
    assert mean.iou == pytest.approx(np.mean([metrics.volumetric_iou(cut, solid) for solid in solids]))


def test_best_level_belongs_to_its_iou_where_every_level_cuts_differently():
    shapes = np.random.default_rng(0).random((5, 12, 12, 12)) ** 2
    mean = baselines.mean_shape(shapes)
    cut = mean.occupancy > coordinates.LEVEL
    common = shapes[:, cut].sum(axis=1)
    ious = common / (cut.sum() + shapes.sum(axis=(1, 2, 3)) - common)
    assert mean.iou == pytest.approx(ious.mean(), rel=1e-9)


def test_average_pool_keeps_the_volume_and_the_place():
    solid = np.random.default_rng(0).random((8, 8, 8)) < 0.4
    pooled = baselines.average_pool(solid, 4)
    assert pooled.mean() == pytest.approx(solid.mean())
    assert pooled[1, 0, 1] == pytest.approx(solid[4:, :4, 4:].mean())
    with pytest.raises(ValueError, match="8 cells"):
        baselines.average_pool(solid, 3)


def test_mean_field_is_trilinear_and_empty_outside():
    mean = baselines.mean_shape([ball(0.2), ball(0.3), ball(0.4)])
    field = mean.field()
    i, j, k = 3, 8, 8
    middle = coordinates.index_to_point(np.array([i + 0.5, j + 0.5, k + 0.5]), R)
    corners = mean.occupancy[i : i + 2, j : j + 2, k : k + 2]
    assert float(field(middle)) == pytest.approx(corners.mean() - 0.5, abs=1e-6)
    assert field(np.array([[0.9, 0, 0], [0, -0.7, 0]])).tolist() == [-0.5, -0.5]
    full = baselines.mean_shape([np.ones((R, R, R))]).field()
    assert float(full(np.array([0.53, 0.0, 0.0]))) < 0


def test_empty_shapes_and_no_shapes():
    mean = baselines.mean_shape(np.zeros((2, 4, 4, 4)))
    assert mean.iou == 1
    assert mean.occupancy.max() <= coordinates.LEVEL
    with pytest.raises(ValueError, match="at least one"):
        baselines.mean_shape([])


def test_training_latents_retrieve_themselves():
    latents = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    np.testing.assert_array_equal(baselines.nearest(latents, latents), np.arange(40))


def test_nearest_is_the_nearest_by_brute_force_and_the_first_of_equals():
    rng = np.random.default_rng(1)
    latents, queries = rng.normal(size=(30, 5)), rng.normal(size=(12, 5))
    for query, row in zip(queries, baselines.nearest(latents, queries), strict=True):
        assert row == min(range(30), key=lambda i: float(np.linalg.norm(latents[i] - query)))
    twins = np.repeat(latents[:1], 3, axis=0)
    assert baselines.nearest(twins, queries).tolist() == [0] * 12
    with pytest.raises(ValueError, match=r"\(30, 5\) and \(12, 4\)"):
        baselines.nearest(latents, queries[:, :4])
