"""A stream of batches from the records of a dataset of any size, prefetched by threads.

tf.data serves as a thread pool only: a range of batch numbers, mapped in parallel and in order through one NumPy
function that draws, reads and decodes only the rows, points and view that a batch needs, and a prefetch. No TensorFlow
op touches the data. A stream starts at any step immediately, because there is no shuffle buffer and nothing to skip.
TensorFlow is imported when a stream is opened, not before.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int, UInt8

from imfield_jax.batches import PointBatch, ViewBatch
from imfield_jax.dataset.draws import Draw
from imfield_jax.dataset.feed import FeedConfig, draw_batch, framed, indices_to_points
from imfield_jax.dataset.rows import Split
from imfield_jax.framing import to_unit

if TYPE_CHECKING:
    import tensorflow as tf

_PREFETCH = 4  # batches
_ENDLESS = np.iinfo(np.int64).max


def point_stream(split: Split, config: FeedConfig, level: int, start: int = 0, parallel: int = 2) -> tf.data.Dataset:
    """Batches `start`, `start` + 1, ... without end, as tuples in the field order of `PointBatch`.

    A batch that cannot be read is empty, see `PipelineFeed`.
    """
    types = (np.int32, np.uint8, np.float32, np.float32)
    return _stream(lambda step: _point_batch(split, config, level, int(step)), types, start, parallel)


def view_stream(
    split: Split, config: FeedConfig, level: int | None, start: int = 0, parallel: int = 2
) -> tf.data.Dataset:
    """Batches `start`, `start` + 1, ... without end, as tuples in the field order of `ViewBatch`, or empty as above."""
    types = (np.int32, np.float32, np.float32, np.float32, np.float32)
    return _stream(lambda step: _view_batch(split, config, level, int(step)), types, start, parallel)


def _point_batch(split: Split, config: FeedConfig, level: int, step: int) -> tuple[np.ndarray, ...]:
    drawn = draw_batch(config, step, len(split), stored=split.stored(level))
    rows = [split[row] for row in drawn.index]
    return (
        drawn.index,
        np.stack([row.voxels_of(config.inputs.voxel_size) for row in rows]),
        *_labelled(split, rows, drawn, level),
    )


def _view_batch(split: Split, config: FeedConfig, level: int | None, step: int) -> tuple[np.ndarray, ...]:
    stored = split.stored(level) if level else 0
    drawn = draw_batch(config, step, len(split), stored=stored, views=split.views)
    rows = [split[row] for row in drawn.index]
    views = [framed(row, int(number), config.inputs) for row, number in zip(rows, drawn.view, strict=True)]
    greys, cameras = map(np.stack, zip(*views, strict=True))
    return drawn.index, to_unit(greys), cameras, *_labelled(split, rows, drawn, level)


class PipelineFeed:
    """The `feed.Feed` of an open split; batches are NumPy arrays.

    For consecutive steps of a kind of batch it prefetches; for another step it starts a new stream there. A batch
    that cannot be read raises as `rows.Split`.
    """

    def __init__(self, split: Split, config: FeedConfig, parallel: int = 2):
        self.names = split.names
        self._split, self._config, self._parallel = split, config, parallel
        self._running: dict[tuple, tuple[int, Iterator[tuple]]] = {}  # by kind and level: the next step, the stream
        # At shutdown, a stream that still prefetches and Python would wait for each other.
        weakref.finalize(self, self._running.clear)

    def points(self, level: int, step: int) -> PointBatch:
        return PointBatch(*self._batch(point_stream, _point_batch, level, step))

    def views(self, level: int | None, step: int) -> ViewBatch:
        return ViewBatch(*self._batch(view_stream, _view_batch, level, step))

    def voxels(self, index: Int[np.ndarray, " B"]) -> UInt8[np.ndarray, "B V V V"]:
        return np.stack([self._split[row].voxels_of(self._config.inputs.voxel_size) for row in index])

    def _batch(
        self,
        stream: Callable[..., tf.data.Dataset],
        assemble: Callable[..., tuple],
        level: int | None,
        step: int,
    ) -> tuple:
        ready, batches = self._running.get((stream, level), (None, None))
        if batches is None or ready != step:
            batches = stream(self._split, self._config, level, step, self._parallel).as_numpy_iterator()
        batch = next(batches)
        self._running[stream, level] = step + 1, batches
        return batch if len(batch[0]) else assemble(self._split, self._config, level, step)  # raises the original error


def _labelled(split: Split, rows: list, drawn: Draw, level: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The drawn points of each row [B, P, 3] and their occupancy [B, P], float32; P = 0 without a level."""
    if level is None:
        return np.zeros((len(rows), 0, 3), np.float32), np.zeros((len(rows), 0), np.float32)
    chosen = list(zip(rows, drawn.points, strict=True))
    indices = np.stack([row.points(level)[points] for row, points in chosen])
    values = np.stack([row.values(level)[points] for row, points in chosen])
    return indices_to_points(indices, split.grid(level)), values.astype(np.float32)


def _stream(assemble: Callable[[np.integer], tuple], types: tuple, start: int, parallel: int) -> tf.data.Dataset:
    import tensorflow as tf

    def assembled(step: np.integer) -> tuple:
        # TensorFlow would print an error with its traceback and return it as text: an empty batch represents one.
        try:
            return assemble(step)
        except (OSError, ValueError):
            return tuple(np.zeros(0, kind) for kind in types)

    tf.config.set_visible_devices([], "GPU")  # the accelerator is for JAX
    steps = tf.data.Dataset.range(start, _ENDLESS)
    batches = steps.map(
        lambda step: tf.numpy_function(assembled, [step], types, stateful=False),
        num_parallel_calls=parallel,
        deterministic=True,
    )
    return batches.prefetch(_PREFETCH)
