"""Sheets of images: rows of tiles with a heading over each column and a caption under each row.

Rows are laid out in several groups side by side, so that a page holds many. Drawn with Pillow alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import cast

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

INK, FAINT, PAPER = (30, 30, 30), (200, 200, 200), (255, 255, 255)
Tile = UInt8[np.ndarray, "_ _"] | UInt8[np.ndarray, "_ _ _"]
Sheet = UInt8[np.ndarray, "H W 3"]
_GAP = 6  # pixels between tiles, and between text and tiles
_SMALLEST_TEXT = 12  # pixels; smaller is not readable


@dataclasses.dataclass(frozen=True)
class Row:
    """Some images side by side.

    tiles:   one per column: grey, RGB, or RGBA over white, of any size.
    caption: one short line, or "".
    """

    tiles: tuple[Tile, ...]
    caption: str = ""


def sheet(rows: Sequence[Row], headings: Sequence[str] = (), groups: int = 1, tile: int = 160) -> Sheet:
    """An image of all rows: row i is in group i % groups, on line i // groups.

    headings: one per column, or none.   tile: side of a tile in pixels.
    Raises ValueError without rows, or when rows and headings differ in their number of columns.
    """
    if not rows:
        raise ValueError("a figure needs at least one row")
    columns = len(rows[0].tiles)
    if any(len(row.tiles) != columns for row in rows) or (headings and len(headings) != columns):
        raise ValueError(f"every row and the headings of a figure need the same {columns} columns")
    groups = min(groups, len(rows))
    font = _font(tile)
    text = sum(font.getmetrics()) + _GAP // 2
    top = _GAP + (text if headings else 0)
    across = columns * (tile + _GAP) + 2 * _GAP
    down = tile + _GAP + (text if any(row.caption for row in rows) else 0)
    canvas = Image.new("RGB", (groups * across, top + -(-len(rows) // groups) * down), PAPER)
    draw = ImageDraw.Draw(canvas)
    for group in range(groups):
        for column, heading in enumerate(headings):
            left = group * across + int(1.5 * _GAP) + column * (tile + _GAP)
            _write(draw, heading, left + tile // 2, _GAP // 2, tile, font)
        if group and columns > 1:
            draw.line([(group * across, 0), (group * across, canvas.height)], FAINT)
    for i, row in enumerate(rows):
        left, upper = (i % groups) * across + int(1.5 * _GAP), top + (i // groups) * down
        for column, image in enumerate(row.tiles):
            canvas.paste(_fitted(image, tile), (left + column * (tile + _GAP), upper))
        width = columns * (tile + _GAP) - _GAP
        _write(draw, row.caption, left + width // 2, upper + tile, width, font)
    return np.asarray(canvas)


def placeholder(text: str, side: int) -> Tile:
    """A framed word in place of an image that would be empty, so that it is not mistaken for a gap."""
    square = Image.new("RGB", (side, side), PAPER)
    draw = ImageDraw.Draw(square)
    draw.rectangle([0, 0, side - 1, side - 1], outline=FAINT)
    draw.text((side // 2, side // 2), text, INK, _font(side), anchor="mm")
    return np.asarray(square)


def _font(tile: int) -> ImageFont.FreeTypeFont:
    # With a size, Pillow's default font is a scalable one.
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(max(_SMALLEST_TEXT, tile // 11)))


def _fitted(tile: Tile, side: int) -> Image.Image:
    """A square with the image in its middle, over white."""
    image = Image.fromarray(tile).convert("RGBA")
    scale = side / max(image.size)
    # Nearest neighbour shows the pixels that the network saw; below this scale, blocks would differ in size.
    kind = Image.Resampling.NEAREST if scale > 3 else Image.Resampling.LANCZOS
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), kind)
    square = Image.new("RGBA", (side, side), PAPER)
    square.alpha_composite(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square.convert("RGB")


def _write(
    draw: ImageDraw.ImageDraw, text: str, middle: int, top: int, width: int, font: ImageFont.FreeTypeFont
) -> None:
    """One centred line, shortened until it fits `width`."""
    shown = text
    while shown and draw.textlength(shown, font) > width:
        text = text[:-1]
        shown = text + "..." if text else ""
    draw.text((middle, top), shown, INK, font, anchor="ma")
