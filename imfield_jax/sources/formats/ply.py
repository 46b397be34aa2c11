"""PLY meshes as parts: polygons and triangle strips, vertex or face colours, textures as MeshLab writes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imfield_jax.sources.formats.ply_table import Column, Lists, read_tables
from imfield_jax.sources.formats.surface import Polygons, known, part, unit
from imfield_jax.sources.scene import GREY, Part, Texture

_COLORS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
_UV = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))
_Element = dict[str, Column]


def read(contents: bytes, texture: Callable[[str], Texture | None]) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The mesh as parts, and warnings.

    texture: returns the image of a name, None for a missing one.

    Raises ValueError when the file is not a PLY file or is truncated.
    """
    tables, comments = read_tables(contents)
    vertex, face = tables.get("vertex", {}), tables.get("face", {})
    scalars = _scalars(vertex)
    if not {"x", "y", "z"} <= scalars.keys():
        raise ValueError("its vertices have no x, y, z")
    vertices = np.stack([scalars[axis].astype(np.float64) for axis in "xyz"], axis=1)
    lists = _corner_lists(face)
    if lists is not None:
        polygons = _with_attributes(Polygons(vertices, lists.counts, lists.values.astype(np.int64)), vertex, face)
    else:
        corners = _strips(_corner_lists(tables.get("tristrips", {})))
        counts = np.full(len(corners) // 3, 3)
        polygons = _with_attributes(Polygons(vertices, counts, corners), vertex, {})
    polygons, warnings = known(polygons)
    if polygons.colors is None and "material_index" in {**vertex, **face}:
        warnings += ("colours left out: the element material is not read",)
    names = [line.split(maxsplit=1)[1] for line in comments if line.lower().startswith("texturefile ")]
    parts = []
    for mine, name in _by_texture(polygons, names):
        image = texture(name) if name and mine.uv is not None else None
        if name and image is None:
            warnings += (f"left out, as it is missing or damaged: {name}",)
        color = GREY if image is None and mine.colors is None else (1.0, 1.0, 1.0, 1.0)
        parts.append(part(mine, color, image))
    return tuple(parts), warnings


def _by_texture(polygons: Polygons, names: list[str]) -> list[tuple[Polygons, str]]:
    """The polygons of each texture number of faces, with the texture's name, "" if it has none."""
    if polygons.groups is None or len(names) < 2:
        return [(polygons, names[0] if names else "")]
    name_of = {number: names[number] if 0 <= number < len(names) else "" for number in set(polygons.groups.tolist())}
    return [(polygons.of_group(number), name) for number, name in sorted(name_of.items())]


def _corner_lists(element: _Element) -> Lists | None:
    """The vertices of faces or strips: "vertex_indices", "vertex_index", or the only list."""
    lists = {name: column for name, column in element.items() if isinstance(column, Lists)}
    named = [column for name, column in lists.items() if name.startswith("vertex_ind")]
    return named[0] if named else next(iter(lists.values())) if len(lists) == 1 else None


def _strips(lists: Lists | None) -> np.ndarray:
    """Corners of the triangles of strips, separated by -1 within a list: [3 T] int64."""
    found = [np.zeros(0, np.int64)]
    for strip in np.split(lists.values.astype(np.int64), np.cumsum(lists.counts)[:-1]) if lists else ():
        for run in np.split(strip, np.flatnonzero(strip < 0)):
            run = run[run >= 0]
            triples = np.stack([run[:-2], run[1:-1], run[2:]], axis=1) if len(run) > 2 else np.zeros((0, 3), np.int64)
            triples[1::2] = triples[1::2, [1, 0, 2]]  # every second triangle of a strip has the opposite winding
            found.append(triples.ravel())
    return np.concatenate(found)


def _with_attributes(polygons: Polygons, vertex: _Element, face: _Element) -> Polygons:
    colors, rows = _colors(vertex), np.clip(polygons.corners, 0, max(0, len(polygons.vertices) - 1))
    if colors is not None and len(colors):
        colors = colors[rows]
    elif (colors := _colors(face)) is not None:
        colors = np.repeat(colors, polygons.counts, axis=0)
    scalars = _scalars(vertex)
    uv = next((_columns(scalars, names) for names in _UV if scalars.keys() >= set(names)), None)
    uv = uv[rows] if uv is not None and len(uv) else _wedges(face.get("texcoord"), polygons.counts)
    uv = None if uv is None else uv.astype(np.float32)
    numbers = _scalars(face).get("texnumber")
    groups = None if numbers is None else numbers.astype(np.int64)
    return Polygons(polygons.vertices, polygons.counts, polygons.corners, uv, colors, groups)


def _wedges(column: Column | None, counts: np.ndarray) -> np.ndarray | None:
    """Texture coordinates from a list per face, two for every corner: [C, 2]; 0 for faces without any."""
    if not isinstance(column, Lists) or not ((column.counts == 2 * counts) | (column.counts == 0)).all():
        return None
    uv = np.zeros((counts.sum(), 2))
    uv[np.repeat(column.counts > 0, counts)] = column.values.reshape(-1, 2)
    return uv


def _colors(element: _Element) -> np.ndarray | None:
    scalars = _scalars(element)
    names = next((names for names in _COLORS if scalars.keys() >= set(names)), None)
    if names is None:
        return None
    alphas = (name for name in ("alpha", "a", "diffuse_alpha") if name in scalars)
    alpha = next((name for name in alphas if scalars[name].dtype == scalars[names[0]].dtype), None)
    return unit(_columns(scalars, names if alpha is None else (*names, alpha)))


def _scalars(element: _Element) -> dict[str, np.ndarray]:
    """The properties that are not lists."""
    return {name: column for name, column in element.items() if not isinstance(column, Lists)}


def _columns(scalars: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    """Scalar properties as columns of one array, in their own type."""
    return np.stack([scalars[name] for name in names], axis=1)
