"""Colours of a mesh from the picture it was made of: what the camera sees, and a guess of the rest.

A vertex that the camera sees has the colour of the picture where it is projected. Others have that of their mirror
image in the plane x = 0, if the camera sees it; what remains is filled smoothly from what is near on the surface.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage, sparse
from scipy.spatial import cKDTree

from imfield_jax.camera import nearness_of, project_view, view_axes
from imfield_jax.mesh.normals import vertex_normals
from imfield_jax.mesh.raster import barycentric, visible
from imfield_jax.types import Mesh

_SIZE = 512  # pixels of the depth image that tells what is hidden
_DEPTH = 0.015  # cube units that a vertex may be behind the nearest surface
_FACING = 0.15  # cosine between the normal and the line of sight, from which the picture is trusted
_RIM = 3  # of 512 pixels along the outline, where the background shines through
_FURTHEST = 10  # of 512 pixels that a projected vertex may be outside the object
_MIRRORED = 0.03  # cube units between a mirrored vertex and the nearest one that is seen
_ROUNDS = 200  # of smoothing in the parts that nobody saw


def colored(mesh: Mesh, picture: UInt8[np.ndarray, "S S 4"], view: Float[np.ndarray, " 7"]) -> Mesh:
    """The mesh with a colour for each vertex and whether the camera saw it; as it is, if the camera sees nothing of it.

    picture: the view in colour, see `framing.frame`: red, green, blue, and transparency.   view: its camera.
    """
    mask = picture[..., 3] < 128
    if not mask.any() or not len(mesh.vertices):
        return mesh
    places, nearer = project_view(view, mesh.vertices)
    sight = _visible(mesh, view, places, nearer)
    colors, inside = _sampled(picture, mask, places)
    facing = vertex_normals(mesh) @ view_axes(view)[2]
    seen = sight & inside & (facing > _FACING)
    if not seen.any():
        return mesh
    known, filled = seen.copy(), colors.astype(np.float64)
    distance, source = cKDTree(mesh.vertices[seen]).query(mesh.vertices * (-1, 1, 1), distance_upper_bound=_MIRRORED)
    mirrored = ~seen & np.isfinite(distance)
    filled[mirrored] = filled[seen][source[mirrored]]
    known |= mirrored
    filled = _diffused(mesh, filled, known)
    return dataclasses.replace(mesh, colors=np.rint(filled).clip(0, 255).astype(np.uint8), seen=seen.astype(np.float32))


def _visible(mesh: Mesh, view: np.ndarray, places: np.ndarray, nearer: np.ndarray) -> Bool[np.ndarray, " V"]:
    """Whether nothing is in front of each vertex."""
    pixels, nearness = (places + 1) * (_SIZE / 2), nearness_of(view, nearer)
    corners = pixels[mesh.faces]
    rows, columns, face = visible(corners, nearness[mesh.faces], _SIZE)
    front = np.zeros((_SIZE, _SIZE))
    front[rows, columns] = (barycentric(corners[face], columns + 0.5, rows + 0.5) * nearness[mesh.faces[face]]).sum(
        axis=1
    )
    column, row = pixels.astype(int).clip(0, _SIZE - 1).T
    return nearness_of(view, nearer + _DEPTH) > front[row, column]


def _sampled(
    picture: np.ndarray, mask: np.ndarray, places: np.ndarray
) -> tuple[UInt8[np.ndarray, "V 3"], Bool[np.ndarray, " V"]]:
    """The picture's colours at places in it, at the nearest pixel of the object, and whether one is near."""
    scale = len(mask) / _SIZE
    inner = ndimage.binary_erosion(mask, iterations=max(1, round(_RIM * scale)))
    depth = ndimage.distance_transform_edt(inner)  # thin parts vanish: there the rim has to do
    thin = mask & (ndimage.grey_dilation(depth, size=2 * round(_RIM * scale) + 3) == 0)
    away, (rows, columns) = ndimage.distance_transform_edt(~(inner | thin), return_indices=True)
    column, row = ((places + 1) * (len(mask) / 2)).astype(int).clip(0, len(mask) - 1).T
    inside = away[row, column] <= (_FURTHEST + _RIM) * scale
    return picture[rows[row, column], columns[row, column], :3], inside


def _diffused(mesh: Mesh, colors: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Colours of all vertices: the known ones as they are, the others smooth between them."""
    if known.all():
        return colors
    _, nearest = cKDTree(mesh.vertices[known]).query(mesh.vertices[~known])
    colors = colors.copy()
    colors[~known] = colors[known][nearest]
    start, end = mesh.faces.ravel(), np.roll(mesh.faces, -1, axis=1).ravel()
    both = np.concatenate([start, end]), np.concatenate([end, start])
    links = sparse.coo_array((np.ones(len(both[0])), both), (len(colors),) * 2).tocsr()[np.flatnonzero(~known)]
    counts = np.asarray(links.sum(axis=1)).reshape(-1, 1)
    for _ in range(_ROUNDS):
        colors[~known] = (links @ colors) / np.maximum(counts, 1)
    return colors
