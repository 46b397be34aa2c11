"""PLY files (Turk 1994) as tables: text, little and big endian, lists of any types anywhere.

Own reader, as trimesh refuses binary lists of mixed lengths, that is, polygons of mixed sizes. A mesh of a million such
faces is read in 3 s, one of triangles only in less than 1 s.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np
from jaxtyping import Int, Num

from imfield_jax.sources.formats.text import decoded, unicode

_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8", "int64": "i8", "uint64": "u8"},
}
_END = re.compile(rb"(?<=[\r\n])end_header[ \t]*(\r\n|\n|\r)")
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclasses.dataclass(frozen=True)
class Lists:
    """A list property: the number of values of each row, and all values, concatenated."""

    counts: Int[np.ndarray, " N"]
    values: Num[np.ndarray, " n"]


Column = np.ndarray | Lists


@dataclasses.dataclass(frozen=True)
class _Property:
    name: str
    type: str
    counted: str = ""  # the type of a list's count; "" for a scalar


@dataclasses.dataclass
class _Element:
    name: str
    count: int
    properties: list[_Property]


def read_tables(contents: bytes) -> tuple[dict[str, dict[str, Column]], list[str]]:
    """The elements of a file, each with its properties by name, and the comments of the header.

    Raises ValueError when the file is not a PLY file or is truncated.
    """
    contents = unicode(contents)
    order, elements, comments, body = _header(contents)
    if order:
        reader = _Reader(np.frombuffer(contents, np.uint8, offset=body), order)
    else:
        reader = _Reader(np.array(contents[body:].split()).astype(np.float64), "")
    return {element.name: reader.element(element) for element in elements}, comments


def _header(contents: bytes) -> tuple[str, list[_Element], list[str], int]:
    """Byte order ("" for text), elements, comments, and the offset of the data."""
    order, elements, comments = None, [], []
    lines, place = _header_lines(contents)
    for line in lines:
        words = line.split()
        if words[:1] == ["format"] and len(words) > 1:
            order = _ORDERS.get(words[1])
        elif words[:1] in (["comment"], ["obj_info"]):
            comments.append(line.split(maxsplit=1)[-1])
        elif words[:1] == ["element"] and len(words) == 3:
            elements.append(_Element(words[1], int(words[2]), []))
        elif words[:1] == ["property"] and len(words) == 3 and elements:
            elements[-1].properties.append(_Property(words[2], _TYPES[words[1]]))
        elif words[:2] == ["property", "list"] and len(words) == 5 and elements:
            elements[-1].properties.append(_Property(words[4], _TYPES[words[3]], _TYPES[words[2]]))
        elif words not in ([], ["ply"]):
            raise ValueError(f"unexpected line '{line[:80]}' in the header")
    if order is None or not contents.startswith(b"ply") or any(element.count < 0 for element in elements):
        raise ValueError("no header of a PLY file")
    return order, elements, comments, place


def _header_lines(contents: bytes) -> tuple[list[str], int]:
    """The lines before "end_header", with any line endings, and the offset of the data."""
    end = _END.search(contents)
    if end is None:
        raise ValueError("no header of a PLY file")
    lines = decoded(contents[: end.start()]).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines, end.end()


class _Reader:
    """Reads elements in order from data: bytes, or the numbers of a text file."""

    def __init__(self, data: np.ndarray, order: str):
        self._data, self._order, self._place = data, order, 0

    def element(self, element: _Element) -> dict[str, Column]:
        widths = [self._width(p) for p in element.properties]
        self._need(element, self._place + element.count * sum(widths))
        if any(p.counted for p in element.properties):
            return self._with_lists(element)
        rows = self._place + sum(widths) * np.arange(element.count if widths else 0)
        self._place += element.count * sum(widths)
        offsets = np.cumsum(widths) - widths
        return {p.name: self._values(rows + at, p.type) for p, at in zip(element.properties, offsets, strict=True)}

    def _with_lists(self, element: _Element) -> dict[str, Column]:
        starts = self._same_lengths(element)
        if starts is None:
            starts = self._any_lengths(element)
        found: dict[str, Column] = {}
        for p, start in zip(element.properties, starts, strict=True):
            if not p.counted:
                found[p.name] = self._values(start, p.type)
                continue
            counts = self._values(start, p.counted).astype(np.int64)
            size = self._size(p.type)
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            places = np.repeat(start + self._size(p.counted), counts) + size * within
            found[p.name] = Lists(counts, self._values(places, p.type))
        return found

    def _same_lengths(self, element: _Element) -> list[np.ndarray] | None:
        """The start of each property of each row, if all rows have lists as long as those of the first; else None."""
        offsets, lengths, place = [], [], self._place
        for p in element.properties if element.count else ():
            if place + self._width(p) > len(self._data):
                return None
            offsets.append(place - self._place)
            lengths.append(self._count(place, p) if p.counted else 0)
            place += self._width(p) + (lengths[-1] * self._size(p.type) if p.counted else 0)
        stride = place - self._place
        if min(lengths, default=0) < 0 or not element.count or self._place + stride * element.count > len(self._data):
            return None
        rows = self._place + stride * np.arange(element.count)
        starts = [rows + offset for offset in offsets]
        for p, start, length in zip(element.properties, starts, lengths, strict=True):
            if p.counted and (self._values(start, p.counted) != length).any():
                return None
        self._place += stride * element.count
        return starts

    def _any_lengths(self, element: _Element) -> list[np.ndarray]:
        """The same for rows with lists of any lengths, read one by one."""
        starts = [np.zeros(element.count, np.int64) for _ in element.properties]
        layout = [(self._width(p), self._size(p.type) if p.counted else 0, p) for p in element.properties]
        place, end = self._place, len(self._data)
        for row in range(element.count):
            for (size, item, p), start in zip(layout, starts, strict=True):
                start[row] = place
                if place + size > end:
                    self._need(element, place + size, row)
                if item:
                    length = self._count(place, p)
                    if length < 0:
                        raise ValueError(f"{element.name} {row} has a list of {length} values")
                    place += item * length
                place += size
            if place > end:
                self._need(element, place, row)
        self._place = place
        return starts

    def _size(self, kind: str) -> int:
        return int(kind[1:]) if self._order else 1

    def _width(self, p: _Property) -> int:
        """Size of a property; for a list, that of its count."""
        return self._size(p.counted or p.type)

    def _count(self, place: int, p: _Property) -> int:
        """The length of the list at a place."""
        if not self._order or p.counted == "u1":
            return int(self._data[place])
        return int(self._data[place : place + self._size(p.counted)].view(self._order + p.counted)[0])

    def _values(self, starts: np.ndarray, kind: str) -> np.ndarray:
        """The values of a type at the given offsets."""
        if not self._order:
            values = self._data[starts]
            return values if kind[0] == "f" else np.nan_to_num(values).astype(kind)
        size = self._size(kind)
        raw = self._data[starts[:, None] + np.arange(size)]
        return np.ascontiguousarray(raw).view(self._order + kind).ravel().astype(kind)

    def _need(self, element: _Element, place: int, row: int = 0) -> None:
        if place > len(self._data):
            found = f", found {row}" if row else ""
            raise ValueError(f"file is truncated: header declares {element.count} of element {element.name}{found}")
