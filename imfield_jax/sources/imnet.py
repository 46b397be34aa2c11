"""Shapes prepared by IM-NET's authors or written by `imfield export`.

One row per shape, all uint8, gzip level 9; a text file of the same name lists the rows' names, one per line:

| data set | shape | content |
| --- | --- | --- |
| pixels | [N, 24, 137, 137] | luminance on white |
| voxels | [N, 64, 64, 64, 1] | 1 where any of 4^3 voxels is occupied |
| points_16, _32, _64 | [N, 4096, 3], [N, 4096, 3], [N, 16384, 3] | indices in the 256^3 grid |
| values_16, _32, _64 | [N, n, 1] | 1 inside |

The first files have 8,192 and 32,768 points at 32 and 64, indices in grids of 16, 32 and 64 cells per axis, and 20
images or none.

Images, voxels and labelled points are taken from the files; images are rendered only where the files have none.
The split is that of the files, except for the first ones, `<synset>_vox.hdf5`, which hold a whole category.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from imfield_jax.coordinates import LEVEL_SIZES, SOLID_RESOLUTION, VOXEL_RESOLUTION
from imfield_jax.files import one_line
from imfield_jax.framing import RENDERED_SIZE
from imfield_jax.mesh.voxel_surface import true_surface
from imfield_jax.sources.formats.renderings import VIEWS
from imfield_jax.sources.scene import of_mesh
from imfield_jax.sources.shape import Fields, Partial, Shape, stamp_of
from imfield_jax.sources.splits import SPLITS, split_sorted
from imfield_jax.sources.synsets import synset_of

EVERYTHING = "all"
_WHOLE = "vox"
PIXELS = "pixels"
_LISTED = "obj_list.txt"
_MAX_BLOCK = 256  # rows, of 0.8 MB each
_IMAGE_SHAPE = (RENDERED_SIZE, RENDERED_SIZE)
_SIDE = SOLID_RESOLUTION // VOXEL_RESOLUTION


@dataclasses.dataclass(frozen=True)
class Layout:
    """The points of a row at each level: their number, and the cells per axis of the grid they index."""

    points: dict[int, int]
    grids: dict[int, int]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of a row of each data set except the images."""
        return {
            "voxels": (VOXEL_RESOLUTION,) * 3 + (1,),
            **{f"points_{level}": (points, 3) for level, points in self.points.items()},
            **{f"values_{level}": (points, 1) for level, points in self.points.items()},
        }


LATER = Layout(LEVEL_SIZES, dict.fromkeys(LEVEL_SIZES, SOLID_RESOLUTION))
FIRST = Layout({16: 4096, 32: 8192, 64: 32768}, {level: level for level in LEVEL_SIZES})


def shapes(root: str | Path, category: str) -> list[Shape]:
    """The rows of one category, or of all, in a folder's `*_train.hdf5`, `*_validation.hdf5` and `*_test.hdf5`.

    Without such files, the rows of `*_vox.hdf5`, with the sorted 80/10/10 split.

    Raises OSError and ValueError as `layout_of` and `names_of` do, FileNotFoundError without any of these files,
    ValueError for files of both layouts.
    """
    root, group = Path(root), None if category == EVERYTHING else synset_of(category)
    files = {split: sorted(root.glob(f"*_{split}.hdf5")) for split in (*SPLITS, _WHOLE)}
    if any(files[split] for split in SPLITS):
        del files[_WHOLE]
    paths = [path for of_split in files.values() for path in of_split]
    if not paths:
        raise FileNotFoundError(f"{root}: expected files such as all_vox256_img_train.hdf5 or *_vox.hdf5, found none")
    layouts = {path: layout_of(path) for path in paths}
    if any(layout != layouts[paths[0]] for layout in layouts.values()):
        raise ValueError(f"{root}: expected files of one layout, found IM-NET's first and later ones: use two folders")
    found = [
        Shape(name, split, functools.partial(read, path, number, name, layouts[path]), stamp=stamp)
        for split, of_split in files.items()
        for path, stamp in zip(of_split, map(stamp_of, of_split), strict=True)
        for number, name in enumerate(names_of(path))
        if group in (None, name.split("/")[0])
    ]
    return _split(found) if _WHOLE in files else found


def _split(found: list[Shape]) -> list[Shape]:
    splits = split_sorted([shape.name for shape in found])
    return [dataclasses.replace(shape, split=splits[shape.name]) for shape in found]


def layout_of(path: Path) -> Layout:
    """The layout of an HDF5 file.

    Raises OSError when it cannot be read, ValueError when it is damaged or its data sets match neither layout.
    """
    with _opened(path) as file:
        found = file.get("points_32")
        layout = FIRST if isinstance(found, h5py.Dataset) and found.shape[1:] == (FIRST.points[32], 3) else LATER
        expected: dict[str, tuple[int | str, ...]] = {name: ("N", *shape) for name, shape in layout.shapes.items()}
        if PIXELS in file or layout is LATER:
            expected[PIXELS] = ("N", VIEWS if layout is LATER else "K", *_IMAGE_SHAPE)
        rows = len(found) if isinstance(found, h5py.Dataset) and found.shape else 0
        for name, shape in expected.items():
            _check(path, name, file.get(name), shape, rows)
    return layout


