"""Visibility of space from outside: voxels hidden in all views are deep inside, regardless of winding.

Space hidden in all views fills a car with an open floor and seats inside; space visible in many
views is outside, which removes the bulge of a generalised winding number in front of a sheet.
The views are orthographic depth maps, like those from which HSP's and thus IM-NET's voxels are made.
"""

from __future__ import annotations

import dataclasses

import numba
import numpy as np
from jaxtyping import Bool, Float, Float64, Int
from scipy import ndimage

from imfield_jax.preparation.solidify.depth_maps import View, mesh_depths, spread_directions, view_along

_DIRECTIONS = 32  # in addition to the three axes, each viewed from both ends
_CRACK_PIXELS = 1  # gaps up to twice this width are closed in a view


@dataclasses.dataclass(frozen=True)
class Sight:
    """A mesh as seen along one direction from both ends: first and last depth on each ray, cracks closed."""

    view: View
    near: Float64[np.ndarray, "pixels pixels"]
    far: Float64[np.ndarray, "pixels pixels"]


def look(vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"], resolution: int) -> list[Sight]:
    """A mesh viewed from all sides, from both ends of 35 directions, at one pixel per voxel of an R^3 grid."""
    pixels = int(np.sqrt(3) * 1.02 * resolution)
    sights = []
    for direction in np.concatenate([np.eye(3), spread_directions(_DIRECTIONS)]):
        view = view_along(direction, pixels)
        near, far = mesh_depths(vertices, faces, view)
        near = ndimage.minimum_filter(near, 2 * _CRACK_PIXELS + 1)
        far = ndimage.maximum_filter(far, 2 * _CRACK_PIXELS + 1)
        sights.append(Sight(view, near, far))
    return sights


@numba.njit(cache=True)
def _times_seen(
    voxels: np.ndarray, resolution: int, axes: np.ndarray, width: float, near: np.ndarray, far: np.ndarray
) -> np.ndarray:
    """[N] int8, the number of ends (0, 1, 2) from which each voxel [N] (flat indices) is visible."""
    pixels = near.shape[0]
    seen = np.empty(len(voxels), np.int8)
    for n in range(len(voxels)):
        flat = voxels[n]
        x = (flat // (resolution * resolution) + 0.5) / resolution - 0.5
        y = (flat // resolution % resolution + 0.5) / resolution - 0.5
        z = (flat % resolution + 0.5) / resolution - 0.5
        i = int((x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2] + width / 2) / width * pixels)
        j = int((x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2] + width / 2) / width * pixels)
        depth = x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2]
        seen[n] = (depth < near[i, j]) + (depth > far[i, j])
    return seen


def _seen_along(sight: Sight, voxels: np.ndarray, resolution: int) -> np.ndarray:
    return _times_seen(voxels, resolution, sight.view.axes, sight.view.width, sight.near, sight.far)


def hidden(sights: list[Sight], candidates: Bool[np.ndarray, "R R R"]) -> Bool[np.ndarray, "R R R"]:
    """The candidate voxels that are visible in no view."""
    voxels = np.flatnonzero(candidates)
    for sight in sights:
        voxels = voxels[_seen_along(sight, voxels, candidates.shape[0]) == 0]
    return _grid_of(voxels, candidates.shape)


def exposed(sights: list[Sight], candidates: Bool[np.ndarray, "R R R"], fraction: float) -> Bool[np.ndarray, "R R R"]:
    """The candidate voxels that are visible in more than this fraction of the views."""
    voxels = np.flatnonzero(candidates)
    count = np.zeros(len(voxels), np.int64)
    for sight in sights:
        count += _seen_along(sight, voxels, candidates.shape[0])
    return _grid_of(voxels[count > fraction * 2 * len(sights)], candidates.shape)


def _grid_of(voxels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    grid = np.zeros(shape, bool)
    grid.reshape(-1)[voxels] = True
    return grid
