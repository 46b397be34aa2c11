"""The contact sheet of a preparation, to check at a glance that meshes, solids, views and labels agree.

Each shape is shown three times: its solid from a three-quarter view, the same for all shapes, with a triangle on the
floor in front of it, so that a shape that faces another way stands out; a stored view; and the middle slice of the
solid with the labelled points near it (orange inside, blue outside).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int, UInt8
from PIL import Image, ImageDraw

from imfield_jax.camera import Camera
from imfield_jax.coordinates import containing_cell, max_pool
from imfield_jax.dataset.feed import indices_to_points
from imfield_jax.dataset.rows import Row
from imfield_jax.mesh import sheet
from imfield_jax.mesh.preview import shade
from imfield_jax.mesh.voxel_surface import DISPLAYED, true_surface

HEADINGS = ("solid, front: triangle", "stored view", "labels, front: left")
CAMERA = Camera(azimuth_radians=0.65, elevation_radians=0.38, distance=2.95, fov_radians=float(np.radians(30)))
_TILE = 240  # pixels
_ACROSS = 3  # shapes
_COARSER = 2  # the solid is shown on 128^3 cells: 0.2 s per shape instead of 0.7, and the tile has fewer pixels
_SLAB = 2  # voxels on either side of the slice whose points are shown
_LEVEL = 64
_BEFORE, _LENGTH, _HALF_WIDTH = 0.04, 0.09, 0.06  # of the triangle in front of the shape, in cube units
_FULL, _INSIDE, _OUTSIDE = (205, 205, 205), (225, 95, 20), (40, 100, 210)


def contact_sheet(rows: Sequence[Row], grid: int) -> sheet.Sheet:
    """A sheet with one entry per row of a dataset, in reading order.

    grid: cells per axis for the rows' points at level 64, see `Split.grid`.
    """
    return sheet.sheet([_entry(row, grid) for row in rows], HEADINGS, groups=_ACROSS, tile=_TILE)


def _entry(row: Row, grid: int) -> sheet.Row:
    solid = row.solid
    cells = containing_cell(indices_to_points(row.points(_LEVEL), grid), solid.shape[0])
    return sheet.Row((three_quarter(solid), row.view(0), label_slice(solid, cells, row.values(_LEVEL))), row.name)


def three_quarter(solid: Bool[np.ndarray, "R R R"], size: int = _TILE) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """A solid from the camera of all contact sheets, with a triangle that points to its front, -z."""
    mesh = true_surface(max_pool(solid, _COARSER), DISPLAYED)
    image = Image.fromarray(shade(mesh, CAMERA, size))
    _, floor, front = mesh.vertices.min(axis=0)
    base = front - _BEFORE
    corners = np.array([(-_HALF_WIDTH, floor, base), (_HALF_WIDTH, floor, base), (0, floor, base - _LENGTH)])
    places, _ = CAMERA.project(corners, size)
    ImageDraw.Draw(image).polygon([tuple(place) for place in places], fill=_INSIDE)
    return np.asarray(image)


def label_slice(
    solid: Bool[np.ndarray, "R R R"], points: Int[np.ndarray, "P 3"], values: UInt8[np.ndarray, " P"]
) -> UInt8[np.ndarray, "R R 3"]:
    """The middle slice x = R/2 of a solid, viewed from -x with y up, and the points near it.

    points: indices in the grid of the solid; values: 1 inside.
    """
    middle = solid.shape[0] // 2
    image = np.where(solid[middle, ::-1, :, None], np.array(_FULL, np.uint8), np.uint8(255))
    near = np.abs(points[:, 0].astype(int) - middle) <= _SLAB
    for (_, y, z), value in zip(points[near].astype(int), values[near], strict=True):
        top = len(image) - 1 - y
        image[max(0, top - 1) : top + 1, max(0, z - 1) : z + 1] = _INSIDE if value else _OUTSIDE
    return image
