"""Prepared shapes as a TensorFlow Datasets dataset, `imfield_shapes`.

`build_dataset` packs the record files of one preparation into array_record files, offline. `open_split` reads them
back one record at a time, in any order, and decodes only what is asked for; neither way imports TensorFlow. Users of
TFDS read the same files with `tfds.load` or `tfds.data_source`, see `builder`.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from absl import logging

from imfield_jax.dataset.builder import NAME, VERSION, ImfieldShapes, ShapesConfig
from imfield_jax.dataset.rows import Split
from imfield_jax.files import write_atomic
from imfield_jax.preparation.work_folder import INDEX
from imfield_jax.sources.splits import SPLITS


def build_dataset(records: Path | str, data_dir: Path | str) -> Path:
    """Pack the records listed in <records>/index.json and return the folder of the dataset.

    The index holds {"category", "license", "settings": {"views", ...}, "shapes": [{"name", "split", "file"}, ...]},
    "levels" where they are not `features.LEVELS`, and whatever else is in it is kept as the metadata of the dataset. A
    dataset of the same index and the same files is left alone, any other of this category is replaced. Splits without
    shapes are left out.
    """
    records = Path(records)
    index = json.loads((records / INDEX).read_text())
    packed = Path(data_dir) / NAME / index["category"] / VERSION
    seal = packed / INDEX  # written last, so what has one is whole
    newest = max(((records / shape["file"]).stat().st_mtime for shape in index["shapes"]), default=0)
    if seal.exists() and json.loads(seal.read_text()) == index and newest <= seal.stat().st_mtime:
        return packed
    seal.unlink(missing_ok=True)
    shutil.rmtree(packed, ignore_errors=True)
    _pack(records, index["category"], data_dir)
    write_atomic(seal, json.dumps(index))
    return packed


def _pack(records: Path, category: str, data_dir: Path | str) -> None:
    config = category if category in ImfieldShapes.builder_configs else ShapesConfig(name=category)
    with _silent_tfds():
        builder = ImfieldShapes(records=records, config=config, data_dir=data_dir)
        builder.download_and_prepare(download_dir=records)  # nothing is, but TFDS makes the folder


@contextlib.contextmanager
def _silent_tfds() -> Iterator[None]:
    """TFDS tells, in the log and on stdout, of downloads that do not happen and of every file it opens."""
    verbosity = logging.get_verbosity()
    tfds.disable_progress_bar()
    try:
        logging.set_verbosity(logging.ERROR)
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(verbosity)


def find_dataset(directory: Path | str) -> Path | None:
    """The folder of the one dataset in or below a data directory ("data/car"), None where there is none.

    Raises ValueError when there are several.
    """
    directory = Path(directory)
    if (directory / "dataset_info.json").exists():
        return directory
    found = sorted(directory.glob(f"{NAME}/*/*/dataset_info.json"))
    if len(found) > 1:
        choices = ", ".join(str(path.parent) for path in found)
        raise ValueError(f"{directory} holds several datasets; name one of {choices}")
    return found[0].parent if found else None


def split_names(directory: Path | str) -> tuple[str, ...]:
    """Which of train, validation and test the dataset in a data directory has, in this order."""
    present = _builder(directory).info.splits
    return tuple(split for split in SPLITS if split in present)


def open_split(directory: Path | str, split: str) -> Split:
    """Open "train", "validation" or "test" of the dataset in a data directory ("data/car").

    Raises FileNotFoundError when there is no dataset, ValueError when it has no such split.
    """
    builder = _builder(directory)
    if split not in builder.info.splits:
        present = ", ".join(builder.info.splits)
        raise ValueError(
            f"the dataset {builder.data_dir} has no shapes in split {split!r}, only in {present}: "
            "prepare more shapes, or name the shapes of each split (see prepare --help)"
        )
    return Split(builder, split)


def _builder(directory: Path | str) -> tfds.core.DatasetBuilder:
    found = find_dataset(directory)
    if found is None:
        raise FileNotFoundError(
            f"no prepared dataset in {directory}: make one, python -m experiments.prepare --out={directory}"
        )
    with _silent_tfds():
        return tfds.builder_from_directory(found)
