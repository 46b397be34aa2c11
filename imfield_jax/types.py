"""The notation of this code base, and the types that its packages share.

Notation of array shapes:

    B  shapes in a batch          Z  width of the latent code
    P  query points per shape     R  cells per axis of a grid
    V  vertices of a mesh         F  faces of a mesh
    K  views per shape (24 by default)

Annotations of arrays read dtype, container, shape: `Float32[np.ndarray, "B P 3"]` is a numpy array, `Float[Array, ...]`
one of numpy or JAX and of any float dtype. A letter has one value throughout a call, "*shape" and "..." stand for any
number of axes, "" is a scalar. mypy reads the container, the tests check the rest (jaxtyping, see tests/conftest.py).

Frames: every point is in the model cube [-0.5, 0.5]^3, right-handed, y up, front -z
(see `imfield_jax.coordinates`). Angles are radians. Images are uint8 RGBA on disk; a *view*
is what the network sees: grey in [0, 1], composited on white.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

if TYPE_CHECKING:
    import jax

    Array: TypeAlias = jax.Array | np.ndarray
    SameArray = TypeVar("SameArray", jax.Array, np.ndarray)  # numpy in, numpy out; JAX in, JAX out
else:
    Array = SameArray = Any  # preparation's worker processes use these types and must not spend time on importing JAX


@dataclasses.dataclass(frozen=True)
class Texture:
    """The colours of a surface as an image, sRGB.

    corners: where the corners of each face are in it, to the right and up, in [0, 1].
    """

    image: UInt8[np.ndarray, "H W 3"]
    corners: Float32[np.ndarray, "F 3 2"]


@dataclasses.dataclass(frozen=True)
class Mesh:
    """A triangle mesh, counter-clockwise seen from outside, in cube units.

    In single precision (float32, int32) as extracted, in double precision while meshes are made into solids.

    normals: of unit length, outward.
    colors:  sRGB.   seen: 1 where the colour comes from the picture, 0 where it is a guess.
    spread:  cube units by which the surface moves when the picture is looked at differently, see `inference.spread`.
    """

    vertices: Float[np.ndarray, "V 3"]
    faces: Int[np.ndarray, "F 3"]
    normals: Float32[np.ndarray, "V 3"] | None = None
    colors: UInt8[np.ndarray, "V 3"] | None = None
    seen: Float32[np.ndarray, " V"] | None = None
    spread: Float32[np.ndarray, " V"] | None = None
    texture: Texture | None = None
