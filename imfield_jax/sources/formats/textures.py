"""Texture images of a mesh: finding them although their paths are often wrong, and reading them.

Mesh files are moved between machines; the paths in them are not updated ("C:/Documents and
Settings/.../wood.jpg"). So textures are searched by base name, and only in folders that belong to
the model: a mesh file must not open images elsewhere on the machine.
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

MAX_TEXTURE_SIZE = 1024  # pixels; views are 137 pixels wide, and 4096^2 textures would fill the memory


def find(name: str, folders: Iterable[Path]) -> Path | None:
    """The file that `name` (any path, any slashes, any case) refers to, in the first folder that has it.

    Only the base name is compared. None when no folder has it.
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
    """A key that is equal for names of the same file in any case, encoding and Unicode normal form."""
    return unicodedata.normalize("NFC", text(os.fsencode(name)) if _is_bytes(name) else name).casefold()


def _is_bytes(name: str) -> bool:
    """Whether a file's name was not UTF-8, which Python marks with surrogates."""
    return any("\udc80" <= letter <= "\udcff" for letter in name)


def beside(name: str, folder: Path) -> Path | None:
    """The file that `name` in a mesh in `folder` refers to: as written if that stays within the folder's parent
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
    """The image of a file, see `decoded`; None if there is no file or it is not an image."""
    try:
        return None if path is None else decoded(path.read_bytes())
    except OSError:
        return None


def decoded(contents: bytes) -> Texture | None:
    """The image in a file's contents, RGBA, at most MAX_TEXTURE_SIZE per side; None if it is not an image."""
    try:
        with Image.open(io.BytesIO(contents)) as image:
            return _reduced(as_rgba(intact(image)))
    except Exception:  # each of Pillow's decoders fails in its own way on a damaged file
        return None


def _reduced(image: Image.Image) -> Texture:
    longest = max(image.size)
    if longest > MAX_TEXTURE_SIZE:
        width, height = (max(1, round(side * MAX_TEXTURE_SIZE / longest)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(image)
