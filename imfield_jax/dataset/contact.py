"""The contact sheet of a preparation: one look tells whether meshes, solids and labels belong together.

Each shape is shown three times: a picture from the dataset, its solid from the same camera, and the
middle slice of the solid with the labelled points near it (orange inside, blue outside).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from imfield_jax.camera import Camera
from imfield_jax.coordinates import containing_cell, index_to_point
from imfield_jax.dataset.feed import indices_to_points
from imfield_jax.dataset.rows import Row
from imfield_jax.framing import on_white

_TILE = 192  # pixels
_GAP = 6
_CAPTION = 14
_ACROSS = 3  # shapes
_SLAB = 2  # voxels on either side of the slice whose points are shown
_LEVEL = 64
_SOME_CAMERA = Camera(np.radians(30), np.radians(28), 1.6, np.radians(35))
_FULL, _INSIDE, _OUTSIDE = (205, 205, 205), (225, 95, 20), (40, 100, 210)


def contact_sheet(rows: Sequence[Row], grid: int) -> Image.Image:
    """A sheet with one entry per row of a dataset, in reading order.

    grid: that of the rows' points at level 64, see `Split.grid`.
    """
    width, height = 3 * (_TILE + _GAP) + 2 * _GAP, _TILE + _CAPTION + _GAP
    lines = -(-len(rows) // _ACROSS)
    sheet = Image.new("RGB", (_ACROSS * width, max(1, lines) * height), "white")
    pen = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        line, column = divmod(number, _ACROSS)
        x, y = column * width + _GAP, line * height
        solid = row.solid
        cells = containing_cell(indices_to_points(row.points(_LEVEL), grid), solid.shape[0])
        tiles = (
            on_white(row.view(0)),
            solid_picture(solid, _camera(row)),
            label_slice(solid, cells, row.values(_LEVEL)),
        )
        for place, tile in enumerate(tiles):
            picture = Image.fromarray(tile).resize((_TILE, _TILE), Image.Resampling.BILINEAR)
            sheet.paste(picture, (x + place * (_TILE + _GAP), y))
        pen.text((x, y + _TILE), row.name, fill="black")
    return sheet


def solid_picture(solid: np.ndarray, camera: Camera, size: int = 137) -> np.ndarray:
    """A solid [R, R, R] bool as a camera sees it, shaded grey on white: [size, size, 3] uint8."""
    cells = _surface_cells(solid)
    places, depth = camera.project(index_to_point(cells, solid.shape[0]), size)
    # Painted back to front, each voxel two pixels wide: from a dataset's cameras one may look that large.
    far_to_near = np.argsort(-depth)
    shown = np.full((size, size), -1)
    for step in itertools.product((-0.5, 0.5), repeat=2):
        column, line = np.floor(places[far_to_near] + step).astype(int).T
        seen = (column >= 0) & (column < size) & (line >= 0) & (line < size)
        corner = np.full((size, size), -1)
        corner[line[seen], column[seen]] = far_to_near[seen]
        shown = np.where((shown < 0) | ((corner >= 0) & (depth[corner] < depth[shown])), corner, shown)
    light = camera.axes().T @ (0.35, 0.75, 0.55)
    covered = shown >= 0
    shade = 70 + 150 * np.clip(_normals(solid, cells[shown[covered]]) @ light, 0, 1)
    picture = np.full((size, size, 3), 255, np.uint8)
    picture[covered] = shade[:, None].astype(np.uint8)
    return picture


def label_slice(solid: np.ndarray, points: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The middle slice x = R/2 of a solid, seen from -x with y up, and the points near it: [R, R, 3] uint8.

    points: [n, 3] indices in the grid of the solid; values: [n], 1 inside.
    """
    middle = solid.shape[0] // 2
    picture = np.where(solid[middle, ::-1, :, None], np.uint8(_FULL), np.uint8(255))
    near = np.abs(points[:, 0].astype(int) - middle) <= _SLAB
    for (_, y, z), value in zip(points[near].astype(int), values[near], strict=True):
        top = len(picture) - 1 - y
        picture[max(0, top - 1) : top + 1, max(0, z - 1) : z + 1] = _INSIDE if value else _OUTSIDE
    return picture


def _camera(row: Row) -> Camera:
    """That of the first picture, or any where it is not known."""
    camera = row.cameras[0]
    return camera if np.isfinite(dataclasses.astuple(camera)).all() else _SOME_CAMERA


def _surface_cells(solid: np.ndarray) -> np.ndarray:
    """Full voxels with an empty one beside them: [n, 3]."""
    padded = np.pad(solid, 1)
    buried = solid.copy()
    for axis, shift in itertools.product(range(3), (-1, 1)):
        buried &= np.roll(padded, shift, axis)[1:-1, 1:-1, 1:-1]
    return np.argwhere(solid & ~buried)


def _normals(solid: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Outward directions at surface voxels, from where their 5^3 neighbourhood is empty: [n, 3]."""
    normals = np.zeros(cells.shape)
    for offset in itertools.product(range(-2, 3), repeat=3):
        neighbour = np.clip(cells + offset, 0, solid.shape[0] - 1)
        normals += np.outer(~solid[tuple(neighbour.T)], offset)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
