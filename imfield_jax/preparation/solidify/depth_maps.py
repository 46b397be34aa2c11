"""Orthographic depth maps of meshes and of solids.

Used to carve away space visible in a view (`hidden`) and to check whether a solid still looks
like its mesh (`agreement`). A `View` is a direction with a square of parallel rays, wide enough for the
cube from any side.
"""

from __future__ import annotations

import dataclasses

import numba
import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from imfield_jax.coordinates import HALF

_REACH = np.sqrt(3) * HALF  # radius of the cube's circumscribed sphere
_MISS = 1e9


@dataclasses.dataclass(frozen=True)
class View:
    """Parallel rays along a direction.

    axes: rows are right, up and the unit direction of the rays; of either handedness.
    pixels: rays per side; ray (i, j) passes through (-width/2 + (i + 0.5) * pitch) * right
            + (-width/2 + (j + 0.5) * pitch) * up.
    """

    axes: Float64[np.ndarray, "3 3"]
    pixels: int

    @property
    def width(self) -> float:
        return 2 * _REACH * 1.02

    @property
    def pitch(self) -> float:
        return self.width / self.pixels


def view_along(direction: Float[np.ndarray, " 3"], pixels: int) -> View:
    """The view whose rays run along `direction`."""
    direction = direction / np.linalg.norm(direction)
    helper = np.eye(3)[np.abs(direction).argmin()]
    right = np.cross(direction, helper)
    right /= np.linalg.norm(right)
    return View(np.stack([right, np.cross(direction, right), direction]), pixels)


def spread_directions(count: int) -> Float64[np.ndarray, "count 3"]:
    """`count` directions distributed evenly over a hemisphere (a Fibonacci spiral)."""
    index = np.arange(count) + 0.5
    angle = np.pi * (1 + 5**0.5) * index
    height = 1 - index / count
    radius = np.sqrt(1 - height * height)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)


@numba.njit(cache=True)
def _rasterise(points: np.ndarray, faces: np.ndarray, near: np.ndarray, far: np.ndarray) -> None:
    """Depth of the first and last face on each ray; points [V, 3] are (pixel, pixel, depth)."""
    pixels = near.shape[0]
    for f in range(faces.shape[0]):
        ax, ay, az = points[faces[f, 0]]
        bx, by, bz = points[faces[f, 1]]
        cx, cy, cz = points[faces[f, 2]]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-9:  # seen edge on
            continue
        for i in range(max(0, int(np.ceil(min(ax, bx, cx) - 0.5))), min(pixels, int(max(ax, bx, cx) + 0.5))):
            x = i + 0.5
            for j in range(max(0, int(np.ceil(min(ay, by, cy) - 0.5))), min(pixels, int(max(ay, by, cy) + 0.5))):
                y = j + 0.5
                a = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
                b = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
                c = 1 - a - b
                if a >= -1e-9 and b >= -1e-9 and c >= -1e-9:
                    depth = a * az + b * bz + c * cz
                    near[i, j] = min(near[i, j], depth)
                    far[i, j] = max(far[i, j], depth)


def mesh_depths(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"], view: View
) -> tuple[Float64[np.ndarray, "pixels pixels"], Float64[np.ndarray, "pixels pixels"]]:
    """Depth along the view of the first and the last face on each ray.

    Depth is the coordinate along the direction, in cube units; +1e9 and -1e9 where a ray misses.
    """
    points = vertices @ view.axes.T
    points[:, :2] = (points[:, :2] + view.width / 2) / view.pitch
    near = np.full((view.pixels, view.pixels), _MISS)
    far = -near
    _rasterise(points, faces, near, far)
    return near, far


@numba.njit(cache=True)
def _march(solid: np.ndarray, axes: np.ndarray, width: float, pixels: int, near: np.ndarray) -> None:
    resolution = solid.shape[0]
    pitch, step = width / pixels, 1.0 / resolution
    steps = int(width * resolution)
    position = np.empty(3)
    for i in range(pixels):
        for j in range(pixels):
            right, up = -width / 2 + (i + 0.5) * pitch, -width / 2 + (j + 0.5) * pitch
            enter, leave = -width / 2, width / 2  # the part of the ray inside the cube
            for a in range(3):
                position[a] = right * axes[0, a] + up * axes[1, a]
                slope = axes[2, a]
                if abs(slope) > 1e-12:
                    t0, t1 = (-0.5 - position[a]) / slope, (0.5 - position[a]) / slope
                    enter, leave = max(enter, min(t0, t1)), min(leave, max(t0, t1))
                elif abs(position[a]) >= 0.5:
                    leave = enter
            for s in range(steps):
                depth = enter + (s + 0.5) * step
                if depth >= leave:
                    break
                x = int((position[0] + depth * axes[2, 0] + 0.5) * resolution)
                y = int((position[1] + depth * axes[2, 1] + 0.5) * resolution)
                z = int((position[2] + depth * axes[2, 2] + 0.5) * resolution)
                if min(x, y, z) >= 0 and max(x, y, z) < resolution and solid[x, y, z]:
                    near[i, j] = depth
                    break


def solid_depths(solid: Bool[np.ndarray, "R R R"], view: View) -> Float64[np.ndarray, "pixels pixels"]:
    """Depth of the first occupied voxel of a solid on each ray, to within a voxel."""
    near = np.full((view.pixels, view.pixels), _MISS)
    _march(solid, view.axes, view.width, view.pixels, near)
    return near


def agreement(
    vertices: Float[np.ndarray, "V 3"],
    faces: Int[np.ndarray, "F 3"],
    solid: Bool[np.ndarray, "R R R"],
    pixels: int = 128,
) -> tuple[float, float]:
    """Similarity of a solid and its mesh, viewed along three axes and four diagonals.

    Returns the intersection over union of the silhouettes, over all views together (so that an edge-on view
    of a sheet has little weight), and the fraction of rays hitting both whose depths differ by at most two
    voxels. Both are 0 when neither is visible.
    """
    directions = np.concatenate([np.eye(3), [[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]]])
    either, both, close = 0, 0, 0
    for direction in directions:
        view = view_along(direction, pixels)
        mesh, _ = mesh_depths(vertices, faces, view)
        found = solid_depths(solid, view)
        hit_mesh, hit_solid = mesh < _MISS, found < _MISS
        hits = hit_mesh & hit_solid
        either += (hit_mesh | hit_solid).sum()
        close += (np.abs(mesh - found)[hits] <= 2 / solid.shape[0]).sum()
        both += hits.sum()
    return float(both / max(1, either)), float(close / max(1, both))
