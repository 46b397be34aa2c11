"""Splits of small collections: one item in ten for validation, one for testing.

A collection of a hundred meshes is ordered by relevant properties (kind, library, size of a
cluster), so the cut of `split_sorted` would put whole kinds into one split. Dealing takes
validation and test evenly from the whole order instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from typing import TypeVar

SPLITS = ("train", "validation", "test")

Item = TypeVar("Item", bound=Hashable)


def dealt(items: Sequence[Item], period: int = 10) -> dict[Item, str]:
    """The split of each of the distinct `items`, in the order given.

    Of every `period` (>= 2) consecutive items, the middle one is for validation, the last for testing, the rest for
    training.
    """
    turns = {period // 2 - 1: "validation", period - 1: "test"}
    return {item: turns.get(i % period, "train") for i, item in enumerate(items)}


def split_sorted(names: list[str]) -> dict[str, str]:
    """The 80/10/10 split of sorted names, for sources without an official split.

    The first int(0.8 n) names are for training (as in IM-NET), the first half of the rest for validation.
    """
    names = sorted(names)
    train = int(0.8 * len(names))
    validation = train + (len(names) - train) // 2
    return {name: "train" if i < train else "validation" if i < validation else "test" for i, name in enumerate(names)}


def split_hashed(names: Sequence[str]) -> dict[str, str]:
    """An 80/10/10 split by a hash of each name, independent of their order and of other names.

    If no name would be for training, as happens with one or two, all are.
    """
    turns = {8: "validation", 9: "test"}
    tenth = {name: int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % 10 for name in names}
    split = {name: turns.get(number, "train") for name, number in tenth.items()}
    return split if "train" in split.values() else dict.fromkeys(names, "train")


def split_groups(names: Sequence[str], groups: Sequence[Sequence[str]]) -> dict[str, str]:
    """`split_hashed` with each group of names in one split, that of its first name in sorted order."""
    first = {name: min(group) for group in groups for name in group}
    split = split_hashed(list(dict.fromkeys(first.get(name, name) for name in names)))
    return {name: split[first.get(name, name)] for name in names}
