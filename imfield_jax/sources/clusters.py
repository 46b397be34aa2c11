"""Groups of shapes that look alike, so that near copies do not end up on both sides of a split.

Distance is the symmetric chamfer distance between surface samples of shapes whose bounding box is
centred and has a unit diagonal; clusters are its single-linkage components at a threshold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from imfield_jax.sources.scene import Scene

POINTS = 4096  # two samples of one surface are 0.003 to 0.005 apart at this density
QUERIES = 1024  # of them suffice to measure a mean distance


def surface_points(scene: Scene, count: int = POINTS, seed: int = 0) -> np.ndarray:
    """Points spread evenly by area over a scene, centred, unit diagonal: [count, 3] float64.

    Raises ValueError for a scene without area.
    """
    vertices, faces = scene.soup()
    triangles = vertices[faces]
    edges = triangles[:, 1:] - triangles[:, :1]
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
    if not area.sum() > 0:
        raise ValueError("the mesh has no surface to sample")
    rng = np.random.default_rng(seed)
    # One draw per equal share of the area: evener than independent draws, so distances are less noisy.
    share = (np.arange(count) + rng.random(count)) / count
    chosen = np.searchsorted(np.cumsum(area) / area.sum(), share).clip(max=len(area) - 1)
    weights = rng.random((count, 2))
    weights = np.where(weights.sum(axis=1, keepdims=True) > 1, 1 - weights, weights)
    points = triangles[chosen, 0] + np.einsum("nk,nkd->nd", weights, edges[chosen])
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    return (points - (low + high) / 2) / np.linalg.norm(high - low)


def chamfer_distances(clouds: Sequence[np.ndarray]) -> np.ndarray:
    """Symmetric chamfer distances, the mean of both directions' mean distances: [n, n] float64."""
    trees = [cKDTree(cloud) for cloud in clouds]
    queries = [cloud[:: max(1, len(cloud) // QUERIES)] for cloud in clouds]
    one_way = np.zeros((len(clouds), len(clouds)))
    for i, query in enumerate(queries):
        for j, tree in enumerate(trees):
            if i != j:
                one_way[i, j] = tree.query(query)[0].mean()
    return (one_way + one_way.T) / 2


def single_linkage(distances: np.ndarray, threshold: float) -> np.ndarray:
    """Cluster of each shape, [n] int: chains of shapes nearer than `threshold` belong together."""
    near = coo_matrix(distances < threshold)
    return connected_components(near, directed=False)[1]
