"""Feeds: the pipeline and the resident split give the same batches, from any step, on any devices."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from imfield_jax.batches import Inputs
from imfield_jax.camera import Camera, view_camera
from imfield_jax.coordinates import containing_cell
from imfield_jax.dataset.feed import FeedConfig
from imfield_jax.dataset.resident import ResidentFeed, pack
from imfield_jax.dataset.storage import open_split
from imfield_jax.framing import frame, framed_square

CONFIG = FeedConfig(seed=4, batch=6, points=500, inputs=Inputs("centre"))


@pytest.fixture(scope="module")
def split(data_dir):
    return open_split(data_dir, "train")


@pytest.fixture(scope="module")
def packed(split):
    return pack(split, CONFIG.inputs)


@pytest.fixture(scope="module")
def pipeline_feed(split):
    pytest.importorskip("tensorflow")
    from imfield_jax.dataset.pipeline import PipelineFeed

    return lambda config=CONFIG: PipelineFeed(split, config)


def assert_same(a, b):
    leaves = jax.tree.leaves(a), jax.tree.leaves(b)
    assert len(leaves[0]) == len(leaves[1]) >= 4
    for left, right in zip(*leaves, strict=True):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)  # also compares the shapes


@pytest.mark.parametrize("level", [16, 32, 64])
def test_pipeline_and_resident_give_the_same_points(packed, pipeline_feed, level):
    resident, pipeline = ResidentFeed(packed, CONFIG), pipeline_feed()
    for step in (0, 1, 2, 10**9):
        assert_same(resident.points(level, step), pipeline.points(level, step))


def test_an_epoch_visits_each_shape_as_often_as_it_should(packed):
    visits = tuple(1 + number % 3 for number in range(len(packed.names)))
    config = dataclasses.replace(CONFIG, visits=visits, batch=sum(visits), points=1)
    for epoch in (0, 3):
        index = np.asarray(ResidentFeed(packed, config).points(16, epoch).index)
        np.testing.assert_array_equal(np.bincount(index), visits)
    with pytest.raises(ValueError, match=f"visits: expected those of {len(visits)} shapes, found 1"):
        ResidentFeed(packed, dataclasses.replace(config, visits=(1,))).points(16, 0)


def test_pipeline_and_resident_visit_alike(packed, pipeline_feed):
    config = dataclasses.replace(CONFIG, visits=tuple(range(1, 1 + len(packed.names))))
    resident, pipeline = ResidentFeed(packed, config), pipeline_feed(config)
    for step in (0, 7):
        assert_same(resident.views(32, step), pipeline.views(32, step))


@pytest.mark.parametrize("level", [None, 32])
def test_pipeline_and_resident_give_the_same_views(packed, pipeline_feed, level):
    resident, pipeline = ResidentFeed(packed, CONFIG), pipeline_feed()
    for step in (0, 1, 5):
        assert_same(resident.views(level, step), pipeline.views(level, step))


def test_a_restarted_stream_continues_as_the_old_one_would_have(pipeline_feed):
    straight, resumed = pipeline_feed(), pipeline_feed()
    batches = [straight.points(32, step) for step in range(6)]
    for step in (3, 4, 5):
        assert_same(resumed.points(32, step), batches[step])


def test_streams_of_several_levels_take_turns(packed, pipeline_feed):
    resident, pipeline = ResidentFeed(packed, CONFIG), pipeline_feed()
    for step in range(4):
        for level in (64, 16):
            assert_same(resident.views(level, step), pipeline.views(level, step))


def test_hosts_share_the_batch_of_one_host(packed, pipeline_feed):
    whole = ResidentFeed(packed, CONFIG).views(16, 8)
    for host in range(3):
        config = dataclasses.replace(CONFIG, host=host, hosts=3)
        expected = jax.tree.map(lambda leaf, host=host: leaf[2 * host : 2 * host + 2], whole)
        assert_same(ResidentFeed(packed, config).views(16, 8), expected)
        assert_same(pipeline_feed(config).views(16, 8), expected)


def test_batches_match_the_records(packed, split, records):
    feed = ResidentFeed(packed, CONFIG)
    points, views = feed.points(64, 3), feed.views(None, 3)
    assert views.points.shape == (6, 0, 3) and views.occupancy.shape == (6, 0)
    for place in range(CONFIG.batch):
        record = records["train"][split.names[int(points.index[place])]]
        np.testing.assert_array_equal(points.voxels[place], record.voxels)
        cells = containing_cell(np.asarray(points.points[place]), 256)
        np.testing.assert_array_equal(points.occupancy[place], record.solid[tuple(cells.T)])
        record = records["train"][split.names[int(views.index[place])]]
        framed = [frame(view, "centre") / 255 for view in record.views]
        [number] = [k for k, one in enumerate(framed) if np.allclose(views.view[place], one, atol=1e-6)]
        square = framed_square(record.views[number], "centre")
        expected = view_camera(Camera(*record.cameras[number].tolist()), 137, square)
        np.testing.assert_array_equal(views.camera[place], expected)


def test_a_batch_over_devices_equals_one_on_one_device(packed):
    axes = (jax.sharding.AxisType.Auto,)
    mesh = jax.make_mesh((2,), ("data",), axis_types=axes, devices=jax.devices()[:2])
    over_devices = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
    spread = ResidentFeed(packed, CONFIG, over_devices)
    for step in range(2):
        batch = spread.points(16, step)
        assert batch.points.sharding.is_equivalent_to(over_devices, 3)
        assert_same(batch, ResidentFeed(packed, CONFIG).points(16, step))


def test_voxels_are_returned_in_the_requested_order(packed, split, records, pipeline_feed):
    rows = np.array([5, 0, 5])
    expected = np.stack([records["train"][split.names[row]].voxels for row in rows])
    for feed in (ResidentFeed(packed, CONFIG), pipeline_feed()):
        np.testing.assert_array_equal(feed.voxels(rows), expected)


@pytest.mark.parametrize("size", [16, 32, 128])
def test_voxels_of_other_sizes_are_full_where_any_of_the_solid_is(split, records, pipeline_feed, size):
    config = dataclasses.replace(CONFIG, inputs=Inputs("fit", view_size=32, voxel_size=size))
    few = np.array([1, 0])
    side = 256 // size
    for feed in (ResidentFeed(pack(split, config.inputs), config), pipeline_feed(config)):
        for found, row in zip(feed.voxels(few), few, strict=True):
            solid = records["train"][split.names[row]].solid.reshape(size, side, size, side, size, side)
            np.testing.assert_array_equal(found, solid.any(axis=(1, 3, 5)))
        assert feed.views(None, 0).view.shape == (6, 32, 32, 1)
        assert feed.points(16, 0).voxels.shape == (6, size, size, size)


def test_packed_views_of_another_framing_are_refused(packed):
    with pytest.raises(ValueError, match=r"packed for Inputs\(framing='centre'"):
        ResidentFeed(packed, dataclasses.replace(CONFIG, inputs=Inputs("fit")))


def test_gathering_compiles_once_for_all_steps(packed):
    feed = ResidentFeed(packed, CONFIG)
    feed.points(32, 0)
    before = feed._gather_points._cache_size()  # of all feeds together
    for step in range(1, 5):
        feed.points(32, step)
    assert feed._gather_points._cache_size() == before
