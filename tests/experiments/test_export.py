"""Exporting a dataset as a user does, and preparing the exported files again."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from imfield_jax.dataset.storage import open_split, split_names
from imfield_jax.framing import composite


@pytest.fixture(scope="module")
def boxes(make_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes")
    make_dataset(folder, {"train": 2, "test": 1}, views=24, seeds=range(3))
    return folder


def test_the_round_trip_through_prepare(boxes, program, tmp_path):
    done = program("export", f"--data={boxes}", "--layout=imnet", f"--out={tmp_path / 'out'}", "--name=boxes")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "boxes_test.hdf5",
        "boxes_test.txt",
        "boxes_train.hdf5",
        "boxes_train.txt",
    ]
    source = ("--source=imnet", f"--source_dir={tmp_path / 'out'}", "--category=all")
    done = program("prepare", *source, f"--out={tmp_path / 'back'}", "--processes=1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "back" / "contact.png").exists()
    assert split_names(tmp_path / "back") == ("train", "test")
    for name in ("train", "test"):
        before, after = open_split(boxes, name), open_split(tmp_path / "back", name)
        assert before.names == after.names
        for ours, again in zip(before, after, strict=True):
            np.testing.assert_array_equal(ours.voxels, again.voxels)
            np.testing.assert_array_equal(ours.points(64), again.points(64))
            np.testing.assert_array_equal(ours.values(64), again.values(64))
            np.testing.assert_array_equal(composite(ours.view(5)), composite(again.view(5)))


def test_folders_of_occupancy_networks(boxes, program, tmp_path):
    done = program("export", f"--data={boxes}", "--layout=occupancy_networks", f"--out={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "box" / "train.lst").read_text().split() == ["train0", "train1"]
    assert (tmp_path / "box" / "test0" / "img_choy2016" / "023.jpg").exists()
    with np.load(tmp_path / "box" / "test0" / "points.npz") as file:
        assert sorted(file) == ["loc", "occupancies", "points", "scale"]


def test_a_dataset_with_other_images_is_refused_in_one_line(dataset, program, tmp_path):
    done = program("export", f"--data={dataset}", f"--out={tmp_path / 'out'}")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ") and "expected IM-NET's shape [24, 137, 137], found" in last


@pytest.mark.parametrize("flags", [("export", "--layout=imnet"), ("extract", "--split=train")])
def test_a_truncated_dataset_is_one_line(flags, boxes, program, tmp_path):
    shutil.copytree(boxes / "imfield_shapes", tmp_path / "imfield_shapes")
    path = next(tmp_path.rglob("*-train.array_record*"))
    path.write_bytes(path.read_bytes()[:-1000])
    done = program(flags[0], f"--data={tmp_path}", *flags[1:], f"--out={tmp_path / 'out'}")
    assert done.returncode == 1
    *_, last = done.stderr.splitlines()
    assert last.startswith(f"error: {path}: expected a dataset file, found a damaged file")
    assert "Traceback" not in done.stderr
