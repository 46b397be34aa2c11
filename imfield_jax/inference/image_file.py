"""An image as upright pixels: a file, its contents, or an image in memory.

Files are not trusted: the header is checked before anything is decoded. Every error is a single line that names the
file and the remedy.
"""

from __future__ import annotations

import importlib.util
import io
import os
import warnings
from pathlib import Path
from typing import IO, NamedTuple, TypeAlias, cast

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError, features

from imfield_jax.files import damaged, one_line
from imfield_jax.images import intact

# A file, the contents of one, an image, or uint8 [H, W], [H, W, 3] or [H, W, 4], straight alpha.
Source: TypeAlias = str | os.PathLike | bytes | Image.Image | np.ndarray

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


class Opened(NamedTuple):
    """A decoded image, upright, in any of `MODES`.

    notes: for the user.   orientation: how it is stored, as in EXIF; 1 is upright.
    """

    image: Image.Image
    notes: list[str]
    orientation: int


def open_image(source: Source) -> Opened:
    """The image, decoded and turned by its EXIF orientation.

    Raises OSError when the file cannot be read, and ValueError when it is empty, not an image of a known kind,
    damaged, or outside the limits above.
    """
    name = name_of(source)
    if isinstance(source, np.ndarray):
        source = _of_array(source)
    if isinstance(source, Image.Image):
        _check_header(name, source)
        return _upright(name, source.copy(), "image", [])
    with _opened(source) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, on metadata and size, which are checked here
        image = _identified(name, file)
        _check_header(name, image)
        notes = ["the file holds several images: the first was used"] if getattr(image, "is_animated", False) else []
        return _upright(name, image, f"{image.format} file", notes)


class TooManyPixels(ValueError):
    """An image that is too large to be decoded."""


def header_size(contents: bytes) -> tuple[int, int]:
    """Width and height by the header of a file's contents; nothing is decoded.

    Raises ValueError for what is no image of a known kind, `TooManyPixels` for more than are ever read.
    """
    with _opened(contents) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _identified(name_of(contents), file).size


def name_of(source: Source) -> str:
    """How messages call a source of `open_image`."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else "the image"


def _of_array(pixels: np.ndarray) -> Image.Image:
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,), (4,)):
        raise ValueError(
            "expected an image as a file or its contents, a Pillow image, or an array of uint8, [H, W], [H, W, 3] or "
            f"[H, W, 4], found {pixels.dtype} {list(pixels.shape)}"
        )
    return Image.fromarray(pixels)


def _upright(name: str, image: Image.Image, what: str, notes: list[str]) -> Opened:
    """The image, decoded."""
    with damaged(name, what):
        image = intact(image)
        image.load()
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        ImageOps.exif_transpose(image, in_place=True)  # otherwise even upright images are copied
    return Opened(image, notes, orientation if orientation in range(1, 9) else 1)


def _opened(source: str | os.PathLike | bytes) -> io.BufferedIOBase:
    if isinstance(source, bytes):
        if not source:
            raise ValueError("the image is empty (0 bytes): expected the contents of an image file")
        return io.BytesIO(source)
    _check_file(Path(source))
    return Path(source).open("rb")


def _check_file(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: expected an image file")
    if not path.is_file():
        raise ValueError(f"{path} is not a file: expected an image file")
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty (0 bytes): expected an image file")


def _identified(path: str, file: io.BufferedIOBase) -> Image.Image:
    kinds = [kind for kind in SUFFIXES_OF if not missing_reader(kind)]
    if "HEIF" in kinds:
        import pillow_heif  # optional, and slow to load

        pillow_heif.register_heif_opener()
    try:
        return Image.open(cast("IO[bytes]", file), formats=kinds)
    except UnidentifiedImageError:
        kind = _container(file)
        if kind and missing_reader(kind):
            raise ValueError(f"{path} is {kind}, which needs {missing_reader(kind)}") from None
        known = ", ".join(kinds)
        raise ValueError(f"{path} is not an image, or not of a known kind: expected {known}") from None
    except Image.DecompressionBombError:
        raise TooManyPixels(f"{path} has too many pixels: at most {MAX_PIXELS:,} are read; make it smaller") from None
    except Exception as error:
        raise ValueError(f"{path} is damaged: its header cannot be read ({one_line(error)})") from error


def _container(file: io.BufferedIOBase) -> str | None:
    """AVIF or HEIF, by the brand in the first box of an ISO media file (ISO/IEC 14496-12), or None."""
    file.seek(0)
    head = file.read(12)
    if head[4:8] != b"ftyp":
        return None
    return "AVIF" if head[8:12] in (b"avif", b"avis") else "HEIF" if head[8:12] in _HEIF_BRANDS else None


def _check_header(path: str, image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise TooManyPixels(f"{path} has {width} x {height} pixels: at most {MAX_PIXELS:,} are read; make it smaller")
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{path} has {width} x {height} pixels: each side needs {MIN_SIDE} or more")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ValueError(f"{path} has {width} x {height} pixels: a strip, not the image of an object")
    if image.mode not in MODES:
        raise ValueError(f"{path} stores its pixels as {image.mode!r}: save it as RGB or grey with 8 or 16 bits")
