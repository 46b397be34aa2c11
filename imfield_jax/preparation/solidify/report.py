"""The per-mesh report: figures and warnings that flag suspicious solids."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from imfield_jax.coordinates import HALF
from imfield_jax.preparation.solidify.depth_maps import agreement
from imfield_jax.preparation.solidify.regions import region_sizes
from imfield_jax.preparation.solidify.thin import lost_fraction
from imfield_jax.preparation.solidify.voxelise import surface_voxels

MIN_SILHOUETTE = 0.9  # intersection over union below which a solid does not look like its mesh
_MAX_LOST = 0.02  # fraction of surface voxels
_MIN_LARGEST = 0.5
_MAX_SHEETS = 0.5


def diagnose(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"], solid: Bool[np.ndarray, "R R R"]
) -> dict[str, float]:
    """Figures that compare a solid with its mesh, all fractions in [0, 1]:

    component_count, largest_component_share: pieces of the solid, and the fraction of voxels in the largest.
    occupied_share:     occupied voxels of the cube.
    touches_border:     1 when the mesh or the solid reaches the border of the cube.
    silhouette_iou, depth_agreement: see `depth_maps.agreement`.
    lost_surface_share: surface voxels without an occupied neighbour: parts too thin for the grid.
    """
    sizes = region_sizes(solid)
    silhouette, depth = agreement(vertices, faces, solid)
    inner = solid[1:-1, 1:-1, 1:-1]
    at_border = np.abs(vertices[np.unique(faces)]).max() >= HALF or inner.sum() != solid.sum()
    return {
        "component_count": float(len(sizes)),
        "largest_component_share": float(sizes[0] / sizes.sum()) if len(sizes) else 0.0,
        "occupied_share": float(sizes.sum() / solid.size),
        "touches_border": float(at_border),
        "silhouette_iou": silhouette,
        "depth_agreement": depth,
        "lost_surface_share": lost_fraction(solid, surface_voxels(vertices, faces, solid.shape[0])),
    }


def warnings_about(figures: dict[str, float]) -> list[str]:
    """A sentence for each suspicious figure of `diagnose` and `sheet_share`."""
    if figures["occupied_share"] == 0:
        return ["The solid is empty."]
    found = []
    if figures["touches_border"]:
        found.append("The mesh reaches the border of the cube, so the solid may be cut off there.")
    if figures["silhouette_iou"] < MIN_SILHOUETTE:
        found.append(f"The solid does not look like the mesh: silhouette IoU {figures['silhouette_iou']:.2f}.")
    if figures["lost_surface_share"] > _MAX_LOST:
        found.append(f"{figures['lost_surface_share']:.0%} of the surface belongs to thin parts that are lost.")
    if figures["largest_component_share"] < _MIN_LARGEST:
        found.append(
            f"The solid has {figures['component_count']:.0f} separate pieces, the largest with only "
            f"{figures['largest_component_share']:.0%} of its volume."
        )
    if figures["sheet_share"] > _MAX_SHEETS:
        found.append(f"{figures['sheet_share']:.0%} of the surface is open sheets, kept one voxel thick.")
    return found
