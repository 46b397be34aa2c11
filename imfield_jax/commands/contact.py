"""Contact sheets of an output folder: what the network saw and two sides of each mesh, many on a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from imfield_jax.commands.inputs import CONTACT, INPUT, PREVIEW
from imfield_jax.files import write_atomic
from imfield_jax.images import encode_png
from imfield_jax.mesh.sheet import Row, sheet

_ROWS, _GROUPS = 60, 3  # of a page
_TILE = 128
_LONGEST_NAME = 40


def write_contact_sheets(folder: Path, names: list[str]) -> list[Path]:
    """Pages of these results, made of their images in the folder: meshes.contact.png, meshes-2.contact.png, ..."""
    pages = []
    for number, start in enumerate(range(0, len(names), _ROWS), start=1):
        rows = [_row(folder, name) for name in names[start : start + _ROWS]]
        pages.append(folder / f"meshes{'' if number == 1 else f'-{number}'}{CONTACT}")
        write_atomic(pages[-1], encode_png(sheet(rows, groups=_GROUPS, tile=_TILE)))
    return pages


def _row(folder: Path, name: str) -> Row:
    with Image.open(folder / (name + INPUT)) as view, Image.open(folder / (name + PREVIEW)) as preview:
        sides = np.asarray(preview)  # front right, front left, back left, back right
        side = sides.shape[0]
        short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
        return Row((np.asarray(view), sides[:, :side], sides[:, 2 * side : 3 * side]), short)
