"""Scores of known pairs of shapes, their files, and the intervals of their summary."""

from __future__ import annotations

import csv
import time

import numpy as np
import pytest

from imfield_jax import coordinates
from imfield_jax.coordinates import occupancy_of_solid
from imfield_jax.evaluation import metrics, protocols, summary
from imfield_jax.evaluation.protocols import METRICS, Prediction
from imfield_jax.mesh.voxel_surface import true_surface
from imfield_jax.types import Mesh

R = 64
COUNT = 20_000
NOTHING = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))


def ball(radius: float, resolution: int = R) -> np.ndarray:
    return np.linalg.norm(coordinates.grid_points(resolution), axis=-1) < radius


def predicted(solid: np.ndarray, truth: protocols.Truth) -> Prediction:
    return Prediction(true_surface(solid), occupancy_of_solid(solid, truth.points))


def scores_of(solid: np.ndarray, true_solid: np.ndarray, count: int = COUNT) -> dict[str, float]:
    truth = protocols.truth_of(true_solid, np.random.default_rng(0), count)
    return protocols.score(predicted(solid, truth), truth, np.random.default_rng(1))


def test_a_shape_scores_full_marks_against_itself():
    scores = scores_of(ball(0.3), ball(0.3), protocols.POINTS)
    assert set(scores) == set(METRICS) == set(protocols.UNITS)
    assert scores["iou"] == 1
    assert scores["f_score"] == pytest.approx(1, abs=1e-3)
    # What is left is the distance between random points on an area of 1.13.
    assert scores["chamfer_l1"] < 1.1 * 0.5 * np.sqrt(1.13 / protocols.POINTS)


def test_concentric_balls_have_the_analytic_scores():
    scores = scores_of(ball(0.25), ball(0.35))
    assert scores["iou"] == pytest.approx((0.25 / 0.35) ** 3, abs=0.02)
    assert scores["chamfer_l1"] == pytest.approx(0.1, rel=0.02)
    assert scores["chamfer_l2"] == pytest.approx(2 * 0.1**2, rel=0.04)
    assert scores["onet_chamfer_l1"] == pytest.approx(10 * 0.1 / 0.7, rel=0.03)
    assert scores["imnet_chamfer_l2"] == pytest.approx(1000 * 2 * 0.1**2 / (3 * 0.7**2), rel=0.06)
    assert scores["f_score"] == 0


def test_labels_are_the_voxels_at_the_points():
    solid = np.random.default_rng(5).random((8, 8, 8)) < 0.4
    truth = protocols.truth_of(solid, np.random.default_rng(0), 500)
    for point, occupied in zip(truth.points, truth.occupancy, strict=True):
        i, j, k = np.round((point + 0.5) * 8 - 0.5).astype(int)
        assert occupied == solid[i, j, k]
    np.testing.assert_array_equal(occupancy_of_solid(solid, truth.points), truth.occupancy)


def test_an_empty_prediction_has_the_worst_scores():
    truth = protocols.truth_of(ball(0.3), np.random.default_rng(0), COUNT)
    scores = protocols.score(Prediction(NOTHING, np.zeros(COUNT)), truth, np.random.default_rng(1))
    assert scores["iou"] == scores["f_score"] == scores["normal_consistency"] == 0
    assert scores["normals_off_20"] == 1
    assert scores["chamfer_l1"] == pytest.approx(np.sqrt(3))
    assert scores["chamfer_l2"] == pytest.approx(6)
    assert all(np.isfinite(list(scores.values())))


def test_empty_against_empty_is_perfect_and_finite():
    truth = protocols.truth_of(np.zeros((8, 8, 8), bool), np.random.default_rng(0), 100)
    scores = protocols.score(Prediction(NOTHING, np.zeros(100)), truth, np.random.default_rng(1))
    for name, more_is_better in METRICS.items():
        assert scores[name] == (1 if more_is_better else 0)


def test_a_rough_prediction_scores_as_rough_with_any_normals():
    solid = ball(0.3)
    truth = protocols.truth_of(solid, np.random.default_rng(0), COUNT)
    smooth = true_surface(solid)
    jitter = np.random.default_rng(2).normal(scale=0.3 / R, size=smooth.vertices.shape).astype(np.float32)
    rough = Mesh(smooth.vertices + jitter, smooth.faces, smooth.normals)
    occupancy = truth.occupancy
    clean, bad = (
        protocols.score(Prediction(mesh, occupancy), truth, np.random.default_rng(1)) for mesh in (smooth, rough)
    )
    assert bad["normal_consistency"] < clean["normal_consistency"] - 0.05
    assert bad["normals_off_20"] > clean["normals_off_20"] + 0.2
    believed = protocols.score(Prediction(rough, occupancy, smooth=True), truth, np.random.default_rng(1))
    assert believed["normal_consistency"] > 0.995


