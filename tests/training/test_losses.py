"""Losses and metrics against their formulas, and their gradients where fields saturate."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from imfield_jax.camera import Camera, view_camera
from imfield_jax.models.camera_head import DIRECTIONS
from imfield_jax.training.losses import camera_loss, latent_loss, occupancy_loss, point_metrics

LOGITS = np.array([[-2.0, 0.5], [3.0, -0.25]], np.float32)
OCCUPANCY = np.array([[0.0, 1.0], [1.0, 1.0]], np.float32)


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def test_mse_is_between_the_field_and_the_labels():
    expected = np.mean((sigmoid(LOGITS) - OCCUPANCY) ** 2)
    assert occupancy_loss(LOGITS, OCCUPANCY, "sigmoid", "mse") == pytest.approx(expected, rel=1e-6)
    field = np.array([[-0.02, 0.5], [0.99 + 0.03, -0.0025]])
    expected = np.mean((field - OCCUPANCY) ** 2)
    assert occupancy_loss(LOGITS, OCCUPANCY, "leaky_clip", "mse") == pytest.approx(expected, rel=1e-6)


def test_bce_is_the_likelihood_of_the_labels():
    likelihood = np.where(OCCUPANCY == 1, sigmoid(LOGITS), 1 - sigmoid(LOGITS))
    expected = -np.log(likelihood).mean()
    assert occupancy_loss(LOGITS, OCCUPANCY, "sigmoid", "bce") == pytest.approx(expected, rel=1e-6)


def test_soft_iou_is_that_of_volumes_where_the_field_is_sure():
    occupancy = np.repeat(np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]], np.float32), 500, axis=1)
    found = np.roll(occupancy, 500, axis=1)  # 1/3 and 1/3
    assert occupancy_loss(40 * found - 20, occupancy, "sigmoid", "iou") == pytest.approx(2 / 3, rel=1e-2)
    assert occupancy_loss(40 * occupancy - 20, occupancy, "sigmoid", "iou") == pytest.approx(0, abs=1e-6)


def test_soft_iou_keeps_uncertain_parts_that_cross_entropy_gives_up():
    # A body of one part, and legs at two of five places.
    legs = sum(np.eye(5, k=k, dtype=np.float32) + np.eye(5, k=k - 5, dtype=np.float32) for k in (0, 1))
    parts = np.concatenate([np.ones((5, 1), np.float32), legs], axis=1)
    assert (parts.sum(axis=1) == 3).all()
    losses = {
        (loss, name): float(occupancy_loss(field.repeat(20, axis=1), parts.repeat(20, axis=1), "sigmoid", loss))
        for loss in ("iou", "bce")
        for name, field in (
            ("bold", np.full((5, 6), 9, np.float32)),
            ("shy", np.tile(np.float32([9] + 5 * [-9]), (5, 1))),
        )
    }
    assert losses["bce", "shy"] < losses["bce", "bold"]
    assert losses["iou", "bold"] < losses["iou", "shy"]


@pytest.mark.parametrize("loss", ["bce", "iou"])
def test_losses_of_a_field_without_logits_are_refused(loss):
    with pytest.raises(ValueError, match=f"loss {loss} needs a decoder with output sigmoid, found leaky_clip: use mse"):
        occupancy_loss(LOGITS, OCCUPANCY, "leaky_clip", loss)


@pytest.mark.parametrize(("output", "loss"), [("sigmoid", "mse"), ("sigmoid", "bce"), ("leaky_clip", "mse")])
def test_gradients_are_finite_at_saturation(output, loss):
    logits = np.array([[-1e4, 1e4, -1e4, 1e4]], np.float32)
    occupancy = np.array([[0, 0, 1, 1]], np.float32)
    value, gradient = jax.value_and_grad(occupancy_loss)(logits, occupancy, output, loss)
    assert np.isfinite(value) and np.isfinite(gradient).all()
    if (output, loss) != ("sigmoid", "mse"):  # the others still pull where the answer is wrong, and the right way
        assert gradient[0, 1] > 0 > gradient[0, 2]


def test_the_latent_loss_is_a_mean_over_all_numbers():
    z, target = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 4.0]])
    assert latent_loss(z, target) == pytest.approx((0 + 4 + 9 + 0) / 4)


def test_the_camera_loss_is_what_cameras_do_to_a_view_and_how_sure_their_direction_is(estimate_of):
    camera = Camera(0.7, 0.3, 2.0, 0.8)
    view = view_camera(camera, 137, (10.0, 20.0, 100.0))[None]
    exact = estimate_of(view)
    assert camera_loss(exact, view) == pytest.approx(0, abs=1e-5)
    unsure = np.concatenate([np.zeros((1, DIRECTIONS), np.float32), view[:, 2:]], axis=-1)
    assert camera_loss(unsure, np.full((1, 7), np.nan, np.float32)) == 0
    moved = exact + np.eye(1, 29, 27, dtype=np.float32) * 0.06
    assert camera_loss(moved, view) == pytest.approx(0.06 / 3, rel=1e-3)  # of x, y and nearness, x has changed
    turned = view_camera(dataclasses.replace(camera, azimuth_radians=0.7 + np.pi), 137, (10.0, 20.0, 100.0))[None]
    assert camera_loss(estimate_of(turned), view) > camera_loss(unsure, view) > 0.3
    for cameras in (view, view * np.nan):
        assert np.isfinite(jax.grad(camera_loss)(200 * exact, cameras)).all()


def test_metrics_count_points():
    logits = np.array([[1.0, 1.0, -1.0, -1.0], [-1.0, -1.0, -1.0, -1.0]])
    occupancy = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    metrics = point_metrics(logits, occupancy, "sigmoid")
    assert {name: float(value) for name, value in metrics.items()} == {
        # An empty prediction of an empty shape counts as a miss, not as 0 / 0.
        "point_iou": pytest.approx((1 / 3 + 0) / 2),
        "predicted_inside": 2 / 8,
        "true_inside": 2 / 8,
    }
    at_level = point_metrics(np.array([[0.4, 0.6]]), np.array([[0.0, 1.0]]), "leaky_clip")
    assert at_level["point_iou"] == 1  # a leaky clip is inside above 0.5, not above 0
