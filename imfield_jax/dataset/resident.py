"""A small split in device memory: batches without files and without TensorFlow.

`pack` reads a split once into compact arrays (a shape with 24 views takes half a megabyte, 800 of them
400 MB), `ResidentFeed` puts the arrays on the device and gathers the drawn rows there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Int, UInt8

from imfield_jax.batches import Inputs, PointBatch, ViewBatch
from imfield_jax.camera import VIEW_CAMERA
from imfield_jax.coordinates import LEVEL_SIZES
from imfield_jax.dataset.feed import FeedConfig, draw_batch, framed, indices_to_points
from imfield_jax.framing import CHANNELS, to_unit

if TYPE_CHECKING:  # reading a dataset needs TFDS, feeding packed arrays must not
    from imfield_jax.dataset.rows import Row, Split

LEVELS = tuple(LEVEL_SIZES)


@dataclasses.dataclass(frozen=True)
class PackedSplit:
    """All data of a split that training reads, N shapes.

    names:   one per shape.
    inputs:  what the encoders see.
    voxels:  np.packbits of [V, V, V].
    points:  by level: indices in a grid over the cube.
    values:  by level: 1 inside.
    grids:   by level: cells per axis of that grid.
    views:   None if they were left out.
    cameras: of the views, see `camera.view_camera`.
    """

    names: tuple[str, ...]
    inputs: Inputs
    voxels: UInt8[np.ndarray, "N _"]
    points: dict[int, UInt8[np.ndarray, "N _ 3"]]
    values: dict[int, UInt8[np.ndarray, "N _"]]
    grids: dict[int, int]
    views: UInt8[np.ndarray, "N K S S C"] | None = None
    cameras: Float32[np.ndarray, "N K 7"] | None = None


def pack(
    split: Split,
    inputs: Inputs,
    views: bool = True,
    threads: int = 2,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PackedSplit:
    """Read a split into memory. views: read them too.

    Decoding 24 images takes about 50 ms per shape, everything else 2 ms.
    """
    arrays = _empty(len(split), split, inputs, views)
    with ThreadPoolExecutor(threads) as pool:
        rows = pool.map(lambda row: _fill(arrays, row, split[row], inputs), range(len(split)))
        for done, _ in enumerate(rows, start=1):
            progress(done, len(split))
    return PackedSplit(
        names=split.names,
        inputs=inputs,
        voxels=arrays["voxels"],
        points={level: arrays[f"points_{level}"] for level in LEVELS},
        values={level: arrays[f"values_{level}"] for level in LEVELS},
        grids={level: split.grid(level) for level in LEVELS},
        views=arrays.get("views"),
        cameras=arrays.get("cameras"),
    )


def _empty(count: int, split: Split, inputs: Inputs, views: bool) -> dict[str, np.ndarray]:
    arrays = {"voxels": np.empty((count, inputs.voxel_size**3 // 8), np.uint8)}
    for level in LEVELS:
        stored = split.stored(level)
        arrays[f"points_{level}"] = np.empty((count, stored, 3), np.uint8)
        arrays[f"values_{level}"] = np.empty((count, stored), np.uint8)
    if views:
        size, channels = inputs.view_size, CHANNELS[inputs.framing]
        arrays["views"] = np.empty((count, split.views, size, size, channels), np.uint8)
        arrays["cameras"] = np.empty((count, split.views, VIEW_CAMERA), np.float32)
    return arrays


def _fill(arrays: dict[str, np.ndarray], number: int, row: Row, inputs: Inputs) -> None:
    arrays["voxels"][number] = np.packbits(row.voxels_of(inputs.voxel_size))
    for level in LEVELS:
        arrays[f"points_{level}"][number] = row.points(level)
        arrays[f"values_{level}"][number] = row.values(level)
    if "views" in arrays:
        for view in range(row.view_count):
            arrays["views"][number, view], arrays["cameras"][number, view] = framed(row, view, inputs)


class ResidentFeed:
    """The `feed.Feed` of a packed split; batches are JAX arrays.

    sharding: of the batch over devices (the split is then replicated on each of them); by default everything
              is on the default device. Arrays are copied to the device when a batch first needs them.

    Raises ValueError when the split was packed for other inputs than those of the config.
    """

    def __init__(self, packed: PackedSplit, config: FeedConfig, sharding: jax.sharding.NamedSharding | None = None):
        if packed.inputs != config.inputs:
            raise ValueError(f"the split is packed for {packed.inputs}, the feed needs {config.inputs}")
        self.names = packed.names
        self._packed, self._config, self._sharding = packed, config, sharding
        self._on_device: dict[str | tuple[str, int], jax.Array] = {}
        self._gather_points = jax.jit(_gather_points, static_argnums=4, out_shardings=sharding)
        self._gather_voxels = jax.jit(_gather_voxels, static_argnums=2, out_shardings=sharding)
        self._gather_views = jax.jit(_gather_views, out_shardings=sharding)
        self._gather_cameras = jax.jit(lambda cameras, index, view: cameras[index, view], out_shardings=sharding)

    def points(self, level: int, step: int) -> PointBatch:
        stored = self._packed.points[level].shape[1]
        index, chosen, _ = self._draw(step, stored=stored)
        points, occupancy = self._labelled(level, index, chosen)
        size = self._config.inputs.voxel_size
        return PointBatch(index, self._gather_voxels(self._voxels(), index, size), points, occupancy)

    def views(self, level: int | None, step: int) -> ViewBatch:
        views, cameras = self._views()
        any_level = level or LEVELS[0]
        stored = self._packed.points[any_level].shape[1] if level else 0
        index, chosen, view = self._draw(step, stored=stored, views=views.shape[1])
        points, occupancy = self._labelled(any_level, index, chosen)
        shown = self._gather_views(views, index, view), self._gather_cameras(cameras, index, view)
        return ViewBatch(index, *shown, points, occupancy)

    def voxels(self, index: Int[np.ndarray, " B"]) -> UInt8[jax.Array, "B V V V"]:
        return _gather_voxels(self._voxels(), jnp.asarray(index), self._config.inputs.voxel_size)

    def _draw(self, step: int, **counts: int) -> tuple[jax.Array, jax.Array, jax.Array]:
        drawn = draw_batch(self._config, step, len(self.names), **counts)
        return jax.device_put((drawn.index, drawn.points, drawn.view), self._sharding)

    def _labelled(self, level: int, index: jax.Array, chosen: jax.Array) -> tuple[jax.Array, jax.Array]:
        stored = self._resident(("points", level), self._packed.points[level])
        values = self._resident(("values", level), self._packed.values[level])
        return self._gather_points(stored, values, index, chosen, self._packed.grids[level])

    def _resident(self, key: str | tuple[str, int], array: np.ndarray) -> jax.Array:
        if key not in self._on_device:
            replicated = self._sharding and jax.sharding.NamedSharding(
                self._sharding.mesh, jax.sharding.PartitionSpec()
            )
            self._on_device[key] = jax.device_put(array, replicated)
        return self._on_device[key]

    def _voxels(self) -> jax.Array:
        return self._resident("voxels", self._packed.voxels)

    def _views(self) -> tuple[jax.Array, jax.Array]:
        """Views and their cameras."""
        if self._packed.views is None or self._packed.cameras is None:
            raise ValueError("this split was packed without views: pack it with them")
        return self._resident("views", self._packed.views), self._resident("cameras", self._packed.cameras)


def _gather_points(
    points: jax.Array, values: jax.Array, index: jax.Array, chosen: jax.Array, grid: int
) -> tuple[jax.Array, jax.Array]:
    """[N, n, 3], [N, n], [B], [B, P] -> points [B, P, 3] float32, occupancy [B, P] float32."""
    shape = index[:, None]
    return indices_to_points(points[shape, chosen], grid), values[shape, chosen].astype(jnp.float32)


def _gather_voxels(packed: jax.Array, index: jax.Array, size: int) -> jax.Array:
    shifts = jnp.arange(7, -1, -1, dtype=jnp.uint8)[None, None, :]  # np.packbits puts the first bit highest
    bits = packed[index][:, :, None] >> shifts & 1
    return bits.reshape(-1, size, size, size)


def _gather_views(views: jax.Array, index: jax.Array, view: jax.Array) -> jax.Array:
    return to_unit(views[index, view])
