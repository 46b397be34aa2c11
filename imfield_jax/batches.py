"""What a dataset hands to training: batches of shapes, and the few shapes that training is validated on.

Letters as in `imfield_jax.types`.
"""

from __future__ import annotations

import dataclasses

import jax
import numpy as np

from imfield_jax.types import Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class PointBatch:
    """Shapes with labelled points: what the autoencoder trains on.

    index:     [B] int32, row of each shape in its split.
    voxels:    [B, 64, 64, 64] uint8 in {0, 1}.
    points:    [B, P, 3] float32 in the cube.
    occupancy: [B, P] float32, 1 inside.
    """

    index: Array
    voxels: Array
    points: Array
    occupancy: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class ViewBatch:
    """One view of each shape, with labelled points: what the image encoder trains on.

    index:     [B] int32, row of each shape in its split.
    view:      [B, 128, 128, 1] float32 in [0, 1], white background.
    points:    [B, P, 3] float32 in the cube; P is 0 while only the latent is regressed.
    occupancy: [B, P] float32, 1 inside.
    """

    index: Array
    view: Array
    points: Array
    occupancy: Array


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """A few shapes that are not trained on, whole on the host: what training watches itself with.

    voxels:    [B, 64, 64, 64] uint8.
    view:      [B, 128, 128, 1] float32, one view of each.
    points:    [B, P, 3] float32, uniformly random in the cube.
    occupancy: [B, P] bool, of the 256^3 solid.
    """

    voxels: np.ndarray
    view: np.ndarray
    points: np.ndarray
    occupancy: np.ndarray
