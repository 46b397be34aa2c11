"""The dataset for users of TFDS: by its name, as tf.data, and built from meshes in this process or under Beam."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
import trimesh

from imfield_jax.dataset.builder import ImfieldShapes, ShapesConfig
from imfield_jax.dataset.storage import build_dataset, open_split, split_names
from imfield_jax.sources import procedural, synsets

ROOT = Path(__file__).resolve().parents[2]
CONFIG = {"name": "few_cars", "category": "car", "views": 1}


@pytest.fixture(scope="module")
def cars(data_dir, tmp_path_factory):
    """A data directory with the shapes of `data_dir`, under the name of a config of the builder."""
    root = tmp_path_factory.mktemp("cars")
    index = json.loads((data_dir / "work" / "index.json").read_text()) | {"category": "car"}
    for shape in index["shapes"]:
        shape["file"] = str(data_dir / "work" / shape["file"])
    (root / "index.json").write_text(json.dumps(index))
    build_dataset(root, root)
    return root


@pytest.fixture(scope="module")
def shapenet(tmp_path_factory):
    """A ShapeNetCore.v2 root with five cars, of which the third is corrupt."""
    root = tmp_path_factory.mktemp("ShapeNetCore.v2")
    for number in range(5):
        folder = root / "02958343" / f"car{number}" / "models"
        folder.mkdir(parents=True)
        trimesh.creation.box((0.2, 0.3, 0.3 + number / 30)).export(folder / "model_normalized.obj")
    (root / "02958343" / "car2" / "models" / "model_normalized.obj").write_text("v 0 0 zero\nf 1 2 3\n")
    return root


@pytest.fixture(scope="module")
def built(shapenet, tmp_path_factory):
    """The folder of the dataset that TFDS builds from these cars, in this process."""
    root = tmp_path_factory.mktemp("built")
    builder = ImfieldShapes(config=ShapesConfig(**CONFIG), data_dir=root)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=shapenet))
    return builder.data_path


def files(dataset):
    """SHA-256 of the parts of a dataset that are equal for every way of making it, by file name."""
    found = [*dataset.glob("*.array_record*"), dataset / "metadata.json", dataset / "features.json"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.mark.parametrize("first", ["imfield_jax.dataset.builder", "tensorflow_datasets"])
def test_importing_the_builder_registers_it_in_either_order(cars, first):
    program = f"""
import sys
import {first}
import imfield_jax.dataset.builder
import tensorflow_datasets as tfds
assert len(tfds.data_source("imfield_shapes/car", data_dir={str(cars)!r}, split="train")) == 7
sys.exit("tensorflow" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_packed_arrays_feed_training_without_tfds():
    program = """
import sys
sys.modules["tensorflow_datasets"] = None
import imfield_jax.dataset.resident
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_tf_data_equals_the_rows_and_matches_the_features(cars):
    stream, info = tfds.load("imfield_shapes/car", data_dir=cars, split="train", with_info=True)
    rows = open_split(cars, "train")
    for key, feature in info.features.items():
        assert stream.element_spec[key].dtype == feature.tf_dtype
        assert stream.element_spec[key].shape == feature.shape
    for row, example in zip(rows, stream.as_numpy_iterator(), strict=True):
        assert example["name"].decode() == row.name
        np.testing.assert_array_equal(example["views"], [row.view(view) for view in range(row.view_count)])
        np.testing.assert_array_equal(np.unpackbits(example["solid"]).reshape((256,) * 3), row.solid)
        np.testing.assert_array_equal(example["points_64"], row.points(64))
    assert info.metadata["names"]["train"] == list(rows.names)
    assert "CC0" in str(info.redistribution_info)  # of these shapes, not ShapeNet's
    assert "Learning Implicit Fields" in info.citation


def test_tf_data_is_shuffled_sharded_and_decoded_in_part(cars):
    import tensorflow as tf

    def names(**options):
        decoders = tfds.decode.PartialDecoding({"name": True})
        stream = tfds.load("imfield_shapes/car", data_dir=cars, split="train", decoders=decoders, **options)
        return [example["name"].decode() for example in stream.as_numpy_iterator() if set(example) == {"name"}]

    rows = list(open_split(cars, "train").names)
    assert names() == rows
    shuffled = names(shuffle_files=True, read_config=tfds.ReadConfig(shuffle_seed=1))
    assert shuffled != rows and sorted(shuffled) == rows
    parts = [names(read_config=tfds.ReadConfig(input_context=tf.distribute.InputContext(2, part))) for part in (0, 1)]
    assert sorted(parts[0] + parts[1]) == rows


def test_names_are_those_of_the_rows_also_with_a_maximum_number(cars, tmp_path):
    builder = ImfieldShapes(records=cars, config="car", data_dir=tmp_path)
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(max_examples_per_split=1))
    assert [row.name for row in open_split(tmp_path, "train")] == ["box/train0"]


def test_a_build_from_meshes_leaves_out_the_corrupt_one(built):
    names = [row.name for split in split_names(built) for row in open_split(built, split)]
    assert names == [f"02958343/car{number}" for number in (0, 1, 3, 4)]
    assert "ShapeNet terms" in tfds.builder_from_directory(built).info.redistribution_info.license
    report = json.loads((built.parents[2] / "downloads/imfield_shapes/few_cars/report.json").read_text())
    assert report["shapes"]["02958343/car2"]["status"] == "failed"


def test_a_build_from_meshes_makes_the_files_of_prepare(built, shapenet, tmp_path):
    flags = ("--source=shapenet", f"--source_dir={shapenet}", "--category=car", "--views=1", f"--out={tmp_path}")
    subprocess.run([sys.executable, "-m", "experiments.prepare", *flags], cwd=ROOT, check=True, capture_output=True)
    assert files(tmp_path / "imfield_shapes/car/1.0.0") == files(built)


def test_the_command_on_beam_makes_the_same_files(built, shapenet, tmp_path):
    pytest.importorskip("apache_beam")
    pytest.importorskip("mlcroissant")
    flags = (
        f"--config={json.dumps(CONFIG)}",
        "--imports=imfield_jax.dataset.builder",
        f"--manual_dir={shapenet}",
        f"--data_dir={tmp_path}",
        "--beam_pipeline_options=runner=DirectRunner,direct_running_mode=multi_processing,direct_num_workers=2",
    )
    command = [sys.executable, "-m", "tensorflow_datasets.scripts.cli.main", "build", "imfield_shapes", *flags]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "02958343/car2 failed" in done.stdout + done.stderr
    assert files(tmp_path / "imfield_shapes/few_cars/1.0.0") == files(built)


def test_every_config_names_an_existing_category():
    categories = {"shapenet": {*synsets.CATEGORIES, "thirteen"}, "procedural": procedural.CATEGORIES}
    for config in ImfieldShapes.builder_configs.values():
        assert config.category in categories[config.source]
