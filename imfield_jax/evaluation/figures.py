"""Figures: inputs, reconstructions and ground truths side by side, and contact sheets.

Every figure is a table of tiles: rows of images or meshes (which are shaded here), a heading over
each column, a caption under each row, laid out in several groups side by side so that 16 shapes fit a
page. Drawn with Pillow alone.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import cast

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from imfield_jax.camera import Camera
from imfield_jax.mesh import preview
from imfield_jax.types import Mesh

THREE_COLUMNS = ("input", "reconstruction", "ground truth")
VALIDATION_COLUMNS = ("input", "reconstruction")

INK, FAINT, PAPER = (30, 30, 30), (200, 200, 200), (255, 255, 255)
Cell = UInt8[np.ndarray, "_ _"] | UInt8[np.ndarray, "_ _ channels"] | Mesh
Figure = UInt8[np.ndarray, "H W 3"]
_GAP = 6  # pixels between tiles, and between text and tiles
_SMALLEST_TEXT = 12  # pixels; smaller is not readable


@dataclasses.dataclass(frozen=True)
class Row:
    """One shape of a figure.

    cells:   images (grey, RGB, or RGBA over white) and meshes, one per column.
    camera:  from where all meshes of the row are seen; None frames the last one that is not empty.
    caption: one short line, or "".
    """

    cells: tuple[Cell, ...]
    camera: Camera | None = None
    caption: str = ""


def table(rows: Sequence[Row], headings: Sequence[str] = (), groups: int = 1, tile: int = 160) -> Figure:
    """A figure of all rows: row i stands in group i % groups, at line i // groups.

    headings: one per column, or none.   tile: side of a tile in pixels.
    Raises ValueError without rows, or when rows and headings differ in their number of columns.
    """
    if not rows:
        raise ValueError("a figure needs at least one row")
    columns = len(rows[0].cells)
    if any(len(row.cells) != columns for row in rows) or (headings and len(headings) != columns):
        raise ValueError(f"every row and the headings of a figure need the same {columns} columns")
    groups = min(groups, len(rows))
    # With a size, Pillow's own font is a scalable one.
    font = cast(ImageFont.FreeTypeFont, ImageFont.load_default(max(_SMALLEST_TEXT, tile // 11)))
    text = sum(font.getmetrics()) + _GAP // 2
    top = _GAP + (text if headings else 0)
    across = columns * (tile + _GAP) + 2 * _GAP
    down = tile + _GAP + (text if any(row.caption for row in rows) else 0)
    lines = -(-len(rows) // groups)
    canvas = Image.new("RGB", (groups * across, top + lines * down), PAPER)
    draw = ImageDraw.Draw(canvas)
    for group in range(groups):
        for column, heading in enumerate(headings):
            left = group * across + int(1.5 * _GAP) + column * (tile + _GAP)
            _write(draw, heading, left + tile // 2, _GAP // 2, tile, font)
        if group and columns > 1:
            draw.line([(group * across, 0), (group * across, canvas.height)], FAINT)
    for i, row in enumerate(rows):
        left, upper = (i % groups) * across + int(1.5 * _GAP), top + (i // groups) * down
        camera = row.camera or _framing(row.cells)
        for column, cell in enumerate(row.cells):
            canvas.paste(_tile(cell, camera, tile, font), (left + column * (tile + _GAP), upper))
        width = columns * (tile + _GAP) - _GAP
        _write(draw, row.caption, left + width // 2, upper + tile, width, font)
    return np.asarray(canvas)


def three_columns(rows: Sequence[Row], groups: int = 2, tile: int = 160) -> Figure:
    """Input image | reconstruction | ground truth of each shape."""
    return table(rows, THREE_COLUMNS, groups, tile)


def validation_grid(rows: Sequence[Row], groups: int = 4, tile: int = 112) -> Figure:
    """Input | reconstruction of each validation shape, for training."""
    return table(rows, VALIDATION_COLUMNS, groups, tile)


def contact_sheet(
    tiles: Sequence[Cell],
    columns: int,
    captions: Sequence[str] = (),
    camera: Camera | None = None,
    tile: int = 128,
) -> Figure:
    """Many tiles in reading order, `columns` to a line, each with its caption when there are any."""
    captions = captions or [""] * len(tiles)
    rows = [Row((cell,), camera, caption) for cell, caption in zip(tiles, captions, strict=True)]
    return table(rows, groups=columns, tile=tile)


def save(path: str | pathlib.Path, image: Figure) -> None:
    """Write a figure as an image in the format of the suffix (PNG)."""
    Image.fromarray(image).save(path)


def _framing(cells: Sequence[Cell]) -> Camera | None:
    """A view of the last mesh with faces: the truth, so that reconstructions are seen at its scale."""
    meshes = [cell for cell in cells if isinstance(cell, Mesh) and len(cell.faces)]
    return preview.three_quarter_view(meshes[-1]) if meshes else None


def _tile(cell: Cell, camera: Camera | None, side: int, font: ImageFont.FreeTypeFont) -> Image.Image:
    if isinstance(cell, Mesh):
        if camera is None or not len(cell.faces):
            return _placeholder("empty", side, font)
        return Image.fromarray(preview.shade(cell, camera, side))
    image = Image.fromarray(cell).convert("RGBA")
    scale = side / max(image.size)
    # Blocks show the pixels that the network saw, once they are large enough to be of nearly one size.
    kind = Image.Resampling.NEAREST if scale > 3 else Image.Resampling.LANCZOS
    image = image.resize([max(1, round(length * scale)) for length in image.size], kind)
    square = Image.new("RGBA", (side, side), PAPER)
    square.alpha_composite(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square.convert("RGB")


def _placeholder(text: str, side: int, font: ImageFont.FreeTypeFont) -> Image.Image:
    """A labelled tile for an empty mesh, so that it is not mistaken for a gap."""
    square = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(square)
    draw.rectangle([0, 0, side - 1, side - 1], outline=FAINT)
    draw.text((side // 2, side // 2), text, INK, font, anchor="mm")
    return square


def _write(
    draw: ImageDraw.ImageDraw, text: str, middle: int, top: int, width: int, font: ImageFont.FreeTypeFont
) -> None:
    """One centred line, shortened until it fits `width`."""
    shown = text
    while shown and draw.textlength(shown, font) > width:
        text = text[:-1]
        shown = text + "..." if text else ""
    draw.text((middle, top), shown, INK, font, anchor="ma")
