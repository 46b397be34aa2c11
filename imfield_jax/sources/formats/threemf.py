"""3MF files, written by slicers and CAD, as parts: meshes, components, colours of materials and colour groups.

https://github.com/3MFConsortium/spec_core; z is up. Own reader, as trimesh's needs lxml and ignores colours.
"""

from __future__ import annotations

import io
import re
import urllib.parse
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np

from imfield_jax.sources.formats.surface import Polygons, known, part
from imfield_jax.sources.scene import GREY, Part

_MODEL = "/3dmodel"  # suffix of the type of the relationship to the root model
_UNREAD = {"texture2dgroup", "compositematerials", "multiproperties"}
_COLOR = re.compile("#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_MAX_DEPTH = 32  # of nested components


def read(contents: bytes) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """The objects of the build plate as parts, and warnings. Raises ValueError and others for damaged files."""
    parts: list[Part] = []
    warnings: list[str] = []
    supports = 0
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        package = _Package(archive)
        root = package.root()
        for item in package.tree(root).iterfind("./{*}build/{*}item"):
            if package.is_support(_path(item, root), item.get("objectid")):
                supports += 1
                continue
            for polygons in package.placed(_path(item, root), item.get("objectid"), _matrix(item), 0):
                polygons, lost = known(polygons)
                parts.append(part(polygons, GREY if polygons.colors is None else (1.0, 1.0, 1.0, 1.0)))
                warnings += lost
        warnings += package.left_out()
    if supports:
        warnings.append(f"supports of the print left out: {supports}")
    return tuple(parts), tuple(warnings)


class _Package:
    """The models of an archive."""

    def __init__(self, archive: zipfile.ZipFile):
        self._archive = archive
        self._names = {name.lstrip("/").lower(): name for name in archive.namelist()}
        self._trees: dict[str, ElementTree.Element] = {}

    def root(self) -> str:
        """The path of the root model."""
        for entry in self.tree("_rels/.rels"):
            if entry.get("Type", "").lower().endswith(_MODEL):
                return entry.get("Target", "")
        raise ValueError("no relationship to a 3D model")

    def tree(self, path: str) -> ElementTree.Element:
        path = path.lstrip("/").lower()
        path = path if path in self._names else urllib.parse.unquote(path)
        if path not in self._names:
            raise ValueError(f"it refers to '{path[:100]}', which is missing")
        if path not in self._trees:
            self._trees[path] = ElementTree.fromstring(self._archive.read(self._names[path]))
        return self._trees[path]

    def left_out(self) -> list[str]:
        """A warning for each kind of colour that is not read."""
        names = {e.tag.rpartition("}")[2] for tree in self._trees.values() for e in tree.iterfind("./{*}resources/*")}
        return [f"colours left out: {name}" for name in sorted(names & _UNREAD)]

    def is_support(self, path: str, number: str | None) -> bool:
        """Whether an object is a print support, which is not part of the model."""
        return self._object(path, number)[0].get("type") in ("support", "solidsupport")

    def _object(self, path: str, number: str | None) -> tuple[ElementTree.Element, ElementTree.Element]:
        """An object and the resources that contain it."""
        resources = self.tree(path).find("./{*}resources")
        found = [] if resources is None else [e for e in resources.iterfind("./{*}object") if e.get("id") == number]
        if not found or resources is None:
            raise ValueError(f"it refers to object {number}, which is missing")
        return found[0], resources

    def placed(self, path: str, number: str | None, matrix: np.ndarray, depth: int) -> Iterator[Polygons]:
        """The meshes of an object and of its components."""
        if depth > _MAX_DEPTH:
            raise ValueError("components that contain themselves")
        entry, resources = self._object(path, number)
        mesh = entry.find("./{*}mesh")
        if mesh is not None:
            yield _polygons(mesh, entry, resources, matrix)
        for component in entry.iterfind("./{*}components/{*}component"):
            inner = _matrix(component) @ matrix
            yield from self.placed(_path(component, path), component.get("objectid"), inner, depth + 1)


def _path(entry: ElementTree.Element, default: str) -> str:
    """The model that an item or a component refers to, by the production extension."""
    return next((value for name, value in entry.items() if name.endswith("}path")), default)


def _matrix(entry: ElementTree.Element) -> np.ndarray:
    """[4, 4], which multiplies rows from the right."""
    matrix = np.eye(4)
    if written := entry.get("transform"):
        matrix[:, :3] = np.array(written.split()).astype(np.float64).reshape(4, 3)
    return matrix


def _polygons(
    mesh: ElementTree.Element, entry: ElementTree.Element, resources: ElementTree.Element, matrix: np.ndarray
) -> Polygons:
    points = [(v.get("x"), v.get("y"), v.get("z")) for v in mesh.iterfind("./{*}vertices/{*}vertex")]
    vertices = np.array(points, np.float64).reshape(-1, 3) @ matrix[:3, :3] + matrix[3, :3]
    triangles = mesh.findall("./{*}triangles/{*}triangle")
    corners = np.array([(t.get("v1"), t.get("v2"), t.get("v3")) for t in triangles]).astype(np.int64).reshape(-1, 3)
    colors = _colors(triangles, entry, _palettes(resources))
    if np.linalg.det(matrix[:3, :3]) < 0:
        corners = corners[:, ::-1]  # a reflection turns outward faces inward
        colors = None if colors is None else colors[:, ::-1]
    colors = None if colors is None else colors.reshape(-1, 4)
    return Polygons(vertices, np.full(len(corners), 3), corners.ravel(), colors=colors)


def _palettes(resources: ElementTree.Element) -> dict[str | None, list[list[float]]]:
    """The colours, RGBA in [0, 1], of each group of materials or colours."""
    groups = [*resources.iterfind("./{*}basematerials"), *resources.iterfind("./{*}colorgroup")]
    return {group.get("id"): [_color(e.get("displaycolor") or e.get("color") or "") for e in group] for group in groups}


def _color(written: str) -> list[float]:
    """RGBA of "#RRGGBB" or "#RRGGBBAA"; grey for anything else."""
    if not _COLOR.fullmatch(written):
        return list(GREY)
    return [value / 255 for value in bytes.fromhex(written[1:].ljust(8, "F"))]


def _colors(triangles: list[ElementTree.Element], entry: ElementTree.Element, palettes: dict) -> np.ndarray | None:
    """Corner colours [T, 3, 4] float32, grey where one is missing; None if all are missing."""
    colors = np.full((len(triangles), 3, 4), GREY, np.float32)
    found = False
    for row, triangle in zip(colors, triangles, strict=True):
        palette = palettes.get(triangle.get("pid", entry.get("pid")))
        first = triangle.get("p1", entry.get("pindex"))
        if palette and first is not None:
            numbers = [int(triangle.get(name, first)) for name in ("p1", "p2", "p3")]
            if all(0 <= number < len(palette) for number in numbers):
                found = True
                row[:] = [palette[number] for number in numbers]
    return colors if found else None
