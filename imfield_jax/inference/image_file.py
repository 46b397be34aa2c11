"""An image file as upright pixels. Files are not trusted: the header is checked before anything is decoded.

Every error is a single line that names the file and the remedy.
"""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError, features

from imfield_jax.files import damaged, one_line
from imfield_jax.images import intact

SUFFIXES_OF = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "AVIF": (".avif",),
    "HEIF": (".heic", ".heif"),
}
MAX_PIXELS = 80_000_000  # 320 MB as RGBA
MIN_SIDE = 16
MAX_ASPECT = 64
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I;16", "I;16L", "I;16B")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_NEEDED = {
    "AVIF": "a build of Pillow with AVIF, as on PyPI",
    "HEIF": "the package pillow-heif: pip install -e '.[heic]'",
}


def missing_reader(kind: str) -> str | None:
    """What has to be installed to read files of a kind of `SUFFIXES_OF`; None when they can be read."""
    if kind == "AVIF":
        present = features.check("avif")
    else:
        present = kind != "HEIF" or importlib.util.find_spec("pillow_heif") is not None
    return None if present else _NEEDED[kind]


def open_image(path: Path) -> tuple[Image.Image, list[str]]:
    """The decoded image, upright by its EXIF orientation, in any of `MODES`, and notes for the user.

    Raises OSError when the file cannot be read, and ValueError when it is empty, not an image of a known kind,
    damaged, or outside the limits above.
    """
    _check_file(path)
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, on metadata and size, which are checked here
        image = _identified(path, file)
        _check_header(path, image)
        notes = ["the file holds several images: the first was used"] if getattr(image, "is_animated", False) else []
        with damaged(path, f"{image.format} file"):
            image = intact(image)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)  # otherwise even upright images are copied
        return image, notes


def _check_file(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: expected an image file")
    if not path.is_file():
        raise ValueError(f"{path} is not a file: expected an image file")
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty (0 bytes): expected an image file")


def _identified(path: Path, file: BinaryIO) -> Image.Image:
    kinds = [kind for kind in SUFFIXES_OF if not missing_reader(kind)]
    if "HEIF" in kinds:
        import pillow_heif  # optional, and slow to load

        pillow_heif.register_heif_opener()
    try:
        return Image.open(file, formats=kinds)
    except UnidentifiedImageError:
        kind = _container(file)
        if kind and missing_reader(kind):
            raise ValueError(f"{path} is {kind}, which needs {missing_reader(kind)}") from None
        known = ", ".join(kinds)
        raise ValueError(f"{path} is not an image, or not of a known kind: expected {known}") from None
    except Image.DecompressionBombError:
        raise ValueError(f"{path} has too many pixels: at most {MAX_PIXELS:,} are read; make it smaller") from None
    except Exception as error:
        raise ValueError(f"{path} is damaged: its header cannot be read ({one_line(error)})") from error


def _container(file: BinaryIO) -> str | None:
    """AVIF or HEIF, by the brand in the first box of an ISO media file (ISO/IEC 14496-12), or None."""
    file.seek(0)
    head = file.read(12)
    if head[4:8] != b"ftyp":
        return None
    return "AVIF" if head[8:12] in (b"avif", b"avis") else "HEIF" if head[8:12] in _HEIF_BRANDS else None


def _check_header(path: Path, image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"{path} has {width} x {height} pixels: at most {MAX_PIXELS:,} are read; make it smaller")
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{path} has {width} x {height} pixels: each side needs {MIN_SIDE} or more")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ValueError(f"{path} has {width} x {height} pixels: a strip, not the image of an object")
    if image.mode not in MODES:
        raise ValueError(f"{path} stores its pixels as {image.mode!r}: save it as RGB or grey with 8 or 16 bits")
