"""Texture images beside a mesh: finding them although the file names them wrongly, reading them.

Mesh files travel; the paths in them stay behind ("C:/Documents and Settings/.../wood.jpg"). What
survives is the base name, so that is what we look for, and only in folders that belong to the
model: a mesh file must not open images elsewhere on the machine.
"""

from __future__ import annotations

import io
import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from imfield_jax.images import as_rgba, intact
from imfield_jax.sources.formats.text import decoded as text
from imfield_jax.sources.scene import Texture

LONGEST_TEXTURE = 1024  # pixels; views are 137 pixels wide, and 4096^2 textures would fill the memory


def find(name: str, folders: Iterable[Path]) -> Path | None:
    """The file that `name` (any path, any slashes, any case) means in the first folder that has it.

    Only the base name counts. None when no folder has it.
    """
    wanted = _key(name.strip().strip('"').replace("\\", "/").rsplit("/", 1)[-1])
    for folder in folders:
        if not wanted or not folder.is_dir():
            continue
        matches = sorted(path for path in folder.iterdir() if _key(path.name) == wanted and path.is_file())
        if matches:
            return matches[0]
    return None


def _key(name: str) -> str:
    """Equal for names that mean the same file, whatever their case, encoding and way of writing accents."""
    return unicodedata.normalize("NFC", text(os.fsencode(name)) if _is_bytes(name) else name).casefold()


def _is_bytes(name: str) -> bool:
    """Whether a file's name was not UTF-8, which Python marks by surrogates."""
    return any("\udc80" <= letter <= "\udcff" for letter in name)


def beside(name: str, folder: Path) -> Path | None:
    """The file that a mesh in `folder` means by `name`: as written if that stays within the folder's parent
    (ShapeNet's "../images/texture0.jpg"), else by base name nearby, else None."""
    written = folder / name.strip().replace("\\", "/")
    try:
        if written.is_file() and written.resolve().is_relative_to(folder.resolve().parent):
            return written
    except (OSError, ValueError):  # too long for a name, or with a null character
        return None
    nearby = [folder, *(base / sub for base in (folder, folder.parent) for sub in ("textures", "images"))]
    return find(name, nearby)


def read(path: Path | None) -> Texture | None:
    """The image of a file, see `decoded`; None for no file or one that is no image."""
    try:
        return None if path is None else decoded(path.read_bytes())
    except OSError:
        return None


def decoded(contents: bytes) -> Texture | None:
    """The image that a file holds, RGBA and at most LONGEST_TEXTURE a side; None when it holds none."""
    try:
        with Image.open(io.BytesIO(contents)) as image:
            return _reduced(as_rgba(intact(image)))
    except Exception:  # each of Pillow's decoders fails in its own way on a damaged file
        return None


def _reduced(image: Image.Image) -> Texture:
    longest = max(image.size)
    if longest > LONGEST_TEXTURE:
        width, height = (max(1, round(side * LONGEST_TEXTURE / longest)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(image)
