"""Export of a dataset to the files that IM-NET-pytorch trains on, see `sources.imnet`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from imfield_jax.coordinates import LEVEL_SIZES
from imfield_jax.dataset.rows import Row, Split
from imfield_jax.files import atomic, write_atomic
from imfield_jax.framing import RENDERED_SIZE, composite
from imfield_jax.sources.formats.renderings import VIEWS
from imfield_jax.sources.imnet import LATER, PIXELS

_EXPORTED = {PIXELS: (VIEWS, RENDERED_SIZE, RENDERED_SIZE), **LATER.shapes}


def write(split: Split, path: Path, progress: Callable[[int, int, str], None] = lambda done, total, note: None) -> None:
    """Write all shapes of a split, one at a time, to an HDF5 file, and their names to a text file next to it.

    Raises ValueError for a split whose views are not 24 images of 137 x 137.
    """
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
        for name, shape in _EXPORTED.items():
            # One chunk per row, or chunks would be compressed again for each row written.
            storage = {"chunks": (1, *shape), "compression": "gzip", "compression_opts": 9}
            file.create_dataset(name, (len(split), *shape), np.uint8, **storage)
        for number, row in enumerate(split):
            for name, array in _arrays(row).items():
                file[name][number] = array
            progress(number + 1, len(split), "")
    write_atomic(path.with_suffix(".txt"), "".join(f"{name}\n" for name in split.names))


def _arrays(row: Row) -> dict[str, np.ndarray]:
    views = [row.view(number) for number in range(row.view_count)]
    arrays = {"pixels": np.stack([composite(view) for view in views]), "voxels": row.voxels[..., None]}
    for level in LEVEL_SIZES:
        arrays |= {f"points_{level}": row.points(level), f"values_{level}": row.values(level)[:, None]}
    for name, array in arrays.items():
        expected = _EXPORTED[name]
        if array.shape != expected:
            raise ValueError(f"{row.name}: {name}: expected IM-NET's shape {list(expected)}, found {list(array.shape)}")
    return arrays
