"""Mattes from our own matting network, see `models.matting`."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image
from scipy import ndimage

from imfield_jax.framing import bounding_box
from imfield_jax.inference.grabcut import grabcut
from imfield_jax.models.matting import SIDE, load_matting

SHIPPED = Path(__file__).resolve().parents[1] / "weights" / "matte" / "matte.npz"
_MARGIN = 0.2  # around the object, of its extent, when it is looked at again
_SMALLEST_PART = 0.05  # of the largest part; smaller parts are not the object


class LearnedMatte:
    """RGB [H, W, 3] uint8 -> matte [H, W] in [0, 1].

    The network sees images of 128 pixels: first the whole image, then what surrounds the object it found there. What it
    is unsure about is then decided by colours and edges (`grabcut`), unless `raw`.
    about: all that the mattes depend on, for a manifest.   Raises OSError or ValueError for a bad file.
    """

    def __init__(self, path: str | os.PathLike, raw: bool = False):
        weights = load_matting(path)
        self._logits, self._raw = jax.jit(weights.logits), raw
        self.about = identity(path)

    def __call__(self, rgb: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W"]:
        """The matte of an image."""
        height, width = rgb.shape[:2]
        matte = _main_parts(self._square(rgb, (0, 0, width, height), raw=True))
        if not (matte >= 0.5).any():
            return matte
        left, top, right, bottom = bounding_box(matte >= 0.5)
        margin = _MARGIN * max(right - left, bottom - top) + 2
        closer = self._square(rgb, (left - margin, top - margin, right + margin, bottom + margin), self._raw)
        return _main_parts(closer)

    def _square(self, rgb: np.ndarray, box: tuple[float, float, float, float], raw: bool) -> np.ndarray:
        """The matte of the part of an image in a box, 0 elsewhere; the box is made square and may reach beyond it."""
        height, width = rgb.shape[:2]
        left, top, right, bottom = box
        side = max(right - left, bottom - top)
        corner = np.array([(left + right - side) / 2, (top + bottom - side) / 2])
        scale = side / SIDE
        small = _sampled(rgb.astype(np.float32), corner, scale) / 255
        logits = np.asarray(self._logits(small[None]))[0]
        alpha = 1 / (1 + np.exp(-logits))
        if not raw:  # the mean of both opinions, so that what was unsure remains known
            alpha = (alpha + grabcut(255 * small, alpha)) / 2
        # The image's pixels in that square: an affine map from them to the square's pixels.
        data = (1 / scale, 0, -corner[0] / scale, 0, 1 / scale, -corner[1] / scale)
        found = Image.fromarray(alpha.astype(np.float32)).transform(
            (width, height), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR
        )
        return np.clip(np.asarray(found), 0, 1)


def identity(path: str | os.PathLike = SHIPPED) -> dict[str, str]:
    """All that the mattes of a network depend on, without reading it as one."""
    return {"file": Path(path).name, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()}


@functools.cache
def shipped_matte() -> LearnedMatte:
    """The network that comes with the package."""
    return LearnedMatte(SHIPPED)


def _sampled(rgb: np.ndarray, corner: np.ndarray, scale: float) -> np.ndarray:
    """A square of SIDE pixels of this size from a corner; beyond the image, its border continues."""
    smooth = ndimage.gaussian_filter(rgb, (scale / 2, scale / 2, 0), mode="nearest") if scale > 1 else rgb
    axis = (np.arange(SIDE) + 0.5) * scale - 0.5
    rows, columns = np.meshgrid(axis + corner[1], axis + corner[0], indexing="ij")
    channels = [ndimage.map_coordinates(smooth[..., c], (rows, columns), order=1, mode="nearest") for c in range(3)]
    return np.stack(channels, axis=-1)


def _main_parts(matte: np.ndarray) -> np.ndarray:
    """The matte without parts that are much smaller than the largest."""
    labels, count = ndimage.label(matte > 0.2)
    if not count:
        return matte
    areas = np.bincount(labels.ravel(), weights=matte.ravel())
    areas[0] = 0
    return np.where((areas >= _SMALLEST_PART * areas.max())[labels] | (labels == 0), matte, 0).astype(np.float32)
