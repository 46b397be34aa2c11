"""Solids of meshes that are open, double-sided, inside out or made of many bodies.

1. Closed patches are oriented outward by their own topology and voxelised exactly.
2. Every other face is oriented to the side visible from outside; faces visible from neither side are
   dropped, faces clearly visible from both are sheets.
3. The oriented faces bound the solid where their generalised winding number (Jacobson et al., "Robust
   inside-outside segmentation", 2013) exceeds a half, which bridges holes, except where space is
   visible in many views.
4. If there are such other faces, volume hidden in all outside views is solid; if there are none,
   only sealed cavities are, as on the exact path.
5. Sheets, and parts thinner than two voxels, are kept as the voxels they pass through.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from imfield_jax.preparation.solidify.enclosed import enclosed_by
from imfield_jax.preparation.solidify.hidden import Sight, hidden, look
from imfield_jax.preparation.solidify.regions import filled
from imfield_jax.preparation.solidify.thin import with_thin_parts
from imfield_jax.preparation.solidify.topology import areas, closed_patches
from imfield_jax.preparation.solidify.visibility import face_visibility
from imfield_jax.preparation.solidify.voxelise import grown, shrunk, surface_voxels
from imfield_jax.preparation.solidify.winding import winding_grid

_SEED = 0
_MIN_SEEN = 0.01  # fraction of rays escaping from the better side, below which a face is interior
_SHEET_RATIO = 0.35  # worse side over better side, above which a face is a sheet


def robust_solid(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"], resolution: int
) -> tuple[Bool[np.ndarray, "R R R"], dict[str, float]]:
    """The solid of any mesh, and the fractions of its area kept as sheets and dropped as interior.

    The mesh is welded and without duplicate faces; their winding is not trusted.
    """
    turned, is_closed = closed_patches(vertices, faces)
    oriented, sheets, dropped = _orient_by_sight(vertices, turned, np.flatnonzero(~is_closed))
    area = areas(vertices, faces)
    fractions = {
        name + "_share": float(areas(vertices, group).sum() / area.sum())
        for name, group in (("sheet", sheets), ("dropped", dropped))
    }
    solid = filled(winding_grid(vertices, turned[is_closed], resolution) > 0)
    visible = np.concatenate([turned[is_closed], oriented, sheets])
    surface = surface_voxels(vertices, visible, resolution)
    if not is_closed.all():  # otherwise inside is as certain as on the exact path
        sights = look(vertices, visible, resolution)
        solid |= enclosed_by(vertices, oriented, sights, solid)
        solid = _add_hidden(solid, sights, surface)
        solid |= surface_voxels(vertices, sheets, resolution)
    return with_thin_parts(solid, surface), fractions


def _orient_by_sight(
    vertices: np.ndarray, faces: np.ndarray, chosen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The chosen faces [N] as (oriented to their visible side, sheets, visible from neither side), each [*, 3]."""
    if not len(chosen):
        return faces[:0], faces[:0], faces[:0]
    front, back = face_visibility(vertices, faces, chosen, np.random.default_rng(_SEED))
    better, worse = np.maximum(front, back), np.minimum(front, back)
    seen = better > _MIN_SEEN
    sheet = seen & (worse > _SHEET_RATIO * better)
    own = faces[chosen]
    turned = np.where((back > front)[:, None], own[:, ::-1], own)
    return turned[seen & ~sheet], own[sheet], own[~seen]


def _add_hidden(solid: np.ndarray, sights: list[Sight], surface: np.ndarray) -> np.ndarray:
    """The solid with the space that is hidden from outside, except for a layer at the surface.

    At the surface the winding number is more reliable; a closing then removes the seam, one voxel
    wide, that remains between the two.
    """
    unseen = hidden(sights, ~solid)
    solid = solid | (unseen & ~grown(surface))
    return solid | (unseen & shrunk(grown(solid)))
