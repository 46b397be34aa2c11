"""Colours of a mesh as an image, so that few faces show what the vertices of a fine mesh did.

The surface is cut into charts that lie flat in a square (xatlas). A pixel of a chart has the colour of the fine mesh at
its place in space, all others that of the nearest such pixel, so that no seam shows between charts.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float32, UInt8
from scipy import ndimage
from scipy.spatial import cKDTree

from imfield_jax.mesh.raster import barycentric, visible
from imfield_jax.types import Mesh, Texture

SMALLEST, LARGEST = 64, 8192  # pixels per side
_PADDING = 2  # pixels between charts
_NEAREST = 3  # vertices of the fine mesh that a pixel is a mean of


def check_xatlas() -> None:
    """Raises ValueError if the package that cuts surfaces into charts is missing."""
    try:
        import xatlas  # noqa: F401
    except ImportError as error:
        raise ValueError("textures need the package xatlas: pip install -e '.[texture]' (not on ARM Linux)") from error


def textured(mesh: Mesh, fine: Mesh, size: int) -> Mesh:
    """The mesh with a texture of size x size pixels in the colours of the vertices of another mesh of its surface."""
    assert fine.colors is not None
    corners = _unwrapped(mesh, size)
    places = corners * (1, -1) * size + (0, size)  # pixels, downwards
    rows, columns, face = visible(places, np.ones((len(places), 3)), size)
    weights = barycentric(places[face], columns + 0.5, rows + 0.5)
    points = np.einsum("nk,nkc->nc", weights, mesh.vertices[mesh.faces[face]])
    image = np.zeros((size, size, 3), np.uint8)
    image[rows, columns] = _color_at(points, fine)
    bare = np.ones((size, size), bool)
    bare[rows, columns] = False
    row, column = ndimage.distance_transform_edt(bare, return_distances=False, return_indices=True)
    return dataclasses.replace(mesh, texture=Texture(image[row, column], corners))


def _unwrapped(mesh: Mesh, size: int) -> Float32[np.ndarray, "F 3 2"]:
    """Where the corners of each face lie in the square, to the right and up."""
    import xatlas

    options = xatlas.PackOptions()
    options.resolution, options.padding = size, _PADDING
    atlas = xatlas.Atlas()
    atlas.add_mesh(mesh.vertices.astype(np.float32), mesh.faces.astype(np.uint32))
    atlas.generate(pack_options=options)
    _, faces, places = atlas.get_mesh(0)
    return places[faces].astype(np.float32)


def _color_at(points: np.ndarray, fine: Mesh) -> UInt8[np.ndarray, "N 3"]:
    """The colours of the nearest vertices, weighted by how near they are."""
    assert fine.colors is not None
    distance, nearest = cKDTree(fine.vertices).query(points, k=min(_NEAREST, len(fine.vertices)), workers=-1)
    shape = (len(points), -1)
    weights = 1 / np.maximum(distance.reshape(shape), 1e-9)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.rint(np.einsum("nk,nkc->nc", weights, fine.colors[nearest.reshape(shape)])).astype(np.uint8)
