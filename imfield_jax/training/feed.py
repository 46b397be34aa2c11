"""The source of batches of a training loop.

A feed returns the same batch for the same number, so resuming needs no state.
`imfield_jax.dataset` has two: `pipeline.PipelineFeed` and `resident.ResidentFeed`.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, UInt8

from imfield_jax.batches import PointBatch, ViewBatch
from imfield_jax.coordinates import LEVEL_SIZES
from imfield_jax.training.stages import AUTOENCODER, Stage
from imfield_jax.types import Array

COARSEST = min(LEVEL_SIZES)


@runtime_checkable
class Feed(Protocol):
    """Batches by number. Leaves are numpy or jax arrays; B is the batch size.

    names: the shapes of the split, by row.
    """

    names: tuple[str, ...]

    def points(self, level: int, step: int) -> PointBatch:
        """Batch `step` of labelled points of sampling level 16, 32 or 64."""
        ...

    def views(self, level: int | None, step: int) -> ViewBatch:
        """Batch `step` of one random view per shape, with points of `level`, or none (P = 0)."""
        ...

    def voxels(self, index: Int[np.ndarray, " B"]) -> UInt8[Array, "B V V V"]:
        """The voxels of given rows, in that order."""
        ...


def batch(feed: Feed, stage: Stage, step: int) -> PointBatch | ViewBatch:
    """Batch `step` of what a stage is trained on."""
    if stage.kind != AUTOENCODER:
        near = feed.views(stage.level, step)
        return _with_points(near, feed.views(COARSEST, step)) if stage.whole else near
    if stage.level is None:
        raise ValueError(f"{stage.name}: an autoencoder is trained on the points of a level")
    return feed.points(stage.level, step)


def _with_points(batch: ViewBatch, more: ViewBatch) -> ViewBatch:
    """A batch with the points of another batch of the same shapes, after its own."""
    points = jnp.concatenate([batch.points, more.points], axis=1)
    return dataclasses.replace(
        batch, points=points, occupancy=jnp.concatenate([batch.occupancy, more.occupancy], axis=1)
    )
