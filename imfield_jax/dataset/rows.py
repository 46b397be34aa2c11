"""Reads a dataset one shape at a time, in any order, decoding only the parts that are used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import SupportsIndex

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Bool, Float32, UInt8
from tensorflow_datasets.proto import tf_example_pb2

from imfield_jax.camera import Camera
from imfield_jax.coordinates import LEVEL_SIZES, SOLID_RESOLUTION, VOXEL_RESOLUTION, max_pool
from imfield_jax.dataset.examples import Examples, remedy
from imfield_jax.preparation.record import cameras_of
from imfield_jax.preparation.record_file import decode_png


class Row:
    """One shape of an open split; parts are decoded on use."""

    def __init__(self, example: tf_example_pb2.Example, decoders: tfds.features.FeaturesDict):
        self._values = example.features.feature
        self._decoders = decoders

    def _decode(self, key: str) -> np.ndarray:
        return self._decoders[key].decode_example_np(self._values[key].bytes_list.value[0])

    def _floats(self, key: str) -> np.ndarray:
        return np.array(self._values[key].float_list.value, np.float32)

    @property
    def name(self) -> str:
        return self._values["name"].bytes_list.value[0].decode()

    @property
    def voxels(self) -> UInt8[np.ndarray, "64 64 64"]:
        """Input of the voxel encoder, 0 or 1."""
        return self._decode("voxels")

    def voxels_of(self, size: int) -> UInt8[np.ndarray, "{size} {size} {size}"]:
        """Voxels of another size, 1 where any of the solid is; `voxels` for 64, which some sources give themselves."""
        if size == VOXEL_RESOLUTION:
            return self.voxels
        return max_pool(self.solid, SOLID_RESOLUTION // size).astype(np.uint8)

    @property
    def solid(self) -> Bool[np.ndarray, "256 256 256"]:
        """The solid that the labels come from."""
        return np.unpackbits(self._decode("solid")).astype(bool).reshape((SOLID_RESOLUTION,) * 3)

    def points(self, level: int) -> UInt8[np.ndarray, "P 3"]:
        """Labelled points of a sampling level, indices in the grid of `Split.grid`."""
        return self._decode(f"points_{level}")

    def values(self, level: int) -> UInt8[np.ndarray, " P"]:
        """The labels of these points, 1 inside."""
        return self._decode(f"values_{level}")

    def view_png(self, number: int) -> bytes:
        """One image as stored."""
        return self._values["views"].bytes_list.value[number]

    def view(self, number: int) -> UInt8[np.ndarray, "H H 4"]:
        """One image, RGBA."""
        return decode_png(self.view_png(number))

    @property
    def view_count(self) -> int:
        return len(self._values["views"].bytes_list.value)

    @property
    def cameras(self) -> list[Camera]:
        return cameras_of(self._floats("cameras").reshape(-1, 4))

    @property
    def center(self) -> Float32[np.ndarray, " 3"]:
        """The centre of the cube in source units."""
        return self._floats("center")

    @property
    def scale(self) -> float:
        return float(self._floats("scale")[0])


class Split:
    """Random access to the shapes of one split: `split[i]` is the `Row` of `split.names[i]`.

    Raises as `examples.Examples` when a file is missing or damaged.
    """

    def __init__(self, builder: tfds.core.DatasetBuilder, split: str):
        self._examples = Examples(builder, split)
        self._features = builder.info.features
        self.metadata: dict = builder.info.metadata
        self.names: tuple[str, ...] = tuple(self.metadata["names"][split])
        self.views: int = self.metadata["settings"]["views"]
        if len(self.names) != len(self._examples):
            raise ValueError(
                f"{builder.data_dir}: expected {len(self.names)} shapes of split {split} as in metadata.json, "
                f"found {len(self._examples)}: {remedy(Path(builder.data_dir) / 'metadata.json')}"
            )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def names_sha256(self) -> str:
        """Identifies the split: SHA-256 of the names of its shapes, in order."""
        return hashlib.sha256("\n".join(self.names).encode()).hexdigest()

    def stored(self, level: int) -> int:
        """Number of labelled points of each shape at sampling level 16, 32 or 64."""
        key = f"points_{level}"
        if key not in self._features:
            raise ValueError(f"there are no points of level {level}: expected one of {sorted(LEVEL_SIZES)}")
        return self._features[key].shape[0]

    def grid(self, level: int) -> int:
        """Cells per axis of the grid that the points of a level index."""
        return self.metadata.get("levels", {}).get(str(level), {}).get("grid", SOLID_RESOLUTION)

    def __iter__(self) -> Iterator[Row]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, row: SupportsIndex) -> Row:
        return Row(tf_example_pb2.Example.FromString(self._examples[row]), self._features)
