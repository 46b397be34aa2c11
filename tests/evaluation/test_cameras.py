"""Errors of cameras: known turns are found, whatever the side they start from."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.camera import Camera, view_camera
from imfield_jax.evaluation.cameras import camera_errors, sentence


def cameras(azimuths, elevations):
    square = (10.0, 12.0, 100.0)
    return np.stack(
        [view_camera(Camera(a, e, 2.0, 0.7), 137, square) for a, e in zip(azimuths, elevations, strict=True)]
    )


def test_turns_are_found_also_across_the_front_and_the_back():
    azimuths, elevations = np.radians([1.0, 181.0, 359.0, 90.0]), np.radians([0.0, 20.0, -5.0, 40.0])
    turns, tilts = np.radians([-4.0, 4.0, 4.0, 40.0]), np.radians([1.0, -1.0, 1.0, 3.0])
    errors = camera_errors(cameras(azimuths + turns, elevations + tilts), cameras(azimuths, elevations))
    assert errors["azimuth_median"] == pytest.approx(4, abs=1e-3)
    assert errors["azimuth_off_by_30"] == 0.25
    assert errors["elevation_median"] == pytest.approx(1, abs=1e-3)
    assert errors["elevation_90th_percentile"] == pytest.approx(1 + 0.7 * 2, abs=1e-3)
    assert "azimuth off by 4.0 degrees" in sentence(errors) and "25% by more than 30" in sentence(errors)


def test_no_cameras_have_no_error():
    with pytest.raises(ValueError, match="no cameras"):
        camera_errors(np.zeros((0, 7)), np.zeros((0, 7)))
