"""A damaged or missing file of a dataset is named in one line, wherever the dataset is opened or read."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from imfield_jax.batches import Inputs
from imfield_jax.dataset.feed import FeedConfig
from imfield_jax.dataset.resident import pack
from imfield_jax.dataset.storage import build_dataset, find_dataset, open_split, split_names

TRAIN = "*-train.array_record*"
DESCRIPTIONS = ("dataset_info.json", "features.json", "metadata.json")


def _emptied(contents: bytes) -> bytes:
    return b""


def _halved(contents: bytes) -> bytes:
    return contents[: len(contents) // 2]


def _cut(contents: bytes) -> bytes:
    return contents[:-1]


def _replaced(contents: bytes) -> bytes:
    return bytes(range(256)) * 400


@pytest.fixture
def dataset(data_dir, tmp_path):
    """The folder of a dataset that a test may damage, below a data directory with its records."""
    shutil.copytree(data_dir, tmp_path / "data")
    return find_dataset(tmp_path / "data")


def _flip_the_last_record(dataset):
    """Changes bytes of the records after the first: the file opens, and only reading finds the damage."""
    path = next(dataset.glob(TRAIN))
    contents = bytearray(path.read_bytes())
    at = contents.rindex(b"box/train6")
    contents[at : at + 10] = b"box/train7"
    path.write_bytes(contents)
    return path


def _one_line(caught, path):
    message = str(caught.value)
    return message.startswith(f"{path}: expected a dataset file, found a damaged file (") and "\n" not in message


@pytest.mark.parametrize("damage", [_emptied, _halved, _cut, _replaced])
@pytest.mark.parametrize("pattern", [TRAIN, *DESCRIPTIONS])
def test_a_damaged_file_is_named_when_a_split_is_opened(dataset, pattern, damage):
    path = next(dataset.glob(pattern))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=f"delete {dataset} and prepare again") as caught:
        open_split(dataset, "train")
    assert _one_line(caught, path)


@pytest.mark.parametrize("pattern", [TRAIN, "features.json", "metadata.json"])
def test_a_missing_file_is_named_when_a_split_is_opened(dataset, pattern):
    path = next(dataset.glob(pattern))
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"delete {dataset} and prepare again") as caught:
        open_split(dataset, "train")
    assert str(caught.value).startswith(f"{path}: expected a file of the dataset, found none")


def test_other_splits_can_still_be_read(dataset):
    next(dataset.glob(TRAIN)).unlink()
    assert [row.name for row in open_split(dataset, "test")] == ["box/test0"]


def test_a_description_of_another_dataset_is_damage(dataset):
    path = dataset / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["names"]["train"].pop()
    path.write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match=r"expected 6 shapes of split train as in metadata\.json, found 7"):
        open_split(dataset, "train")


def test_damage_within_a_file_is_named_by_all_readers(dataset):
    path = _flip_the_last_record(dataset)
    split = open_split(dataset, "train")
    assert split[0].name == "box/train0"
    last = len(split) - 1
    for read in (lambda: split[last], lambda: pack(split, Inputs(), views=False), lambda: list(split)):
        with pytest.raises(ValueError, match="prepare again") as caught:
            read()
        assert _one_line(caught, path)


@pytest.mark.parametrize("kind", ["points", "views"])
def test_the_tensorflow_stream_names_it_too(dataset, kind):
    pytest.importorskip("tensorflow")
    from imfield_jax.dataset.pipeline import PipelineFeed

    path = _flip_the_last_record(dataset)
    feed = PipelineFeed(open_split(dataset, "train"), FeedConfig(batch=7, points=10))
    for step in (0, 0, 1):
        with pytest.raises(ValueError, match="prepare again") as caught:
            getattr(feed, kind)(16, step)
        assert _one_line(caught, path)


@pytest.mark.parametrize("pattern", [TRAIN, *DESCRIPTIONS])
def test_preparing_again_repacks_a_dataset_that_cannot_be_opened(dataset, pattern):
    data = dataset.parents[2]
    whole = np.stack([row.voxels for row in open_split(dataset, "train")])
    next(dataset.glob(pattern)).unlink()
    build_dataset(data / "work", data)
    assert split_names(dataset) == ("train", "validation", "test")
    np.testing.assert_array_equal(np.stack([row.voxels for row in open_split(dataset, "train")]), whole)
