"""A picture file as the object it shows: checked, upright, RGBA with the background transparent.

`imfield_jax.framing.frame(picture.rgba, framing)` then makes what the network sees. Files are not
trusted: the header is checked before anything is decoded, and whatever is wrong with one ends in a
single line that names the file and says what to do.
"""

from __future__ import annotations

import dataclasses
import os
import re
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from imfield_jax.files import one_line
from imfield_jax.images import as_rgba, intact
from imfield_jax.inference.backdrop import object_mask

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
MAX_PIXELS = 80_000_000  # 320 MB as RGBA
MAX_SIDE = 1024  # larger pictures are reduced: the network sees 128 pixels
MIN_SIDE = 16
MIN_OBJECT = 8
MAX_ASPECT = 64
OPAQUE = 128  # alpha from which a pixel belongs to the object
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I;16", "I;16L", "I;16B")
HOW_TO_CUT_OUT = "cut the object out and save it as PNG with transparency, or picture it before a plain background"


@dataclasses.dataclass(frozen=True)
class Picture:
    """One object without its background.

    rgba:  [H, W, 4] uint8, colour not premultiplied, alpha 255 on the object; sides up to `MAX_SIDE`.
    notes: what was done to the picture and what may spoil the result, for the user to read.
    """

    rgba: np.ndarray
    notes: list[str]


def read_picture(path: str | os.PathLike) -> Picture:
    """The object in a PNG, JPEG, WebP, BMP, TIFF or GIF file.

    Transparency says what the object is. Without any, a plain background is removed, with a note.
    Raises OSError when the file cannot be read, and ValueError when it is empty, no picture, damaged, too
    large or too small, entirely transparent, or has a background that cannot be removed.
    """
    path = Path(path)
    _check_file(path)
    rgba, notes = _decode(path)
    has_background = (rgba[..., 3] < OPAQUE).mean() < 0.005
    if has_background:
        rgba = _cut_out(path, rgba)
        notes.append("the picture has no transparency: its plain background was removed")
    return Picture(rgba, notes + _describe(path, rgba))


def list_pictures(paths: Iterable[str | os.PathLike]) -> list[Path]:
    """Picture files: the files in `paths` as they are, and those in folders of `paths`, 2 before 10.

    Folders are not searched deeper. Raises OSError for what does not exist and ValueError for a folder
    without pictures, or for no paths at all.
    """
    pictures = [picture for path in map(Path, paths) for picture in (_in_folder(path) if path.is_dir() else [path])]
    if not pictures:
        raise ValueError("no pictures were named: expected picture files, or folders that hold some")
    for picture in pictures:
        if not picture.exists():
            raise FileNotFoundError(f"{picture} does not exist: expected a picture file or a folder of pictures")
    return pictures


def _in_folder(folder: Path) -> list[Path]:
    found = [
        entry
        for entry in folder.iterdir()
        if entry.suffix.lower() in SUFFIXES and not entry.name.startswith(".") and entry.is_file()
    ]
    if not found:
        raise ValueError(f"{folder} holds no pictures: expected files that end in {', '.join(SUFFIXES)}")
    return sorted(found, key=lambda entry: (_natural(entry.name), entry.name))


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts runs of digits by their number: 2.png comes before 10.png."""
    return [(int(run), "") if run.isdecimal() else (-1, run.lower()) for run in re.split(r"(\d+)", name)]


def _check_file(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: expected a picture file")
    if not path.is_file():
        raise ValueError(f"{path} is not a file: expected a picture file")
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty (0 bytes): expected a picture file")


def _decode(path: Path) -> tuple[np.ndarray, list[str]]:
    """Upright RGBA pixels [H, W, 4] uint8 and notes. Any failure of the decoder is the file's fault."""
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own remarks on metadata and size, checked here
        try:
            image = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError:
            raise ValueError(
                f"{path} is not a picture, or not of a known kind: expected {', '.join(FORMATS)}"
            ) from None
        except Image.DecompressionBombError:
            raise ValueError(f"{path} has too many pixels: at most {MAX_PIXELS:,} are read; make it smaller") from None
        except Exception as error:
            raise ValueError(f"{path} is damaged: its header cannot be read ({one_line(error)})") from error
        _check_header(path, image)
        try:
            return _upright_rgba(intact(image))
        except Exception as error:
            raise ValueError(f"{path} is damaged or cut short: {one_line(error)}") from error


def _check_header(path: Path, image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"{path} has {width} x {height} pixels: at most {MAX_PIXELS:,} are read; make it smaller")
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{path} has {width} x {height} pixels: each side needs {MIN_SIDE} or more")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ValueError(f"{path} has {width} x {height} pixels: a strip, not the picture of an object")
    if image.mode not in MODES:
        raise ValueError(f"{path} stores its pixels as {image.mode!r}: save it as RGB or grey with 8 or 16 bits")


def _upright_rgba(image: Image.Image) -> tuple[np.ndarray, list[str]]:
    notes, size = [], image.size
    if getattr(image, "is_animated", False):
        notes.append("the file holds several pictures: the first was used")
    image.draft(None, (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded at a fraction of its size if that is enough
    image.load()
    image = ImageOps.exif_transpose(image)
    image = as_rgba(image)
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    if max(size) > MAX_SIDE:
        notes.append(f"the picture was reduced from {max(size)} to {max(image.size)} pixels on its longer side")
    return np.array(image), notes


def _cut_out(path: Path, rgba: np.ndarray) -> np.ndarray:
    try:
        mask = object_mask(rgba[..., :3])
    except ValueError as error:
        raise ValueError(f"{path}: {error}; {HOW_TO_CUT_OUT}") from None
    return np.dstack([rgba[..., :3], np.where(mask, 255, 0).astype(np.uint8)])


def _describe(path: Path, rgba: np.ndarray) -> list[str]:
    """Notes on the object; ValueError when there is none to speak of."""
    solid = rgba[..., 3] >= OPAQUE
    if not solid.any():
        raise ValueError(f"{path} is entirely transparent: expected an object with alpha {OPAQUE} or more")
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    if extent < MIN_OBJECT:
        raise ValueError(f"{path}: its object is {extent} pixels large, {MIN_OBJECT} or more are needed; crop closer")
    notes = []
    if extent < 64:
        notes.append(f"the object is only {extent} pixels large: expect few details")
    borders = {"top": solid[0], "bottom": solid[-1], "left": solid[:, 0], "right": solid[:, -1]}
    cut = [side for side, border in borders.items() if border.sum() > 0.2 * extent]
    if cut:
        notes.append(f"the object reaches the edge of the picture ({', '.join(cut)}): it may be cut off")
    if np.percentile(rgba[solid][:, :3].max(axis=-1), 5) > 240:
        notes.append("the object is almost white, like the background that the network sees: its outline may be lost")
    return notes
