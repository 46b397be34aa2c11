"""ShapeNetCore.v2 as distributed: `<synset>/<model>/models/model_normalized.obj` + MTL + images.

Categories are folders, or the downloaded zip files `<synset>.zip`, of which only the requested model is
unpacked. The meshes are already y up, front -z, with a bounding box of unit diagonal, so they are
not moved. The split is the official one (`all.csv`) when that file is in the root.
"""

from __future__ import annotations

import contextlib
import csv
import re
import tempfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from imfield_jax.files import damaged, one_line
from imfield_jax.sources.formats import meshfile
from imfield_jax.sources.scene import Scene
from imfield_jax.sources.shape import Shape
from imfield_jax.sources.splits import split_sorted
from imfield_jax.sources.synsets import WITHOUT_MESH, synset_of

SPLIT_FILE = "all.csv"
MESH_PATH = Path("models", "model_normalized.obj")
_OFFICIAL_SPLITS = {"train": "train", "val": "validation", "test": "test"}


def shapes(root: str | Path, category: str) -> list[Shape]:
    """The models of one category, named "<synset>/<model id>", sorted.

    The split is that of `all.csv` in the root (columns synsetId, modelId, split), where unlisted models
    are for training; without that file, the sorted 80/10/10. A model folder without a mesh is listed too:
    loading it reports whether the mesh is missing in ShapeNet itself or in this copy only.

    Raises ValueError when the root or the category is missing, its zip file is damaged, or `all.csv` is not a
    split file.
    """
    root, wanted = Path(root), synset_of(category)
    folder, archive = root / wanted, root / f"{wanted}.zip"
    if folder.is_dir():
        models = [path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
        load = partial(_load, folder)
    elif archive.is_file():
        models, load = _zipped(archive, wanted), partial(_load_zipped, archive, wanted)
    else:
        there = {path.stem for path in root.glob("*") if re.fullmatch(r"\d{8}(\.zip)?", path.name)}
        found = f"the synsets {', '.join(sorted(there))}" if there else "no synset folder"
        raise ValueError(f"{root}: expected a ShapeNetCore.v2 root with {wanted} ({category}), found {found}")
    if not models:
        raise ValueError(f"{load.args[0]}: expected a folder for each model, found none")
    official = root / SPLIT_FILE
    splits = _read_splits(official, wanted) if official.is_file() else split_sorted(models)
    return [
        Shape(
            name=f"{wanted}/{model}",
            split=splits.get(model, "train"),
            load=partial(load, model),
            longest_side=None,
        )
        for model in sorted(models)
    ]


def _load(folder: Path, model: str) -> Scene:
    path = folder / model / MESH_PATH
    if not path.is_file() and f"{folder.name}/{model}" in WITHOUT_MESH:
        raise FileNotFoundError(f"{path}: missing in every copy: ShapeNetCore.v2 has no mesh of this model")
    return meshfile.load_scene(path)


def _zipped(archive: Path, synset: str) -> list[str]:
    """The models in a zip file of a category, whose entries are `<synset>/<model>/...`."""
    with _opened(archive) as file:
        parts = [PurePosixPath(name).parts for name in file.namelist()]
    return sorted({path[1] for path in parts if len(path) > 2 and path[0] == synset})


def _load_zipped(archive: Path, synset: str, model: str) -> Scene:
    with tempfile.TemporaryDirectory() as unpacked:
        with _opened(archive) as file:
            file.extractall(unpacked, [name for name in file.namelist() if name.startswith(f"{synset}/{model}/")])
        try:
            return _load(Path(unpacked) / synset, model)
        except (OSError, ValueError) as error:
            kind = OSError if isinstance(error, OSError) else ValueError
            raise kind(str(error).replace(unpacked, str(archive))) from error


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    with damaged(archive, "zip file"), zipfile.ZipFile(archive) as file:
        yield file


def _read_splits(path: Path, wanted: str) -> dict[str, str]:
    """Model id -> split, from the rows of one synset."""
    splits = {}
    for line, row in _rows(path):
        if (row["synsetId"] or "").zfill(8) != wanted:  # spreadsheets drop the leading zero
            continue
        if row["split"] not in _OFFICIAL_SPLITS:
            expected = ", ".join(_OFFICIAL_SPLITS)
            raise ValueError(f"{path} line {line}: expected {expected}; found split {row['split']!r}")
        splits[row["modelId"]] = _OFFICIAL_SPLITS[row["split"]]
    return splits


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a split file, each after the number of the line where it ends."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = {"synsetId", "modelId", "split"} - set(rows.fieldnames or ())
            read = [] if missing else [(rows.line_num, row) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged or no CSV file: {one_line(error)}") from error
    if missing:
        raise ValueError(f"{path}: expected the columns synsetId, modelId, split; found no {sorted(missing)[0]}")
    return read
