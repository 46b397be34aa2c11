"""Connectivity of a triangle soup: welded vertices, duplicates, closed patches.

A surface has an integer winding number everywhere exactly when it has no boundary in the sense of
signed edges: each edge is walked as often one way as the other. That test needs no manifold and no
single body, only that faces agree about orientation.
"""

from __future__ import annotations

import igl
import numpy as np

from imfield_jax.mesh.normals import face_vectors
from imfield_jax.types import Mesh

_WELD_STEPS = 1 << 24  # per cube side: vertices that agree to 6e-8 are one (float32 files hold no more)


def weld(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Merges equal vertices and drops faces that lose a corner: ([V', 3] float64, [F', 3] int64)."""
    steps = np.rint(vertices * _WELD_STEPS).astype(np.int64)
    order = np.lexsort(steps.T)
    is_new = np.ones(len(order), bool)
    is_new[1:] = (np.diff(steps[order], axis=0) != 0).any(axis=1)
    index = np.empty(len(order), np.int64)
    index[order] = np.cumsum(is_new) - 1
    faces = index[faces]
    a, b, c = faces.T
    return steps[order[is_new]] / _WELD_STEPS, faces[(a != b) & (b != c) & (c != a)]


def first_copies(faces: np.ndarray) -> np.ndarray:
    """[F] bool: faces that repeat no earlier face, whichever way either is wound."""
    corners = np.sort(faces, axis=1)
    order = np.lexsort(corners.T)  # stable, so the earliest copy comes first
    is_first = np.ones(len(faces), bool)
    is_first[order[1:]] = (np.diff(corners[order], axis=0) != 0).any(axis=1)
    return is_first


def without_boundary(faces: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """[labels] bool: within each group of faces, is every edge walked equally often in either direction?

    labels: [F] non-negative group of each face.
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


def volumes(vertices: np.ndarray, faces: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Signed volume of each group of faces (a group should have no boundary): [labels] float64."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.bincount(labels, (a * np.cross(b, c)).sum(axis=1) / 6)


def areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[F] float64."""
    return np.linalg.norm(face_vectors(Mesh(vertices, faces)), axis=1) / 2


def closed_patches(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns faces so that every closed patch is outward: (faces [F, 3], is_closed [F] bool).

    A patch is a set of faces connected over edges with exactly two faces; its faces are made to agree by
    walking over it, regardless of the winding in the file. Faces of patches with a boundary come back
    unchanged. `faces` has no duplicates.
    """
    turned, labels = igl.bfs_orient(np.ascontiguousarray(faces))
    volume = volumes(vertices, turned, labels)
    is_closed = (without_boundary(turned, labels) & (np.abs(volume) > 0))[labels]
    outward = np.where((volume < 0)[labels, None], turned[:, ::-1], turned)
    return np.where(is_closed[:, None], outward, faces), is_closed
