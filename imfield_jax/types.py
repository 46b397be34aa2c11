"""The letters of this code base and the records that cross its borders.

Letters, used in every docstring that gives a shape:

    B  shapes in a batch          Z  width of the latent code
    P  query points per shape     R  cells per axis of a grid
    V  vertices of a mesh         F  faces of a mesh
    K  views per shape (24 unless said otherwise)

Frames: every point is in the model cube [-0.5, 0.5]^3, right-handed, y up, front -z
(see `imfield_jax.coordinates`). Angles are radians. Images are uint8 RGBA on disk; a *view*
is what the network sees: grey in [0, 1], composited on white.
"""

from __future__ import annotations

import dataclasses

import jax
import numpy as np

Array = jax.Array | np.ndarray


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


@dataclasses.dataclass(frozen=True)
class Mesh:
    """A triangle mesh, counter-clockwise seen from outside, in cube units.

    vertices: [V, 3] float32.   faces: [F, 3] int32.
    normals:  [V, 3] float32 of unit length, outward, or None.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks at the origin of the cube, y up, no roll.

    Azimuth 0 puts the camera in front of the object (on -z) and grows towards +x: the eye is at
    distance * (sin(azimuth) cos(elevation), sin(elevation), -cos(azimuth) cos(elevation)).
    """

    azimuth_radians: float
    elevation_radians: float
    distance: float
    fov_radians: float
