"""The files that IM-NET-pytorch trains on: `<name>_train.hdf5` and `<name>_train.txt`, `_test` likewise.

One row per shape, all uint8, gzip level 9; the text file has the rows' names, one per line:

| data set | shape | content |
| --- | --- | --- |
| pixels | [N, 24, 137, 137] | luminance on white |
| voxels | [N, 64, 64, 64, 1] | 1 where any of 4^3 voxels is full |
| points_16, _32, _64 | [N, n, 3] | indices in the 256^3 grid |
| values_16, _32, _64 | [N, n, 1] | 1 inside |
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np

from imfield_jax.coordinates import SOLID_RESOLUTION, VOXEL_RESOLUTION
from imfield_jax.data.record import Record
from imfield_jax.data.rows import Row, Split
from imfield_jax.data.sampling import LEVEL_SIZES
from imfield_jax.files import whole, write_whole
from imfield_jax.framing import RENDERED_SIZE, composite

VIEWS = 24
_SIDE = SOLID_RESOLUTION // VOXEL_RESOLUTION
_SHAPES = {
    "pixels": (VIEWS, RENDERED_SIZE, RENDERED_SIZE),
    "voxels": (VOXEL_RESOLUTION,) * 3 + (1,),
    **{f"points_{level}": (size, 3) for level, size in LEVEL_SIZES.items()},
    **{f"values_{level}": (size, 1) for level, size in LEVEL_SIZES.items()},
}


def write(split: Split, path: Path, progress: Callable[[int, int, str], None] = lambda done, total, note: None) -> None:
    """Write all shapes of a split to an HDF5 file and their names to the text file beside it, a shape at a time.

    Raises ValueError for a split with other pictures than 24 of 137 x 137.
    """
    with whole(path) as temporary, h5py.File(temporary, "w") as file:
        for name, shape in _SHAPES.items():
            # A chunk for each row, or rows would be compressed again and again as they come.
            storage = {"chunks": (1, *shape), "compression": "gzip", "compression_opts": 9}
            file.create_dataset(name, (len(split), *shape), np.uint8, **storage)
        for number, row in enumerate(split):
            for name, array in _arrays(row).items():
                file[name][number] = array
            progress(number + 1, len(split), "")
    write_whole(path.with_suffix(".txt"), "".join(f"{name}\n" for name in split.names))


def names_of(path: Path) -> list[str]:
    """The names of the rows of an HDF5 file, from the text file beside it.

    Raises OSError where one of the files is missing, ValueError where it is damaged or not of this layout, or the
    two do not fit.
    """
    names = path.with_suffix(".txt").read_text().splitlines()
    with _opened(path) as file:
        for name, shape in _SHAPES.items():
            if name not in file or file[name].shape[1:] != shape or file[name].dtype != np.uint8:
                found = f"{file[name].dtype} {list(file[name].shape)}" if name in file else "none"
                raise ValueError(f"{path}: {name}: expected uint8 [N, {str(shape)[1:-1]}], found {found}")
            rows = len(file[name])
            if rows != len(names):
                raise ValueError(f"{path}: {rows} rows of {name}, and {path.stem}.txt names {len(names)}")
    return names


def read(path: Path, number: int, name: str) -> Record:
    """One row of an HDF5 file.

    These files have no cameras (they become NaN), no solid finer than their voxels (which then make the 256^3 one)
    and no alpha (which becomes 0 where a picture is white).

    Raises OSError where the file cannot be read, ValueError for values out of range.
    """
    with _opened(path) as file:
        arrays = {key: file[key][number] for key in _SHAPES}
    for key, array in arrays.items():
        if not key.startswith(("pixels", "points")) and array.max() > 1:
            raise ValueError(f"{path}: row {number} ({name}): {key}: expected 0 and 1, found {array.max()}")
    grey, voxels = arrays["pixels"], arrays["voxels"][..., 0]
    return Record(
        name=name,
        voxels=voxels,
        points={level: arrays[f"points_{level}"] for level in LEVEL_SIZES},
        values={level: arrays[f"values_{level}"][:, 0] for level in LEVEL_SIZES},
        solid=voxels.astype(bool).repeat(_SIDE, 0).repeat(_SIDE, 1).repeat(_SIDE, 2),
        views=np.stack([grey, grey, grey, np.where(grey < 255, 255, 0).astype(np.uint8)], axis=-1),
        cameras=np.full((VIEWS, 4), np.nan, np.float32),
        center=np.zeros(3, np.float32),
        scale=np.float32(1),
        diagnostics={"path": "imnet"},
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a file of IM-NET's layout, found none")
    try:
        with h5py.File(path) as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:  # what h5py makes of a damaged file
        raise ValueError(f"{path} is damaged or no HDF5 file: {error}") from error


def _arrays(row: Row) -> dict[str, np.ndarray]:
    views = [row.view(number) for number in range(row.view_count)]
    arrays = {"pixels": np.stack([composite(view) for view in views]), "voxels": row.voxels[..., None]}
    for level in LEVEL_SIZES:
        arrays |= {f"points_{level}": row.points(level), f"values_{level}": row.values(level)[:, None]}
    for name, array in arrays.items():
        expected = _SHAPES[name]
        if array.shape != expected:
            raise ValueError(f"{row.name}: {name} has the shape {list(array.shape)}, IM-NET's has {list(expected)}")
    return arrays
