"""From an RGBA image to the square grey view the network sees, the same in training and inference.

A network only knows objects that are framed as in its training, so the framing is part of a model
(`Preset.framing`) and is defined here, once, for prepared datasets and for a user's images:

    'centre'  IM-NET's: a 137x137 rendering, rows and columns 4 to 131. The
              object's size in the view depends on how far the camera was. Views of
              another size than 128 show the same square.
    'fit'     the object fills 7/8 of the view and is centred, wherever it was in the image. Any
              image with alpha can be framed this way, whatever its size and margins.
    'matte'   as 'fit', and a second channel tells the object from the background: on white alone, white parts
              of an object cannot be seen.
    'colour'  as 'matte', with red, green and blue instead of grey. No preset uses it, see docs/architecture.md.

`object_pixels` is the one definition of which pixels belong to the object. Both framings put the
object on white and reduce with Pillow's BILINEAR filter, whose support grows with the reduction (it is
antialiased). BOX would turn the moderate enlargement that 'fit' makes of a 137 pixel rendering into
unequal blocks, LANCZOS would ring along the silhouette; a triangle filter does neither, and all of
its values lie between input values.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from PIL import Image
from scipy import ndimage

from imfield_jax.types import SameArray

CHANNELS = {"fit": 1, "centre": 1, "matte": 2, "colour": 4}  # of the views of each framing
FRAMINGS = tuple(CHANNELS)
FRAMED_SIZE = 128
RENDERED_SIZE = 137  # of the 3D-R2N2 renderings that 'centre' is defined on
CROP = slice(4, 132)
FILL = 0.875  # longest side of the object in the view, for 'fit'
FAINTEST = 8  # alpha, of 255, up to which a pixel is never part of the object
OPAQUE = 128  # alpha from which it always is
_EIGHT = np.ones((3, 3), bool)  # neighbours, for connected regions


def frame(rgba: np.ndarray, framing: str, size: int = FRAMED_SIZE) -> UInt8[np.ndarray, "S S C"]:
    """The view of an image: uint8 [H, W, 4] straight alpha -> grey (or colours) on white, then the
    transparency if C is 2 (or 4).

    Raises ValueError for another shape or dtype, an unknown framing, or an image in which no pixel
    is opaque enough (alpha > 8).
    """
    _check(rgba, framing)
    visible = rgba[..., 3] > FAINTEST
    mask = object_pixels(rgba[..., 3])
    colors = np.moveaxis(on_white(rgba), -1, 0) if framing == "colour" else [composite(rgba)]
    planes = [*colors, 255 - rgba[..., 3]][: CHANNELS[framing]]
    for plane in planes:
        plane[visible & ~mask] = 255
    cropped = [_centre(plane, size) if framing == "centre" else _fit(plane, mask, size) for plane in planes]
    return np.stack(cropped, axis=-1)


def _check(rgba: np.ndarray, framing: str) -> None:
    """Raises ValueError for what cannot be framed."""
    if framing not in FRAMINGS:
        raise ValueError(f"framing is {framing!r}, expected one of {', '.join(FRAMINGS)}")
    if rgba.ndim != 3 or rgba.shape[2] != 4 or rgba.dtype != np.uint8:
        raise ValueError(f"the image is {rgba.dtype} {list(rgba.shape)}, expected uint8 [height, width, 4]")
    if not (rgba[..., 3] > FAINTEST).any():
        raise ValueError("the image is empty: no pixel has alpha above 8 of 255")


def object_pixels(alpha: UInt8[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The pixels of the object, by its alpha.

    Connected regions (8 neighbours) of alpha > 8 that have a pixel of alpha >= 128 somewhere: antialiased rims, thin
    parts and glass belong to the object, the few units of alpha that background removers leave elsewhere do not. In
    an image without alpha >= 128, everything above 8 is object.
    """
    visible = alpha > FAINTEST
    opaque = alpha >= OPAQUE
    if not opaque.any():
        return visible
    regions, count = ndimage.label(visible, _EIGHT)
    kept = np.zeros(count + 1, bool)
    kept[regions[opaque]] = True
    return kept[regions]


def bounding_box(mask: Bool[np.ndarray, "H W"]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a mask that is not empty, in Pillow's order, right and bottom exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def framed_square(rgba: UInt8[np.ndarray, "H W 4"], framing: str) -> tuple[float, float, float]:
    """Left, top and side, in pixels of an image, of the square that `frame` shows of it. Raises as `frame`."""
    _check(rgba, framing)
    if framing == "centre":
        height, width = rgba.shape[:2]
        side = max(height, width)
        pixel = side / RENDERED_SIZE
        return (width - side) / 2 + CROP.start * pixel, (height - side) / 2 + CROP.start * pixel, FRAMED_SIZE * pixel
    left, top, right, bottom = bounding_box(object_pixels(rgba[..., 3]))
    side = max(right - left, bottom - top) / FILL
    return (left + right - side) / 2, (top + bottom - side) / 2, side


def to_unit(framed: UInt8[SameArray, "*shape"]) -> Float32[SameArray, "*shape"]:
    """Framed images as the network sees them, in [0, 1].

    A multiplication, because XLA may turn a division by a constant into one, numpy does not, and
    the two differ in the last bit; 255 becomes exactly 1.
    """
    return framed.astype(np.float32) * np.float32(1 / 255)


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


def _centre(grey: np.ndarray, size: int) -> np.ndarray:
    """Rows and columns 4 to 131 of the image, which is first made 137x137 if it is not.

    An image of another size is padded with white to a square, evenly on both sides, and the square
    is taken for the full 137x137 rendering.
    """
    height, width = grey.shape
    side = max(height, width)
    square = _window(grey, (height - side) // 2, (width - side) // 2, side)
    if size != FRAMED_SIZE:
        start, end = (edge * side / RENDERED_SIZE for edge in (CROP.start, CROP.stop))
        return _resized(square, size, (start, start, end, end))
    if side != RENDERED_SIZE:
        square = _resized(square, RENDERED_SIZE, (0, 0, side, side))
    return np.ascontiguousarray(square[CROP, CROP])


def _fit(grey: np.ndarray, mask: np.ndarray, size: int) -> np.ndarray:
    """The square, centred on the object, of which the longer side of its bounding box fills 7/8."""
    first_column, first_row, end_column, end_row = bounding_box(mask)
    height, width = end_row - first_row, end_column - first_column
    side = max(height, width) / FILL
    # All that follows is relative to the box, so that moving the object does not even change rounding.
    margin = int(np.ceil(side))
    window = _window(grey, first_row - margin, first_column - margin, max(height, width) + 2 * margin)
    left, top = margin + (width - side) / 2, margin + (height - side) / 2
    return _resized(window, size, (left, top, left + side, top + side))


def _window(grey: np.ndarray, top: int, left: int, side: int) -> np.ndarray:
    """A square cut out of the image, white beyond the border: [side, side]."""
    window = np.full((side, side), 255, np.uint8)
    height, width = grey.shape
    first_row, end_row = max(top, 0), min(top + side, height)
    first_column, end_column = max(left, 0), min(left + side, width)
    inside = grey[first_row:end_row, first_column:end_column]
    window[first_row - top : end_row - top, first_column - left : end_column - left] = inside
    return window


def _resized(grey: np.ndarray, size: int, box: tuple[float, float, float, float]) -> np.ndarray:
    image = Image.fromarray(grey)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))
