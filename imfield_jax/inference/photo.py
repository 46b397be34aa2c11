"""The object in an image file: RGBA, with everything else transparent.

`imfield_jax.framing.frame(photo.rgba, framing)` then makes the view that the network sees.
"""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from imfield_jax.camera import PictureCamera, picture_camera
from imfield_jax.framing import OPAQUE, bounding_box, framed_square
from imfield_jax.images import as_rgba
from imfield_jax.inference.cutout import AUTO, Matting, find_object
from imfield_jax.inference.image_file import Source, name_of, open_image
from imfield_jax.inference.image_list import list_images
from imfield_jax.inference.learned_matte import shipped_matte
from imfield_jax.inference.scribbles import read_scribbles, rectangle, scaled

__all__ = ["Photo", "list_images", "read_image"]

MAX_SIDE = 1024  # larger images are reduced: the network sees 128 pixels
_RIM = 0.05  # around what a person left open, as a fraction of it
MARGIN = 0.25  # around an object that is cut out of a large image, as a fraction of its extent: keeps backdrop in view


@dataclasses.dataclass(frozen=True)
class Part:
    """The part of a picture that an image shows.

    size: width and height of the upright picture.   box: left, top, right and bottom of the part, in its pixels.
    orientation: how the picture is stored, as in EXIF.
    """

    size: tuple[int, int]
    box: tuple[float, float, float, float]
    orientation: int = 1


@dataclasses.dataclass(frozen=True)
class Photo:
    """One object without its background.

    rgba:  colour not premultiplied, alpha above 8 on the object only; sides up to 1024.
    notes: what was done to the image and what may spoil the result, for the user.
    cut_out: whether parts of the image were made transparent.
    part:  of the picture that it is; None for the whole of one of this size.
    """

    rgba: UInt8[np.ndarray, "H W 4"]
    notes: list[str]
    cut_out: bool = False
    part: Part | None = None

    def camera(self, view: Float[np.ndarray, " 7"], framing: str) -> PictureCamera:
        """The camera of the whole picture, by that of its view in a framing."""
        height, width = self.rgba.shape[:2]
        part = self.part or Part((width, height), (0, 0, width, height))
        scale = (part.box[2] - part.box[0]) / width
        left, top, side = (scale * value for value in framed_square(self.rgba, framing))
        square = (part.box[0] + left, part.box[1] + top, side)
        return picture_camera(view, square, part.size, part.orientation)


def read_image(
    source: Source, *, crop: bool = True, matte: str | Matting = AUTO, scribbles: Source | None = None
) -> Photo:
    """The object in a PNG, JPEG, WebP, BMP, TIFF, GIF, AVIF or (with pillow-heif) HEIC file, or another source.

    Transparency separates the object from its background. An image without any is treated as a photograph: a plain
    background is removed, from any other the object is cut out by our matting network, with a note.

    crop: an image of more than 1024 pixels is cropped to the object before it is reduced, so that a small object
          keeps its pixels. False keeps the margins, which the framing 'centre' needs.
    matte: how the object is told from its background, see `cutout.find_object`.
    scribbles: an image of the picture's proportions that corrects the cut-out, see `scribbles`.

    Raises OSError when the file cannot be read, and ValueError when it is empty, not an image, damaged, too
    large or too small, entirely transparent, or has a background that cannot be removed.
    """
    image, notes, orientation = open_image(source)
    size, box = image.size, (0, 0, *image.size)
    said = None if scribbles is None else read_scribbles(scribbles, image.size)
    if said is not None and crop:
        box, said = _within(image.size, said)
        image = image.crop(box)
    pixels = _reduced(image)
    try:
        rgba, found = find_object(pixels, matte, _model, None if said is None else scaled(said, *pixels.shape[1::-1]))
    except ValueError as error:
        raise ValueError(f"{name_of(source)}: {error}") from None
    if said is None and crop and max(image.size) > MAX_SIDE:
        with contextlib.suppress(ValueError):  # the border of the crop may be less plain than the image's
            around = _around(rgba, image.size)
            closer = _reduced(image.crop(around))
            rgba, found = find_object(closer, matte, _model)
            pixels, box = closer, around
    part = Part(size, box, orientation)
    return Photo(rgba, notes + found, bool((rgba[..., 3] < pixels[..., 3]).any()), part)


def _model(rgb: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "H W"]:
    """Our matting network, which is read only when an image needs it."""
    return shipped_matte()(rgb)


def _reduced(image: Image.Image) -> np.ndarray:
    """[H, W, 4] uint8, its sides at most `MAX_SIDE`."""
    rgba, scale = as_rgba(image), MAX_SIDE / max(image.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        rgba = rgba.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return np.array(rgba)


def _within(size: tuple[int, int], said: np.ndarray) -> tuple[tuple[int, int, int, int], np.ndarray]:
    """The box in an image of `size`, and its scribbles, that is not said to be background, with a margin that is."""
    shape = said.shape[::-1]
    left, top, right, bottom = rectangle(said)
    margin = max(2, round(_RIM * max(right - left, bottom - top)))
    box = np.clip([left - margin, top - margin, right + margin, bottom + margin], 0, np.tile(shape, 2))
    part = said[box[1] : box[3], box[0] : box[2]]
    left, top, right, bottom = np.round(box * np.tile(np.array(size) / shape, 2)).astype(int).tolist()
    return (left, top, right, bottom), part


def _around(rgba: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The object's box with a margin in an image of `size` (width, height). rgba: the image, reduced."""
    scale = np.tile(np.array(size) / rgba.shape[1::-1], 2)
    left, top, right, bottom = bounding_box(rgba[..., 3] >= OPAQUE)
    margin = MARGIN * max(right - left, bottom - top) + 2
    grown = np.array([left - margin, top - margin, right + margin, bottom + margin]) * scale
    limits = np.tile(size, 2)
    left, top, right, bottom = np.clip(np.round(grown), 0, limits).astype(int).tolist()
    return left, top, right, bottom
