"""The batches of a stage: what it is trained on, and that points of two levels are of the same shapes."""

import dataclasses

import numpy as np

from imfield_jax.training.feed import batch
from imfield_jax.training.stages import AUTOENCODER, ENCODER, FINETUNE, Stage


def test_whole_batches_have_the_points_of_both_levels(numpy_feed):
    feed = numpy_feed(batch=4, count=16)
    stage = Stage(FINETUNE, 64, 3, batch=4, points=16, learning_rate=1e-2, decay=True)
    near, both = batch(feed, stage, 5), batch(feed, dataclasses.replace(stage, whole=True), 5)
    whole = feed.views(16, 5)
    for field in ("index", "view", "camera"):
        np.testing.assert_array_equal(getattr(both, field), getattr(near, field))
    for field in ("points", "occupancy"):
        np.testing.assert_array_equal(getattr(both, field)[:, :16], getattr(near, field))
        np.testing.assert_array_equal(getattr(both, field)[:, 16:], getattr(whole, field))


def test_each_kind_of_stage_gets_its_kind_of_batch(numpy_feed):
    feed = numpy_feed(batch=4, count=16)
    stage = Stage(AUTOENCODER, 32, 3, batch=4, points=16, learning_rate=1e-2, decay=True)
    assert batch(feed, stage, 0).voxels.shape == (4, 64, 64, 64)
    views = batch(feed, dataclasses.replace(stage, kind=ENCODER, level=None), 0)
    assert views.view.shape[1:3] == (128, 128) and views.points.shape == (4, 0, 3)
