"""Mesh files as scenes: OBJ with MTL and textures, GLB, PLY, STL and OFF, read by trimesh, and the surface of .binvox.

What a file lacks never stops the reading: without its MTL or a texture it gets a plain colour.
Only a file without triangles is refused.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import trimesh
from trimesh.resolvers import FilePathResolver

from imfield_jax.files import one_line
from imfield_jax.sources.formats import binvox, textures, wavefront
from imfield_jax.sources.scene import Part, Scene, of_mesh

SUFFIXES = (".obj", ".glb", ".ply", ".stl", ".off", ".binvox")
GREY = (0.7, 0.7, 0.7, 1.0)
# It logs damage with a traceback; we tell it in one line.
logging.getLogger("trimesh").setLevel(logging.CRITICAL)
# How many faces a file says that it has; a polygon makes one triangle or more.
_PROMISE = {".ply": re.compile(rb"element face (\d+)"), ".off": re.compile(rb"OFF\s+(?:#.*\s+)*\d+\s+(\d+)")}
MOST_REPEATS = 1 << 20  # of a texture; texture vertices farther out, or that are no numbers, say nothing
MOST_COLORS = 32  # a mesh coloured by vertex is split into this many parts at most, else averaged


class _Assets(FilePathResolver):
    """Opens what a mesh file refers to, within the model's own folders."""

    def get(self, name: str) -> bytes | str:
        found = find_asset(name, Path(self.parent))
        if found is None:
            raise FileNotFoundError(name)
        contents = found.read_bytes()
        return wavefront.decoded(contents) if found.suffix.lower() == ".mtl" else contents


def find_asset(name: str, folder: Path) -> Path | None:
    """The file a mesh in `folder` means by `name`: as written if that stays within the folder's
    parent (ShapeNet's "../images/texture0.jpg"), else by base name nearby, else None."""
    written = folder / name.strip().replace("\\", "/")
    if written.is_file() and written.resolve().is_relative_to(folder.resolve().parent):
        return written
    nearby = [folder, *(base / sub for base in (folder, folder.parent) for sub in ("textures", "images"))]
    # An MTL may put options before the file name ("map_Kd -s 1 1 1 wood.jpg"): then the last word counts.
    return textures.find(name, nearby) or textures.find((name.split() or [""])[-1], nearby)


