"""Wavefront OBJ files with their MTL materials, as parts of a scene.

Own reader, as trimesh's cuts concave polygons into fans, treats tabs as parts of a word, counts negative indices from
the end of the file, guesses the encodings of an OBJ and its MTL separately, and drops all faces for one invalid face.
"""

from __future__ import annotations

import dataclasses
import re
import warnings as python_warnings
from collections.abc import Callable, Iterator

import numpy as np

from imfield_jax.sources.formats.surface import Polygons, known, part, unit
from imfield_jax.sources.formats.text import decoded
from imfield_jax.sources.scene import GREY, Color, Part, Texture

_COMMENT = re.compile(r"(^|\s)#.*")
_CONTINUED = re.compile(r"\\[ \t]*\n")  # editors leave blanks after the backslash
# An option of map_Kd before the file name. -s, -o and -t take one to three numbers; a name may contain blanks.
_OPTION = re.compile(
    r"-(?:(?P<transform>[sot])(?P<numbers>(?:\s+[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?=\s)){1,3})"
    r"|mm\s+\S+\s+\S+|(?:blendu|blendv|bm|boost|cc|clamp|imfchan|texres|type|colorspace)\s+\S+)\s+",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Material:
    """A material of an MTL file: its colour (see `Part`) and the name of its texture, "" for none.

    Texture coordinates are multiplied by `scale` and shifted by `offset` (the options -s and -o of map_Kd).
    """

    color: Color = GREY
    texture: str = ""
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)


