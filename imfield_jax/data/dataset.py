"""Prepared shapes as a TensorFlow Datasets dataset, `imfield_shapes`.

The builder packs the record files of one preparation (its manual directory) into array_record files,
offline. `open_split` reads them back one record at a time, in any order, and decodes only what is
asked for; neither way imports TensorFlow. Users of TFDS read the same files with
`tfds.data_source("imfield_shapes/car", data_dir="data/car")` and get pictures, voxels and points as
arrays.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from imfield_jax.coordinates import SOLID_RESOLUTION, VOXEL_RESOLUTION
from imfield_jax.data.record_file import read_example
from imfield_jax.data.rows import Split
from imfield_jax.data.sampling import LEVEL_SIZES
from imfield_jax.data.sources import SPLITS
from imfield_jax.files import write_whole

NAME = "imfield_shapes"
VERSION = "1.0.0"
INDEX = "index.json"  # in the manual directory: what to pack

_CITATION = """\
@inproceedings{chen2019imnet,
  title={Learning Implicit Fields for Generative Shape Modeling},
  author={Chen, Zhiqin and Zhang, Hao},
  booktitle={IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)},
  year={2019}
}"""

_DESCRIPTION = """\
Shapes of one category with labelled points and rendered views, for implicit fields. Each shape is
solid in the cube [-0.5, 0.5]^3, y up, front -z. Points are the centres of grid cells, sampled near
the surface at three levels as in IM-NET; views have the cameras of the 3D-R2N2 renderings."""

# What is stored of each level; the first files of IM-NET have other points.
LEVELS = {str(level): {"points": size, "grid": SOLID_RESOLUTION} for level, size in LEVEL_SIZES.items()}


def features(levels: dict[str, dict[str, int]]) -> tfds.features.FeaturesDict:
    """The features of one shape, in the letters of `imfield_jax.types`.

    levels: as `LEVELS`, which is what preparation samples.
    """
    points = {
        f"{kind}_{level}": tfds.features.Tensor(
            shape=(stored["points"], *shape),
            dtype=np.uint8,
            encoding=encoding,
            doc=f"{text.format(stored['grid'])} (sampled on {level}^3 cells)",
        )
        for level, stored in levels.items()
        for kind, shape, encoding, text in (
            ("points", (3,), "bytes", "Indices in a grid of {0} cells per axis: (index + 0.5) / {0} - 0.5"),
            ("values", (), "zlib", "1 inside, 0 outside"),
        )
    }
    camera = "Azimuth, elevation (radians), distance (cube units), field of view (radians)"
    tensor = tfds.features.Tensor
    return tfds.features.FeaturesDict(
        {
            "name": tfds.features.Text(doc="<group>/<model id>, unique in the dataset"),
            "voxels": tensor(
                shape=(VOXEL_RESOLUTION,) * 3,
                dtype=np.uint8,
                encoding="zlib",
                doc="1 where any of 4^3 voxels is full",
            ),
            "solid": tensor(
                shape=(SOLID_RESOLUTION**3 // 8,),
                dtype=np.uint8,
                encoding="zlib",
                doc="The 256^3 solid, np.packbits",
            ),
            "views": tfds.features.Sequence(
                tfds.features.Image(shape=(None, None, 4), encoding_format="png"),
                doc="RGBA, transparent background",
            ),
            "cameras": tensor(shape=(None, 4), dtype=np.float32, doc=camera),
            "center": tensor(shape=(3,), dtype=np.float32, doc="cube = scale * (source - center)"),
            "scale": tfds.features.Scalar(dtype=np.float32, doc="Cube units per unit of the source"),
            **points,
        }
    )


class ImfieldShapes(tfds.core.GeneratorBasedBuilder):
    """Packs the record files listed in <manual_dir>/index.json; see `build_dataset`."""

    VERSION = tfds.core.Version(VERSION)
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Prepare shapes with `python -m experiments.prepare`, which also runs this builder."

    # Where TFDS looks for checksums of downloads, which we have none of. Its search for that place
    # imports importlib_resources, which it does not install (4.9.10).
    code_path = None

    def __init__(self, *, index: dict | None = None, **kwargs):
        self._index = index or {"license": "", "shapes": []}
        super().__init__(**kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        names = {split: [s["name"] for s in self._index["shapes"] if s["split"] == split] for split in SPLITS}
        settings = {key: value for key, value in self._index.items() if key != "shapes"}
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=features(self._index.get("levels", LEVELS)),
            citation=_CITATION,
            license=self._index["license"],
            disable_shuffling=True,  # row i of a split is name i, for good
            metadata=tfds.core.MetadataDict(names=names, **settings),
        )

    def _split_generators(self, dl_manager) -> dict[str, Iterator]:
        root = Path(dl_manager.manual_dir)
        files = {split: [s["file"] for s in self._index["shapes"] if s["split"] == split] for split in SPLITS}
        return {split: self._generate_examples(root, files[split]) for split in SPLITS if files[split]}

    def _generate_examples(self, root: Path, files: list[str]) -> Iterator[tuple[int, dict]]:
        for row, file in enumerate(files):
            yield row, read_example(root / file)


def build_dataset(manual_dir: Path | str, data_dir: Path | str) -> Path:
    """Pack the records listed in <manual_dir>/index.json and return the folder of the dataset.

    The index holds {"category", "license", "settings": {"views", ...}, "shapes": [{"name", "split", "file"}, ...]},
    "levels" where they are not `LEVELS`, and whatever else is in it is kept as the metadata of the dataset.
    A dataset of the same index and the same files
    is left alone, any other of this category is replaced. Splits without shapes are left out.
    """
    index = json.loads((Path(manual_dir) / INDEX).read_text())
    packed = Path(data_dir) / NAME / index["category"] / VERSION
    seal = packed / INDEX  # written last, so what has one is whole
    newest = max(((Path(manual_dir) / shape["file"]).stat().st_mtime for shape in index["shapes"]), default=0)
    if seal.exists() and json.loads(seal.read_text()) == index and newest <= seal.stat().st_mtime:
        return packed
    seal.unlink(missing_ok=True)
    shutil.rmtree(packed, ignore_errors=True)
    _pack(index, os.fspath(manual_dir), os.fspath(data_dir))
    write_whole(seal, json.dumps(index))
    return packed


def _pack(index: dict, manual_dir: str, data_dir: str) -> None:
    category = index["category"]
    config = tfds.core.BuilderConfig(name=category, version=VERSION, description=f"Shapes of the category {category}")
    with _silent_tfds():
        builder = ImfieldShapes(index=index, config=config, data_dir=data_dir, file_format="array_record")
        builder.download_and_prepare(
            download_dir=manual_dir, download_config=tfds.download.DownloadConfig(manual_dir=manual_dir)
        )


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
        raise ValueError(f"the dataset {builder.data_dir} has no shapes in split {split!r}, only in {present}")
    return Split(builder, split)


def _builder(directory: Path | str) -> tfds.core.DatasetBuilder:
    found = find_dataset(directory)
    if found is None:
        raise FileNotFoundError(
            f"no prepared dataset in {directory}: make one, python -m experiments.prepare --out={directory}"
        )
    with _silent_tfds():
        return tfds.builder_from_directory(found)
