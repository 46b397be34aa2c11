"""Wavefront OBJ files with their MTL materials, as parts of a scene.

Ours, as trimesh's reader cuts concave polygons into fans, takes tabs for parts of a word, counts negative indices
from the end of the file, guesses the encoding of an OBJ and its MTL apart, and gives up all faces for a wrong one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from imfield_jax.sources.formats.surface import Polygons, known, part, unit
from imfield_jax.sources.formats.text import decoded
from imfield_jax.sources.scene import GREY, Color, Part


@dataclasses.dataclass(frozen=True)
class Material:
    """A material of an MTL file: its colour (see `Part`) and the name of its texture, "" without."""

    color: Color = GREY
    texture: str = ""


def read(
    contents: bytes, opened: Callable[[str], bytes | None], texture: Callable[[str], np.ndarray | None]
) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Parts of an OBJ file, one per material in the order of their first faces, and warnings.

    opened:  the contents of the MTL file of a name, None where there is none.
    texture: the image of a name, [H, W, 4] uint8, None where there is none.

    Raises ValueError for what should be a number and is none.
    """
    lines = _Lines(decoded(contents))
    materials: dict[str, Material] = {}
    for names in lines.libraries:
        for name in [names] if (whole := opened(names)) is not None else names.split():
            materials |= read_materials(whole or opened(name) or b"")
    polygons, warnings = known(lines.polygons())
    parts = []
    for number, name in enumerate(lines.materials):
        mine = polygons.groups == number
        if mine.any():
            material = materials.get(name, Material())
            image = texture(material.texture) if material.texture else None
            parts.append(part(polygons.select(mine), material.color, image))
    return tuple(parts), warnings


class _Lines:
    """The lines of an OBJ file, sorted by what they are."""

    def __init__(self, text: str):
        self.libraries: list[str] = []
        self.materials: dict[str, int] = {"": 0}
        self._vertices: list[list[str]] = []
        self._uv: list[list[str]] = []
        self._faces: list[list[str]] = []
        self._face_places: list[tuple[int, int, int]] = []  # material, vertices and uv before the face
        material = 0
        for line in _joined(text):
            keyword, *words = line.split()
            if keyword == "v":
                self._vertices.append(words)
            elif keyword == "vt":
                self._uv.append(words[:2])
            elif keyword in ("f", "fo"):
                self._faces.append(words)
                self._face_places.append((material, len(self._vertices), len(self._uv)))
            elif keyword == "usemtl":
                material = self.materials.setdefault(_rest(line), len(self.materials))
            elif keyword == "mtllib":
                self.libraries.append(_rest(line))

    def polygons(self) -> Polygons:
        table = _numbers(self._vertices, 3)
        counts = np.array([len(words) for words in self._faces], np.int64)
        places = np.array(self._face_places, np.int64).reshape(-1, 3)
        before = np.repeat(places[:, 1:], counts, axis=0)
        written = [corner.split("/") for words in self._faces for corner in words]
        corners = _counted([fields[0] for fields in written], before[:, 0])
        return Polygons(
            vertices=table[:, :3],
            counts=counts,
            corners=corners,
            uv=self._corner_uv(written, before[:, 1]),
            colors=_corner_colors(table, corners),
            groups=places[:, 0],
        )

    def _corner_uv(self, written: list[list[str]], before: np.ndarray) -> np.ndarray | None:
        if not self._uv:
            return None
        index = _counted([fields[1] if len(fields) > 1 else "" for fields in written], before)
        uv = _numbers(self._uv, 2)[:, :2].astype(np.float32)
        there = (index >= 0) & (index < len(uv))
        return np.where(there[:, None], uv[np.where(there, index, 0)], 0)


def _joined(text: str) -> list[str]:
    """The lines that are not empty, continued ones as one, without comments."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\\n", " ")
    lines = (line.partition("#")[0] if line.lstrip()[:1] in ("v", "f", "#") else line for line in text.split("\n"))
    return [line for line in lines if line and not line.isspace()]


def _rest(line: str) -> str:
    """What follows the first word."""
    return ([*line.split(maxsplit=1), ""])[1].strip()


def _numbers(rows: list[list[str]], least: int) -> np.ndarray:
    """Rows of words as float64 [N, at least `least`], short ones filled up with NaN."""
    if not rows:
        return np.zeros((0, least))
    widths = {len(row) for row in rows}
    width = max(widths | {least})
    if widths != {width}:
        rows = [row + ["nan"] * (width - len(row)) for row in rows]
    return np.array(rows).astype(np.float64)


def _counted(written: list[str], before: np.ndarray) -> np.ndarray:
    """Indices from 0, of indices from 1, or back from what came before if negative; below 0 where there is none."""
    index = np.array([int(number) if number else 0 for number in written], np.int64)
    return np.where(index < 0, np.where(before + index < 0, -1, before + index), index - 1)


def _corner_colors(table: np.ndarray, corners: np.ndarray) -> np.ndarray | None:
    """Colours behind the coordinates, "v x y z r g b", which many tools write; white where only some have them."""
    if table.shape[1] < 6 or not len(corners):
        return None
    colors = unit(np.nan_to_num(table[:, 3:6], nan=table[:, 3:6][np.isfinite(table[:, 3:6])].max(initial=1)))
    return colors[np.clip(corners, 0, len(colors) - 1)]


def read_materials(contents: bytes) -> dict[str, Material]:
    """The materials of an MTL file by name; entries that cannot be understood count as missing."""
    found: dict[str, Material] = {}
    entries: dict[str, str] = {}
    for line in _joined(decoded(contents)):
        keyword = line.split(maxsplit=1)[0].lower()
        if keyword == "newmtl":
            entries = {}
            name = _rest(line)
        elif keyword in ("kd", "d", "tr", "map_kd"):
            entries[keyword] = _rest(line)
        else:
            continue
        found |= {name: _material(entries)} if found or keyword == "newmtl" else {}
    return found


def _material(entries: dict[str, str]) -> Material:
    """Kd, d (or 1 - Tr) and map_Kd, clipped to [0, 1]. Kd is taken for sRGB, as Blender and most viewers do."""
    texture = entries.get("map_kd", "")
    diffuse = _floats(entries.get("kd", "")) or ((1.0,) if texture else GREY[:3])
    if texture and max(diffuse) < 0.05:
        diffuse = (1.0,)  # exporters write a black Kd where the texture holds the colour
    red, green, blue = np.clip(np.resize(diffuse, 3), 0, 1).tolist()
    transparency = (_floats(entries.get("tr", "")) or (0.0,))[-1]
    opacity = (_floats(entries.get("d", "")) or (1.0 - transparency,))[-1]
    return Material((red, green, blue, float(np.clip(opacity, 0, 1))), texture)


def _floats(words: str) -> tuple[float, ...]:
    """The numbers of "0.8 0.8 0.8" or "-halo 0.5"; none when another word or no finite number is among them."""
    try:
        numbers = tuple(float(word) for word in words.split() if word != "-halo")
    except ValueError:
        return ()
    return numbers if np.isfinite(numbers).all() else ()
