# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads GLB files (glTF 2.0) with one mesh of triangles, as imfield writes them, with the standard library alone."""

from __future__ import annotations

import dataclasses
import json
import math
import struct
import sys
from array import array

_MAGIC, _JSON, _BINARY = 0x46546C67, 0x4E4F534A, 0x004E4942
_TYPES = {5121: "B", 5123: "H", 5125: "I", 5126: "f"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


@dataclasses.dataclass(frozen=True)
class Contents:
    """A file in its own axes, y up and front +z, all arrays flat.

    vertices: x, y, z of each.   faces: the indices of three vertices each.
    colors:   linear red, green, blue and alpha in [0, 1] of each vertex, or None.   color: that of the material.
    seen:     of each vertex, 1 if the camera saw it and 0 if its colour is a guess, or None.
    """

    vertices: array
    faces: array
    colors: array | None
    color: tuple[float, float, float, float]
    seen: array | None


def read(contents: bytes) -> Contents:
    """The inverse of imfield's writer. Raises ValueError for anything else."""
    try:
        return _read(contents)
    except (struct.error, KeyError, IndexError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"expected a GLB file with one mesh of triangles, found a damaged one ({error})") from error


def _read(contents: bytes) -> Contents:
    magic, version, length = struct.unpack_from("<III", contents)
    if magic != _MAGIC or version != 2 or length != len(contents):
        raise ValueError("expected a GLB file (glTF 2.0), found another file or a part of one")
    chunks, start = {}, 12
    while start < length:
        size, kind = struct.unpack_from("<II", contents, start)
        chunks[kind] = contents[start + 8 : start + 8 + size]
        start += 8 + size
    document, binary = json.loads(chunks[_JSON]), chunks[_BINARY]
    [mesh] = document["meshes"]
    [primitive] = mesh["primitives"]
    if primitive.get("mode", 4) != 4:
        raise ValueError("expected a mesh of triangles")
    attributes = primitive["attributes"]

    def values(name: str) -> array | None:
        return _values(document, binary, attributes[name]) if name in attributes else None

    material = document["materials"][primitive["material"]].get("pbrMetallicRoughness", {})
    return _checked(
        vertices=values("POSITION"),
        faces=_values(document, binary, primitive["indices"]),
        colors=values("COLOR_0"),
        color=tuple(material.get("baseColorFactor", (1.0, 1.0, 1.0, 1.0))),
        seen=values("_SEEN"),
    )


def _checked(vertices: array, faces: array, colors: array | None, seen: array | None, color: tuple) -> Contents:
    count = len(vertices) // 3
    whole = count and faces and len(faces) % 3 == 0 and max(faces) < count
    whole = whole and all(values is None or len(values) == width * count for values, width in ((colors, 4), (seen, 1)))
    if not whole or not math.isfinite(sum(map(abs, vertices))) or max(vertices) == min(vertices):
        raise ValueError(
            "expected a GLB file with one mesh of triangles, found faces, colours or vertices that are none"
        )
    return Contents(vertices, faces, colors, color, seen)


def _values(document: dict, binary: bytes, number: int) -> array:
    """The numbers of an accessor; whole ones that stand for fractions as fractions."""
    accessor = document["accessors"][number]
    view, kind = document["bufferViews"][accessor["bufferView"]], _TYPES[accessor["componentType"]]
    found = array(kind)
    width = found.itemsize * _WIDTHS[accessor["type"]]
    if view.get("byteStride", width) != width:
        raise ValueError("expected attributes that are stored one after the other")
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    contents = binary[start : start + width * accessor["count"]]
    if len(contents) != width * accessor["count"]:
        raise ValueError("expected a GLB file with one mesh of triangles, found a part of one")
    found.frombytes(contents)
    if sys.byteorder == "big":
        found.byteswap()
    if accessor.get("normalized"):
        most = (1 << 8 * found.itemsize) - 1
        return array("f", [value / most for value in found])
    return found
