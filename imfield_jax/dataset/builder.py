"""The builder of `imfield_shapes` for TensorFlow Datasets: from meshes, or from existing records.

Besides the methods that TFDS requires of a builder (`_info`, `_split_generators`, `_generate_examples`), it overrides
three that TFDS does not document (4.9.10), each checked by a test:

    _generate_splits  the records must exist before the splits are written, and provide the names for the metadata
    _example_writer   examples are written with their features in a fixed order, so that equal records give equal files
    _as_dataset       TFDS has no tf.data pipeline for array_record files
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow_datasets as tfds
from absl import logging
from tensorflow_datasets.core import example_parser, writer
from tensorflow_datasets.proto import tf_example_pb2

from imfield_jax.dataset.examples import Examples
from imfield_jax.dataset.features import LEVELS, features
from imfield_jax.files import read_json
from imfield_jax.preparation import cluster
from imfield_jax.preparation.record import Settings
from imfield_jax.preparation.record_file import read_example
from imfield_jax.preparation.records import DEFAULT_COUNT, Preparation, make_records
from imfield_jax.preparation.work_folder import INDEX
from imfield_jax.preparation.workers import run_jobs, usable_processors
from imfield_jax.sources import procedural, synsets
from imfield_jax.sources.listing import LICENCES, NEED_NO_FOLDER
from imfield_jax.sources.splits import SPLITS

if TYPE_CHECKING:
    import tensorflow as tf

NAME = "imfield_shapes"
VERSION = "1.0.0"
_ARRAY_RECORD = "array_record"  # allows random access, which all our readers need

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


@dataclasses.dataclass(eq=False, kw_only=True)
class ShapesConfig(tfds.core.BuilderConfig):
    """The meshes of a dataset, and the settings of their records.

    source, category, count: see `listing.list_shapes`; the category defaults to the name of the config.
    labels, views, seed, views_like, image_size: see `record.Settings`; separate, because `tfds build --config` takes
        plain values.
    """

    description: str | None = None
    source: str = "shapenet"
    category: str = ""
    count: int = 0
    labels: str = Settings.labels
    views: int = Settings.views
    seed: int = Settings.seed
    views_like: str = Settings.views_like
    image_size: int = Settings.image_size

    def __post_init__(self) -> None:
        self.category = self.category or self.name
        self.description = self.description or f"Shapes of the category {self.category}"

    @property
    def settings(self) -> Settings:
        return Settings(self.labels, self.views, self.seed, self.views_like, self.image_size)


class ImfieldShapes(tfds.core.GeneratorBasedBuilder):
    """Prepares shapes, on this machine or on a Beam runner, and packs their records in the order of their names.

    records: a folder with an index and the record files it lists, see `dataset.build_dataset`; they are packed
             unchanged. Without one, records are made from the config's meshes, in `<downloads>/imfield_shapes/`.
    """

    name = NAME
    VERSION = tfds.core.Version(VERSION)
    BUILDER_CONFIGS = [  # noqa: RUF012, TFDS looks for a list
        *(ShapesConfig(name=category) for category in (*synsets.CATEGORIES, "thirteen")),
        *(
            ShapesConfig(
                name=f"procedural_{category}",
                source="procedural",
                category=category,
                count=DEFAULT_COUNT,
            )
            for category in procedural.CATEGORIES
        ),
    ]
    DEFAULT_BUILDER_CONFIG_NAME = "car"
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
ShapeNetCore.v2 from https://shapenet.org, which requires registration: the folders or zip files of its categories
(02958343 is car), and next to them all.csv for the official split. A config of another source needs the folder that
`imfield prepare` takes as --source_dir. For shapes that are already prepared, data_dir must be their
output folder (data/car)."""

    # The folder where TFDS looks for checksums of downloads; there are none. Its search for that folder
    # imports importlib_resources, which it does not install (4.9.10).
    code_path = None

    def __init__(self, *, records: Path | None = None, file_format: str = _ARRAY_RECORD, **kwargs: Any) -> None:
        self._records = records
        super().__init__(file_format=file_format, **kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        prepared = self.is_prepared()  # then TFDS reads fields left as None from the written dataset
        index = _read_index(self._records) if self._records else {}
        licence = index.get("license") or LICENCES.get(self.builder_config.source)
        made = features(index.get("levels", LEVELS))
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict.from_config(self.data_dir) if prepared else made,
            citation=_CITATION,
            license=None if prepared else licence,
            disable_shuffling=True,  # row i of a split is always name i
            metadata=tfds.core.MetadataDict(),
        )

    def _generate_splits(
        self, dl_manager: tfds.download.DownloadManager, download_config: tfds.download.DownloadConfig
    ) -> list[tfds.core.SplitInfo]:
        records = contextlib.nullcontext(self._records) if self._records else self._made(dl_manager, download_config)
        with records as self._packed:
            index = _read_index(self._packed)
            self._refuse_other_points(index)
            splits = super()._generate_splits(dl_manager, download_config)
        shapes = index.pop("shapes")
        sizes = {split.name: split.num_examples for split in splits}  # --max_examples_per_split may reduce them
        names = {split: [s["name"] for s in shapes if s["split"] == split][: sizes.get(split, 0)] for split in SPLITS}
        self.info.metadata.update(names=names, **index)
        return splits

    def _refuse_other_points(self, index: dict) -> None:
        """Features are fixed before the records are made."""
        if not self._records and index.get("levels", LEVELS) != LEVELS:
            source = self.builder_config.source
            raise ValueError(
                f"expected the points that preparation samples, found those of source {source}, {index['levels']}: "
                f"prepare it with imfield prepare --source={source}"
            )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        shapes = _read_index(self._packed)["shapes"]
        files = {split: [s["file"] for s in shapes if s["split"] == split] for split in SPLITS}
        return {split: self._generate_examples(self._packed, files[split]) for split in SPLITS if files[split]}

    def _generate_examples(self, folder: Path, files: list[str]) -> Iterator[tuple[int, dict]]:
        for row, file in enumerate(files):
            yield row, read_example(folder / file)

    def _example_writer(self) -> writer.ExampleWriter:
        return _SameBytes(self.info.file_format)

    def _made(
        self, dl_manager: tfds.download.DownloadManager, download_config: tfds.download.DownloadConfig
    ) -> contextlib.AbstractContextManager[Path]:
        """Make the records of this config's meshes.

        Beam makes the records but does not write the dataset: it would divide the array_record files differently, and
        only learn afterwards which meshes failed, and thus the index of each row.
        """
        config = self.builder_config
        out = Path(dl_manager.download_dir).absolute() / NAME / config.name
        source_dir = None if config.source in NEED_NO_FOLDER else os.path.abspath(dl_manager.manual_dir)
        beam = bool(download_config.beam_options or download_config.beam_runner)
        preparation = Preparation(
            source=config.source,
            category=config.category,
            out=str(out),
            source_dir=source_dir,
            count=config.count,
            settings=config.settings,
            processes=1 if beam else usable_processors(),  # a Beam worker is one of several on its machine
        )
        if not beam:
            return make_records(preparation, _log, run_jobs)
        spread = functools.partial(
            cluster.run_jobs,
            outcomes=out / "outcomes.json",
            runner=download_config.beam_runner,
            options=download_config.beam_options,
        )
        return make_records(preparation, _log, spread)

    def _as_dataset(
        self,
        split: str,
        decoders: tfds.decode.PartialDecoding | dict | None = None,
        read_config: tfds.ReadConfig | None = None,
        shuffle_files: bool = False,
    ) -> tf.data.Dataset:
        """tf.data of rows, because TFDS cannot stream array_record files; shuffled by row, not by file."""
        if self.info.file_format.value != _ARRAY_RECORD:
            return super()._as_dataset(split, decoders, read_config, shuffle_files)
        import tensorflow as tf

        wanted, reading = self.info.features, read_config or tfds.ReadConfig()
        if isinstance(decoders, tfds.decode.PartialDecoding):
            wanted, decoders = decoders.extract_features(wanted), decoders.decoders
        rows = Examples(self, split)
        parser = example_parser.ExampleParser(wanted.get_serialized_info())

        def decoded(row: tf.Tensor) -> dict[str, tf.Tensor]:
            record = tf.ensure_shape(tf.numpy_function(lambda number: rows[int(number)], [row], tf.string), ())
            return wanted.decode_example(parser.parse_example(record), decoders=decoders)

        order = tf.data.Dataset.range(len(rows))
        if reading.input_context:
            order = order.shard(reading.input_context.num_input_pipelines, reading.input_context.input_pipeline_id)
        if shuffle_files:
            again = reading.shuffle_reshuffle_each_iteration
            order = order.shuffle(max(1, len(rows)), reading.shuffle_seed, again)
        return order.map(decoded, num_parallel_calls=tf.data.AUTOTUNE)


class _SameBytes(writer.ExampleWriter):
    """Writes equal files for equal examples; in TFDS the order of the features in a record is random."""

    def write(self, path: str, examples: Iterable[tuple[int, bytes]]) -> list | None:
        ordered = ((key, _ordered(example)) for key, example in examples)
        return super().write(path, ordered)


def _ordered(example: bytes) -> bytes:
    return tf_example_pb2.Example.FromString(example).SerializeToString(deterministic=True)


def _read_index(records: Path) -> dict:
    return read_json(records / INDEX, "index of records")


def _log(activity: str, done: int, total: int, note: str) -> None:
    """The `preparation.records.Progress` of a build; failures are notes."""
    if note:
        logging.warning("%s", note)
    else:
        logging.log_every_n_seconds(logging.INFO, "%s: %d of %d", 10, activity, done, total)
