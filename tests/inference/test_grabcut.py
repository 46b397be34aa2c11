"""GrabCut: the cut is the cheapest of all, sure pixels stay, and colours decide the rest."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage

from imfield_jax.inference.grabcut import borders, cut, grabcut


def energy(inside, costs, pairs, weights):
    unlike = inside.ravel()[pairs[:, 0]] != inside.ravel()[pairs[:, 1]]
    return np.where(inside, costs[..., 1], costs[..., 0]).sum() + weights[unlike].sum()


@pytest.mark.parametrize("seed", range(10))
def test_no_other_cut_has_a_lower_energy(seed):
    rng = np.random.default_rng(seed)
    rgb, costs = rng.uniform(0, 255, (3, 4, 3)), rng.uniform(-20, 100, (3, 4, 2))
    inside, fixed = rng.random((3, 4)) < 0.5, rng.random((3, 4)) < 0.3
    pairs, weights = borders(rgb)
    found = cut(costs, pairs, weights, inside, fixed)
    assert (found == inside)[fixed].all()
    every = (np.array(bits).reshape(3, 4) for bits in itertools.product((False, True), repeat=12))
    allowed = [each for each in every if (each == inside)[fixed].all()]
    least = min(energy(each, costs, pairs, weights) for each in allowed)
    assert energy(found, costs, pairs, weights) == pytest.approx(least, abs=0.1)  # capacities are integers


def test_the_pairs_are_the_8_neighbours():
    pairs, weights = borders(np.zeros((4, 5, 3)))
    places = np.stack(np.unravel_index(pairs, (4, 5)), axis=-1)  # pair, end, axis
    assert (np.abs(places[:, 0] - places[:, 1]).max(axis=1) == 1).all()
    assert len({frozenset(pair) for pair in pairs.tolist()}) == len(pairs) == 4 * 4 + 3 * 5 + 2 * 3 * 4
    assert set(np.round(weights, 2)) == {50.0, 35.36}


def test_a_blurred_matte_gets_the_outline_of_the_object(rng):
    y, x = np.mgrid[:64, :64]
    disc = (x - 30) ** 2 + (y - 34) ** 2 < 18**2
    stripes = np.where((x // 6 % 2 == 0)[..., None], (200, 40, 30), (220, 200, 60))
    rgb = np.where(disc[..., None], stripes, (60, 110, 70)) + rng.normal(0, 8, (64, 64, 3))
    off = np.roll(disc, 3, axis=1)  # the network is wrong at the sides
    matte = ndimage.gaussian_filter(off.astype(float), 5)
    before, after = ((matte > 0.5) != disc).sum(), (grabcut(rgb, matte) != disc).sum()
    assert after < 0.1 * before
    np.testing.assert_array_equal(grabcut(rgb, matte), grabcut(rgb, matte))


@pytest.mark.parametrize("matte", [np.zeros((9, 9)), np.ones((9, 9)), np.full((9, 9), 0.6), np.full((9, 9), 0.4)])
def test_a_matte_without_sure_object_and_background_stays(matte, rng):
    np.testing.assert_array_equal(grabcut(rng.uniform(0, 255, (9, 9, 3)), matte), matte > 0.5)


def test_plain_colours_are_no_problem():
    matte = np.clip(np.linspace(-0.5, 1.5, 20), 0, 1) * np.ones((20, 1))
    found = grabcut(np.full((20, 20, 3), 128.0), matte)
    assert found[matte > 0.9].all() and not found[matte < 0.1].any()
