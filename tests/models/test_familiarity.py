"""Familiar views: those trained on are, views of nothing like them are not, and the limit is what it says."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.models.familiarity import familiarity


@pytest.fixture
def codes(rng):
    """Of two kinds of views, a few numbers of 32 each: [2, 400, 32]."""
    kinds = rng.normal(size=(2, 6, 32))
    return np.stack([rng.normal(size=(400, 6)) @ kind for kind in kinds]) + 3


def test_the_limit_takes_a_small_share_of_held_out_views_for_strange_and_most_of_another_kind(codes):
    known, other = codes
    found = familiarity(known[:200], known[200:])
    strange = [np.mean([found.note(code) is not None for code in views]) for views in (known[200:], other)]
    assert strange[0] == pytest.approx(0.03, abs=0.006) and strange[1] > 0.9


def test_similarities_are_those_of_a_search_through_all_pairs(codes):
    found = familiarity(codes[0, :200], codes[0, 200:])
    middle = codes[0, :200].mean(axis=0)
    for code, similarity in zip(codes[1, :10], found.similarities(codes[1, :10]), strict=True):
        cosines = [
            np.dot(code - middle, one - middle) / np.linalg.norm(code - middle) / np.linalg.norm(one - middle)
            for one in codes[0, :200]
        ]
        assert similarity == pytest.approx(sorted(cosines)[-5])


def test_fewer_views_than_neighbours_are_enough(codes):
    found = familiarity(codes[0, :2], codes[0, 2:3])
    assert found.note(codes[0, 2]) is None
    with pytest.raises(ValueError, match="found 0 and 3"):
        familiarity(codes[0, :0], codes[0, :3])
