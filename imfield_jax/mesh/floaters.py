"""Floaters: the debris of a field, loose around the object or as bubbles inside it, as distinct from real parts.

A wheel or a leg that is a separate piece has little volume too, so volume alone does not decide.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from imfield_jax.mesh.check import component_labels
from imfield_jax.mesh.normals import face_vectors
from imfield_jax.types import Mesh

# In reconstructions of real images, parts (wheels, legs, engines, spoilers) had 0.17 to 1.2 % of the volume; debris had
# at most 0.04 %. Slats and runners are the thinnest parts: 0.01 % and less, but longer than a twentieth of the cube.
MAX_VOLUME = 0.0005  # of the whole mesh
MAX_LENGTH = 0.05  # cube units, the longest side of a bounding box


@dataclasses.dataclass(frozen=True)
class Pieces:
    """The connected pieces of a mesh, over shared vertices; a cavity is a piece of its own.

    labels:  number of the piece that each face belongs to.
    volumes: enclosed by each, in cubed units, negative for cavities.
    lows, highs: corners of their bounding boxes.
    """

    labels: Int[np.ndarray, " F"]
    volumes: Float64[np.ndarray, " n"]
    lows: Float[np.ndarray, "n 3"]
    highs: Float[np.ndarray, "n 3"]

    @property
    def floaters(self) -> Bool[np.ndarray, " n"]:
        """Which pieces are both small and short, never the largest."""
        sizes = np.abs(self.volumes)
        small = (sizes < MAX_VOLUME * sizes.sum()) & ((self.highs - self.lows).max(axis=1, initial=0) < MAX_LENGTH)
        small[np.argmax(sizes) : np.argmax(sizes) + 1] = False
        return small


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """Pieces that were left out of a mesh.

    volume: their total, as a fraction of the mesh's.   length: of the longest, in cube units.
    """

    pieces: int = 0
    volume: float = 0.0
    length: float = 0.0

    def __str__(self) -> str:
        pieces = "1 floater" if self.pieces == 1 else f"{self.pieces} floaters"
        return f"left out {pieces}: {100 * self.volume:.2g} % of the volume, at most {self.length:.3f} long"


def pieces_of(mesh: Mesh) -> Pieces:
    """The connected pieces of a mesh with faces."""
    labels = component_labels(mesh)
    corner = mesh.vertices[mesh.faces[:, 0]].astype(np.float64)
    volumes = np.bincount(labels, (corner * face_vectors(mesh)).sum(axis=1)) / 6
    order = np.argsort(labels, kind="stable")
    firsts = np.searchsorted(labels[order], np.arange(len(volumes)))
    corners = mesh.vertices[mesh.faces[order]]
    lows = np.minimum.reduceat(corners.min(axis=1), firsts)
    highs = np.maximum.reduceat(corners.max(axis=1), firsts)
    return Pieces(labels, volumes, lows, highs)


def without_floaters(mesh: Mesh) -> tuple[Mesh, LeftOut]:
    """The mesh without its floaters and the vertices that only they used, and what was left out.

    Pieces are kept or left out whole, so a closed mesh stays closed.
    """
    if not len(mesh.faces):
        return mesh, LeftOut()
    pieces = pieces_of(mesh)
    floaters = pieces.floaters
    if not floaters.any():
        return mesh, LeftOut()
    sizes, lengths = np.abs(pieces.volumes), (pieces.highs - pieces.lows).max(axis=1)
    left_out = LeftOut(int(floaters.sum()), float(sizes[floaters].sum() / sizes.sum()), float(lengths[floaters].max()))
    return _with_faces(mesh, ~floaters[pieces.labels]), left_out


def _with_faces(mesh: Mesh, kept: np.ndarray) -> Mesh:
    """The mesh of some of its faces, [F] bool, and the vertices that they use."""
    faces = mesh.faces[kept]
    used = np.zeros(len(mesh.vertices), bool)
    used[faces] = True
    numbers = np.cumsum(used) - 1
    return dataclasses.replace(
        mesh,
        vertices=mesh.vertices[used],
        faces=numbers[faces].astype(mesh.faces.dtype),
        normals=None if mesh.normals is None else mesh.normals[used],
    )
