"""From an RGBA picture to the 128x128 grey view the network sees, the same in training and after.

A network only knows objects framed as it was trained on them, so the rule is part of a model
(`Preset.framing`) and lives here, once, for prepared datasets and for a user's pictures:

    'centre'  IM-NET's: a 137x137 rendering, rows and columns 4 to 131. The
              object's size in the view depends on how far the camera was.
    'fit'     the object fills 7/8 of the view and is centred, wherever it was in the picture. Any
              picture with alpha can be framed so, whatever its size and margins.

Both put the object on white and reduce with Pillow's BILINEAR filter, whose support grows with the
reduction (it is antialiased). BOX would turn the moderate enlargement that 'fit' makes of a
137 pixel rendering into unequal blocks, LANCZOS would ring along the silhouette; a triangle filter
does neither and every value it makes lies between values that were there.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from imfield_jax.types import SameArray

FRAMINGS = ("fit", "centre")
FRAMED_SIZE = 128
RENDERED_SIZE = 137  # of the 3D-R2N2 pictures that 'centre' is defined on
CROP = slice(4, 132)
FILL = 0.875  # longest side of the object in the view, for 'fit'
FAINTEST = 8  # alpha, of 255, up to which a pixel is dust and not object


def frame(rgba: np.ndarray, framing: str) -> UInt8[np.ndarray, "128 128"]:
    """The view of a picture: uint8 [H, W, 4] straight alpha -> uint8 [128, 128], grey on white.

    Raises ValueError for another shape or dtype, an unknown framing, or a picture in which no pixel
    is opaque enough (alpha > 8).
    """
    if framing not in FRAMINGS:
        raise ValueError(f"framing is {framing!r}, expected one of {', '.join(FRAMINGS)}")
    if rgba.ndim != 3 or rgba.shape[2] != 4 or rgba.dtype != np.uint8:
        raise ValueError(f"the picture is {rgba.dtype} {list(rgba.shape)}, expected uint8 [height, width, 4]")
    object_pixels = rgba[..., 3] > FAINTEST
    if not object_pixels.any():
        raise ValueError("the picture is empty: no pixel has alpha above 8 of 255")
    grey = composite(rgba)
    return _centre(grey) if framing == "centre" else _fit(grey, object_pixels)


def grey_to_view(grey: UInt8[SameArray, "*shape 128 128"]) -> Float32[SameArray, "*shape 128 128 1"]:
    """Framed images as the network sees them, in [0, 1].

    A multiplication, because XLA may turn a division by a constant into one, numpy does not, and
    the two differ in the last bit; 255 becomes exactly 1.
    """
    return grey[..., None].astype(np.float32) * np.float32(1 / 255)


def composite(rgba: UInt8[np.ndarray, "H W 4"]) -> UInt8[np.ndarray, "H W"]:
    """Luminance on white of an image with straight alpha.

    Rec. 601 luminance rounded to whole numbers, then blended and rounded again, as OpenCV and the
    reference code do it.
    """
    # 16 bit fixed point, the weights adding up to exactly 1 so that white stays white.
    weights = np.array([19595, 38470, 7471], np.uint32)
    grey = (rgba[..., :3] @ weights + 32768) >> 16
    alpha = rgba[..., 3] / 255
    return np.rint(grey * alpha + 255 * (1 - alpha)).astype(np.uint8)


def on_white(rgba: UInt8[np.ndarray, "H W 4"]) -> UInt8[np.ndarray, "H W 3"]:
    """An image with straight alpha in colour on white."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.round(rgba[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _centre(grey: np.ndarray) -> np.ndarray:
    """Rows and columns 4 to 131 of the picture, made 137x137 first if it is not.

    A picture of another size is padded with white to a square, evenly on both sides, and the square
    is taken for the full 137x137 rendering.
    """
    height, width = grey.shape
    side = max(height, width)
    square = _window(grey, (height - side) // 2, (width - side) // 2, side)
    if side != RENDERED_SIZE:
        square = _resized(square, RENDERED_SIZE, (0, 0, side, side))
    return np.ascontiguousarray(square[CROP, CROP])


def _fit(grey: np.ndarray, object_pixels: np.ndarray) -> np.ndarray:
    """The square around the bounding box of the object pixels whose side the box fills to 7/8."""
    rows = np.flatnonzero(object_pixels.any(axis=1))
    columns = np.flatnonzero(object_pixels.any(axis=0))
    height, width = int(rows[-1] + 1 - rows[0]), int(columns[-1] + 1 - columns[0])
    side = max(height, width) / FILL
    # All that follows is relative to the box, so that moving the object changes not even rounding.
    margin = int(np.ceil(side))
    window = _window(grey, int(rows[0]) - margin, int(columns[0]) - margin, max(height, width) + 2 * margin)
    left, top = margin + (width - side) / 2, margin + (height - side) / 2
    return _resized(window, FRAMED_SIZE, (left, top, left + side, top + side))


def _window(grey: np.ndarray, top: int, left: int, side: int) -> np.ndarray:
    """A square cut out of the picture, white where it reaches beyond: [side, side]."""
    window = np.full((side, side), 255, np.uint8)
    height, width = grey.shape
    first_row, last_row = max(top, 0), min(top + side, height)
    first_column, last_column = max(left, 0), min(left + side, width)
    inside = grey[first_row:last_row, first_column:last_column]
    window[first_row - top : last_row - top, first_column - left : last_column - left] = inside
    return window


def _resized(grey: np.ndarray, size: int, box: tuple[float, float, float, float]) -> np.ndarray:
    picture = Image.fromarray(grey)
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR, box=box))
