"""The exact winding number of a closed triangle mesh at voxel centres, by signed column crossings.

For a surface without boundary the winding number at a point is the number of times a ray from there
leaves the surface minus the times it enters. One ray serves all R voxels of a column, so one pass over
the triangles and one running sum along z give every voxel of the grid: 0.1 s at 256^3 for 10,000
faces, where evaluating the solid-angle formula takes minutes.

Such counting usually fails for rays that meet an edge or a vertex. Here vertices are rounded to 2^16
steps per voxel, so the side on which a column passes a projected edge is exact integer arithmetic,
and a column exactly on an edge is treated as moved by (e, e^2) for an infinitesimal e > 0
(simulation of simplicity, Edelsbrunner & Muecke 1990): it passes through exactly one of the triangles
around the edge, regardless of their winding. Crossings therefore always cancel to 0 above the mesh.
"""

from __future__ import annotations

import numba
import numpy as np
from jaxtyping import Float, Int, Int16, Int64

from imfield_jax.coordinates import HALF

STEPS = 1 << 16  # fixed-point steps per voxel
REACH = 8.0  # coordinates up to here keep the integer products below 2^63 (at up to 1024 voxels per axis)


def refuse_far(points: Float[np.ndarray, "*shape 3"]) -> None:
    """Raises ValueError for points further than `REACH` from the origin."""
    reach = np.abs(points).max(initial=0.0)
    if reach > REACH:
        raise ValueError(f"the mesh reaches {reach:.3g} from the origin, expected about 0.5: place it in the cube")


def to_steps(points: Float[np.ndarray, "*shape 3"], resolution: int) -> Int64[np.ndarray, "*shape 3"]:
    """Points in cube units -> fixed-point coordinates, 0 at the cube's lower corner.

    Raises ValueError for points further than `REACH` from the origin.
    """
    refuse_far(points)
    return np.rint((points + HALF) * (resolution * STEPS)).astype(np.int64)


@numba.njit(cache=True)
def _covers(edge: int, dx: int, dy: int) -> bool:
    """Whether the column is on the inner side of an edge (dx, dy), after the move by (e, e^2)."""
    return edge > 0 or (edge == 0 and (dy < 0 or (dy == 0 and dx > 0)))


@numba.njit(cache=True)
def _first_centre(steps: float) -> int:
    """Index of the first voxel centre at or above a fixed-point coordinate."""
    return int(np.ceil((steps - STEPS // 2) / STEPS))


@numba.njit(cache=True)
def _add_crossings(corners: np.ndarray, jumps: np.ndarray) -> None:
    """Adds each triangle's signed crossing to the first voxel above it: corners [F, 3, 3] int64 steps."""
    resolution = jumps.shape[0]
    half = STEPS // 2
    for f in range(corners.shape[0]):
        ax, ay, az = corners[f, 0]
        bx, by, bz = corners[f, 1]
        cx, cy, cz = corners[f, 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:  # parallel to the columns: none passes through it
            continue
        sign = -1  # counter-clockwise from above: the upward ray leaves the solid here
        if area < 0:
            bx, by, bz, cx, cy, cz = cx, cy, cz, bx, by, bz
            area, sign = -area, 1
        first_x, last_x = (
            max(0, _first_centre(min(ax, bx, cx))),
            min(resolution, _first_centre(max(ax, bx, cx) + 1)),
        )
        first_y, last_y = (
            max(0, _first_centre(min(ay, by, cy))),
            min(resolution, _first_centre(max(ay, by, cy) + 1)),
        )
        for i in range(first_x, last_x):
            x = i * STEPS + half
            for j in range(first_y, last_y):
                y = j * STEPS + half
                edge_ab = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
                edge_bc = (cx - bx) * (y - by) - (cy - by) * (x - bx)
                edge_ca = area - edge_ab - edge_bc
                if (
                    _covers(edge_ab, bx - ax, by - ay)
                    and _covers(edge_bc, cx - bx, cy - by)
                    and _covers(edge_ca, ax - cx, ay - cy)
                ):
                    # Differences to az, so that a horizontal face is met at exactly its height.
                    height = az + (float(edge_ca) * (bz - az) + float(edge_ab) * (cz - az)) / area
                    k = max(0, _first_centre(height))
                    if k < resolution:
                        jumps[i, j, k] += sign


@numba.njit(cache=True)
def _running_sum(jumps: np.ndarray) -> None:
    resolution = jumps.shape[0]
    for i in range(resolution):
        for j in range(resolution):
            total = 0
            for k in range(resolution):
                total += jumps[i, j, k]
                jumps[i, j, k] = total


def winding_grid(
    vertices: Float[np.ndarray, "V 3"], faces: Int[np.ndarray, "F 3"], resolution: int
) -> Int16[np.ndarray, "R R R"]:
    """Winding number of a surface without boundary at all cell centres.

    vertices: in cube units. The count is exact for the mesh with vertices
    rounded to 2^-16 voxel, except that a centre within float64 rounding of a slanted face may be on
    either side of it. A centre on the surface counts as above it.

    The caller ensures that there is no boundary (see `topology.without_boundary`); otherwise columns through
    holes are wrong from there to the border.
    """
    corners = to_steps(vertices, resolution)[faces]
    jumps = np.zeros((resolution,) * 3, np.int16)
    _add_crossings(np.ascontiguousarray(corners), jumps)
    _running_sum(jumps)
    return jumps
