"""Validity checks of a mesh for artists, printers and metrics: closed, manifold, outward."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Int, Int32
from scipy import sparse
from scipy.sparse import csgraph

from imfield_jax.mesh.normals import face_vectors
from imfield_jax.types import Mesh


@dataclasses.dataclass(frozen=True)
class Report:
    """The state of a mesh, judged by its indices alone except for the volume.

    vertices, faces:    numbers, of used and unused ones.
    unused_vertices:    vertices without a face.
    degenerate_faces:   faces that use a vertex twice.
    boundary_edges:     edges with one face: holes.
    nonmanifold_edges:  edges with more than two faces.
    misoriented_edges:  edges that two faces traverse in the same direction.
    components:         connected pieces, over shared vertices.
    euler:              used vertices - edges + faces: 2 for each sphere, 0 for each torus.
    signed_volume:      in cubed units of the vertices, positive when the faces point outward.
    """

    vertices: int
    faces: int
    unused_vertices: int
    degenerate_faces: int
    boundary_edges: int
    nonmanifold_edges: int
    misoriented_edges: int
    components: int
    euler: int
    signed_volume: float

    @property
    def watertight(self) -> bool:
        """Whether every edge has two faces that traverse it in opposite directions; False for an empty mesh."""
        flaws = self.boundary_edges + self.nonmanifold_edges + self.misoriented_edges + self.degenerate_faces
        return self.faces > 0 and flaws == 0

    @property
    def sound(self) -> bool:
        """Watertight and outward, as extraction guarantees for non-empty fields."""
        return self.watertight and self.signed_volume > 0


def edge_counts(
    faces: Int[np.ndarray, "F 3"], vertices: int
) -> tuple[Int[np.ndarray, "E 2"], Int[np.ndarray, " E"], Int[np.ndarray, " E"]]:
    """The undirected edges of faces, the number of faces of each, and of these that traverse it by rising index."""
    start, end = faces.ravel().astype(np.int64), np.roll(faces, -1, axis=1).ravel().astype(np.int64)
    keys = np.minimum(start, end) * vertices + np.maximum(start, end)
    order = np.argsort(keys)
    keys, ascending = keys[order], (start < end)[order]
    firsts = np.flatnonzero(np.diff(keys, prepend=-1))
    counts = np.diff(np.append(firsts, len(keys)))
    upward = np.add.reduceat(ascending, firsts, dtype=np.int64) if len(firsts) else counts
    return np.stack([keys[firsts] // vertices, keys[firsts] % vertices], axis=1), counts, upward


def component_labels(mesh: Mesh) -> Int32[np.ndarray, " F"]:
    """Which connected piece each face belongs to, numbered from 0."""
    shape = (len(mesh.vertices), len(mesh.vertices))
    ends = np.concatenate([mesh.faces[:, :2], mesh.faces[:, 1:]])
    graph = sparse.coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), shape)
    labels = csgraph.connected_components(graph, directed=False)[1][mesh.faces[:, 0]]
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)


def signed_volume(mesh: Mesh) -> float:
    """Volume enclosed, in cubed units; negative when faces point inward. Meaningless for open meshes."""
    corner = mesh.vertices[mesh.faces[:, 0]].astype(np.float64)
    return float((corner * face_vectors(mesh)).sum() / 6)


def check(mesh: Mesh) -> Report:
    """Examines a mesh.

    Raises ValueError when the mesh is invalid: a face has a vertex that does not exist, or a vertex is
    not finite.
    """
    count, faces = len(mesh.vertices), mesh.faces
    if len(faces) and (faces.min() < 0 or faces.max() >= count):
        raise ValueError(f"faces name vertices {faces.min()} to {faces.max()}, but there are {count}")
    if not np.isfinite(mesh.vertices).all():
        raise ValueError("the mesh has vertices that are not finite numbers")
    edges, counts, upward = edge_counts(faces, max(count, 1))
    used = len(np.unique(faces))
    return Report(
        vertices=count,
        faces=len(faces),
        unused_vertices=count - used,
        degenerate_faces=int((faces == np.roll(faces, 1, axis=1)).any(axis=1).sum()),
        boundary_edges=int((counts == 1).sum()),
        nonmanifold_edges=int((counts > 2).sum()),
        misoriented_edges=int(((counts == 2) & (upward != 1)).sum()),
        components=int(component_labels(mesh).max(initial=-1)) + 1,
        euler=used - len(edges) + len(faces),
        signed_volume=signed_volume(mesh),
    )
