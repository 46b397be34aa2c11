"""Validation: reconstruction quality on held-out shapes."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from imfield_jax.batches import HeldOut
from imfield_jax.models.decoder import SURFACE_LOGITS
from imfield_jax.models.networks import Networks, Tree
from imfield_jax.training.state import TrainState
from imfield_jax.types import Array

Validation = Callable[[TrainState], dict[str, float]]


def validation(networks: Networks, held_out: HeldOut, sequential: bool) -> Validation:
    """A function from a state to {"voxels": IoU, "views": IoU}: means over shapes, from either input.

    The intersection over union of each shape is over uniform points, so it estimates that of volumes.
    """
    level = SURFACE_LOGITS[networks.preset.decoder.output]

    def iou(
        params: Tree, z: Float[Array, "B Z"], points: Float[Array, "B P 3"], occupancy: Bool[Array, "B P"]
    ) -> Float[Array, ""]:
        inside = networks.logits(params, z, points, sequential=sequential) > level
        return ((inside & occupancy).sum(-1) / jax.numpy.maximum((inside | occupancy).sum(-1), 1)).mean()

    @jax.jit
    def measure(
        params: Tree,
        batch_stats: Tree,
        voxels: UInt8[Array, "B V V V"],
        views: Float[Array, "B S S C"],
        points: Float[Array, "B P 3"],
        occupancy: Bool[Array, "B P"],
    ) -> dict[str, Float[Array, ""]]:
        from_voxels = networks.encode_voxels(params, voxels)
        from_views = networks.encode_views(params, batch_stats, views)
        return {
            "voxels": iou(params, from_voxels, points, occupancy),
            "views": iou(params, from_views, points, occupancy),
        }

    def validate(state: TrainState) -> dict[str, float]:
        measured = measure(
            state.params,
            state.batch_stats,
            held_out.voxels,
            held_out.view,
            held_out.points,
            held_out.occupancy,
        )
        return {name: float(value) for name, value in measured.items()}

    return validate


def latents_of(
    networks: Networks,
    params: Tree,
    voxels: Callable[[Int[np.ndarray, " B"]], UInt8[Array, "B V V V"]],
    count: int,
) -> Float[jax.Array, "{count} Z"]:
    """The autoencoder's latents of all `count` shapes of a split. voxels: of given rows, as `Feed.voxels`."""
    encode = jax.jit(networks.encode_voxels)
    chunk = min(32, count)
    pieces = []
    for start in range(0, count, chunk):
        # The last chunk is padded with the last row, so that all chunks compile once.
        rows = np.minimum(np.arange(start, start + chunk), count - 1)
        pieces.append(np.asarray(encode(params, voxels(rows))))
    return jax.numpy.asarray(np.concatenate(pieces)[:count])
