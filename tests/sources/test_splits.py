"""The splits of sources: dealt, sorted, hashed."""

from __future__ import annotations

from collections import Counter

from imfield_jax.sources import splits
from imfield_jax.sources.splits import SPLITS


def test_dealing_is_even_and_covers_the_whole_order():
    split = splits.dealt([f"{i:03}" for i in range(100)])
    assert Counter(split.values()) == {"train": 80, "validation": 10, "test": 10}
    for start in range(0, 100, 10):
        assert {split[f"{i:03}"] for i in range(start, start + 10)} == set(SPLITS)
    assert splits.dealt(["only"]) == {"only": "train"}


def test_hashed_splits_ignore_order_and_other_names_and_always_have_training_shapes():
    names = [f"car/{i}.obj" for i in range(1000)]
    split = splits.split_hashed(names)
    sizes = Counter(split.values())
    assert 760 < sizes["train"] < 840 and 70 < sizes["validation"] < 130 and 70 < sizes["test"] < 130
    some = names[:100]
    assert splits.split_hashed(some[::-1]) == {name: split[name] for name in some}
    assert all(set(splits.split_hashed([name]).values()) == {"train"} for name in names)
