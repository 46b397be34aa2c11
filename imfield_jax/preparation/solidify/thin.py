"""Parts too thin for the grid, kept as the voxels they pass through.

Cell centres mostly miss a rod half a voxel thick, and those inside it are isolated voxels. Parts
thinner than about two voxels therefore keep their surface voxels, which are connected.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from imfield_jax.preparation.solidify.regions import without_small
from imfield_jax.preparation.solidify.voxelise import grown

_MIN_PART = 12  # voxels; a smaller patch is the tip of a sharp corner, where the grid is correct


def lost_fraction(solid: Bool[np.ndarray, "R R R"], surface: Bool[np.ndarray, "R R R"]) -> float:
    """Fraction of the surface voxels without an occupied neighbour."""
    return float((surface & ~grown(solid)).sum() / max(1, surface.sum()))


def with_thin_parts(solid: Bool[np.ndarray, "R R R"], surface: Bool[np.ndarray, "R R R"]) -> Bool[np.ndarray, "R R R"]:
    """The solid and the surface voxels that are not adjacent to a part two voxels thick."""
    return solid | without_small(surface & ~grown(_two_thick(solid)), _MIN_PART)


def _two_thick(solid: np.ndarray) -> np.ndarray:
    """Morphological opening by 2^3 voxels: the union of all occupied blocks of that size."""
    result = solid
    for combine, shift in ((np.logical_and, 1), (np.logical_or, -1)):
        for axis in range(3):
            moved = np.zeros_like(result)
            ahead = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
            behind = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
            to, source = (behind, ahead) if shift > 0 else (ahead, behind)
            moved[to] = result[source]
            result = combine(result, moved)
    return result
