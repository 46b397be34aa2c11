"""Errors of predicted cameras."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_FAR_OFF = 30.0  # degrees of azimuth, beyond which the object is seen from another side


def camera_errors(predicted: Float[np.ndarray, "N 7"], true: Float[np.ndarray, "N 7"]) -> dict[str, float]:
    """Median and 90th percentile of the angles by which cameras are off, in degrees, and the share far off in azimuth.

    Cameras as in `camera.view_camera`. Raises ValueError when there are none.
    """
    if not len(true):
        raise ValueError("there are no cameras to compare")
    turn = np.arctan2(*predicted[:, :2].T) - np.arctan2(*true[:, :2].T)
    azimuth = np.abs((np.degrees(turn) + 180) % 360 - 180)
    elevation = np.degrees(np.abs(predicted[:, 2] - true[:, 2]))
    return {
        "azimuth_median": float(np.median(azimuth)),
        "azimuth_90th_percentile": float(np.percentile(azimuth, 90)),
        "azimuth_off_by_30": float((azimuth > _FAR_OFF).mean()),
        "elevation_median": float(np.median(elevation)),
        "elevation_90th_percentile": float(np.percentile(elevation, 90)),
    }


def sentence(errors: dict[str, float]) -> str:
    """The errors in words."""
    return (
        f"Predicted cameras: azimuth off by {errors['azimuth_median']:.1f} degrees (median; 90 % of the views below "
        f"{errors['azimuth_90th_percentile']:.0f}), {errors['azimuth_off_by_30']:.0%} by more than {_FAR_OFF:.0f}; "
        f"elevation by {errors['elevation_median']:.1f} (90 % below {errors['elevation_90th_percentile']:.0f})."
    )
