"""The voxels inside a closed mesh."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from imfield_jax.coordinates import HALF, index_to_point
from imfield_jax.types import Mesh


def voxels(mesh: Mesh, resolution: int) -> Bool[np.ndarray, "R R R"]:
    """The cells of the cube whose centres are inside a closed mesh in the cube.

    The crossings of lines along z through the centres with the faces are counted, each as entering or leaving. Lines
    that hit an edge of two faces cross one of them, see `_owned`.
    """
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    corners[..., :2] = (corners[..., :2] + HALF) * resolution - 0.5  # in cells: centres have whole numbers
    low = np.ceil(corners[..., :2].min(axis=1)).astype(np.int64)
    extent = np.maximum(np.floor(corners[..., :2].max(axis=1)).astype(np.int64) - low + 1, 0)
    counts = extent.prod(axis=1)  # lines through each face's box
    face = np.repeat(np.arange(len(corners)), counts)
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    line = low[face] + np.stack([place // extent[face, 1], place % extent[face, 1]], axis=-1)
    a, b, c = corners[face, :, :2].transpose(1, 0, 2)
    doubled = _cross(b - a, c - a)
    towards = np.sign(doubled)  # the faces on top of the solid have +1
    edges = ((b, c), (c, a), (a, b))
    parts = [_cross(end - start, line - start) for start, end in edges]
    owned = [
        _owned(part * towards, (end - start) * towards[:, None])
        for part, (start, end) in zip(parts, edges, strict=True)
    ]
    inside = (doubled != 0) & np.logical_and.reduce(owned)
    weights = np.stack(parts, axis=-1)[inside] / doubled[inside, None]
    height = (weights * corners[face[inside], :, 2]).sum(axis=-1)
    centres = index_to_point(np.arange(resolution), resolution)
    first = np.searchsorted(centres, height, side="right")  # cell above the crossing
    changes = np.zeros((resolution, resolution, resolution + 1), np.int32)
    np.add.at(changes, (*line[inside].T, first), -towards[inside].astype(np.int32))
    return changes[..., :-1].cumsum(axis=2) > 0


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _owned(side: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Whether a point is on the inner side of a face's edge, or on the edge and belongs to this face of the two.

    The other face has the edge in the opposite direction.
    """
    return (side > 0) | ((side == 0) & ((edge[:, 1] > 0) | ((edge[:, 1] == 0) & (edge[:, 0] < 0))))
