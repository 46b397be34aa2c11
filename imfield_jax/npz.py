"""Arrays out of an npz file, none of which is read without its checksum."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from imfield_jax.reason import reason


def read_arrays(path: Path | str, wanted: Callable[[str], bool] = lambda name: True) -> dict[str, np.ndarray]:
    """The arrays of a file that `np.savez` wrote, those whose names are wanted.

    `np.load` reads as much of a member as its head tells it to, and checksums are of whole members: it takes a head
    that changed for what was written.

    Raises OSError when the file cannot be opened, ValueError with the reason when it is damaged.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = {name.removesuffix(".npy"): name for name in archive.namelist()}
                return {name: _array(archive.read(member)) for name, member in members.items() if wanted(name)}
        except Exception as error:  # whatever zip and npy make of a damaged file, OSError for odd offsets among it
            raise ValueError(reason(error)) from error


def _array(member: bytes) -> np.ndarray:
    return npy.read_array(io.BytesIO(member), allow_pickle=False)
