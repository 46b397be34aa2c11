"""Verified image files of any format as RGBA pixels, and pixels as PNG."""

from __future__ import annotations

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageFile


def intact(image: Image.Image) -> Image.Image:
    """An image that was opened from a file object but not decoded yet, after a check of its checksums, if any.

    Pillow decodes the pixels of a PNG without checking their checksums. Pillow's exceptions for a damaged file are
    passed on.
    """
    if not isinstance(image, ImageFile.ImageFile) or image.format != "PNG" or image.fp is None:
        return image
    file = image.fp
    image.verify()  # the image cannot be decoded afterwards
    file.seek(0)
    return Image.open(file, formats=("PNG",))


def as_rgba(image: Image.Image) -> Image.Image:
    """An image of any mode as RGBA. 16 bits are scaled to 8, where Pillow would clip nearly all to white."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray(((np.asarray(image, np.uint32) + 128) // 257).astype(np.uint8))
    elif image.mode in ("CMYK", "YCbCr", "RGBX"):
        image = image.convert("RGB")
    return image if image.mode == "RGBA" else image.convert("RGBA")  # large ones are not copied


def encode_png(image: UInt8[np.ndarray, "H W *channels"]) -> bytes:
    """Grey, RGB or RGBA pixels as the bytes of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "png")
    return stream.getvalue()
