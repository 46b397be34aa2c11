"""Several datasets as one split: the rows of each, in order, and datasets that do not fit together."""

import dataclasses

import numpy as np
import pytest

from imfield_jax.batches import Inputs
from imfield_jax.dataset.feed import FeedConfig
from imfield_jax.dataset.mixture import open_mixture
from imfield_jax.dataset.pipeline import PipelineFeed
from imfield_jax.dataset.resident import ResidentFeed, pack
from imfield_jax.dataset.storage import open_split

MATTE = Inputs("matte")


@pytest.fixture(scope="module")
def other_dir(write_dataset, random_record, tmp_path_factory):
    """A second dataset, without a validation split."""
    folder = tmp_path_factory.mktemp("other")
    records = {"train": [random_record(f"other/{i}", 10 + i) for i in range(2)], "test": [random_record("other/t", 20)]}
    write_dataset(folder, records, views=len(records["test"][0].views), source="folder")
    return folder


def test_rows_are_those_of_the_datasets_in_order(data_dir, other_dir):
    mixed = open_mixture([data_dir, other_dir], "train")
    alone = [open_split(folder, "train") for folder in (data_dir, other_dir)]
    rows = [row for split in alone for row in split]
    assert len(mixed) == len(rows) and mixed.names == tuple(row.name for row in rows)
    for found, expected in zip(mixed, rows, strict=True):
        assert found.name == expected.name
        np.testing.assert_array_equal(found.voxels, expected.voxels)
    with pytest.raises(IndexError):
        mixed[len(rows)]


def test_a_dataset_without_the_split_adds_nothing(data_dir, other_dir):
    assert open_mixture([data_dir, other_dir], "validation").names == open_split(data_dir, "validation").names
    with pytest.raises(ValueError, match="no shapes in split 'validation'"):
        open_mixture([other_dir], "validation")


def test_all_splits_of_a_dataset_are_one(other_dir):
    names = open_mixture([other_dir], "train", "validation", "test").names
    assert sorted(names) == ["other/0", "other/1", "other/t"]


def test_both_feeds_read_a_mixture(data_dir, other_dir):
    split = open_mixture([data_dir, other_dir], "train")
    config = FeedConfig(batch=len(split), points=50, inputs=MATTE)
    resident, pipeline = ResidentFeed(pack(split, MATTE), config), PipelineFeed(split, config)
    one, other = resident.views(64, 2), pipeline.views(64, 2)
    assert one.view.shape == (len(split), 128, 128, 2)
    for field in ("index", "view", "camera", "points", "occupancy"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


def test_metadata_names_all_sources_and_their_common_category(data_dir, other_dir):
    found = open_mixture([data_dir, other_dir], "train").metadata
    assert found["category"] == "box" and found["license"] == "CC0 1.0"
    assert "folder" in found["settings"]["source"].split("+")


def test_a_dataset_that_is_named_twice_is_refused(data_dir):
    with pytest.raises(ValueError, match="box/train0 is in two of the datasets"):
        open_mixture([data_dir, data_dir], "train")


def test_datasets_with_other_numbers_of_views_are_refused(data_dir, write_dataset, random_record, tmp_path):
    record = random_record("few/0", 3)
    record = dataclasses.replace(record, views=record.views[:2], cameras=record.cameras[:2])
    write_dataset(tmp_path, {"train": [record]}, views=2, source="folder")
    with pytest.raises(ValueError, match="views of each shape: prepare them with the same settings"):
        open_mixture([data_dir, tmp_path], "train")
