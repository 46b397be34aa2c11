"""Any folder of mesh files as one category: the source for a user's own meshes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from imfield_jax.sources import credits, mesh_table
from imfield_jax.sources.axes import FRONT, UP, rotation
from imfield_jax.sources.formats import meshfile
from imfield_jax.sources.mesh_files import mesh_files, readable
from imfield_jax.sources.scene import Scene, transformed
from imfield_jax.sources.shape import Listing, Shape, stamp_of
from imfield_jax.sources.splits import SPLITS, split_hashed

_SPLIT_FILE = "split.csv"
_SPLIT_NAMES = {split: split for split in SPLITS} | {"val": "validation"}


def listing(root: str | Path, category: str, up: str = UP, front: str = FRONT) -> Listing:
    """Every mesh file (`formats.kinds.SUFFIXES`) below `root`, named "<category>/<path in root>".

    up, front: axes of the files, see `axes.rotation`.

    The splits come from split.csv (name, split) in `root`, else from its subfolders train/, validation/ and test/, else
    from hashes of the names. The credits come from CREDITS.csv, see `credits.read`.

    Raises ValueError when the folder is missing or has no mesh files, for axes that are not perpendicular, for meshes
    without a split where others have one, and for CSV files without the required columns.
    """
    root, turn = Path(root), rotation(up, front)
    if not root.is_dir():
        raise ValueError(f"{root}: expected a folder of mesh files, found no folder")
    files, left_out = mesh_files(root, tables=(_SPLIT_FILE, credits.FILE_NAME))
    if not files:
        why = f"; {left_out[0]}" if left_out else ""
        raise ValueError(f"{root}: expected mesh files ({', '.join(meshfile.SUFFIXES)}) below it, found none{why}")
    named = {f"{category}/{readable(path.relative_to(root).as_posix())}": path for path in files}
    splits, unmatched = _given_splits(root, list(named))
    credit_of, more = _credits(root, list(named))
    split_of = splits or split_hashed(list(named))
    shapes = [
        Shape(name, split_of[name], partial(_load, path, turn), credit=credit_of.get(name, ""), stamp=stamp_of(path))
        for name, path in named.items()
    ]
    return Listing(shapes, (*left_out, *unmatched, *more), copies="reported" if splits else "together")


def shapes(root: str | Path, category: str, up: str = UP, front: str = FRONT) -> list[Shape]:
    """The shapes of `listing`."""
    return listing(root, category, up, front).shapes


def _given_splits(root: Path, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The splits that the user chose ({} for none), and a line for each name that matches no mesh."""
    table = root / _SPLIT_FILE
    if table.exists():
        rows, unknown = mesh_table.read(table, ("name", "split"), names)
        words = {name: row["split"].lower() for name, row in rows.items()}
        if wrong := [name for name, word in words.items() if word not in _SPLIT_NAMES]:
            found = f"'{words[wrong[0]]}' for {wrong[0]}"
            raise ValueError(f"{table}: expected the splits {', '.join(SPLITS)}, found {found}")
        where = f"a row in {table}"
    else:
        words, unknown = {name: name.split("/")[1].lower() for name in names}, []
        words = {name: word for name, word in words.items() if word in _SPLIT_NAMES and name.count("/") > 1}
        where = f"all meshes below {root}/train, validation or test"
        if "train" not in words.values():
            return {}, []
    if without := [name for name in names if name not in words]:
        raise ValueError(f"{without[0]}: expected {where}, found none ({len(without)} of {len(names)} meshes)")
    return {name: _SPLIT_NAMES[words[name]] for name in names}, unknown


def _credits(root: Path, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    table = root / credits.FILE_NAME
    if not table.exists():
        return {}, []
    return credits.read(table, names)


def _load(path: Path, turn: np.ndarray) -> Scene:
    return transformed(meshfile.load_scene(path), turn)