def _check(path: Path, name: str, found: h5py.Dataset | None, shape: tuple[int | str, ...], rows: int) -> None:
    """Raises ValueError for a data set of another shape; names in `shape` match any size."""
    actual: tuple[int, ...] = found.shape if isinstance(found, h5py.Dataset) and found.dtype == np.uint8 else ()
    if len(actual) != len(shape) or any(want not in (size, "N", "K") for want, size in zip(shape, actual, strict=True)):
        what = f"{found.dtype} {list(found.shape)}" if isinstance(found, h5py.Dataset) else "none"
        raise ValueError(f"{path}: {name}: expected uint8 [{', '.join(map(str, shape))}], found {what}")
    if actual[0] != rows:
        raise ValueError(f"{path}: {name}: expected {rows} rows as in points_32, found {actual[0]}")


def names_of(path: Path) -> list[str]:
    """The names of the rows of an HDF5 file, from the text file next to it, "<group>/<model>".

    The first files list models only, in a text file of the same name or in obj_list.txt; the group is what the file
    name begins with ("03001627_vox.hdf5").

    Raises OSError when one of the files is missing, ValueError when it is damaged or the two do not match.
    """
    listed = path.with_suffix(".txt")
    if not listed.is_file() and path.with_name(_LISTED).is_file():
        listed = path.with_name(_LISTED)
    try:
        names = listed.read_text().splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{listed}: expected the name of a row in each line, found other bytes: {one_line(error)}"
        ) from error
    with _opened(path) as file:
        rows = len(file["voxels"])
    if rows != len(names):
        raise ValueError(f"{path}: expected one row per name in {listed.name} ({len(names)}), found {rows}")
    group = path.stem.split("_")[0]
    return [name if "/" in name else f"{group}/{name}" for name in names]


def read(path: Path, number: int, name: str, layout: Layout) -> Partial:
    """One row of an HDF5 file.

    These files have no cameras (set to NaN), no solid finer than their voxels (which are repeated to 256^3) and no
    alpha (set to 0 where an image is white). Without images, preparation renders the surface of the voxels.

    Raises OSError when the file cannot be read, ValueError for values out of range.
    """
    first, block = _block_of(path, number)
    arrays = {key: array[number - first] for key, array in block.items()}
    pixels = arrays.get(PIXELS)
    limits = {"voxels": 1, **{f"values_{level}": 1 for level in layout.points}}
    limits |= {f"points_{level}": grid - 1 for level, grid in layout.grids.items()}
    for key, limit in limits.items():
        if arrays[key].max() > limit:
            raise ValueError(f"{path}: row {number} ({name}): {key}: expected 0 to {limit}, found {arrays[key].max()}")
    voxels = arrays["voxels"][..., 0]
    fields: Fields = {
        "voxels": voxels,
        "points": {level: arrays[f"points_{level}"] for level in layout.points},
        "values": {level: arrays[f"values_{level}"][:, 0] for level in layout.points},
        "grids": layout.grids,
        "solid": voxels.astype(bool).repeat(_SIDE, 0).repeat(_SIDE, 1).repeat(_SIDE, 2),
        "diagnostics": {"path": "imnet"},
    }
    if pixels is None:
        return Partial(fields, of_mesh(true_surface(voxels)))
    views = np.stack([pixels, pixels, pixels, np.where(pixels < 255, 255, 0).astype(np.uint8)], axis=-1)
    return Partial({**fields, "views": views, "cameras": np.full((len(pixels), 4), np.nan, np.float32)})


def _block_of(path: Path, number: int) -> tuple[int, dict[str, np.ndarray]]:
    """The rows in the same chunks as a given row: the index of the first, and their data sets by name.

    A compressed chunk is read as a whole. In our files it holds part of one row; in the authors' files it spans up to
    2,189 rows, so that the chunks of one row hold its neighbours too, a gigabyte in all.
    """
    with _opened(path) as file:
        size = min((file["voxels"].chunks or (1,))[0], _MAX_BLOCK)
    first = number // size * size
    return first, _rows(path, stamp_of(path), first, first + size)


@functools.lru_cache(maxsize=1)
def _rows(path: Path, stamp: str, start: int, stop: int) -> dict[str, np.ndarray]:
    """Rows of all data sets. The last block is cached, as the next row is usually in it."""
    with _opened(path) as file:
        return {key: file[key][start:stop] for key in (PIXELS, *LATER.shapes) if key in file}


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a file of IM-NET's layout, found none")
    try:
        with h5py.File(path) as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:  # raised by h5py for a damaged file
        raise ValueError(f"{path} is damaged or no HDF5 file: {one_line(error)}") from error
