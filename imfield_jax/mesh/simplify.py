"""Meshes with fewer faces: edges collapse as long as the surface stays within a tolerance.

The simplification of the library manifold3d keeps meshes closed, manifold and oriented, which quadric simplifiers
(fast-simplification, meshoptimizer) do not at handles and thin walls. It takes a tolerance and not a number of faces,
so the tolerance grows until the number is reached. Each step starts from the result of the one before: from the first
mesh, larger tolerances may leave more faces. Where faces cross afterwards (2 of 208 reconstructions of real chairs and
cars at 5,000 faces), their corners move towards their neighbours until none do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from manifold3d import Error, Manifold, Mesh64

from imfield_jax.mesh.check import component_labels
from imfield_jax.mesh.intersections import self_intersections
from imfield_jax.types import Mesh

FEWEST_FACES = 100  # that may be asked for
_FIRST, _GROWTH = 1e-4, 1.25  # of the tolerance, in longest sides
_COARSEST = 0.05  # at this tolerance the shape is lost
_APART = 0.01  # of the way to the neighbours
_HALVINGS = 3  # of the last step, to come near the number
_STEP, _ROUNDS = 0.1, 30  # of the way to the neighbours, when faces cross


def simplified(mesh: Mesh, max_faces: int) -> Mesh:
    """The mesh with at most `max_faces` faces and without normals; itself if it has no more.

    mesh: closed, manifold and outward, as extraction gives it.

    Raises ValueError if the mesh is not closed and manifold, and if the shape would be lost: if only pieces that
    fall apart or vanish leave so few faces.
    """
    if max_faces < FEWEST_FACES:
        raise ValueError(f"expected a limit of {FEWEST_FACES} faces or more, found {max_faces}")
    if len(mesh.faces) <= max_faces:
        return mesh
    solid = Manifold(Mesh64(mesh.vertices.astype(np.float64), mesh.faces.astype(np.uint64)))
    if solid.status() != Error.NoError:
        raise ValueError(f"cannot simplify a mesh that is not closed and manifold ({solid.status().name})")
    pieces = _pieces(solid)

    def fits(simpler: Manifold) -> bool:
        return simpler.num_tri() <= max_faces and _pieces(simpler) == pieces

    return _uncrossed(_apart(_mesh(_reduced(solid, fits, float(np.ptp(mesh.vertices, axis=0).max())))))


def _reduced(solid: Manifold, fits: Callable[[Manifold], bool], side: float) -> Manifold:
    """The solid at about the smallest tolerance at which it fits. Raises ValueError if there is none."""
    tolerance = _FIRST * side
    while tolerance < _COARSEST * side:
        simpler = solid.simplify(tolerance)
        if fits(simpler):
            return _closest(solid, simpler, tolerance, fits)
        solid, tolerance = simpler, tolerance * _GROWTH
    raise ValueError(f"the shape is lost before so few faces are left: {solid.num_tri()} are still too many")


def _closest(solid: Manifold, simpler: Manifold, tolerance: float, fits: Callable[[Manifold], bool]) -> Manifold:
    """`simpler`, or the solid at a smaller tolerance that leaves more faces and fits."""
    low, high = tolerance / _GROWTH, tolerance
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        between = solid.simplify(middle)
        if fits(between):
            high = middle
            simpler = max(simpler, between, key=Manifold.num_tri)
        else:
            low = middle
    return simpler


def _pieces(solid: Manifold) -> int:
    return int(component_labels(_mesh(solid)).max(initial=-1)) + 1


def _apart(mesh: Mesh) -> Mesh:
    """The mesh with vertices in one place, where walls touch, moved towards their neighbours.

    Files without shared vertices, such as STL, would join the walls there.
    """
    _, place, count = np.unique(mesh.vertices, axis=0, return_inverse=True, return_counts=True)
    (shared,) = np.nonzero(count[place] > 1)
    vertices = mesh.vertices.copy()
    for number in shared:
        around = mesh.faces[(mesh.faces == number).any(axis=1)]
        vertices[number] += _APART * (mesh.vertices[around].mean(axis=(0, 1)) - vertices[number])
    return Mesh(vertices, mesh.faces)


def _uncrossed(mesh: Mesh) -> Mesh:
    """The mesh with corners of faces that cross moved towards their neighbours; itself if that does not help."""
    moved = mesh
    for _ in range(_ROUNDS):
        crossing = self_intersections(moved)
        if not len(crossing):
            return moved
        vertices = moved.vertices.copy()
        for number in np.unique(mesh.faces[np.unique(crossing)]):
            around = np.unique(mesh.faces[(mesh.faces == number).any(axis=1)])
            middle = moved.vertices[around[around != number]].mean(axis=0)
            vertices[number] += _STEP * (middle - moved.vertices[number])
        moved = Mesh(vertices, mesh.faces)
    return mesh


def _mesh(solid: Manifold) -> Mesh:
    mesh = solid.to_mesh64()
    return Mesh(np.asarray(mesh.vert_properties)[:, :3].astype(np.float32), np.asarray(mesh.tri_verts).astype(np.int32))
