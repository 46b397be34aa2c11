"""Any folder of mesh files as one category: the way in for a user's own meshes."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np

from imfield_jax.sources.formats import meshfile
from imfield_jax.sources.scene import Scene, transformed
from imfield_jax.sources.shape import Shape, stamp_of
from imfield_jax.sources.splits import split_hashed

# To ours (y up, front -z) from the axes that tools write. Z up is Blender's and CAD's, front -y.
AXES = {
    "y-up": np.eye(3),
    "z-up": np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
}


def shapes(root: str | Path, category: str, axes: str = "y-up") -> list[Shape]:
    """Every OBJ, GLB, PLY, STL and OFF file under `root`, named "<category>/<path in root>".

    axes: "y-up" for files with y up and front -z, "z-up" for z up and front -y.

    Raises ValueError when the folder is missing or has no mesh files, or for unknown axes.
    """
    root = Path(root)
    if axes not in AXES:
        raise ValueError(f"axes: expected one of {', '.join(AXES)}, found '{axes}'")
    if not root.is_dir():
        raise ValueError(f"{root}: expected a folder of mesh files, found no folder")
    files = _mesh_files(root)
    if not files:
        raise ValueError(f"{root}: expected mesh files ({', '.join(meshfile.SUFFIXES)}) below it, found none")
    named = {f"{category}/{_readable(path.relative_to(root).as_posix())}": path for path in files}
    splits = split_hashed(list(named))
    return [Shape(name, splits[name], partial(_load, path, axes), stamp=stamp_of(path)) for name, path in named.items()]


def _mesh_files(root: Path) -> list[Path]:
    """All mesh files below a folder, linked folders followed once."""
    found, seen = [], set()
    for folder, below, files in os.walk(root, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:
            below.clear()  # a link to a folder that was read already, or a loop
            continue
        seen.add(real)
        below.sort()
        paths = (Path(folder, name) for name in files)
        found += [path for path in paths if path.suffix.lower() in meshfile.SUFFIXES and path.is_file()]
    return sorted(found)


def _readable(name: str) -> str:
    """A name in UTF-8; bytes that are not become "\\xfc" and the like."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _load(path: Path, axes: str) -> Scene:
    return transformed(meshfile.load_scene(path), AXES[axes])
