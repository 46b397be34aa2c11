"""The dataset: splits return the contents of the record files, without TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from imfield_jax.coordinates import LEVEL_SIZES
from imfield_jax.dataset.storage import build_dataset, find_dataset, open_split, split_names
from imfield_jax.preparation.record import cameras_of
from imfield_jax.preparation.record_file import read_example, read_levels, read_report, write_record


def test_a_damaged_record_is_named_wherever_it_is_read(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\3\4 and no more")
    for read in (read_levels, read_example):
        with pytest.raises(ValueError, match=r"a\.npz: expected a record file, found .*: delete it and prepare again"):
            read(tmp_path / "a.npz")


def test_rows_equal_the_records(data_dir, records):
    for split, named in records.items():
        rows = open_split(data_dir, split)
        assert rows.names == tuple(sorted(named))
        for number in reversed(range(len(rows))):
            row, record = rows[number], named[rows.names[number]]
            assert row.name == record.name
            np.testing.assert_array_equal(row.voxels, record.voxels)
            np.testing.assert_array_equal(row.solid, record.solid)
            for level in LEVEL_SIZES:
                np.testing.assert_array_equal(row.points(level), record.points[level])
                np.testing.assert_array_equal(row.values(level), record.values[level])
            for view in range(row.view_count):
                np.testing.assert_array_equal(row.view(view), record.views[view])
            assert row.cameras == cameras_of(record.cameras)
            np.testing.assert_array_equal(row.center, record.center)
            assert row.scale == record.scale


def test_users_of_tfds_get_arrays_and_images(data_dir, records):
    source = tfds.data_source("imfield_shapes/box", data_dir=data_dir, split="validation")
    record = records["validation"]["box/validation1"]
    example = source[1]
    np.testing.assert_array_equal(np.stack(list(example["views"])), record.views)
    np.testing.assert_array_equal(example["points_64"], record.points[64])
    np.testing.assert_array_equal(np.unpackbits(example["solid"]).reshape(record.solid.shape), record.solid)


def test_reading_imports_no_tensorflow(data_dir):
    program = f"""
import sys
from imfield_jax.batches import Inputs
from imfield_jax.dataset.storage import open_split
from imfield_jax.dataset.resident import pack
pack(open_split({str(data_dir)!r}, "test"), Inputs("centre"))
sys.exit("tensorflow" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_same_index_is_not_packed_again_and_another_is(data_dir, tmp_path, records):
    work = data_dir / "work"
    packed = find_dataset(data_dir)
    before = (packed / "dataset_info.json").stat().st_mtime_ns
    assert build_dataset(work, data_dir) == packed
    assert (packed / "dataset_info.json").stat().st_mtime_ns == before

    index = json.loads((work / "index.json").read_text())
    record = next(iter(records["train"].values()))
    index["shapes"] = [shape for shape in index["shapes"] if shape["name"] == record.name]
    (tmp_path / "index.json").write_text(json.dumps(index))
    (tmp_path / index["shapes"][0]["file"]).write_bytes((work / index["shapes"][0]["file"]).read_bytes())
    once = build_dataset(tmp_path, tmp_path / "data")
    assert split_names(once) == ("train",)
    changed = record.voxels ^ 1
    write_record(tmp_path / index["shapes"][0]["file"], type(record)(**{**vars(record), "voxels": changed}), {})
    build_dataset(tmp_path, tmp_path / "data")
    np.testing.assert_array_equal(open_split(tmp_path / "data", "train")[0].voxels, changed)
    with pytest.raises(ValueError, match="no shapes in split 'test'"):
        open_split(once, "test")


def test_a_missing_dataset_is_reported_with_the_command_to_make_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"imfield prepare"):
        open_split(tmp_path, "train")


def test_a_truncated_record_file_counts_as_missing(data_dir, tmp_path):
    whole = next((data_dir / "work").glob("*.npz")).read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "half.npz").write_bytes(whole[:size])
        assert read_report(tmp_path / "half.npz") is None
    assert read_report(tmp_path / "none.npz") is None
