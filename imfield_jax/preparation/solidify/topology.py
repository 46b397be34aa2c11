"""Connectivity of a triangle soup: welded vertices, duplicates, closed patches.

A surface has an integer winding number everywhere exactly when it has no boundary in the sense of
signed edges: each edge is traversed equally often in both directions. The test does not need a
manifold or a single body, only a consistent orientation of the faces.
"""

from __future__ import annotations

import igl
import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Int64

from imfield_jax.mesh.normals import face_vectors
from imfield_jax.mesh.soup import merged, with_three_corners
from imfield_jax.types import Mesh

_WELD_STEPS = 1 << 24  # per cube side: vertices closer than 6e-8 are equal (the precision of float32 files)


def weld(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]
) -> tuple[Float64[np.ndarray, "_ 3"], Int64[np.ndarray, "_ 3"]]:
    """Merges equal vertices and drops faces that lose a corner."""
    steps = np.rint(vertices * _WELD_STEPS).astype(np.int64)
    rows, index = merged(steps[:, ::-1])
    faces = index[faces]
    return steps[rows] / _WELD_STEPS, faces[with_three_corners(faces)]


def without_boundary(faces: Int[np.ndarray, "F 3"], labels: Int[np.ndarray, " F"]) -> Bool[np.ndarray, " groups"]:
    """Whether every edge of each group of faces is traversed equally often in both directions.

    labels: non-negative group of each face.
    """
    tails, heads = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    keys = np.stack([np.repeat(labels, 3), np.minimum(tails, heads), np.maximum(tails, heads)])
    order = np.lexsort(keys)
    keys = keys[:, order]
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(keys) != 0).any(axis=0)]))
    surplus = np.add.reduceat(np.where(tails < heads, 1, -1)[order], starts)
    closed = np.ones(labels.max() + 1, bool)
    closed[keys[0, starts[surplus != 0]]] = False
    return closed


def volumes(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"], labels: Int[np.ndarray, " F"]
) -> Float64[np.ndarray, " groups"]:
    """Signed volume of each group of faces (a group should have no boundary)."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.bincount(labels, (a * np.cross(b, c)).sum(axis=1) / 6)


def areas(vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]) -> Float64[np.ndarray, " F"]:
    """The area of each face."""
    return np.linalg.norm(face_vectors(Mesh(vertices, faces)), axis=1) / 2


def closed_patches(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"]
) -> tuple[Int[np.ndarray, "F 3"], Bool[np.ndarray, " F"]]:
    """Orients faces so that every closed patch is outward: (faces, is_closed).

    A patch is a set of faces connected over edges with exactly two faces; its faces are oriented
    consistently by traversal, regardless of the winding in the file. Faces of patches with a boundary
    are returned unchanged. `faces` has no duplicates.
    """
    # igl returns int64 under another name, long long
    turned, labels = (np.asarray(found, np.int64) for found in igl.bfs_orient(np.ascontiguousarray(faces)))
    volume = volumes(vertices, turned, labels)
    is_closed = (without_boundary(turned, labels) & (np.abs(volume) > 0))[labels]
    outward = np.where((volume < 0)[labels, None], turned[:, ::-1], turned)
    return np.where(is_closed[:, None], outward, faces), is_closed
