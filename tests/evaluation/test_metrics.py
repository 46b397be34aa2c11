"""Metrics against brute force, analytic cases, and the laws a distance should obey."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax import coordinates
from imfield_jax.evaluation import metrics
from imfield_jax.mesh.sampling import SurfacePoints

EMPTY = SurfacePoints(np.zeros((0, 3)), np.zeros((0, 3)))


def random_surface(seed: int, count: int = 50) -> SurfacePoints:
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(count, 3))
    return SurfacePoints(rng.uniform(-0.5, 0.5, (count, 3)), normals / np.linalg.norm(normals, axis=1, keepdims=True))


def ball_surface(radius: float, count: int, seed: int) -> SurfacePoints:
    normals = np.random.default_rng(seed).normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return SurfacePoints(radius * normals, normals)


def all_metrics(predicted: SurfacePoints, true: SurfacePoints, threshold: float = 0.1) -> np.ndarray:
    pair = metrics.match(predicted, true)
    return np.array(
        [
            metrics.chamfer_l1(pair),
            metrics.chamfer_l2(pair),
            metrics.normal_consistency(pair),
            metrics.normals_off(pair, 20.0),
            metrics.f_score(pair, threshold),
        ]
    )


def brute_force(a: SurfacePoints, b: SurfacePoints, threshold: float) -> np.ndarray:
    """The definitions, one point at a time."""

    def one_way(start, end):
        distances, dots = [], []
        for point, normal in zip(start.points, start.normals, strict=True):
            lengths = [float(np.sqrt(((point - other) ** 2).sum())) for other in end.points]
            nearest = int(np.argmin(lengths))
            distances.append(lengths[nearest])
            dots.append(abs(float(normal @ end.normals[nearest])))
        return np.array(distances), np.array(dots)

    (there, dots_there), (back, dots_back) = one_way(a, b), one_way(b, a)
    precision, recall = (there <= threshold).mean(), (back <= threshold).mean()
    return np.array(
        [
            (there.mean() + back.mean()) / 2,
            (there**2).mean() + (back**2).mean(),
            (dots_there.mean() + dots_back.mean()) / 2,
            ((np.degrees(np.arccos(dots_there)) > 20).mean() + (np.degrees(np.arccos(dots_back)) > 20).mean()) / 2,
            2 * precision * recall / (precision + recall),
        ]
    )


def test_metrics_equal_brute_force_on_fifty_points():
    a, b = random_surface(0), random_surface(1, count=40)
    np.testing.assert_allclose(all_metrics(a, b, 0.15), brute_force(a, b, 0.15), rtol=1e-12)


def test_a_surface_agrees_with_itself_perfectly():
    a = random_surface(0)
    np.testing.assert_allclose(all_metrics(a, a, 0.0), [0, 0, 1, 0, 1], atol=1e-12)


def test_metrics_are_symmetric():
    a, b = random_surface(0), random_surface(1, count=30)
    np.testing.assert_allclose(all_metrics(a, b), all_metrics(b, a), rtol=1e-12)


def test_metrics_of_normals_ignore_their_sign():
    a, b = random_surface(0), random_surface(1)
    flipped = SurfacePoints(b.points, -b.normals)
    np.testing.assert_allclose(all_metrics(a, b), all_metrics(a, flipped), rtol=1e-12)


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_scaling_both_scales_distances_and_leaves_shares(scale):
    a, b = random_surface(0), random_surface(1)
    small = all_metrics(a, b, 0.1)
    large = all_metrics(
        SurfacePoints(scale * a.points, a.normals), SurfacePoints(scale * b.points, b.normals), scale * 0.1
    )
    np.testing.assert_allclose(large, small * [scale, scale**2, 1, 1, 1], rtol=1e-9)


def test_published_units_do_not_depend_on_scale():
    a, b = random_surface(0), random_surface(1)
    for scale in (1.0, 0.25):
        pair = metrics.match(SurfacePoints(scale * a.points, a.normals), SurfacePoints(scale * b.points, b.normals))
        assert metrics.onet_chamfer_l1(pair, 0.8 * scale) == pytest.approx(
            10 / 0.8 * metrics.chamfer_l1(metrics.match(a, b))
        )
        assert metrics.imnet_chamfer_l2(pair, 0.5 * scale) == pytest.approx(
            1000 / 0.25 * metrics.chamfer_l2(metrics.match(a, b))
        )


def test_concentric_spheres_are_the_difference_of_their_radii_apart():
    inner, outer = ball_surface(0.2, 20_000, 0), ball_surface(0.3, 20_000, 1)
    l1, l2, normals, off, _ = all_metrics(inner, outer)
    assert l1 == pytest.approx(0.1, rel=4e-3)
    assert l2 == pytest.approx(2 * 0.1**2, rel=8e-3)
    assert normals == pytest.approx(1.0, abs=1e-3)
    assert off == 0
    pair = metrics.match(inner, outer)
    assert metrics.f_score(pair, 0.099) == 0
    assert metrics.f_score(pair, 0.11) == 1


def test_f_score_is_the_harmonic_mean_of_precision_and_recall():
    near, far = np.zeros((1, 3)), np.full((3, 3), 0.4)
    up = np.array([[0.0, 1.0, 0.0]])
    predicted = SurfacePoints(near, up)
    true = SurfacePoints(np.concatenate([near, far]), np.repeat(up, 4, axis=0))
    assert metrics.f_score(metrics.match(predicted, true), 0.01) == pytest.approx(2 * 1 * 0.25 / 1.25)


def test_one_empty_surface_has_the_worst_scores_and_two_agree():
    a = random_surface(0)
    for pair in ((EMPTY, a), (a, EMPTY)):
        np.testing.assert_allclose(all_metrics(*pair), [np.sqrt(3), 6, 0, 1, 0])
    np.testing.assert_allclose(all_metrics(EMPTY, EMPTY), [0, 0, 1, 0, 1])


def test_iou_of_two_boxes_is_analytic():
    points = coordinates.grid_points(40).reshape(-1, 3)
    low = np.all(np.abs(points - [-0.1, 0, 0]) < [0.2, 0.3, 0.1], axis=1)
    high = np.all(np.abs(points - [0.1, 0, 0]) < [0.2, 0.3, 0.1], axis=1)
    # Overlap 0.2 of a union 0.6 long; the other sides are equal.
    assert metrics.volumetric_iou(low.astype(np.float32), high) == pytest.approx(1 / 3)
    assert metrics.volumetric_iou(high, high) == 1
    assert metrics.volumetric_iou(low, high) == metrics.volumetric_iou(high, low)


def test_iou_of_empty_solids():
    nothing, something = np.zeros(8), np.array([1.0, 0, 0, 0, 0, 0, 0, 0])
    assert metrics.volumetric_iou(nothing, something) == 0
    assert metrics.volumetric_iou(something, nothing) == 0
    assert metrics.volumetric_iou(nothing, nothing) == 1


def test_iou_counts_as_inside_what_is_above_the_level():
    assert metrics.volumetric_iou(np.array([0.51, 0.5, 0.49]), np.array([True, False, False])) == 1


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match=r"\(3,\) and \(4,\)"):
        metrics.volumetric_iou(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="normals"):
        SurfacePoints(np.zeros((3, 3)), np.zeros((2, 3)))
