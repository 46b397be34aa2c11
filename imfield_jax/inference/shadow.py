"""Soft shadows around an object: in the alpha channel of a cutout, or cast on a plain backdrop.

A soft shadow fades into its surroundings, whereas an object ends within a pixel or two. In alpha, antialiased rims and
spokes are narrow, and glass ends as abruptly as any other part; on a backdrop, a shadow also keeps the backdrop's
chromaticity. Both functions look for pixels that can be reached from outside without crossing an edge.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage
from skimage import morphology, segmentation

from imfield_jax.framing import OPAQUE, bounding_box, object_pixels

NARROW = 0.015  # fraction of the object's extent; soft regions up to twice this width are rims or thin parts
FAINT = 64  # a region with at most this alpha at its outer edge fades out, or is haze
SEE_THROUGH = 0.9  # of the object's alpha; a black region below the object with less may be a hard-edged shadow
BLACK, GREY = 60, 16  # brightest channel of such a shadow, and the largest difference between its channels
SHADE = 0.35, 0.985  # (L + 16) of a shadow, as a fraction of the backdrop's
TINT = 7.0  # Lab distance of a shadow's colour from that of the darkened backdrop
SLOPE = 1.2, 400.0  # steepest soft shadow in Lab units per pixel: the larger of the first and the second / extent
BASE = 0.12  # the lowest part of an object, as a fraction of its height
FLAT = 1.5  # steepest floor without texture, in Lab units per pixel
PROTRUDES = 0.02  # fraction of the object's size; a shadow that protrudes less does not change the framing
LOWEST = 0.15  # fraction of the foreground; a region that reaches further below the rest is its foot, not its shadow
INSIDE = 0.5  # fraction of the object's area; a larger shadow within its convex hull is a bright side of the object


def shadow_in_alpha(rgba: UInt8[np.ndarray, "H W 4"]) -> Bool[np.ndarray, "H W"]:
    """The pixels of an image that are shadow, haze or a feathered halo."""
    alpha = rgba[..., 3]
    mask = object_pixels(alpha)
    opaque = mask & (alpha >= OPAQUE)
    if not opaque.any():
        return np.zeros_like(mask)
    left, top, right, bottom = bounding_box(opaque)
    radius = max(2, round(NARROW * max(right - left, bottom - top)))
    soft = mask & (alpha < OPAQUE)
    colour = rgba[..., :3].astype(np.int16)
    see_through = SEE_THROUGH * np.median(alpha[opaque])  # the object itself may be slightly transparent
    black = mask & (alpha < see_through) & (colour.max(-1) <= BLACK) & (np.ptp(colour, axis=-1) <= GREY)
    _, top, _, bottom = bounding_box(opaque & ~black)  # half of the pixels are not see-through, so there are some
    low = np.arange(len(alpha)) > (top + bottom) / 2
    rim = ndimage.binary_dilation(np.pad(~mask, 1, constant_values=True), iterations=2)[1:-1, 1:-1]
    shadow = np.zeros_like(mask)
    regions, count = _wide_regions(soft, radius)
    for number in range(1, count + 1):
        if _fades(alpha, regions == number, rim):
            shadow |= regions == number
    regions, count = _wide_regions(black, radius)
    for number in range(1, count + 1):
        region = regions == number
        rows = np.flatnonzero(region.any(axis=1))
        if (region & rim).any() and low[rows].mean() > 0.9 and rows[-1] >= bottom - 0.1 * (bottom - top):
            shadow |= region
    return shadow


def _wide_regions(candidates: np.ndarray, radius: int) -> tuple[np.ndarray, int]:
    """The connected regions of a mask that are wider than twice the radius, with their own margins.

    [H, W] bool -> [H, W] integers, 0 elsewhere, and the number of regions.
    """
    padded = np.pad(candidates, 2 * radius, mode="edge")  # a region may go on beyond the image
    inner = ndimage.distance_transform_edt(padded) > radius
    regions, count = ndimage.label(inner[2 * radius : -2 * radius, 2 * radius : -2 * radius], np.ones((3, 3)))
    return np.where(candidates, segmentation.expand_labels(regions, 2 * radius + 1), 0), count


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    return ndimage.distance_transform_edt(~mask) <= radius if mask.any() else mask


def _fades(alpha: np.ndarray, region: np.ndarray, rim: np.ndarray) -> bool:
    """Whether a region is faint where it meets the outside, absolutely or relative to its own alpha."""
    edge = alpha[region & rim]
    return edge.size > 0 and bool(np.median(edge) < max(FAINT, 0.5 * np.percentile(alpha[region], 95)))


def shadow_on_backdrop(
    lab: Float[np.ndarray, "H W 3"], backdrop: Float[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """The part of a mask that is the soft shadow of the rest.

    lab, backdrop: the image and its backdrop in Lab.

    Light that is weakened by a factor scales L + 16, a and b by one number (where CIE's cube root holds), so a shadow
    differs from the backdrop in lightness only. Only regions below the rest, and smaller than it, are shadows.
    """
    left, top, right, bottom = bounding_box(mask)
    shade = (lab[..., 0] + 16) / (backdrop[..., 0] + 16)
    tint = np.linalg.norm(lab[..., 1:] - shade[..., None] * backdrop[..., 1:], axis=-1)
    slope = ndimage.gaussian_gradient_magnitude(lab[..., 0], 1.5)
    steepest = max(SLOPE[0], SLOPE[1] / max(right - left, bottom - top))
    smooth = mask & (shade > SHADE[0]) & (shade < SHADE[1]) & (tint < TINT) & (slope < steepest)
    reached = mask & ndimage.binary_propagation(~mask, mask=smooth | ~mask)
    radius = max(2, round(NARROW * max(right - left, bottom - top)))
    shadow = _grown(_wide_regions(reached, radius)[0] > 0, 2) & mask & (tint < TINT) & (shade > SHADE[0])
    return shadow if shadow.any() and _stands_on(mask & ~shadow, shadow) else np.zeros_like(mask)


def _stands_on(rest: np.ndarray, shadow: np.ndarray) -> bool:
    """Whether a shadow may belong to the rest: lower, beside or below but not above or far below it, mostly outside."""
    if not rest.any() or _height(shadow) <= _height(rest):
        return False
    left, top, right, bottom = bounding_box(rest | shadow)
    own_left, own_top, own_right, own_bottom = bounding_box(rest)
    beside = own_left - left + right - own_right + bottom - own_bottom
    inside = morphology.convex_hull_image(rest) & shadow
    return (
        own_top - top <= PROTRUDES * (bottom - top)
        and bottom - own_bottom <= LOWEST * max(right - left, bottom - top)
        and beside >= PROTRUDES * (own_right - own_left)
        and bool(inside.sum() <= INSIDE * rest.sum())
    )


def _height(mask: np.ndarray) -> float:
    """The mean row of a mask's pixels; rows count downwards."""
    return float(np.average(np.arange(len(mask)), weights=mask.sum(axis=1)))


def flat_base(lab: Float[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]) -> float:
    """The fraction of a mask's width over which its lowest part is one flat area, like a floor or a hard shadow."""
    left, top, right, bottom = bounding_box(mask)
    band = np.s_[bottom - max(3, round(BASE * (bottom - top))) : bottom, left:right]
    slope = ndimage.gaussian_gradient_magnitude(lab[band][..., 0], 1.5)
    flat = mask[band] & (slope < FLAT)
    return float((flat.mean(axis=0) > 0.5).mean())
