"""STL files, binary and text, as one part. Colours are not read, as every tool writes them in its own way.

Own reader, as trimesh refuses files with trailing bytes, which several tools write, and does not detect truncated
files.
"""

from __future__ import annotations

import re

import numpy as np

from imfield_jax.sources.formats.text import decoded
from imfield_jax.sources.scene import Part

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER = 84  # bytes: 80 of free text, then the number of triangles
_VERTEX = re.compile(r"\bvertex\s+(\S+)\s+(\S+)\s+(\S+)", re.IGNORECASE)
_FACET = re.compile(r"\bfacet\s+(?:normal|outer)\b", re.IGNORECASE)  # with any line breaks; names may contain "facet"
_END = re.compile(r"\bendsolid\b", re.IGNORECASE)


def read(contents: bytes) -> Part:
    """The triangles of all solids of a file, without shared vertices.

    Raises ValueError when the file is truncated, is not an STL file or has a word in place of a number.
    """
    count = int.from_bytes(contents[80:_HEADER], "little")
    if len(contents) >= _HEADER and len(contents) >= _HEADER + count * _RECORD.itemsize and not _is_text(contents):
        return _part(np.frombuffer(contents, _RECORD, count, offset=_HEADER)["corners"])
    if _is_text(contents):
        return _part(_text_corners(decoded(contents)))
    found = max(0, len(contents) - _HEADER) // _RECORD.itemsize
    raise ValueError(f"file is truncated: header declares {count} triangles, found {found}")


def _is_text(contents: bytes) -> bool:
    """Whether it is a text file: binary ones may also start with "solid", but no facet follows."""
    head = decoded(contents[:4096]).lstrip().lower()
    return head.startswith("solid") and (re.search(r"\bfacet\s+normal\b", head) is not None or "\0" not in head)


def _text_corners(text: str) -> np.ndarray:
    numbers = np.array(_VERTEX.findall(text)).astype(np.float64).reshape(-1, 3)
    facets = len(_FACET.findall(text))
    if len(numbers) != 3 * facets or (facets and not _END.search(text)):
        raise ValueError(f"file is truncated: expected {facets} facets of three vertices, found {len(numbers) // 3}")
    return numbers.reshape(-1, 3, 3)


def _part(corners: np.ndarray) -> Part:
    points = corners.reshape(-1, 3).astype(np.float64)
    return Part(points, np.arange(len(points)).reshape(-1, 3))
