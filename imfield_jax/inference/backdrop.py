"""Separating the object from a plain backdrop, for images without transparency.

The backdrop is a smooth colour, estimated from the border of the image: a quadratic in the image's
coordinates per Lab channel, so a gradient or a vignette still counts as plain, fitted robustly, since
the object may touch the border. Pixels are then compared by their Mahalanobis distance to it, in units
of the noise of the border. Pixels that are too far from it are object, unless they form a soft shadow
below the rest. No model is learned, so an image whose border is not plain is rejected.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, UInt8
from scipy import ndimage
from skimage import color, filters

from imfield_jax.inference.shadow import flat_base, shadow_on_backdrop

RING = 0.03  # width of the border, as a fraction of the image's shorter side
SAME_COLOUR = 6.0  # Lab distance within which a border pixel has the backdrop's colour
PLAIN_PART = 0.75  # fraction of the border that must have that colour
NOISE_FLOOR = 1.0  # Lab units; flat backdrops have no noise of their own, but compression adds some
OBJECT_NEAR, OBJECT_SURE = 4.5, 9.0  # in units of noise: low and high threshold, with hysteresis
HOLE_NOISE = 2.0  # a see-through hole is as close to the backdrop as the border itself (median 1.5)
SMALLEST_PART = 0.05  # fraction of the largest part's area; smaller parts are specks
EDGE = 10.0  # Lab distance between object and backdrop within a few pixels of a sharp outline
WIDE_BASE = 0.35  # fraction of the width; a lowest part that is flat over more may be floor
SOFT_OUTLINE = 0.15  # fraction of the outline without such an edge above which the mask is doubtful


def object_mask(
    rgb: UInt8[np.ndarray, "H W 3"], area: Bool[np.ndarray, "H W"] | None = None
) -> tuple[Bool[np.ndarray, "H W"], list[str]]:
    """The pixels of the object, not empty, and notes for the user.

    area: the part of the image that is a photograph; default all of it.

    Raises ValueError when the border is not plain, nothing stands out from it, or the foreground reaches
    three sides, so that it is not an object in front of a backdrop.
    """
    area = np.ones(rgb.shape[:2], bool) if area is None else area
    lab = color.rgb2lab(rgb).astype(np.float32)
    ring = area & ~_eroded(area, max(2, round(RING * min(area.shape))))
    backdrop = _smooth_backdrop(lab, ring)
    residual = lab - backdrop
    same = np.linalg.norm(residual[ring], axis=-1) < SAME_COLOUR
    if same.mean() < PLAIN_PART:
        plain = f"only {same.mean():.0%} has one colour"
        raise ValueError(f"the image has no transparency, and its border is not plain: {plain}")
    distance = np.where(area, _mahalanobis(residual, residual[ring][same]), 0)
    mask = _without_specks(filters.apply_hysteresis_threshold(distance, OBJECT_NEAR, OBJECT_SURE))
    mask = _trim_fringe(_fill_highlights(mask, distance), distance)
    notes = ["the image has no transparency: its plain background was removed"]
    shadow = shadow_on_backdrop(lab, backdrop, mask)
    if shadow.any():
        mask = _without_specks(mask & ~shadow)
        notes[0] += ", and a soft shadow below the object"
    _check(mask, area)
    soft = _soft_outline(mask, residual)
    if soft > SOFT_OUTLINE:
        notes.append(
            f"{soft:.0%} of the outline is not an edge in the image: the mask may include a shadow, the floor or the "
            f"background, or miss a part of the object"
        )
    if flat_base(lab, mask) > WIDE_BASE:
        notes.append("the lowest part is one flat area over much of the width: it may be the floor or a shadow")
    return mask, notes


def _eroded(mask: np.ndarray, width: int) -> np.ndarray:
    return ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=width)


def _smooth_backdrop(lab: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """The quadratic fitted to the border, by reweighted least squares (Geman-McClure): [H, W, 3]."""
    height, width = ring.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    basis = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1).astype(np.float32)
    seen, colours = basis[ring], lab[ring]
    fitted = np.median(colours, axis=0)  # a robust start, although the object may touch the border
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
        raise ValueError("the image has no transparency, and nothing in it stands out from its background")
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    return (areas >= SMALLEST_PART * areas.max())[parts]


def _fill_highlights(mask: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Fills enclosed gaps, except large ones that are as close to the backdrop as the border is: see-through holes."""
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
    """Removes pixels at the rim that are more backdrop than object: blur and compression halos."""
    rim = mask & ~ndimage.binary_erosion(mask, iterations=2, border_value=1)
    mostly_backdrop = distance < 0.4 * ndimage.maximum_filter(distance, size=5)
    return mask & ~(rim & mostly_backdrop)


def _check(mask: np.ndarray, area: np.ndarray) -> None:
    outline = mask & area & ~_eroded(area, 1)
    y, x = (2 * place / (side - 1) - 1 for place, side in zip(np.nonzero(outline), area.shape, strict=True))
    upright = abs(y) >= abs(x)
    sides = sum(side.any() for side in (upright & (y < 0), upright & (y > 0), ~upright & (x < 0), ~upright & (x > 0)))
    if sides >= 3:
        raise ValueError(
            f"the image has no transparency, and its object cannot be separated from its background: the foreground "
            f"reaches {sides} sides of the image"
        )


def _soft_outline(mask: np.ndarray, residual: np.ndarray) -> float:
    """The fraction of a mask's outline across which the image hardly changes, as at a shadow."""
    outline = mask & ~ndimage.binary_erosion(mask, border_value=1)
    if not outline.any():
        return 0.0
    size = 2 * max(2, round(0.004 * max(mask.shape))) + 1
    smooth = ndimage.gaussian_filter(residual, (0.7, 0.7, 0))
    window = (size, size, 1)
    change = ndimage.maximum_filter(smooth, window) - ndimage.minimum_filter(smooth, window)
    return float((np.linalg.norm(change, axis=-1)[outline] < EDGE).mean())
