"""AC3D files (.ac), FlightGear's mesh format, as scenes. Own reader, as assimp-py 1.1 refuses files with lines.

AC3D is line-based text: materials, then a tree of OBJECTs, each with an offset (`loc`), vertices and
surfaces that name a material and have a uv per corner. Files in the wild have blank lines
anywhere, textures with absolute paths of other machines, and lines (edges) among the surfaces.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from imfield_jax.files import damaged
from imfield_jax.sources.formats import textures
from imfield_jax.sources.formats.polygons import triangles
from imfield_jax.sources.formats.text import decoded
from imfield_jax.sources.scene import Color, Part, Scene

Keep = Callable[[str, float], bool]
Corner = tuple[int, float, float]  # vertex, u, v

# Kinds of surface, the low nibble of SURF; 1 and 2 are open and closed lines.
POLYGON, STRIP = 0, 4


def load_scene(path: str | Path, texture_root: str | Path | None = None, keep: Keep | None = None) -> Scene:
    """The mesh of an AC3D file, one part per (texture, material), axes and units as in the file.

    texture_root: folder whose tree is searched for textures by base name; default the file's own.
    keep:         keep(name, opacity) -> bool selects surfaces; default all. The name of an object
                  starts with those of its parent groups: "world/left wing/flap".

    Raises OSError when the file cannot be read, ValueError when it is not AC3D or has no triangles.
    """
    path = Path(path)
    lines = decoded(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines or not lines[0].startswith("AC3D"):
        raise ValueError(f"{path}: expected a triangle mesh, found a file that does not start with 'AC3D'")
    reader = _Reader(lines[1:])
    with damaged(path, "triangle mesh"):
        reader.read()
    groups: dict[tuple[str, int], list[_Surfaces]] = {}
    for surfaces in reader.surfaces:
        if keep is None or keep(surfaces.name, reader.colors[surfaces.material][3]):
            groups.setdefault((surfaces.texture, surfaces.material), []).append(surfaces)
    if not groups:
        raise ValueError(f"{path}: expected a triangle mesh, found AC3D objects without polygons to keep")
    root = Path(texture_root or path.parent)
    folders = [path.parent, root, *sorted(folder for folder in root.rglob("*") if folder.is_dir())]
    images = {name: textures.read(textures.find(name, folders)) for name, _ in groups}
    parts = tuple(_part(group, reader.colors[key[1]], images[key[0]]) for key, group in groups.items())
    why = "they use vertices beyond those of their object"
    return Scene(parts, (f"{reader.lost} faces left out: {why}",) if reader.lost else ())


@dataclasses.dataclass(frozen=True)
class _Surfaces:
    """The triangles of one object with one material, in the coordinates of the file.

    corners: [T, 3, 3] float64.   uv: [T, 3, 2] float64.
    """

    name: str
    texture: str
    material: int
    corners: np.ndarray
    uv: np.ndarray


def _part(group: list[_Surfaces], color: Color, texture: np.ndarray | None) -> Part:
    """Surfaces of one material as one part, equal corners welded."""
    corners = np.concatenate([surfaces.corners for surfaces in group]).reshape(-1, 3)
    if texture is None:
        vertices, faces = np.unique(corners, axis=0, return_inverse=True)
        return Part(vertices, faces.reshape(-1, 3), color)
    uv = np.concatenate([surfaces.uv for surfaces in group]).reshape(-1, 2)
    joined, faces = np.unique(np.concatenate([corners, uv], axis=1), axis=0, return_inverse=True)
    return Part(joined[:, :3], faces.reshape(-1, 3), color, joined[:, 3:].astype(np.float32), texture)


class _Reader:
    """Reads the lines of one file into `colors` (of its materials) and `surfaces`."""

    def __init__(self, lines: list[str]):
        self.colors: list[Color] = []
        self.surfaces: list[_Surfaces] = []
        self.lost = 0  # polygons with missing vertices
        self._lines = lines
        self._next = 0

    def read(self) -> None:
        while (words := self._words(at_end=[])) != []:
            if words[0] == "MATERIAL":
                self.colors.append(_color(words))
            elif words[0] == "OBJECT":
                self._object("", np.zeros(3))
            else:
                raise ValueError(f"line {self._next + 1}: unexpected '{words[0]}'")

    def _words(self, at_end: list[str] | None = None) -> list[str]:
        """The words of the next non-blank line; at the end of the file `at_end`, if given."""
        while self._next < len(self._lines):
            line = self._lines[self._next]
            self._next += 1
            words = re.findall(r'"[^"]*"?|\S+', line) if '"' in line else line.split()
            if words:
                return words
        if at_end is None:
            raise ValueError("file ends in the middle of an object")
        return at_end

    def _object(self, group: str, origin: np.ndarray) -> None:
        """One OBJECT with its children; `kids` is the last entry of every object."""
        name, texture, vertices = group, "", np.zeros((0, 3))
        repeat, shift = np.ones(2), np.zeros(2)
        polygons: dict[int, list[list[Corner]]] = {}
        while True:
            key, *values = self._words()
            if key == "name":
                name = f"{group}/{_text(values)}" if group else _text(values)
            elif key == "texture":
                texture = _text(values)
            elif key == "texrep":
                repeat = np.array(values[:2], float)
            elif key == "texoff":
                shift = np.array(values[:2], float)
            elif key == "loc":
                origin = origin + np.array(values[:3], float)
            elif key == "rot" and not np.allclose(np.array(values, float), np.eye(3).ravel()):
                raise ValueError(f"line {self._next + 1}: rotated objects (rot) are not supported")
            elif key == "data":
                self._skip_text(int(values[0]))
            elif key == "numvert":
                rows = [self._words()[:3] for _ in range(int(values[0]))]
                vertices = np.array(rows, float).reshape(-1, 3) + origin
            elif key == "SURF":
                material, found = self._surface(int(values[0], 16) & 0xF)
                polygons.setdefault(material, []).extend(found)
            elif key == "kids":
                break
        for material, found in polygons.items():
            if found:
                self._add(name, texture, material, vertices, found, repeat, shift)
        for _ in range(int(values[0])):
            if self._words(at_end=[]) == []:
                return  # some files declare more kids than they have
            self._object(name, origin)  # the words were OBJECT and its kind, which is not needed

    def _add(
        self,
        name: str,
        texture: str,
        material: int,
        vertices: np.ndarray,
        polygons: list[list[Corner]],
        repeat: np.ndarray,
        shift: np.ndarray,
    ) -> None:
        """Triangulate and keep the polygons of an object, each of three or more corners."""
        known = [rows for rows in polygons if all(0 <= vertex < len(vertices) for vertex, _, _ in rows)]
        self.lost += len(polygons) - len(known)
        if not known:
            return
        if not 0 <= material < len(self.colors):
            raise ValueError(f"object '{name}' refers to material {material} of {len(self.colors)}")
        corners = np.array([corner for rows in known for corner in rows], np.float64)
        index = corners[:, 0].astype(np.int64)
        rows = triangles(vertices[index], np.array([len(rows) for rows in known]))
        uv = corners[:, 1:] * repeat + shift
        self.surfaces.append(_Surfaces(name, texture, material, vertices[index][rows], uv[rows]))

    def _surface(self, kind: int) -> tuple[int, list[list[Corner]]]:
        """Material and polygons of one SURF; none for lines and for fewer than three corners."""
        material = 0
        while (words := self._words())[0] != "refs":
            if words[0] == "mat":
                material = int(words[1])
        rows = [self._words() for _ in range(int(words[1]))]
        refs = [(int(row[0]), float(row[1]), float(row[2])) for row in rows]
        if len(refs) < 3 or kind not in (POLYGON, STRIP):
            return material, []
        if kind == POLYGON:
            return material, [refs]
        # Every second triangle of a strip has the opposite winding.
        odd = [i % 2 for i in range(len(refs) - 2)]
        return material, [[refs[i], refs[i + 1 + k], refs[i + 2 - k]] for i, k in enumerate(odd)]

    def _skip_text(self, length: int) -> None:
        """Skip the free text of a `data` entry: `length` characters, which may span lines."""
        while length > 0 and self._next < len(self._lines):
            length -= len(self._lines[self._next]) + 1
            self._next += 1


def _text(values: list[str]) -> str:
    return " ".join(values).strip('"')


def _color(words: list[str]) -> Color:
    """Colour and opacity of a MATERIAL line: name, then key and numbers."""
    red = words.index("rgb") + 1
    opacity = 1.0 - float(words[words.index("trans") + 1]) if "trans" in words else 1.0
    return tuple(np.clip([*map(float, words[red : red + 3]), opacity], 0.0, 1.0).tolist())
