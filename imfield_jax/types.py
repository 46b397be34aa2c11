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
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import jax

    Array: TypeAlias = jax.Array | np.ndarray
else:
    Array = Any  # preparation's worker processes use these records and must not pay for importing JAX


@dataclasses.dataclass(frozen=True)
class Mesh:
    """A triangle mesh, counter-clockwise seen from outside, in cube units.

    vertices: [V, 3] float32.   faces: [F, 3] int32.
    normals:  [V, 3] float32 of unit length, outward, or None.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray | None = None
