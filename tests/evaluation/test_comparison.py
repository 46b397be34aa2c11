"""Rows of several methods and views, and what is averaged over what."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax import coordinates
from imfield_jax.coordinates import occupancy_of_solid
from imfield_jax.evaluation import comparison
from imfield_jax.evaluation.protocols import METRICS, Prediction
from imfield_jax.mesh.voxel_surface import true_surface

RADII = (0.2, 0.3, 0.4)
NAMES = ("a", "b", "c")


def ball(radius: float) -> np.ndarray:
    return np.linalg.norm(coordinates.grid_points(32), axis=-1) < radius


def predicts(*errors: float):
    """A method with one view per error: the true ball, that much larger."""

    def method(row, truth):
        for number, error in enumerate(errors):
            solid = ball(RADII[row] + error)
            yield (
                str(number),
                Prediction(true_surface(solid), occupancy_of_solid(solid, truth.points)),
            )

    return method


def rows_of(methods, names=NAMES) -> list[dict]:
    shapes = comparison.score_shapes(names, lambda row: ball(RADII[row]), methods, points=3_000)
    return [row for shape in shapes for row in shape]


def test_every_shape_method_and_view_has_a_row_in_order():
    rows = rows_of({"good": predicts(0.0), "bad": predicts(0.05, 0.1)})
    found = [(row["name"], row["method"], row["view"]) for row in rows]
    per_shape = [("good", "0"), ("bad", "0"), ("bad", "1")]
    assert found == [(name, *rest) for name in NAMES for rest in per_shape]


def test_first_shapes_alone_score_as_they_do_among_all():
    methods = {"good": predicts(0.02)}
    assert rows_of(methods, NAMES[:2]) == rows_of(methods)[:2]


def test_a_perfect_method_is_not_flattered_by_sharing_the_draw():
    for row in rows_of({"perfect": predicts(0.0)}):
        assert row["iou"] == 1
        assert row["chamfer_l1"] > 1e-3


def test_views_are_averaged_within_a_shape_before_shapes():
    rows = rows_of({"bad": predicts(0.05, 0.1)})
    by_shape = comparison.over_views(rows, "bad")
    assert list(by_shape) == list(NAMES)
    for number, name in enumerate(NAMES):
        expected = np.mean([row["iou"] for row in rows[2 * number : 2 * number + 2]])
        assert by_shape[name]["iou"] == pytest.approx(expected)
    mean = comparison.summaries(rows)["bad"]["iou"].mean
    assert mean == pytest.approx(np.mean([row["iou"] for row in rows]))


def test_the_better_method_has_the_advantage_on_every_metric_that_can_tell():
    rows = rows_of({"good": predicts(0.01), "bad": predicts(0.08)})
    found = comparison.advantages(rows, "good", "bad")
    for name in set(METRICS) - {"normal_consistency", "normals_off_20", "imnet_normal_consistency"}:
        assert found[name].mean > 0, name
    with pytest.raises(ValueError, match="same shapes"):
        comparison.advantages(rows[:-1], "good", "bad")
