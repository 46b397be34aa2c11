"""COLLADA files (.dae), read by pycollada, as parts of a scene with y up.

pycollada applies the transforms; polygons are triangulated here, as pycollada cuts concave ones into fans.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator

import collada
import numpy as np
from collada.controller import BoundSkin
from collada.geometry import Geometry
from collada.material import Material
from collada.primitive import Primitive

from imfield_jax.files import one_line
from imfield_jax.sources.formats.surface import Polygons, known, part, unit
from imfield_jax.sources.formats.text import decoded
from imfield_jax.sources.scene import GREY, Color, Part, Texture

_ENCODING = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([^"']*)""")
_UTF8, _UTF16 = (b"utf-8", b"utf8"), (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Unlike in other formats, a file declares which axis is up.
_TO_Y_UP = {
    "X_UP": np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "Y_UP": np.eye(3),
    "Z_UP": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]),
}


def read(contents: bytes, texture: Callable[[str], Texture | None]) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Parts, one for each material of each placed geometry, and warnings.

    texture: returns the image of a name, None for a missing one.

    Raises pycollada's exceptions for damaged files.
    """
    document = collada.Collada(io.BytesIO(_repaired(contents)), ignore=[collada.common.DaeError])
    turn = _TO_Y_UP[document.assetInfo.upaxis]
    warnings = [f"part of the file left out: {one_line(error)}" for error in document.errors[:1]]
    parts: list[Part] = []
    for geometry, matrix, materials in _placed(document):
        for primitive in geometry.primitives:
            polygons = _polygons(primitive, turn @ matrix[:3, :3], turn @ matrix[:3, 3])
            if polygons is not None:
                polygons, lost = known(polygons)
                warnings += lost
                material = materials.get(primitive.material)
                color, image = _material(material and material.target, texture, polygons.colors is not None)
                parts.append(part(polygons, color, image))
    if holes := len(document.xmlnode.getroot().findall(f".//{document.tag('ph')}")):
        warnings.append(f"polygons with holes left out: {holes} (export the file again as triangles)")
    return tuple(parts), tuple(warnings)


def _repaired(contents: bytes) -> bytes:
    """The contents as UTF-8, where a file that declares UTF-8 or no encoding has other bytes, as in names."""
    declared = _ENCODING.search(contents[:200])
    if contents.startswith(_UTF16) or b"\0" in contents[:4] or (declared and declared[1].lower() not in _UTF8):
        return contents
    try:
        contents.decode()
    except UnicodeDecodeError:
        return decoded(contents).encode()
    return contents


def _placed(document: collada.Collada) -> Iterator[tuple[Geometry, np.ndarray, dict]]:
    """The geometries of the scene with their matrices and materials; skinned ones in their bind pose."""
    if document.scene is None:
        return
    for placed in document.scene.objects("geometry"):
        yield placed.original, placed.matrix, placed.materialnodebysymbol
    for placed in document.scene.objects("controller"):
        if isinstance(placed, BoundSkin):
            yield placed.skin.geometry, np.asarray(placed.skin.bind_shape_matrix), placed.materialnodebysymbol
        else:  # a morph, without its targets
            yield placed.original.source_geometry, placed.matrix, placed.materialnodebysymbol


def _polygons(source: Primitive, matrix: np.ndarray, shift: np.ndarray) -> Polygons | None:
    """The polygons of a pycollada primitive, transformed; None for lines and for empty primitives."""
    if not isinstance(source, collada.polylist.Polylist | collada.triangleset.TriangleSet):
        return None
    if source.vertex is None or source.vertex_index is None or not len(source.vertex_index):
        return None
    corners = np.asarray(source.vertex_index, np.int64)
    if corners.ndim == 2:
        counts = np.full(len(corners), 3)
    else:
        counts = np.diff(np.asarray(source.polyindex, np.int64), axis=1).ravel()
    vertices = np.asarray(source.vertex, np.float64) @ matrix.T + shift
    polygons = Polygons(vertices, counts, corners.ravel(), _uv(source), _colors(source, corners.size))
    return _reversed(polygons) if np.linalg.det(matrix) < 0 else polygons


def _uv(source: Primitive) -> np.ndarray | None:
    """The first set of texture coordinates, per corner [C, 2]; None if there is none."""
    if not len(source.texcoordset):
        return None
    rows = np.asarray(source.texcoord_indexset[0]).ravel()
    return np.asarray(source.texcoordset[0], np.float32)[rows][:, :2]


def _colors(source: Primitive, corners: int) -> np.ndarray | None:
    """Colours per corner [C, 4], assumed to be sRGB; None if there are none."""
    if not source.sources.get("COLOR"):
        return None
    offset, *_, values = source.sources["COLOR"][0]
    rows = np.asarray(source.index).reshape(corners, -1)[:, offset]
    return unit(np.asarray(values.data, np.float64)[rows][:, :4])


def _reversed(polygons: Polygons) -> Polygons:
    """The polygons with the opposite winding: a reflection turns outward faces inward."""
    ends = np.cumsum(polygons.counts)
    starts = ends - polygons.counts
    rows = np.repeat(starts + ends - 1, polygons.counts) - np.arange(len(polygons.corners))
    return Polygons(
        vertices=polygons.vertices,
        counts=polygons.counts,
        corners=polygons.corners[rows],
        uv=None if polygons.uv is None else polygons.uv[rows],
        colors=None if polygons.colors is None else polygons.colors[rows],
    )


def _material(
    material: Material | None, texture: Callable[[str], Texture | None], colored: bool
) -> tuple[Color, Texture | None]:
    """The diffuse colour, assumed to be sRGB as in MTL files, and its texture."""
    white = (1.0, 1.0, 1.0, 1.0)
    diffuse = material.effect.diffuse if material is not None else None
    if isinstance(diffuse, collada.material.Map):
        image = texture(diffuse.sampler.surface.image.path)
        return (GREY, None) if image is None else (white, image)
    if diffuse is None or colored:
        return (white if colored else GREY), None
    red, green, blue = np.clip(np.asarray(diffuse[:3], float), 0, 1).tolist()
    return (red, green, blue, 1.0), None
