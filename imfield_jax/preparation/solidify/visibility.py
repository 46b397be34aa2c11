"""Visibility of both sides of each face from outside: the one reliable orientation of messy meshes.

Winding orders in files are unreliable, but artists check their models by looking at them. So rays are
cast from points on both sides of every face; the fraction that escapes measures the visibility of that side.
"""

from __future__ import annotations

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from jaxtyping import Float, Float64, Int

from imfield_jax.mesh.normals import face_vectors
from imfield_jax.types import Mesh

_SAMPLES = 30_000  # points on the surface, distributed by area
_MIN_SAMPLES = 2  # per face
_RAYS = 24  # per point and side
_AT_ONCE = 1 << 15  # points; all rays of a mesh of a million faces would take several gigabytes
_OFFSET = 2e-4  # cube units between a face and the start of its rays, 1/20 voxel at 256^3


def face_visibility(
    vertices: Float[np.ndarray, "V 3"],
    faces: Int[np.ndarray, "F 3"],
    chosen: Int[np.ndarray, " N"],
    rng: np.random.Generator,
) -> tuple[Float64[np.ndarray, " N"], Float64[np.ndarray, " N"]]:
    """Fraction of rays that escape from the front and from the back of the chosen faces.

    vertices, faces: the whole mesh, which blocks rays.   chosen: indices of the faces to test.
    Returns both fractions per face; the front is the side from which the face is counter-clockwise.
    """
    scene = rtcore_scene.EmbreeScene()
    TriangleMesh(scene, np.ascontiguousarray(vertices[faces], np.float32))
    owner, points, normals = _surface_points(vertices, faces[chosen], rng)
    counts = np.bincount(owner, minlength=len(chosen))
    fractions = []
    for side in (normals, -normals):
        parts = [slice(start, start + _AT_ONCE) for start in range(0, len(points), _AT_ONCE)]
        escaped = np.concatenate([_escaped(scene, points[part], side[part], rng) for part in parts])
        fractions.append(np.bincount(owner, escaped, len(chosen)) / counts)
    return fractions[0], fractions[1]


def _escaped(
    scene: rtcore_scene.EmbreeScene, points: np.ndarray, normals: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Fraction of random rays from each point [N, 3] into the half space of its normal that hit nothing: [N]."""
    directions = rng.standard_normal((len(points), _RAYS, 3), np.float32)
    inward = (directions * normals[:, None]).sum(axis=2, keepdims=True) < 0
    directions = np.where(inward, -directions, directions)
    origins = np.broadcast_to((points + _OFFSET * normals)[:, None], directions.shape)
    hit = scene.run(
        np.ascontiguousarray(origins.reshape(-1, 3), np.float32),
        directions.reshape(-1, 3),
        query="OCCLUDED",
    )
    return (hit.reshape(len(points), _RAYS) < 0).mean(axis=1)


def _surface_points(
    vertices: np.ndarray, faces: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random points by area, at least two per face: (face of each [N], points [N, 3], unit normals [N, 3]).

    Not `mesh.sampling.sample_surface`, whose points are independent, so that a small face may get none.
    """
    normals = face_vectors(Mesh(vertices, faces))
    area = np.linalg.norm(normals, axis=1) / 2
    counts = np.maximum(_MIN_SAMPLES, np.ceil(_SAMPLES * area / (area.sum() + 1e-300))).astype(np.int64)
    owner = np.repeat(np.arange(len(faces)), counts)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals /= 2 * area[:, None] + 1e-300
    weights = rng.random((len(owner), 2))
    outside = weights.sum(axis=1) > 1
    weights[outside] = 1 - weights[outside]
    points = a[owner] + weights[:, :1] * (b - a)[owner] + weights[:, 1:] * (c - a)[owner]
    return owner, points, normals[owner]
