"""Sweet Home 3D's furniture: 820 real textured models in five libraries, with a catalogue.

A library is a zip (.sh3f) with OBJ models and `PluginFurnitureCatalog.properties`, whose
`category` is the room and whose `name` describes the object, so categories here are rules on
names, checked by eye on contact sheets. The models are y up, front +z.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import tempfile
import zipfile
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from imfield_jax.files import damaged
from imfield_jax.sources import package, splits
from imfield_jax.sources.credits import credit
from imfield_jax.sources.formats import meshfile
from imfield_jax.sources.scene import Scene, transformed
from imfield_jax.sources.shape import Shape

PACKAGE = "sweethome3d-furniture"
PACKAGE_SHA256 = "3ccb90c63f9525e887a767b9cd5c8b6933b8b6b2973a615a5359ee68a2118668"  # 1.8-1
CATALOGUE = "PluginFurnitureCatalog.properties"
HALF_TURN = np.diag([-1.0, 1.0, -1.0])  # front +z to front -z

# The kind of an object by its name: (kind, pattern, exceptions); the first match wins.
_OTHER = "other"
_KINDS = (
    ("lamp", r"lamp|chandelier|lantern|candle|spotlight|track lights|light|fluorescent", r"flashlight"),
    ("sofa", r"sofa|couch|day bed", None),
    ("bench", r"bench|bank$|lounge$", r"workbench|abdominal"),
    ("chair", r"armchair|chair|stool|class seat|puff$|ottoman", r"wheelchair"),
    (_OTHER, r"tennis|football|pool table|changing table|bedside", None),
    ("table", r"table|desk", r"fan|tablet"),
)
_CAR = r"sedan|chevrolet|ford|peugeot|renault|suv|seat leon|smart car|beetle|^van$"

# Kinds that are split as one list, so that a chair in the test split of "seating" is in that of "chair" too.
_FAMILIES = (("chair", "sofa", "bench"), ("table",), ("lamp",), ("car", "vehicle"), (_OTHER,))
CATEGORIES = {
    "seating": ("chair", "sofa", "bench"),
    "chair": ("chair",),
    "sofa": ("sofa",),
    "table": ("table",),
    "lamp": ("lamp",),
    "vehicle": ("car", "vehicle"),
    "car": ("car",),
    "furniture": tuple(itertools.chain(*_FAMILIES)),  # everything, to try out preparation
}

# Near duplicates of a model go to its split. These are the pairs closer than 0.014 by
# `clusters.chamfer_distances` that dealing would separate; seating has none.
_NEAR_COPIES = {
    "car/KatorLegaz-concept-sedan-02-sport": "car/KatorLegaz-concept-sedan-02",
    "table/Scopia-wooden_office_teak_table": "table/Scopia-wooden_office_pear_table",
}

_LICENCES = {
    "BlendSwap-CC-0": "CC0 1.0",
    "BlendSwap-CC-BY": "CC-BY 3.0",
    "KatorLegaz": "CC-BY 3.0 US",
    "Reallusion": "CC-BY 3.0 US",
    "Scopia": "CC-BY 3.0",
}


@dataclasses.dataclass(frozen=True)
class _Model:
    """One row of a catalogue."""

    kind: str
    title: str
    library: Path
    member: str  # path of the OBJ in the library
    rotation: tuple[float, ...]  # 9 numbers, row-major, v' = R v
    creator: str

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.library.stem}-{PurePosixPath(self.member).stem}"


def obtain(cache_dir: str | Path) -> Path:
    """The folder of the package, fetched if necessary; see `package.obtain`."""
    return package.obtain(PACKAGE, PACKAGE_SHA256, cache_dir)


def shapes(root: str | Path, category: str) -> list[Shape]:
    """The models of a category (see CATEGORIES) in the .sh3f files below `root`.

    Named "<kind>/<library>-<model>". The split deals 8 : 1 : 1 through each family of kinds, sorted
    by kind and title, and is the same for every category of the family.

    Raises ValueError for an unknown category, or when there are no .sh3f files below `root`.
    """
    if category not in CATEGORIES:
        raise ValueError(f"category: expected one of {', '.join(CATEGORIES)}; found '{category}'")
    libraries = sorted(Path(root).rglob("*.sh3f"))
    if not libraries:
        raise ValueError(f"{root}: expected furniture libraries (.sh3f) below it, found none")
    models = [model for library in libraries for model in _read_catalogue(library)]
    return [
        _shape(model, split)
        for family in _FAMILIES
        for model, split in _dealt(family, models)
        if model.kind in CATEGORIES[category]
    ]


def _dealt(family: tuple[str, ...], models: list[_Model]) -> list[tuple[_Model, str]]:
    """The models of a family, sorted, each with its split."""
    ordered = sorted(
        (model for model in models if model.kind in family),
        key=lambda model: (family.index(model.kind), model.title.lower(), model.name),
    )
    split = splits.dealt([model.name for model in ordered])
    split.update((copy, split[original]) for copy, original in _NEAR_COPIES.items() if {copy, original} <= set(split))
    return [(model, split[model.name]) for model in ordered]


def _shape(model: _Model, split: str) -> Shape:
    library = model.library.stem
    licence = _LICENCES.get(library, "see LICENSE.TXT in the library")
    matrix = HALF_TURN @ np.array(model.rotation).reshape(3, 3)
    return Shape(
        name=model.name,
        split=split,
        load=partial(_load, model.library, model.member, matrix),
        credit=credit(model.creator, licence, f"Sweet Home 3D, {library}: {model.title}"),
    )


def _load(library: Path, member: str, matrix: np.ndarray) -> Scene:
    """The model with its materials, unpacked to a temporary folder: libraries may be read-only."""
    folder = f"{PurePosixPath(member).parent}/"
    with tempfile.TemporaryDirectory() as scratch:
        with damaged(library, "zip file"), zipfile.ZipFile(library) as archive:  # a full disk stays an OSError
            archive.extractall(scratch, [name for name in archive.namelist() if name.startswith(folder)])
        try:
            return transformed(meshfile.load_scene(Path(scratch, member)), matrix)
        except (OSError, ValueError) as error:
            raise ValueError(str(error).replace(scratch, str(library))) from error


def _read_catalogue(library: Path) -> list[_Model]:
    """All rows of a library's catalogue. Raises ValueError when it is not a furniture library."""
    try:
        with zipfile.ZipFile(library) as archive:
            text = archive.read(CATALOGUE).decode("latin-1")
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{library}: expected a zip with {CATALOGUE}, found {error}") from error
    rows: dict[int, dict[str, str]] = {}
    for key, number, value in re.findall(r"^(\w+)#(\d+)\s*=\s*(.*?)\s*$", text, re.MULTILINE):
        rows.setdefault(int(number), {})[key] = re.sub(
            r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), value
        )
    return [_model(library, row) for _, row in sorted(rows.items()) if "model" in row and "name" in row]


def _model(library: Path, row: dict[str, str]) -> _Model:
    rotation = tuple(map(float, row.get("modelRotation", "1 0 0 0 1 0 0 0 1").split()))
    return _Model(
        kind=_kind(row["name"].lower(), row.get("category", "")),
        title=row["name"],
        library=library,
        member=row["model"].lstrip("/"),
        rotation=rotation,
        creator=row.get("creator", "unknown"),
    )


def _kind(title: str, room: str) -> str:
    for kind, pattern, exceptions in _KINDS:
        if re.search(pattern, title) and not (exceptions and re.search(exceptions, title)):
            return kind
    if room == "Vehicles":
        return "car" if re.search(_CAR, title) else "vehicle"
    return _OTHER
