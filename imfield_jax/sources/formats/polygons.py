"""Triangulation of arbitrary polygons.

A fan of triangles from the first corner is right for convex polygons only; in a concave one it covers area outside
(as in trimesh, for every format). So correct fans are kept, and other polygons are triangulated by ear clipping.
"""

from __future__ import annotations

import manifold3d
import numpy as np
from jaxtyping import Float, Int, Int64

_ROUNDING = 1e-9  # fraction of a polygon's area below which a flipped triangle counts as degenerate


def triangles(points: Float[np.ndarray, "C 3"], counts: Int[np.ndarray, " P"]) -> Int64[np.ndarray, "T 3"]:
    """Triangles of polygons, as rows of `points`, with the winding of their polygon and in the polygons' order.

    points: the corners of all polygons, concatenated.   counts: corners of each polygon.

    A polygon of n corners gives n - 2 triangles that use every corner, so neighbours still share their edges; one of
    fewer than 3 corners gives none. Nonplanar polygons are triangulated in their projection along the mean normal
    (Newell's), polygons that are not finite or have no area as a fan.
    """
    points, counts = np.asarray(points, np.float64), np.asarray(counts, np.int64)
    starts = np.cumsum(counts) - counts
    found, owner = [], []
    for size in np.unique(counts[counts >= 3]).tolist():
        rows = np.flatnonzero(counts == size)
        corners = starts[rows][:, None] + np.arange(size)
        made = _fans(corners)
        if size > 3:
            _turn_or_clip(points, corners, made)
        found.append(made.reshape(-1, 3))
        owner.append(np.repeat(rows, size - 2))
    if not found:
        return np.zeros((0, 3), np.int64)
    order = np.argsort(np.concatenate(owner), kind="stable")
    return np.concatenate(found)[order]


def _fans(corners: np.ndarray) -> np.ndarray:
    """[P, n] corners -> [P, n - 2, 3]."""
    first = np.broadcast_to(corners[:, :1], corners[:, 2:].shape)
    return np.stack([first, corners[:, 1:-1], corners[:, 2:]], axis=-1)


def _turn_or_clip(points: np.ndarray, corners: np.ndarray, made: np.ndarray) -> None:
    """Replaces fans in `made` that leave their polygons: a quad's by its other diagonal, others by ear clipping."""
    wrong = np.flatnonzero(~_fits(points, made))
    if corners.shape[1] == 4:
        turned = _fans(np.roll(corners[wrong], -1, axis=1))
        fits = _fits(points, turned)
        made[wrong[fits]] = turned[fits]
        return  # a quad that neither diagonal fits intersects itself
    for row in wrong.tolist():
        made[row] = corners[row][_clipped(points[corners[row]])]


def _fits(points: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Whether no triangle of a fan is flipped with respect to the mean normal of its polygon: [P] bool."""
    a, b, c = (points[made[..., k]] for k in range(3))
    with np.errstate(invalid="ignore", over="ignore"):
        areas = np.cross(b - a, c - a)  # sum to Newell's normal, which any closed polygon has
        normal = areas.sum(axis=1)
        along = np.einsum("ptc,pc->pt", areas, normal)
        size = np.einsum("pc,pc->p", normal, normal)
        bad = (along < -_ROUNDING * size[:, None]).any(axis=1)
    return ~bad | ~np.isfinite(size) | (size == 0)


def _clipped(points: np.ndarray) -> np.ndarray:
    """Triangles [n - 2, 3] of one polygon [n, 3] of nonzero area."""
    points = points - points.mean(axis=0)
    following = np.roll(points, -1, axis=0)
    normal = np.cross(points, following).sum(axis=0)
    normal /= np.linalg.norm(normal)
    across = np.cross(normal, np.eye(3)[np.abs(normal).argmin()])
    across /= np.linalg.norm(across)
    flat = points @ np.stack([across, np.cross(normal, across)], axis=1)
    found = manifold3d.triangulate([flat / np.abs(flat).max()])
    if len(found) != len(points) - 2:  # never observed; the library guarantees this count
        return _fans(np.arange(len(points))[None])[0]
    return found
