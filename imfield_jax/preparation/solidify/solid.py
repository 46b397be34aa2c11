"""A solid from a scene: the choice of path, and the report."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool

from imfield_jax.coordinates import SOLID_RESOLUTION
from imfield_jax.mesh.soup import first_copies
from imfield_jax.preparation.solidify.exact import exact_solid
from imfield_jax.preparation.solidify.report import diagnose, warnings_about
from imfield_jax.preparation.solidify.robust import robust_solid
from imfield_jax.preparation.solidify.topology import areas, weld
from imfield_jax.preparation.solidify.winding import refuse_far
from imfield_jax.sources.scene import Scene


@dataclasses.dataclass(frozen=True)
class Solid:
    """The voxels of the cube that are inside an object.

    occupancy:   at cell centres, indices in (x, y, z) order.
    diagnostics: the per-mesh report, ready for JSON: "path" ("exact" or "robust"), "path_reason" (why not
                 exact, or ""), "faces", "duplicate_faces", "sheet_share" (area of open sheets),
                 "dropped_share" (area invisible from outside), the figures of `report.diagnose`,
                 and "warnings", a list of sentences, empty for a good solid.
    """

    occupancy: Bool[np.ndarray, "R R R"]
    diagnostics: dict[str, float | str | list[str]]


def solidify(scene: Scene, resolution: int = SOLID_RESOLUTION) -> Solid:
    """The solid of a scene in the cube [-0.5, 0.5]^3 (see `scene.place`).

    Closed outward meshes are voxelised exactly (`exact`); open, double-sided, inside-out and mixed ones
    by visibility from outside (`robust`). The result is deterministic.

    Raises ValueError for a mesh without any area, with vertices that are not finite or far outside the cube.
    """
    vertices, faces = _welded(scene)
    fractions = {"sheet_share": 0.0, "dropped_share": 0.0}
    occupancy, reason = exact_solid(vertices, faces, resolution)
    path = "exact" if occupancy is not None else "robust"
    unique = first_copies(faces)
    if occupancy is None:
        occupancy, fractions = robust_solid(vertices, faces[unique], resolution)
    figures = {"faces": float(len(faces)), "duplicate_faces": float((~unique).sum()), **fractions}
    figures |= diagnose(vertices, faces[unique], occupancy)
    return Solid(occupancy, {"path": path, "path_reason": reason, **figures, "warnings": warnings_about(figures)})


def _welded(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """The scene's triangles, welded across parts."""
    vertices, faces = scene.soup()
    used, renumbered = np.unique(faces, return_inverse=True)
    vertices = vertices[used]
    if not np.isfinite(vertices).all():
        raise ValueError("the mesh has vertices that are not finite numbers")
    refuse_far(vertices)
    vertices, faces = weld(vertices, renumbered.reshape(-1, 3))
    if not areas(vertices, faces).any():
        raise ValueError("the mesh has no triangle with an area")
    return vertices, faces
