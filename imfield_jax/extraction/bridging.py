"""Bridges: pieces that a narrow gap separates are joined on the lattice, before marching cubes.

A wheel, a leg or a spoiler often comes out a cell or two away from the body, because the field only just misses the
level set between them. The empty nodes in the gap are given positive values. Marching cubes closes any pattern of
signs, so the joined mesh is closed, manifold and outward for the same reason as any other; nothing is stitched.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from scipy.spatial import KDTree

from imfield_jax.coordinates import point_to_index
from imfield_jax.extraction import active_cells, table
from imfield_jax.extraction.active_cells import Active
from imfield_jax.extraction.lattice import CORNERS
from imfield_jax.extraction.samples import Samples
from imfield_jax.mesh.floaters import pieces_of
from imfield_jax.types import Mesh

MAX_GAP = 0.02  # cube units: 5 cells at 256^3, where real parts that nearly touch were 0.2 to 6 cells apart
_EXCESS, _EXCESS_CELLS = 0.012, 2.0  # of the distances to both parts over the gap: cube units, and at least in cells


def bridge(samples: Samples, active: Active, meshes: list[Mesh], max_gap: float = MAX_GAP) -> tuple[Active, list[int]]:
    """Join the pieces of each object whose gap is at most `max_gap` cube units, the nearest first, in a spanning tree.

    active: all active cells of the fine lattice.   meshes: their surface, one mesh per object.
    Returns the active cells with the bridges, and how many bridges each object got. Floaters and cavities are not
    joined. The samples in the gaps are replaced, so vertices on their edges are not refined.
    """
    keys, values, counts = [], [], []
    slope = _slope(active)
    for owner, mesh in enumerate(meshes):
        parts = _parts(mesh, samples.lattice.resolution)
        joints = list(_joints(parts, max_gap * samples.lattice.resolution))
        counts.append(len(joints))
        for first, second, gap in joints:
            nodes, excess = _between(parts[first], parts[second], gap, samples.lattice.resolution)
            keys.append(samples.lattice.keys(nodes, owner))
            values.append(excess * slope)
    if not keys:
        return active, counts
    return _raised(samples, active, np.concatenate(keys), np.concatenate(values)), counts


def _parts(mesh: Mesh, resolution: int) -> list[np.ndarray]:
    """Vertices of the pieces that are neither floaters nor cavities, as grid indices: [n, 3] each."""
    if not len(mesh.faces):
        return []
    pieces = pieces_of(mesh)
    kept = np.flatnonzero(~pieces.floaters & (pieces.volumes > 0))
    if len(kept) < 2:
        return []
    indices = point_to_index(mesh.vertices.astype(np.float64), resolution)
    return [indices[np.unique(mesh.faces[pieces.labels == piece])] for piece in kept]


def _joints(parts: list[np.ndarray], max_gap: float) -> Iterator[tuple[int, int, float]]:
    """(index of a part, of another, their gap in cells) for each bridge: a minimum spanning forest of the gaps."""
    gaps = [(_gap(parts[a], parts[b], max_gap), a, b) for a, b in itertools.combinations(range(len(parts)), 2)]
    groups = list(range(len(parts)))
    for gap, a, b in sorted(gaps):
        if gap <= max_gap and groups[a] != groups[b]:
            yield a, b, gap
            groups = [groups[a] if group == groups[b] else group for group in groups]


def _gap(first: np.ndarray, second: np.ndarray, max_gap: float) -> float:
    """The distance between two sets of points if it is at most `max_gap`, else infinity."""
    near, far = _near_box(first, second, max_gap), _near_box(second, first, max_gap)
    if not len(near) or not len(far):
        return np.inf
    return float(KDTree(far).query(near, distance_upper_bound=max_gap, workers=-1)[0].min())


def _near_box(points: np.ndarray, others: np.ndarray, reach: float) -> np.ndarray:
    """The points within `reach` of the bounding box of the others."""
    inside = (points >= others.min(axis=0) - reach) & (points <= others.max(axis=0) + reach)
    return points[inside.all(axis=1)]


def _between(first: np.ndarray, second: np.ndarray, gap: float, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """The nodes of a bridge: grid indices [n, 3], and how deep in it each is, in cells [n].

    A bridge is where the distances to both parts add up to little more than the gap: a spindle around the line
    between the nearest points, and around others that are nearly as near. It is 3 cells thick or more.
    """
    reach = gap + max(_EXCESS_CELLS, _EXCESS * resolution)
    near, far = _near_box(first, second, reach), _near_box(second, first, reach)
    trees = KDTree(near), KDTree(far)
    close = [
        points[tree.query(points, distance_upper_bound=reach, workers=-1)[0] < reach]
        for points, tree in zip((near, far), trees[::-1], strict=True)
    ]
    low = np.max([np.floor(points.min(axis=0) - reach) for points in close] + [[0, 0, 0]], axis=0).astype(int)
    high = np.min([np.ceil(points.max(axis=0) + reach) for points in close] + [[resolution - 1] * 3], axis=0)
    nodes = np.stack(np.meshgrid(*map(np.arange, low, high.astype(int) + 1), indexing="ij"), axis=-1).reshape(-1, 3)
    depth = np.full(len(nodes), reach)
    for tree in trees:
        left = np.flatnonzero(depth > 0)  # nodes that the first part rules out are not queried again
        depth[left] -= tree.query(nodes[left], distance_upper_bound=reach, workers=-1)[0]
    inside = depth > 0
    return nodes[inside], depth[inside] / 2


def _slope(active: Active) -> float:
    """Median change of the field across an active cell."""
    values = np.where(np.isfinite(active.values), active.values, 0)
    return float(np.median(np.ptp(values, axis=1))) if len(values) else 0.0


def _raised(samples: Samples, active: Active, keys: np.ndarray, values: np.ndarray) -> Active:
    """The active cells after setting empty nodes [n] to positive values [n], the largest for repeated nodes."""
    nodes = table.sorted_unique(keys)
    raised = np.zeros(len(nodes), np.float32)
    np.maximum.at(raised, np.searchsorted(nodes, keys), values.astype(np.float32))
    empty = samples.at(nodes) <= 0
    samples.replace(nodes[empty], raised[empty])
    cells = table.sorted_unique((nodes[empty] - samples.lattice.offsets(CORNERS)[:, None]).ravel())
    kept = ~table.find(cells, active.cells)[1]
    changed = active_cells.among(samples, cells, 1)
    joined = table.Table(active.cells[kept], active.values[kept]).with_rows(changed.cells, changed.values)
    # A bridge may touch a surface that the search had missed.
    return active_cells.grow(samples, Active(joined.keys, joined.values), 1)
