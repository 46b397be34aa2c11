"""Telling the object from a plain backdrop, for pictures without transparency.

The backdrop is a smooth colour, which the border of the picture shows: a quadratic in the picture's
coordinates per Lab channel, so a gradient or a vignette still counts as plain, fitted robustly, since
the object may touch the border. Pixels are then compared by their Mahalanobis distance to it, in units
of the noise that the border has. What is too far is object. Nothing is learned, so a picture whose border
is not plain is refused rather than guessed at. A shadow counts as part of the object.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import color, filters

RING = 0.03  # width of the border, as a part of the picture's shorter side
SAME_COLOUR = 6.0  # Lab distance within which a border pixel has the backdrop's colour
PLAIN_PART = 0.75  # part of the border that must have it
NOISE_FLOOR = 1.0  # Lab units; flat backdrops have no noise of their own, but compression adds some
OBJECT_NEAR, OBJECT_SURE = 4.5, 9.0  # in units of noise: object if connected to what is surely object
HOLE_NOISE = 2.0  # a see-through hole is as close to the backdrop as the border itself (median 1.5)
SMALLEST_PART = 0.05  # of the largest part: less is a speck


def object_mask(rgb: np.ndarray) -> np.ndarray:
    """The pixels of the object: [H, W, 3] uint8 -> [H, W] bool, not empty.

    Raises ValueError when the border is not plain, nothing stands out from it, or what stands out reaches
    three sides, so that it is not an object before a backdrop.
    """
    lab = color.rgb2lab(rgb).astype(np.float32)
    ring = _ring(lab.shape[:2])
    residual = lab - _smooth_backdrop(lab, ring)
    same = np.linalg.norm(residual[ring], axis=-1) < SAME_COLOUR
    if same.mean() < PLAIN_PART:
        raise ValueError(f"it has no transparency, and its border is not plain: only {same.mean():.0%} has one colour")
    distance = _mahalanobis(residual, residual[ring][same])
    mask = _without_specks(filters.apply_hysteresis_threshold(distance, OBJECT_NEAR, OBJECT_SURE))
    mask = _trim_fringe(_fill_highlights(mask, distance), distance)
    _check(mask)
    return mask


def _ring(shape: tuple[int, int]) -> np.ndarray:
    width = max(2, round(RING * min(shape)))
    ring = np.ones(shape, bool)
    ring[width:-width, width:-width] = False
    return ring


def _smooth_backdrop(lab: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """The quadratic through the border, by reweighted least squares (Geman-McClure): [H, W, 3]."""
    height, width = ring.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    basis = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1).astype(np.float32)
    seen, colours = basis[ring], lab[ring]
    fitted = np.median(colours, axis=0)  # from here, so that an object on the border cannot pull the start
    for _ in range(10):
        error = np.linalg.norm(colours - fitted, axis=-1)
        scale = max(2.0 * np.median(error), NOISE_FLOOR)
        weight = (1 / (1 + (error / scale) ** 2))[:, None]
        coefficients = np.linalg.lstsq(weight * seen, weight * colours, rcond=None)[0]
        fitted = seen @ coefficients
    return basis @ coefficients


def _mahalanobis(residual: np.ndarray, noise: np.ndarray) -> np.ndarray:
    covariance = noise.T @ noise / len(noise) + NOISE_FLOOR**2 * np.eye(3)
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    return np.linalg.norm(residual @ whiten.T, axis=-1)


def _without_specks(mask: np.ndarray) -> np.ndarray:
    parts, count = ndimage.label(mask)
    if not count:
        raise ValueError("it has no transparency, and nothing in it stands out from its background")
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    return (areas >= SMALLEST_PART * areas.max())[parts]


def _fill_highlights(mask: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Fills enclosed gaps but for real ones: large, and as close to the backdrop as the border is."""
    gaps, count = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
    if not count:
        return mask
    index = np.arange(count + 1)
    large = ndimage.sum_labels(gaps > 0, gaps, index) > 2e-3 * mask.sum()
    empty = ndimage.median(distance, gaps, index) < HOLE_NOISE
    fill = ~(large & empty)
    fill[0] = False
    return mask | fill[gaps]


def _trim_fringe(mask: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Takes off pixels at the rim that are more backdrop than object: blur, and halos of compression."""
    rim = mask & ~ndimage.binary_erosion(mask, iterations=2, border_value=1)
    mostly_backdrop = distance < 0.4 * ndimage.maximum_filter(distance, size=5)
    return mask & ~(rim & mostly_backdrop)


def _check(mask: np.ndarray) -> None:
    sides = sum(side.any() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    if sides >= 3:
        raise ValueError(
            f"it has no transparency, and its object cannot be told from its background: what stands out "
            f"reaches {sides} sides of the picture"
        )
