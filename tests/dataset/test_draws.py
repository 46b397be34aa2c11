"""Draws: permutations, subsets and partitions, and their guaranteed reproducibility."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from imfield_jax.dataset.draws import draw, epoch_order


def run_of(steps, **options):
    return [draw(11, step, **options) for step in steps]


@pytest.mark.parametrize(("shapes", "batch"), [(1, 1), (7, 3), (5, 8), (100, 32)])
def test_concatenated_batches_are_one_permutation_after_the_other(shapes, batch):
    rows = np.concatenate([d.index for d in run_of(range(3 * shapes), shapes=shapes, batch=batch)])
    epochs = rows[: len(rows) // shapes * shapes].reshape(-1, shapes)
    assert (np.sort(epochs, axis=1) == np.arange(shapes)).all()


def test_epochs_and_seeds_differ_in_order():
    orders = {tuple(epoch_order(seed, epoch, 50)) for seed in range(4) for epoch in range(4)}
    assert len(orders) == 16


@pytest.mark.parametrize(("stored", "points"), [(4096, 4096), (16384, 4096), (1000, 300), (5, 3)])
def test_points_are_a_subset_without_repetition(stored, points):
    chosen = draw(3, 9, shapes=4, batch=6, stored=stored, points=points).points
    assert chosen.shape == (6, points)
    assert chosen.min() >= 0 and chosen.max() < stored
    assert all(len(set(row)) == points for row in chosen.tolist())
    differ = len({tuple(sorted(row)) for row in chosen.tolist()})
    assert differ == 1 if points == stored else differ > 3


@pytest.mark.parametrize(("stored", "points"), [(12, 5), (16, 4)])
def test_every_stored_point_is_equally_likely(stored, points):
    trials = 4000
    chosen = draw(0, 0, shapes=1, batch=trials, stored=stored, points=points).points
    counts = np.bincount(chosen.ravel(), minlength=stored)
    expected = trials * points / stored
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_every_view_is_equally_likely():
    counts = np.bincount(draw(0, 0, shapes=1, batch=24000, views=24).view, minlength=24)
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


@pytest.mark.parametrize("hosts", [2, 4, 8])
def test_hosts_partition_the_global_batch(hosts):
    options = {"shapes": 10, "batch": 8, "stored": 100, "points": 30, "views": 24}
    whole = draw(5, 77, **options)
    parts = [draw(5, 77, **options, host=host, hosts=hosts) for host in range(hosts)]
    for field in ("index", "points", "view"):
        together = np.concatenate([getattr(part, field) for part in parts])
        np.testing.assert_array_equal(together, getattr(whole, field))


def test_a_late_step_needs_no_history():
    d = draw(0, 10**15, shapes=7000, batch=32, stored=16384, points=4096, views=24)
    assert len(set(d.index.tolist())) == 32


def test_draws_never_change():
    """Checkpoints of long runs depend on these numbers: a new version of NumPy must not change them."""
    d = draw(7, 123, shapes=800, batch=4, stored=16384, points=4096, views=24)
    assert zlib.crc32(d.index.tobytes() + d.points.tobytes() + d.view.tobytes()) == 888652584


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": 5}, "at most the 4 that are stored"),
        ({"hosts": 3}, "cannot be divided among 3 hosts"),
        ({"host": 2, "hosts": 2}, "cannot be divided"),
        ({"shapes": 0}, "cannot be drawn from 0 shapes"),
        ({"stored": 2**17}, "at most 65536"),
    ],
)
def test_impossible_draws_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        draw(0, 0, **({"shapes": 4, "batch": 4, "stored": 4, "points": 2} | change))
