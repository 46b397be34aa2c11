"""Prepared shapes as a TensorFlow Datasets dataset, `imfield_shapes`.

`build_dataset` packs the record files of one preparation into array_record files, offline. `open_split` reads them
one record at a time, in any order, decoding only the parts that are used; neither imports TensorFlow. Users of TFDS
read the same files with `tfds.load` or `tfds.data_source`, see `builder`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from absl import logging

from imfield_jax.dataset.builder import NAME, VERSION, ImfieldShapes, ShapesConfig
from imfield_jax.dataset.examples import remedy
from imfield_jax.dataset.rows import Split
from imfield_jax.files import damaged, read_json, write_atomic
from imfield_jax.preparation.disk import full_disk_named
from imfield_jax.preparation.work_folder import INDEX
from imfield_jax.sources.splits import SPLITS

# The files that describe a dataset, besides its examples, and their required keys.
_DESCRIPTIONS = {
    "dataset_info.json": ("name", "version", "splits"),
    "features.json": ("pythonClassName",),
    "metadata.json": ("names", "settings"),
}


def build_dataset(records: str | os.PathLike[str], data_dir: str | os.PathLike[str]) -> Path:
    """Pack the records listed in <records>/index.json and return the folder of the dataset.

    The index holds {"category", "license", "settings": {"views", ...}, "shapes": [{"name", "split", "file"}, ...]},
    "levels" if they differ from `features.LEVELS`; everything else in it becomes metadata of the dataset. A complete
    dataset with the same index and files is kept, any other one of this category is replaced. Splits without shapes
    are left out.

    Raises OSError, naming the file, when the disk is full, ValueError for a damaged record.
    """
    records = Path(records)
    index = read_json(records / INDEX, "index of records")
    packed = Path(data_dir) / NAME / index["category"] / VERSION
    seal = packed / INDEX  # written last, so a dataset that has one is complete
    newest = max(((records / shape["file"]).stat().st_mtime for shape in index["shapes"]), default=0)
    if _is_of(packed, index) and newest <= seal.stat().st_mtime:
        return packed
    seal.unlink(missing_ok=True)
    shutil.rmtree(packed, ignore_errors=True)
    _pack(records, index["category"], data_dir)
    write_atomic(seal, json.dumps(index))
    return packed


def _is_of(packed: Path, index: dict) -> bool:
    """Whether this is the dataset of an index, with all of its files."""
    try:
        if json.loads((packed / INDEX).read_text()) != index:
            return False
        for split in split_names(packed):
            open_split(packed, split)
    except (OSError, ValueError):
        return False
    return True


def _pack(records: Path, category: str, data_dir: str | os.PathLike[str]) -> None:
    config = category if category in ImfieldShapes.builder_configs else ShapesConfig(name=category)
    with full_disk_named(Path(data_dir)), _silent_tfds():
        builder = ImfieldShapes(records=records, config=config, data_dir=data_dir)
        builder.download_and_prepare(download_dir=records)  # nothing is downloaded, but TFDS creates this folder


@contextlib.contextmanager
def _silent_tfds() -> Iterator[None]:
    """Silence TFDS, which reports nonexistent downloads and every file it opens, in the log and on stdout."""
    verbosity = logging.get_verbosity()
    tfds.disable_progress_bar()
    try:
        logging.set_verbosity(logging.ERROR)
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(verbosity)


def find_dataset(directory: str | os.PathLike[str]) -> Path | None:
    """The folder of the only dataset in or below a data directory ("data/car"), None if there is none.

    Raises ValueError when there are several.
    """
    directory = Path(directory)
    if (directory / "dataset_info.json").exists():
        return directory
    found = sorted(directory.glob(f"{NAME}/*/*/dataset_info.json"))
    if len(found) > 1:
        choices = ", ".join(str(path.parent) for path in found)
        raise ValueError(f"{directory}: expected one dataset, found several: name one of {choices}")
    return found[0].parent if found else None


def split_names(directory: str | os.PathLike[str]) -> tuple[str, ...]:
    """The splits of the dataset in a data directory, in the order train, validation, test."""
    present = _builder(directory).info.splits
    return tuple(split for split in SPLITS if split in present)


def open_split(directory: str | os.PathLike[str], split: str) -> Split:
    """Open "train", "validation" or "test" of the dataset in a data directory ("data/car").

    Raises FileNotFoundError when there is no dataset or a file of it is missing, ValueError when it has no such split
    or a file is damaged.
    """
    builder = _builder(directory)
    if split not in builder.info.splits:
        present = ", ".join(builder.info.splits)
        raise ValueError(
            f"the dataset {builder.data_dir} has no shapes in split {split!r}, only in {present}: "
            "prepare more shapes, or name the shapes of each split (see prepare --help)"
        )
    return Split(builder, split)


def _builder(directory: str | os.PathLike[str]) -> tfds.core.DatasetBuilder:
    found = find_dataset(directory)
    if found is None:
        raise FileNotFoundError(f"no prepared dataset in {directory}: make one with imfield prepare --out={directory}")
    for name, keys in _DESCRIPTIONS.items():
        _check_description(found / name, keys)
    with damaged(found, "dataset", remedy(found / INDEX)), _silent_tfds():
        return tfds.builder_from_directory(found)


def _check_description(file: Path, keys: tuple[str, ...]) -> None:
    """Check a file that TFDS would ignore if missing, and not name if damaged."""
    if not file.exists():
        raise FileNotFoundError(f"{file}: expected a file of the dataset, found none: {remedy(file)}")
    with damaged(file, "dataset file", remedy(file)):
        contents = json.loads(file.read_text())
        missing = [key for key in keys if key not in contents]
        if missing:
            raise ValueError(f"{' and '.join(missing)} missing")
