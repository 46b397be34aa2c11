"""Opened pictures as pixels that can be trusted and compared, however a file stores them."""

from __future__ import annotations

import numpy as np
from PIL import Image


def intact(image: Image.Image) -> Image.Image:
    """A picture just opened from a file object and not decoded yet, once its checksums, if any, are found right.

    Pillow decodes the pixels of a PNG without a look at their checksums. Raises whatever it makes of a damaged one.
    """
    if image.format != "PNG" or image.fp is None:
        return image
    file = image.fp
    image.verify()  # after which it cannot be decoded any more
    file.seek(0)
    return Image.open(file, formats=("PNG",))


def as_rgba(image: Image.Image) -> Image.Image:
    """A picture of any mode as RGBA. Of 16 bits the upper ones stay, where Pillow would make nearly all of it white."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray(np.round(np.asarray(image) / 257).astype(np.uint8))
    elif image.mode in ("CMYK", "YCbCr", "RGBX"):
        image = image.convert("RGB")
    return image.convert("RGBA")