def test_scores_are_deterministic():
    assert scores_of(ball(0.25), ball(0.3), 2_000) == scores_of(ball(0.25), ball(0.3), 2_000)


def test_a_full_score_is_quick():
    solid = ball(0.3, 128)
    truth = protocols.truth_of(solid, np.random.default_rng(0))
    prediction = predicted(ball(0.29, 128), truth)
    start = time.process_time()
    protocols.score(prediction, truth, np.random.default_rng(1))
    assert time.process_time() - start < 2.0  # 0.35 s when the machine is quiet


def test_csv_comes_back_as_it_went(tmp_path):
    rows = [
        {"name": "a/1", "method": "retrieval", **{name: i / 3 for i, name in enumerate(METRICS)}},
        {"name": "b, quoted", "method": "retrieval", **dict.fromkeys(METRICS, 0.25)},
    ]
    protocols.write_scores(tmp_path / "scores.csv", rows)
    again = list(csv.DictReader((tmp_path / "scores.csv").read_text().splitlines()))
    assert [list(row) for row in again] == [["name", "method", *METRICS]] * 2
    for row, expected in zip(again, rows, strict=True):
        assert row["name"] == expected["name"]
        found = [float(row[name]) for name in METRICS]
        np.testing.assert_allclose(found, [expected[name] for name in METRICS], rtol=1e-5)
    protocols.write_scores(tmp_path / "none.csv", [])
    assert list(csv.DictReader((tmp_path / "none.csv").read_text().splitlines())) == []


def test_bootstrap_interval_covers_the_mean_at_its_nominal_rate():
    rng = np.random.default_rng(0)
    estimates = [summary.bootstrap(rng.normal(0.7, 0.1, size=40)) for _ in range(60)]
    covered = sum(estimate.low <= 0.7 <= estimate.high for estimate in estimates)
    assert 50 <= covered <= 59
    widths = [estimate.high - estimate.low for estimate in estimates]
    assert np.mean(widths) == pytest.approx(2 * 1.96 * 0.1 / np.sqrt(40), rel=0.1)


def test_bootstrap_is_deterministic_and_its_edges_are_defined():
    values = np.random.default_rng(0).random(20)
    assert summary.bootstrap(values) == summary.bootstrap(values)
    assert summary.bootstrap(np.array([0.3])) == summary.Estimate(0.3, 0.3, 0.3)
    for bad in ([], [0.1, np.nan]):
        with pytest.raises(ValueError, match="score"):
            summary.bootstrap(np.array(bad))


def test_advantages_are_positive_where_the_first_is_better():
    rng = np.random.default_rng(0)
    hard = rng.random(30)
    good = [{name: h + (0.1 if better else -0.1) for name, better in METRICS.items()} for h in hard]
    poor = [dict.fromkeys(METRICS, h) for h in hard]
    for estimate in summary.advantages(good, poor).values():
        # Paired: the spread over shapes cancels.
        np.testing.assert_allclose([estimate.mean, estimate.low, estimate.high], 0.1, rtol=1e-9)
    with pytest.raises(ValueError, match="30 and 29"):
        summary.advantages(good, poor[:-1])


def test_markdown_has_a_row_per_method_and_a_column_per_metric():
    rows = [dict.fromkeys(METRICS, 0.5)] * 3
    lines = summary.markdown({"single view": summary.summarise(rows), "mean shape": summary.summarise(rows)})
    header, rule, first, second = lines.splitlines()
    assert len({line.count("|") for line in (header, rule, first, second)}) == 1
    assert "f_score" in header
    assert first.startswith("| single view | 0.5 [0.5, 0.5] |")


def test_few_points_are_what_imnet_numbers_are_taken_from():
    truth = protocols.truth_of(ball(0.3), np.random.default_rng(0), COUNT)
    other = protocols.truth_of(ball(0.3), np.random.default_rng(1), COUNT)
    scores = protocols.score_surfaces(other.surface, truth.surface)
    few = metrics.match(*(draw.surface.first(4_096) for draw in (other, truth)))
    diagonal = np.linalg.norm(np.ptp(truth.surface.points, axis=0))
    assert scores["imnet_chamfer_l2"] == pytest.approx(1000 * metrics.chamfer_l2(few) / diagonal**2, rel=1e-5)
    assert scores["imnet_normal_consistency"] == pytest.approx(metrics.normal_consistency(few))