def read(
    contents: bytes, opened: Callable[[str], bytes | None], texture: Callable[[str], Texture | None]
) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Parts of an OBJ file, one per material in the order of their first faces, and warnings.

    opened:  returns the contents of an MTL file by name, None for a missing one.
    texture: returns the image of a name, None for a missing one.

    Raises ValueError for a word in place of a number.
    """
    lines = _Lines(decoded(contents))
    materials, missing = _libraries(lines.libraries, opened)
    polygons, warnings = known(lines.polygons())
    plain = Material() if polygons.colors is None else Material((1.0, 1.0, 1.0, 1.0))
    parts = []
    for number, name in enumerate(lines.materials):
        mine = polygons.of_group(number)
        if len(mine.counts):
            material = materials.get(name, plain)
            image = texture(material.texture) if material.texture else None
            if material.texture and image is None:
                missing.append(material.texture)
            if image is not None and mine.uv is not None:
                mine = dataclasses.replace(mine, uv=_transformed(mine.uv, material))
            parts.append(part(mine, material.color, image))
    names = ", ".join(sorted(set(missing)))
    return tuple(parts), (*warnings, f"left out, as they are missing or damaged: {names}") if names else warnings


def _transformed(uv: np.ndarray, material: Material) -> np.ndarray:
    return (uv * np.array(material.scale) + np.array(material.offset)).astype(np.float32)


def _libraries(lines: list[str], opened: Callable[[str], bytes | None]) -> tuple[dict[str, Material], list[str]]:
    """The materials of the files named by the lines, and the names of missing files."""
    materials: dict[str, Material] = {}
    missing = []
    for line in dict.fromkeys(lines):
        whole = opened(line)  # a name may contain blanks, and a line several names
        for name in line.split() if whole is None else [line]:
            contents = opened(name) if whole is None else whole
            if contents is None:
                missing.append(name)
            else:
                materials |= read_materials(contents)
    return materials, missing


class _Lines:
    """The lines of an OBJ file, grouped by keyword, which is removed."""

    def __init__(self, text: str):
        self.libraries: list[str] = []
        self.materials: dict[str, int] = {"": 0}
        self._vertices: list[str] = []
        self._uv: list[str] = []
        self._faces: list[str] = []
        self._places: list[tuple[int, int, int]] = []  # material, vertices and uv before each face
        place = 0
        for line in _joined(text):
            keyword, rest = [*line.split(None, 1), ""][:2]
            keyword = keyword.lower()
            if keyword == "v":
                self._vertices.append(rest)
            elif keyword == "vt":
                self._uv.append(rest)
            elif keyword in ("f", "fo"):
                self._faces.append(rest)
                self._places.append((place, len(self._vertices), len(self._uv)))
            elif keyword == "usemtl":
                place = self.materials.setdefault(rest.strip(), len(self.materials))
            elif keyword == "mtllib":
                self.libraries.append(rest.strip())

    def polygons(self) -> Polygons:
        table = _numbers(self._vertices, 3)
        places = np.array(self._places, np.int64).reshape(-1, 3)
        counts = np.array([len(face.split()) for face in self._faces], np.int64)
        before = np.repeat(places[:, 1:], counts, axis=0)
        written = _indices(self._faces, len(before))
        corners = _counted(written[:, 0], before[:, 0])
        return Polygons(
            vertices=table[:, :3],
            counts=counts,
            corners=corners,
            uv=self._corner_uv(written[:, 1], before[:, 1]),
            colors=_corner_colors(table, corners),
            groups=places[:, 0],
        )

    def _corner_uv(self, written: np.ndarray, before: np.ndarray) -> np.ndarray | None:
        if not self._uv or not written.any():
            return None
        index = _counted(written, before)
        with np.errstate(over="ignore"):  # infinite coordinates are left out with their texture
            uv = _numbers(self._uv, 2)[:, :2].astype(np.float32)
        valid = (index >= 0) & (index < len(uv))
        return np.where(valid[:, None], uv[np.where(valid, index, 0)], 0)


def _joined(text: str) -> Iterator[str]:
    """The non-blank lines, with continued lines joined and comments removed."""
    text = _CONTINUED.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    for line in text.split("\n"):
        # Names may contain "#", and "-1.#IND" is a number.
        if "#" in line and line.lstrip()[:1].lower() in ("v", "f", "#"):
            line = _COMMENT.sub("", line)
        if line and not line.isspace():
            yield line


def _numbers(rows: list[str], least: int) -> np.ndarray:
    """Rows of numbers as float64 [N, at least `least`], short ones padded with NaN."""
    widths = {len(row.split()) for row in rows}
    width = max(widths | {least})
    found = _fast(" ".join(rows), np.float64, len(rows) * width) if widths == {width} else None
    if found is None:
        words = [(row.split() + ["nan"] * width)[:width] for row in rows]
        found = np.array(words or np.zeros(0)).astype(np.float64)
    return found.reshape(-1, width)


def _indices(faces: list[str], count: int) -> np.ndarray:
    """The indices in corners "v", "v/vt", "v//vn" and "v/vt/vn": [count, 2 or more] int64, 0 for none."""
    text = " ".join(faces)
    forms = {corner.count("/") for corner in text.split()}
    found, width = None, 1 + max(forms, default=0)
    if len(forms) == 1:
        found = _fast(text.replace("//", "/0/").replace("/", " "), np.int64, count * width)
    if found is None:
        fields = (corner.split("/") for corner in text.split())
        rows = [[int(field) if field else 0 for field in (row + [""] * width)[:width]] for row in fields]
        found = np.array(rows, np.int64)
    return np.pad(found.reshape(-1, width), ((0, 0), (0, 1)))


def _fast(text: str, kind: type, count: int) -> np.ndarray | None:
    """Numbers separated by blanks, parsed at once; None unless the text is exactly `count` numbers."""
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("error")  # NumPy only warns about text that it cannot parse
        try:
            found: np.ndarray = np.fromstring(text, kind, sep=" ")
        except (ValueError, DeprecationWarning):
            return None
    return found if len(found) == count else None


def _counted(written: np.ndarray, before: np.ndarray) -> np.ndarray:
    """0-based indices from 1-based ones, or from negative ones relative to the rows before; below 0 if invalid."""
    return np.where(written < 0, np.where(before + written < 0, -1, before + written), written - 1)


def _corner_colors(table: np.ndarray, corners: np.ndarray) -> np.ndarray | None:
    """Colours after the coordinates, "v x y z r g b", a common extension; white for vertices without."""
    if table.shape[1] < 6 or not len(corners):
        return None
    colors = unit(np.nan_to_num(table[:, 3:6], nan=table[:, 3:6][np.isfinite(table[:, 3:6])].max(initial=1)))
    return colors[np.clip(corners, 0, len(colors) - 1)]


def read_materials(contents: bytes) -> dict[str, Material]:
    """The materials of an MTL file by name; entries that cannot be parsed count as missing."""
    found: dict[str, Material] = {}
    entries: dict[str, str] = {}
    for line in _joined(decoded(contents)):
        keyword, rest = [*line.split(None, 1), ""][:2]
        keyword, rest = keyword.lower(), rest.strip()
        if keyword == "newmtl":
            entries = {}
            name = rest
        elif keyword in ("kd", "d", "tr", "map_kd"):
            entries[keyword] = rest
        else:
            continue
        found |= {name: _material(entries)} if found or keyword == "newmtl" else {}
    return found


def _material(entries: dict[str, str]) -> Material:
    """Kd, d (or 1 - Tr) and map_Kd, clipped to [0, 1]. Kd is interpreted as sRGB, as in Blender and most viewers."""
    texture, transforms = _texture_map(entries.get("map_kd", ""))
    diffuse = _floats(entries.get("kd", "")) or ((1.0,) if texture else GREY[:3])
    if texture and max(diffuse) < 0.05:
        diffuse = (1.0,)  # exporters write a black Kd where the texture holds the colour
    red, green, blue = np.clip(np.resize(diffuse, 3), 0, 1).tolist()
    transparency = (_floats(entries.get("tr", "")) or (0.0,))[-1]
    opacity = (_floats(entries.get("d", "")) or (1.0 - transparency,))[-1]
    scale, offset = _pair(transforms.get("s", ()), 1.0), _pair(transforms.get("o", ()), 0.0)
    return Material((red, green, blue, float(np.clip(opacity, 0, 1))), texture, scale, offset)


def _texture_map(entry: str) -> tuple[str, dict[str, tuple[float, ...]]]:
    """The file name of "-s 2 2 1 -bm 0.5 red brick.png", and the numbers of its options -s, -o and -t."""
    transforms = {}
    while option := _OPTION.match(entry):
        if letter := option["transform"]:
            transforms[letter.lower()] = _floats(option["numbers"])
        entry = entry[option.end() :]
    return entry, transforms


def _pair(numbers: tuple[float, ...], missing: float) -> tuple[float, float]:
    u, v = (*numbers, missing, missing)[:2]
    return u, v


def _floats(words: str) -> tuple[float, ...]:
    """The numbers of "0.8 0.8 0.8" or "-halo 0.5"; none if one is another word or not finite."""
    try:
        numbers = tuple(float(word) for word in words.split() if word != "-halo")
    except ValueError:
        return ()
    return numbers if np.isfinite(numbers).all() else ()
