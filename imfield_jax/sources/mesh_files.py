"""The mesh files below a folder, and the reason why each other entry is not read."""

from __future__ import annotations

import os
from collections.abc import Container
from pathlib import Path

from imfield_jax.sources.formats.kinds import SUFFIXES, unreadable_kind

# Files that meshes refer to (materials, buffers, textures): read with a mesh, never on their own.
_COMPANIONS = (
    *(".mtl", ".bin", ".png", ".jpg", ".jpeg", ".bmp", ".tga", ".tif", ".tiff", ".gif", ".webp", ".dds", ".ktx2"),
    *(".hdr", ".exr", ".rgb", ".sgi", ".ppm"),
)


def mesh_files(root: Path, tables: Container[str] = ()) -> tuple[list[Path], list[str]]:
    """All mesh files below a folder, sorted, and one line "<path in root>: <why>" for every entry that is not read.

    Linked folders are followed once. Hidden entries (.git, .DS_Store), files that meshes refer to (MTL, buffers,
    images) and the `tables` in `root` get no line. Outputs of a preparation are not searched for meshes.
    """
    found, left_out, seen = [], [], set()

    def leave_out(path: str | Path, why: str) -> None:
        left_out.append(f"{readable(Path(path).relative_to(root).as_posix())}: {why}")

    def no_access(error: OSError) -> None:
        leave_out(error.filename, f"a folder that cannot be read ({error.strerror})")

    for folder, below, files in os.walk(root, followlinks=True, onerror=no_access):
        if (real := os.path.realpath(folder)) in seen:
            leave_out(folder, "a link to a folder that is already read")
            below.clear()
            continue
        seen.add(real)
        if _is_output(Path(folder)):
            if Path(folder) != root:
                leave_out(folder, "the output folder of a preparation")
                below.clear()
                continue
            below[:] = [name for name in below if name not in ("work", "imfield_shapes")]
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if name.startswith(".") or (path.parent == root and name in tables):
                continue
            if why := _why_not(path):
                leave_out(path, why)
            elif path.suffix.lower() in SUFFIXES:
                found.append(path)
    return sorted(found), left_out


def readable(name: str) -> str:
    r"""A name in UTF-8; bytes that are not UTF-8 become "\xfc" and the like."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _is_output(folder: Path) -> bool:
    return (folder / "work" / "lock").exists()


def _why_not(path: Path) -> str:
    """Why a file is not read as a mesh; "" for meshes and for files that need no line."""
    suffix = path.suffix.lower()
    if not path.exists():
        return "a broken link"
    if not path.is_file():
        return "not a regular file"
    if suffix in SUFFIXES or suffix in _COMPANIONS:
        return ""
    kind = unreadable_kind(path)
    return f"{kind}, an unsupported format: convert it to GLB or OBJ" if kind else "not a known mesh format"
