"""Batches of shapes for training, and the few held-out shapes for validation.

Notation as in `imfield_jax.types`.
"""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from imfield_jax.coordinates import SOLID_RESOLUTION, VOXEL_RESOLUTION
from imfield_jax.framing import FRAMED_SIZE
from imfield_jax.types import Array


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What the encoders see of a shape.

    framing:    how an image becomes a view, see `imfield_jax.framing`.
    view_size:  pixels per side of a view, S.
    voxel_size: voxels per side of the cube, V; divides the 256 of solids.

    Raises ValueError for sizes out of range.
    """

    framing: str = "fit"
    view_size: int = FRAMED_SIZE
    voxel_size: int = VOXEL_RESOLUTION

    def __post_init__(self) -> None:
        if self.view_size < 32 or self.view_size % 32:
            raise ValueError(f"view_size: expected a multiple of 32 pixels, found {self.view_size}")
        if self.voxel_size < 16 or SOLID_RESOLUTION % self.voxel_size:
            raise ValueError(f"voxel_size: expected 16, 32, 64, 128 or 256 voxels, found {self.voxel_size}")


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
    voxels: UInt8[Array, "B V V V"]
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
    view: Float32[Array, "B S S C"]
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

    voxels: UInt8[np.ndarray, "B V V V"]
    view: Float32[np.ndarray, "B S S C"]
    points: Float32[np.ndarray, "B P 3"]
    occupancy: Bool[np.ndarray, "B P"]
