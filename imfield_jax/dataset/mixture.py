"""Several datasets as one: the shapes of one split of each, one dataset after the other."""

from __future__ import annotations

import bisect
import itertools
import operator
import os
from collections import Counter
from collections.abc import Sequence
from typing import SupportsIndex

from imfield_jax.coordinates import LEVEL_SIZES
from imfield_jax.dataset.rows import Row, Split
from imfield_jax.dataset.storage import open_split, split_names
from imfield_jax.sources.synsets import ANY


class Mixture(Split):
    """Splits of datasets that were prepared with the same settings, as one.

    Raises ValueError if a shape is in two of them, or if views or points of the datasets differ in number.
    """

    def __init__(self, splits: Sequence[Split]):
        self._splits = tuple(splits)
        self._ends = list(itertools.accumulate(len(split) for split in splits))
        self.names = tuple(name for split in splits for name in split.names)
        first = splits[0]
        self.metadata: dict = first.metadata | {
            "category": _common([split.metadata["category"] for split in splits], ANY),
            "license": "; ".join(dict.fromkeys(split.metadata["license"] for split in splits)),
            "settings": first.metadata["settings"]
            | {"source": "+".join(dict.fromkeys(split.metadata["settings"].get("source", "") for split in splits))},
        }
        self.views = first.views
        if len(set(self.names)) < len(self.names):
            twice = next(name for name, count in Counter(self.names).items() if count > 1)
            raise ValueError(f"{twice} is in two of the datasets to mix: name each dataset once")
        for split in splits:
            for what, mine, other in _sizes(first, split):
                if mine != other:
                    raise ValueError(
                        f"the datasets to mix have {mine} and {other} {what}: prepare them with the same settings"
                    )

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, row: SupportsIndex) -> Row:
        row = operator.index(row)
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of a split of {len(self)} shapes")
        number = bisect.bisect_right(self._ends, row)
        return self._splits[number][row - (self._ends[number - 1] if number else 0)]

    def stored(self, level: int) -> int:
        return self._splits[0].stored(level)

    def grid(self, level: int) -> int:
        return self._splits[0].grid(level)


def open_mixture(directories: Sequence[str | os.PathLike[str]], *wanted: str) -> Split:
    """These splits ("train", ...) of the datasets in data directories, as one; of those datasets that have them.

    Raises as `storage.open_split` when a directory has no dataset, or none of the splits is in any of them.
    """
    found = [
        open_split(directory, split) for directory in directories for split in wanted if split in split_names(directory)
    ]
    if not found:
        return open_split(directories[0], wanted[0])  # raises the error
    return found[0] if len(found) == 1 else Mixture(found)


def _common(values: Sequence[str], otherwise: str) -> str:
    return values[0] if len(set(values)) == 1 else otherwise


def _sizes(first: Split, other: Split) -> list[tuple[str, int, int]]:
    """What must be equal: a name, and the value of either split."""
    sizes = [("views of each shape", first.views, other.views)]
    for level in LEVEL_SIZES:
        sizes.append((f"points of level {level} of each shape", first.stored(level), other.stored(level)))
        sizes.append((f"cells per axis of the points of level {level}", first.grid(level), other.grid(level)))
    return sizes
