"""Figures: inputs, reconstructions and ground truths side by side.

Every figure is a sheet of rows (see `mesh.sheet`) in which a cell may be a mesh, which is shaded here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from imfield_jax.camera import Camera
from imfield_jax.mesh import preview, sheet
from imfield_jax.types import Mesh

THREE_COLUMNS = ("input", "reconstruction", "ground truth")
VALIDATION_COLUMNS = ("input", "reconstruction")

Cell = sheet.Tile | Mesh
Figure = sheet.Sheet


@dataclasses.dataclass(frozen=True)
class Row:
    """One shape of a figure.

    cells:   images (grey, RGB, or RGBA over white) and meshes, one per column.
    camera:  for all meshes of the row; None frames the last one that is not empty.
    caption: one short line, or "".
    """

    cells: tuple[Cell, ...]
    camera: Camera | None = None
    caption: str = ""


def table(rows: Sequence[Row], headings: Sequence[str] = (), groups: int = 1, tile: int = 160) -> Figure:
    """A figure of all rows: row i is in group i % groups, on line i // groups.

    headings: one per column, or none.   tile: side of a tile in pixels.
    Raises ValueError without rows, or when rows and headings differ in their number of columns.
    """
    drawn = []
    for row in rows:
        camera = row.camera or _framing(row.cells)
        drawn.append(sheet.Row(tuple(_tile(cell, camera, tile) for cell in row.cells), row.caption))
    return sheet.sheet(drawn, headings, groups, tile)


def three_columns(rows: Sequence[Row], groups: int = 2, tile: int = 160) -> Figure:
    """Input image | reconstruction | ground truth of each shape."""
    return table(rows, THREE_COLUMNS, groups, tile)


def validation_grid(rows: Sequence[Row], groups: int = 4, tile: int = 112) -> Figure:
    """Input | reconstruction of each shape, for the validation shapes of a training run."""
    return table(rows, VALIDATION_COLUMNS, groups, tile)


def _framing(cells: Sequence[Cell]) -> Camera | None:
    """A view of the last mesh with faces: the truth, so that reconstructions are seen at its scale."""
    meshes = [cell for cell in cells if isinstance(cell, Mesh) and len(cell.faces)]
    return preview.three_quarter_view(meshes[-1]) if meshes else None


def _tile(cell: Cell, camera: Camera | None, side: int) -> sheet.Tile:
    if not isinstance(cell, Mesh):
        return cell
    if camera is None or not len(cell.faces):
        return sheet.placeholder("empty", side)
    return preview.shade(cell, camera, side)