def load_scene(path: str | Path) -> Scene:
    """The mesh of a file, transforms baked in, one part per material, axes and units as in the file.

    Raises OSError when the file is not there or cannot be read, ValueError when it is damaged, has no triangles or
    takes more memory than there is.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a triangle mesh, found no such file")
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{path}: expected a triangle mesh ({', '.join(SUFFIXES)}), found '{path.suffix}'")
    if path.suffix.lower() == ".binvox":
        return of_mesh(binvox.surface(binvox.read(path)))
    contents = path.read_bytes()  # an OSError is one of the file, what follows one of its contents
    try:
        loaded = _loaded(contents, path)
        parts = tuple(part for placed in _instances(loaded) for part in _parts(*placed))
    except MemoryError as error:
        raise ValueError(
            f"{path}: to read its {len(contents)} bytes takes more memory than there is; "
            "it is damaged, or the mesh is to be simplified"
        ) from error
    except Exception as error:  # each of trimesh's readers fails in its own way on a damaged file
        raise ValueError(f"{path}: expected a triangle mesh, found a damaged file ({one_line(error)})") from error
    if not any(len(part.faces) for part in parts):
        found = ", ".join(sorted({type(item).__name__ for item in loaded.geometry.values()})) or "nothing"
        raise ValueError(f"{path}: expected a triangle mesh, found {found} without triangles")
    if _is_cut_off(contents, path.suffix.lower(), sum(len(part.faces) for part in parts)):
        raise ValueError(f"{path}: expected a triangle mesh, found a file that was cut off: it promises more triangles")
    return Scene(parts)


def _is_cut_off(contents: bytes, suffix: str, count: int) -> bool:
    """Whether a file promises more than the `count` triangles that trimesh, which reads on to the end, found in it."""
    promised = _PROMISE[suffix].search(contents[:10_000]) if suffix in _PROMISE else None
    return promised is not None and int(promised[1]) > count


def _loaded(contents: bytes, path: Path) -> trimesh.Scene:
    suffix, file = path.suffix.lower(), io.BytesIO(contents)
    if suffix == ".obj":
        file = io.StringIO(wavefront.absolute(wavefront.decoded(contents)))
    return trimesh.load_scene(file, file_type=suffix[1:], resolver=_Assets(str(path.parent)), process=False)


def _instances(loaded: trimesh.Scene) -> Iterator[tuple[trimesh.Trimesh, np.ndarray]]:
    """Every placed mesh of a scene with its 4x4 matrix."""
    for node in sorted(loaded.graph.nodes_geometry):
        matrix, name = loaded.graph[node]
        mesh = loaded.geometry[name]
        if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces):
            yield mesh, matrix


def _parts(mesh: trimesh.Trimesh, matrix: np.ndarray) -> Iterator[Part]:
    """A mesh in its final position. (Its own `copy` would decode textures, and fail on broken ones.)"""
    with np.errstate(invalid="ignore", over="ignore"):  # whether what faces use is finite is asked by `scene.place`
        vertices = np.asarray(mesh.vertices, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    faces = np.asarray(mesh.faces, np.int64)
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise ValueError(f"a face refers to vertex {faces.max()} of {len(vertices)}")
    if np.linalg.det(matrix[:3, :3]) < 0:
        faces = faces[:, ::-1]  # a mirror turns outward faces inward
    if mesh.visual.kind == "texture":
        color, texture = _material(mesh.visual.material)
        uv = mesh.visual.uv
        if (
            texture is None
            or uv is None
            or uv.shape[1:] < (2,)
            or len(uv) != len(vertices)
            or not (np.abs(uv) < MOST_REPEATS).all()
        ):
            yield Part(vertices, faces, color)
        else:
            yield Part(vertices, faces, color, np.asarray(uv, np.float32)[:, :2], texture)
    elif mesh.visual.kind in ("vertex", "face"):
        for color, chosen in _by_color(np.asarray(mesh.visual.face_colors, np.float64) / 255.0):
            used, renumbered = np.unique(faces[chosen], return_inverse=True)
            yield Part(vertices[used], renumbered.reshape(-1, 3), color)
    else:
        yield Part(vertices, faces, GREY)


def _by_color(colors: np.ndarray) -> list[tuple[tuple[float, ...], np.ndarray]]:
    """Face colours [F, 4] as (colour, mask of its faces); one averaged colour when there are too many."""
    distinct, owner = np.unique(colors, axis=0, return_inverse=True)
    if len(distinct) > MOST_COLORS:
        return [(tuple(colors.mean(axis=0).tolist()), np.ones(len(colors), bool))]
    return [(tuple(color.tolist()), owner.ravel() == i) for i, color in enumerate(distinct)]


def _material(material) -> tuple[tuple[float, float, float, float], np.ndarray | None]:
    """Colour with opacity, and texture or None, of a trimesh material (MTL or glTF)."""
    if isinstance(material, trimesh.visual.material.PBRMaterial):
        factor = material.baseColorFactor
        color = (1.0,) * 4 if factor is None else tuple((np.asarray(factor, np.float64) / 255.0).tolist())
        image = material.baseColorTexture
        color = color if material.alphaMode == "BLEND" else (*color[:3], 1.0)  # glTF: else alpha is ignored
    else:
        # An image without a format was not read: trimesh puts a white one where a material is missing.
        image = material.image if getattr(material.image, "format", None) else None
        color = _mtl_color(material.kwargs)
    texture = None if image is None else textures.rgba(image)
    if texture is not None and max(color[:3]) < 0.05:
        color = (1.0, 1.0, 1.0, color[3])  # exporters write a black Kd where the texture holds the colour
    return color, texture


def _mtl_color(entries: dict) -> tuple[float, float, float, float]:
    """Kd and d (or 1 - Tr) of an MTL material, clipped to [0, 1]."""
    diffuse = np.ravel(entries.get("kd", GREY[:3]))
    diffuse = np.resize(diffuse, 3) if diffuse.size else np.array(GREY[:3])
    try:
        transparency = 1.0 - float(entries["tr"][-1]) if "tr" in entries else 1.0
        opacity = float(entries["d"][-1]) if "d" in entries else transparency
    except ValueError:
        opacity = 1.0
    return tuple(np.clip([*diffuse, opacity], 0.0, 1.0).tolist())
