"""The serialised examples of a dataset, read in any order; errors name the damaged file."""

from __future__ import annotations

import bisect
import itertools
import operator
from pathlib import Path
from typing import SupportsIndex

import tensorflow_datasets as tfds

from imfield_jax.files import damaged


class Examples:
    """The bytes of the examples of a split: `examples[i]` is row i.

    One example of every file is read immediately: a truncated file has lost its index, so it is reported before hours
    of work, not during them.

    Raises ValueError naming a damaged file, also whenever an example is read, FileNotFoundError for a missing one.
    """

    def __init__(self, builder: tfds.core.DatasetBuilder, split: str):
        # TFDS decodes whole records or none, and most of a record is 24 images: take the bytes.
        raw = tfds.decode.DeserializeMethod.RAW_BYTES
        self._source = builder.as_data_source(split, deserialize_method=raw)
        instructions = builder.info.splits[split].file_instructions
        self._files = [Path(instruction.filename) for instruction in instructions]
        self._ends = list(itertools.accumulate(instruction.take for instruction in instructions))
        for file, first in zip(self._files, [0, *self._ends], strict=False):
            if not file.exists():
                raise FileNotFoundError(f"{file}: expected a file of the dataset, found none: {remedy(file)}")
            self[first]

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, row: SupportsIndex) -> bytes:
        row = operator.index(row)
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of a split of {len(self)} shapes")
        file = self._files[bisect.bisect_right(self._ends, row)]
        with damaged(file, "dataset file", remedy(file)):
            return self._source[row]


def remedy(file: Path) -> str:
    """Advice for a damaged file of a dataset: only packing is repeated, as the records are stored elsewhere."""
    return f"delete {file.parent} and prepare again with the same --out"
