"""OFF files (Geomview's Object File Format) in text, with their variants COFF, NOFF, CNOFF, STOFF, ..., as parts.

Own reader, as trimesh's cuts concave polygons into fans and ignores face colours.
"""

from __future__ import annotations

import re

import numpy as np

from imfield_jax.sources.formats.surface import Polygons, known, part, unit
from imfield_jax.sources.formats.text import decoded
from imfield_jax.sources.scene import GREY, Part

_HEADER = re.compile(r"\s*(ST)?(C)?(N)?(4)?(n)?OFF\b|\s*(ST)?(C)?(N)?OFF(?=\d)", re.ASCII | re.IGNORECASE)
_COMMENT = re.compile(r"#[^\n]*")


def read(contents: bytes) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The mesh as parts, and warnings.

    Raises ValueError when the file is not an OFF file, is truncated or has a word in place of a number.
    """
    text = _COMMENT.sub("", decoded(contents).replace("\r\n", "\n").replace("\r", "\n"))
    header = _HEADER.match(text)
    if header is None:
        raise ValueError("it does not start with OFF")
    if text[header.end() :].split(maxsplit=1)[:1] == ["BINARY"]:
        raise ValueError("binary OFF files are not supported, convert it to text or to PLY")
    if header[4] or header[5]:
        raise ValueError("OFF files of four or n dimensions are not supported")
    lines = [line for line in text[header.end() :].split("\n") if line and not line.isspace()]
    words = text[header.end() :].split()
    vertex_count, face_count = (int(word) for word in words[:2])
    in_rows = len(lines) >= 1 + vertex_count + face_count and len(lines[0].split()) >= 2
    if not in_rows and not any(header.groups()):
        lines = _relaid(words, vertex_count)
    if min(vertex_count, face_count) < 0 or len(lines) < 1 + vertex_count + face_count:
        found = max(0, len(lines) - 1 - vertex_count)
        raise ValueError(f"file is truncated: header declares {face_count} faces, found {found}")
    table = (
        np.array([line.split() for line in lines[1 : 1 + vertex_count]]).astype(np.float64).reshape(vertex_count, -1)
    )
    faces = [line.split() for line in lines[1 + vertex_count : 1 + vertex_count + face_count]]
    polygons, warnings = known(_polygons(table, faces, header))
    color = GREY if polygons.colors is None else (1.0, 1.0, 1.0, 1.0)
    return (part(polygons, color),), warnings


def _relaid(words: list[str], vertex_count: int) -> list[str]:
    """A line for the counts, each vertex and each face of a file without attributes whose lines end elsewhere."""
    rows = [words[start : start + 3] for start in range(0, 3 * (1 + vertex_count), 3)]
    place = 3 * (1 + vertex_count)
    while place < len(words) and words[place].isdecimal():
        end = place + 1 + int(words[place])
        if end > len(words):
            break
        rows.append(words[place:end])
        place = end
    return [" ".join(row) for row in rows if row]


def _polygons(table: np.ndarray, faces: list[list[str]], header: re.Match) -> Polygons:
    if table.shape[1] < 3:
        raise ValueError(f"expected three coordinates for each vertex, found {table.shape[1]}")
    counts = np.array([int(words[0]) for words in faces], np.int64)
    corners = np.array([int(word) for words in faces for word in words[1 : 1 + int(words[0])]], np.int64)
    if (counts < 0).any() or len(corners) != counts.sum():
        raise ValueError("a face has fewer corners than its line declares")
    colors = _vertex_colors(table, header)
    if colors is not None:
        colors = colors[np.clip(corners, 0, len(colors) - 1)]
    else:
        colors = _face_colors([words[1 + int(words[0]) :] for words in faces], counts)
    return Polygons(table[:, :3], counts, corners, colors=colors)


def _vertex_colors(table: np.ndarray, header: re.Match) -> np.ndarray | None:
    """Vertex colours [V, 4], which follow coordinates and normals; None if there are none."""
    first = 6 if header[3] or header[8] else 3
    last = table.shape[1] - (2 if header[1] or header[6] else 0)
    if not (header[2] or header[7]) or last - first < 3 or not len(table):
        return None
    return unit(table[:, first : min(last, first + 4)])


def _face_colors(words: list[list[str]], counts: np.ndarray) -> np.ndarray | None:
    """Colours that follow the corners of faces, per corner, grey for faces without; None if no face has one.

    A colour is three or four numbers. A single number is an index into a colour table that only Geomview has.
    """
    colored = [rest[:4] for rest in words if len(rest) >= 3]
    if not colored:
        return None
    whole = all("." not in word for rest in colored for word in rest[:3])  # bytes, even if all are 0 or 1
    table = np.array([rest if len(rest) == 4 else [*rest, "nan"] for rest in colored]).astype(np.float64)
    table = np.where(np.isnan(table), 255.0 if whole or np.nanmax(table) >= 2 else 1.0, table)
    colors = np.full((len(words), 4), GREY, np.float32)
    colors[[len(rest) >= 3 for rest in words]] = unit(table.astype(np.uint8) if whole else table)
    return np.repeat(colors, counts, axis=0)
