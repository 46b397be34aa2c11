"""Batches of shapes for training, and the few held-out shapes for validation.

Notation as in `imfield_jax.types`.
"""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from imfield_jax.types import Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class PointBatch:
    """Shapes with labelled points, for the autoencoder.

    index:     row of each shape in its split.
    voxels:    0 or 1.
    points:    in the cube.
    occupancy: 1 inside, 0 outside.
    """

    index: Int32[Array, " B"]
    voxels: UInt8[Array, "B 64 64 64"]
    points: Float32[Array, "B P 3"]
    occupancy: Float32[Array, "B P"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class ViewBatch:
    """One view of each shape, with labelled points, for the image encoder.

    index:     row of each shape in its split.
    view:      in [0, 1], white background.
    camera:    of the view, see `camera.view_camera`; NaN if it is not known.
    points:    in the cube; P is 0 while only the latent is regressed.
    occupancy: 1 inside, 0 outside.
    """

    index: Int32[Array, " B"]
    view: Float32[Array, "B 128 128 C"]
    camera: Float32[Array, "B 7"]
    points: Float32[Array, "B P 3"]
    occupancy: Float32[Array, "B P"]


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """A few held-out shapes, in host memory, on which training is validated.

    view:      one of each shape.
    points:    uniformly random in the cube.
    occupancy: of the 256^3 solid.
    """

    voxels: UInt8[np.ndarray, "B 64 64 64"]
    view: Float32[np.ndarray, "B 128 128 C"]
    points: Float32[np.ndarray, "B P 3"]
    occupancy: Bool[np.ndarray, "B P"]
