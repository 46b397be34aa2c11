"""Texture images for the ray tracer: reduced, premultiplied, with bilinear sampling and repetition.

There are no mip-maps. Images are reduced once to the detail that a 137-pixel view can show, and the sixteen
samples per pixel do the rest, which keeps the ray tracer simple.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from imfield_jax.sources import color as srgb

LARGEST_SIDE = 512  # about the size of the supersampled image
CUT_OUT = 0.5  # texels of an opaque part below this opacity are holes


def is_translucent(texture: UInt8[np.ndarray, "H W 4"]) -> bool:
    """Whether an image is translucent like glass rather than cut out like lace."""
    alpha = texture[..., 3]
    return bool(((alpha > 25) & (alpha < 230)).mean() > 0.5)


def prepared(
    texture: UInt8[np.ndarray, "H W 4"] | None, color: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> UInt8[np.ndarray, "h w 4"]:
    """Premultiplied texels, first row at the bottom where v = 0, sides <= 512.

    color: sRGB, multiplied with the texture in linear light, see `color.product`.

    None gives one white texel. Premultiplied, because the colour stored under transparent texels is
    arbitrary and would otherwise show as a fringe around every hole.
    """
    if texture is None:
        return np.full((1, 1, 4), 255, np.uint8)
    height, width = texture.shape[:2]
    shrink = LARGEST_SIDE / max(height, width, LARGEST_SIDE)
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    image = Image.fromarray(np.ascontiguousarray(texture))
    if size != (width, height):
        image = image.resize(size, Image.Resampling.BOX)  # weights RGBA by its alpha
    texels = np.asarray(image)[::-1].astype(np.float32)
    if color != (1.0, 1.0, 1.0):
        texels[..., :3] = 255 * srgb.product(texels[..., :3] / 255, np.array(color))
    texels[..., :3] *= texels[..., 3:] / 255
    return np.rint(texels).astype(np.uint8)


def sample(texels: UInt8[np.ndarray, "h w 4"], uv: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 4"]:
    """Straight (r, g, b, opacity) in [0, 1] at uv, bilinear and repeating."""
    height, width = texels.shape[:2]
    if height == width == 1:
        return np.broadcast_to(_straight(texels.reshape(1, 4) / np.float32(255)), (len(uv), 4))
    x = uv[:, 0] * width - 0.5
    y = uv[:, 1] * height - 0.5
    column, row = np.floor(x), np.floor(y)
    across, along = (x - column)[:, None], (y - row)[:, None]
    column, row = column.astype(np.int64), row.astype(np.int64)
    left, right = column % width, (column + 1) % width
    low, high = row % height * width, (row + 1) % height * width
    flat = texels.reshape(-1, 4)
    bottom = flat[low + left] * (1 - across) + flat[low + right] * across
    top = flat[high + left] * (1 - across) + flat[high + right] * across
    return _straight((bottom * (1 - along) + top * along) / np.float32(255))


def _straight(premultiplied: np.ndarray) -> np.ndarray:
    alpha = premultiplied[:, 3:]
    color = premultiplied[:, :3] / np.maximum(alpha, np.float32(1e-3))
    return np.concatenate([np.minimum(color, 1), alpha], axis=1)
