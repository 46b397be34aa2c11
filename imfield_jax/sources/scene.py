"""A textured object as a list of parts, one material each: the output of every source.

A scene is a model in the sense of 3D artists: geometry with colours. Solidification uses it as one
triangle soup, rendering uses its parts.
"""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64, UInt8

from imfield_jax.types import Mesh

Color = tuple[float, float, float, float]
GREY: Color = (0.7, 0.7, 0.7, 1.0)
_LARGEST = 1e38  # units; the maximum of float32 is 3.4e38
Texture: TypeAlias = UInt8[np.ndarray, "_ _ 4"]  # RGBA, first row at the top


@dataclasses.dataclass(frozen=True)
class Part:
    """Triangles with one material.

    All colours are sRGB, as in images; where several are given, they are multiplied in linear light (`color.product`),
    and their opacities are multiplied.

    faces:  winding as in the file (not trusted).
    uv:     origin at the bottom left as in OBJ.
    color:  (r, g, b, opacity) in [0, 1] of the whole part.
    colors: RGBA in [0, 1] of each vertex.
    """

    vertices: Float64[np.ndarray, "V 3"]
    faces: Int64[np.ndarray, "F 3"]
    color: Color = GREY
    uv: Float32[np.ndarray, "V 2"] | None = None
    texture: Texture | None = None
    colors: Float32[np.ndarray, "V 4"] | None = None


@dataclasses.dataclass(frozen=True)
class Scene:
    """One object.

    warnings: features of the file that the parts lack, one line each, for the preparation report.
    """

    parts: tuple[Part, ...]
    warnings: tuple[str, ...] = ()

    def soup(self) -> tuple[Float64[np.ndarray, "V 3"], Int64[np.ndarray, "F 3"]]:
        """All triangles: vertices and faces."""
        offsets = np.cumsum([0, *(len(part.vertices) for part in self.parts)])
        vertices = np.concatenate([np.zeros((0, 3)), *(part.vertices for part in self.parts)])
        faces = [part.faces + offset for part, offset in zip(self.parts, offsets[:-1], strict=True)]
        return vertices, np.concatenate([np.zeros((0, 3), np.int64), *faces])


@dataclasses.dataclass(frozen=True)
class Placement:
    """How a scene was moved into the cube: cube = scale * (source - center).

    Stored with every record so that a result can be converted back to the source's units.
    """

    center: Float64[np.ndarray, " 3"]  # source units
    scale: float  # cube units per source unit

    def to_cube(self, points: Float[np.ndarray, "*shape 3"]) -> Float[np.ndarray, "*shape 3"]:
        return self.scale * (points - self.center)


def of_mesh(mesh: Mesh) -> Scene:
    """A mesh without a material, as a scene."""
    return Scene((Part(mesh.vertices.astype(np.float64), mesh.faces.astype(np.int64)),))


def transformed(scene: Scene, matrix: Float[np.ndarray, "3 3"]) -> Scene:
    """The scene with its vertices multiplied by a 3x3 matrix, v' = matrix v."""
    parts = (dataclasses.replace(part, vertices=part.vertices @ matrix.T) for part in scene.parts)
    return dataclasses.replace(scene, parts=tuple(parts))


def place(scene: Scene, longest_side: float | None) -> tuple[Scene, Placement]:
    """The scene moved into the cube, and its placement.

    longest_side: the bounding box is centred and its longest side scaled to this (0.9 for our own
    sources); None keeps the coordinates of a scene that is already in the cube (ShapeNet v2).

    Raises ValueError for a scene without triangles, with non-finite vertices, without extent, or with coordinates
    outside the range of float32, in which records store the placement.
    """
    vertices, faces = scene.soup()
    if not len(faces):
        raise ValueError("the mesh has no triangles")
    used = vertices[np.unique(faces)]
    largest = float(np.abs(used).max())
    if not np.isfinite(used).all():
        raise ValueError("the mesh has vertices that are not finite numbers")
    low, high = used.min(axis=0), used.max(axis=0)
    extent = float((high - low).max())
    if extent <= 0:
        raise ValueError("all vertices of the mesh are the same point")
    if largest > _LARGEST or extent < 1 / _LARGEST:
        raise ValueError(f"the mesh is {extent:.2g} units large, with coordinates up to {largest:.2g}: scale it")
    if longest_side is None:
        placement = Placement(np.zeros(3), 1.0)
    else:
        placement = Placement((low + high) / 2, longest_side / extent)
    parts = (dataclasses.replace(part, vertices=placement.to_cube(part.vertices)) for part in scene.parts)
    return dataclasses.replace(scene, parts=tuple(parts)), placement
