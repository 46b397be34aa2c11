"""Solids of closed meshes: exact, fast, and only for meshes where "inside" is unambiguous.

A union of closed outward bodies, however they nest or overlap, is where the winding number is
positive. Whether a mesh is such a union is decided from its edges, volumes and winding numbers;
ambiguous meshes take the robust path.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from imfield_jax.coordinates import containing_cell
from imfield_jax.mesh.check import component_labels
from imfield_jax.mesh.normals import face_vectors
from imfield_jax.mesh.soup import first_copies
from imfield_jax.preparation.solidify.regions import filled
from imfield_jax.preparation.solidify.thin import with_thin_parts
from imfield_jax.preparation.solidify.topology import areas, volumes, without_boundary
from imfield_jax.preparation.solidify.voxelise import surface_voxels
from imfield_jax.preparation.solidify.winding import winding_grid
from imfield_jax.types import Mesh

_MIN_THICKNESS = 1e-7  # volume over area, cube units; rounding gives a folded sheet less


def exact_solid(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"], resolution: int
) -> tuple[Bool[np.ndarray, "R R R"] | None, str]:
    """Voxels whose centre is inside a closed outward mesh, with sealed cavities filled.

    Parts too thin for the grid are kept as surface voxels (see `thin`); elsewhere the result is exact.

    The mesh is welded and still has its duplicate faces.

    Returns (voxels, ""), or (None, reason) for a mesh that this path does not support.
    """
    if not without_boundary(faces, np.zeros(len(faces), np.int64))[0]:
        return None, "its faces have open edges or inconsistent orientation"
    labels = component_labels(Mesh(vertices, faces))
    thickness = volumes(vertices, faces, labels) / (np.bincount(labels, areas(vertices, faces)) + 1e-300)
    if thickness.min() <= _MIN_THICKNESS:
        return None, "one of its bodies is inside out or encloses nothing"
    winding = winding_grid(vertices, faces, resolution)
    if winding.min() < 0:
        return None, "parts of its bodies are inside out"
    solid = filled(winding > 0)
    copies = faces[~first_copies(faces)]
    if len(copies) and not _buried(vertices, copies, solid):
        return None, "some of its faces are double-sided"
    return with_thin_parts(solid, surface_voxels(vertices, faces, resolution)), ""


def _buried(vertices: np.ndarray, faces: np.ndarray, solid: np.ndarray) -> bool:
    """Whether both sides of all these faces are solid, so that they are walls between adjacent bodies."""
    normal = face_vectors(Mesh(vertices, faces))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-300
    resolution = solid.shape[0]
    sides = vertices[faces].sum(axis=1) / 3 + np.array([[[1.0]], [[-1.0]]]) * normal / resolution
    return bool(solid[tuple(np.moveaxis(containing_cell(sides, resolution), -1, 0))].all())
