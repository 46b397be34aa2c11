"""Texture pictures beside a mesh: finding them although the file names them wrongly, reading them.

Mesh files travel; the paths in them stay behind ("C:/Documents and Settings/.../wood.jpg"). What
survives is the base name, so that is what we look for, and only in folders that belong to the
model: a mesh file must not make us open pictures elsewhere on the machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from imfield_jax.images import as_rgba, intact

LONGEST_TEXTURE = 1024  # pixels; views are 137 pixels wide, and 4096^2 textures would fill the memory


def find(name: str, folders: Iterable[Path]) -> Path | None:
    """The file that `name` (any path, any slashes, any case) means in the first folder that has it.

    Only the base name counts. None when no folder has it.
    """
    wanted = name.strip().strip('"').replace("\\", "/").rsplit("/", 1)[-1].lower()
    for folder in folders:
        if not wanted or not folder.is_dir():
            continue
        matches = sorted(path for path in folder.iterdir() if path.name.lower() == wanted and path.is_file())
        if matches:
            return matches[0]
    return None


def rgba(image: Image.Image) -> np.ndarray | None:
    """A picture as [H, W, 4] uint8, at most LONGEST_TEXTURE a side; None when it cannot be decoded."""
    try:
        image = as_rgba(intact(image))
        longest = max(image.size)
        if longest > LONGEST_TEXTURE:
            size = tuple(max(1, round(side * LONGEST_TEXTURE / longest)) for side in image.size)
            image = image.resize(size, Image.Resampling.BOX)
        return np.asarray(image)
    except Exception:  # each of Pillow's decoders fails in its own way on a damaged file
        return None


def read(path: Path | None) -> np.ndarray | None:
    """The picture of a file as `rgba`; None for no file or one that is not a picture."""
    if path is None:
        return None
    try:
        with path.open("rb") as file, Image.open(file) as image:
            return rgba(image)
    except Exception:  # see above
        return None
