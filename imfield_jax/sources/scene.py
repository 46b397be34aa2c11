"""A textured object as a list of parts, one material each: the output of every source.

A scene is a model in the artists' sense: geometry with colours. Solidification uses it as one
triangle soup, rendering uses its parts.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from imfield_jax.types import Mesh

Color = tuple[float, float, float, float]
GREY: Color = (0.7, 0.7, 0.7, 1.0)


@dataclasses.dataclass(frozen=True)
class Part:
    """Triangles with one material. All its colours are sRGB, as images are; where several are given, their light
    (`color.product`) and their opacities are multiplied.

    vertices: [V, 3] float64.   faces: [F, 3] int64, winding as the file has it (not trusted).
    uv:       [V, 2] float32, origin at the bottom left as in OBJ, or None.
    color:    (r, g, b, opacity) in [0, 1], of the whole part.
    texture:  [H, W, 4] uint8 RGBA, first row at the top, or None.
    colors:   [V, 4] float32 RGBA in [0, 1], of the vertices, or None.
    """

    vertices: np.ndarray
    faces: np.ndarray
    color: Color = GREY
    uv: np.ndarray | None = None
    texture: np.ndarray | None = None
    colors: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Scene:
    """One object.

    warnings: features of the file that the parts lack, one line each, for the preparation report.
    """

    parts: tuple[Part, ...]
    warnings: tuple[str, ...] = ()

    def soup(self) -> tuple[np.ndarray, np.ndarray]:
        """All triangles: vertices [V, 3] float64, faces [F, 3] int64."""
        offsets = np.cumsum([0, *(len(part.vertices) for part in self.parts)])
        vertices = np.concatenate([np.zeros((0, 3)), *(part.vertices for part in self.parts)])
        faces = [part.faces + offset for part, offset in zip(self.parts, offsets[:-1], strict=True)]
        return vertices, np.concatenate([np.zeros((0, 3), np.int64), *faces])


@dataclasses.dataclass(frozen=True)
class Placement:
    """How a scene was moved into the cube: cube = scale * (source - center).

    Stored with every record so that a result can be returned in the source's units.
    """

    center: np.ndarray  # [3] float64, source units
    scale: float  # cube units per source unit

    def to_cube(self, points: np.ndarray) -> np.ndarray:
        return self.scale * (points - self.center)


def of_mesh(mesh: Mesh) -> Scene:
    """A mesh without a material, as a scene."""
    return Scene((Part(mesh.vertices.astype(np.float64), mesh.faces.astype(np.int64)),))


def transformed(scene: Scene, matrix: np.ndarray) -> Scene:
    """The scene with its vertices multiplied by a 3x3 matrix, v' = matrix v."""
    parts = (dataclasses.replace(part, vertices=part.vertices @ matrix.T) for part in scene.parts)
    return dataclasses.replace(scene, parts=tuple(parts))


def place(scene: Scene, longest_side: float | None) -> tuple[Scene, Placement]:
    """The scene moved into the cube, and its placement.

    longest_side: the bounding box is centred and its longest side scaled to this (0.9 for our own
    sources); None leaves a scene that already lives in the cube where it is (ShapeNet v2).

    Raises ValueError for a scene without triangles, with non-finite vertices or without extent.
    """
    vertices, faces = scene.soup()
    if not len(faces):
        raise ValueError("the mesh has no triangles")
    used = vertices[np.unique(faces)]
    if not np.isfinite(used).all():
        raise ValueError("the mesh has vertices that are not finite numbers")
    low, high = used.min(axis=0), used.max(axis=0)
    extent = float((high - low).max())
    if extent <= 0:
        raise ValueError("all vertices of the mesh are the same point")
    if longest_side is None:
        placement = Placement(np.zeros(3), 1.0)
    else:
        placement = Placement((low + high) / 2, longest_side / extent)
    parts = (dataclasses.replace(part, vertices=placement.to_cube(part.vertices)) for part in scene.parts)
    return dataclasses.replace(scene, parts=tuple(parts)), placement
