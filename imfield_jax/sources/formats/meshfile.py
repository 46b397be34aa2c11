"""Mesh files as scenes: OBJ with MTL and textures, glTF, PLY, STL, OFF, 3MF, COLLADA, AC3D, the surface of .binvox.

Incomplete files are read: a missing MTL or texture is replaced by a plain colour, and a face that refers to missing
vertices is left out with a warning. Only a file without triangles is refused.
"""

from __future__ import annotations

from pathlib import Path

from imfield_jax.files import damaged
from imfield_jax.sources.formats import (
    ac3d,
    binvox,
    collada,
    gltf,
    off,
    ply,
    stl,
    textures,
    threemf,
    wavefront,
)
from imfield_jax.sources.formats.kinds import SUFFIXES, unreadable_kind
from imfield_jax.sources.formats.unsupported import Unsupported
from imfield_jax.sources.scene import Part, Scene, Texture, of_mesh

__all__ = ["SUFFIXES", "load_scene", "unreadable_kind"]


def load_scene(path: str | Path) -> Scene:
    """The mesh of a file, transforms baked in, one part per material, axes and units as in the file.

    Raises OSError when the file is missing or cannot be read, ValueError when it is damaged, uses unsupported
    features, has no triangles or does not fit into memory.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a triangle mesh, found no such file")
    if path.suffix.lower() not in SUFFIXES:
        found = unreadable_kind(path) or f"'{path.suffix}'"
        raise ValueError(f"{path}: expected a triangle mesh ({', '.join(SUFFIXES)}), found {found}")
    if path.suffix.lower() == ".binvox":
        return of_mesh(binvox.surface(binvox.read(path)))
    if path.suffix.lower() == ".ac":
        return ac3d.load_scene(path)
    parts, warnings = _read(path, path.read_bytes())
    if not any(len(part.faces) for part in parts):
        why = f" ({'; '.join(warnings)})" if warnings else ""
        raise ValueError(f"{path}: expected a triangle mesh, found a file without triangles{why}")
    return Scene(parts, warnings)


def _read(path: Path, contents: bytes) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Parts and warnings of a file. Raises ValueError with the file's name for any error in its contents."""
    unsupported = None
    try:
        with damaged(path, "triangle mesh"):
            try:
                return _parsed(path, contents)
            except Unsupported as error:
                unsupported = error
    except MemoryError as error:
        raise ValueError(
            f"{path}: reading its {len(contents)} bytes takes more memory than is available; "
            "simplify the mesh, unless the file is damaged"
        ) from error
    raise ValueError(f"{path}: {unsupported}") from unsupported


def _parsed(path: Path, contents: bytes) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    def opened(name: str) -> bytes | None:
        found = textures.beside(name, path.parent)
        return None if found is None else found.read_bytes()

    def texture(name: str) -> Texture | None:
        return textures.read(textures.beside(name, path.parent))

    match path.suffix.lower():
        case ".obj":
            return wavefront.read(contents, opened, texture)
        case ".glb" | ".gltf":
            return gltf.read(contents, opened)
        case ".ply":
            return ply.read(contents, texture)
        case ".off":
            return off.read(contents)
        case ".stl":
            return (stl.read(contents),), ()
        case ".dae":
            return collada.read(contents, texture)
        case _:
            return threemf.read(contents)
