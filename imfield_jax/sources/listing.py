"""The shapes of a source by its name, as selected on the command line."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from collections.abc import Callable
from pathlib import Path

from imfield_jax.sources.axes import FRONT, UP
from imfield_jax.sources.shape import Listing, Shape
from imfield_jax.sources.splits import split_sorted
from imfield_jax.sources.synsets import THIRTEEN

_SHAPENET = "The ShapeNet terms of use, https://shapenet.org/terms"
# The licence of each source's meshes, for the dataset's licence field.
LICENCES = {
    "procedural": "CC0 1.0",
    "procedural_rare": "CC0 1.0",
    "shapenet": _SHAPENET,
    "sweethome3d": "CC0 1.0 or CC-BY 3.0 for each mesh, see CREDITS.csv",
    "flightgear": "GPL-2.0-or-later, see CREDITS.csv",
    "folder": "Licence of the meshes in the folder",
    "hsp": _SHAPENET,
    "hsp_filled": _SHAPENET,
    "r2n2": _SHAPENET,
    "occupancy_networks": "Licence of the original meshes; for Occupancy Networks' own data, the ShapeNet terms of use",
    "imnet": "Licence of the original meshes; for IM-NET's own data, the ShapeNet terms of use",
}
SOURCES = tuple(LICENCES)
WITH_THIRTEEN = ("shapenet", "hsp", "hsp_filled", "r2n2", "occupancy_networks")
GENERATED = ("procedural", "procedural_rare")
WITH_MESHES = (*GENERATED, "folder", "shapenet", "sweethome3d", "flightgear")
PACKAGES = ("sweethome3d", "flightgear")  # sources that can be downloaded
NEED_NO_FOLDER = (*PACKAGES, *GENERATED)
_FILLED = "_filled"  # suffix of sources whose hollow solids are filled, see `hsp.filled`


def list_shapes(
    source: str,
    category: str,
    source_dir: Path | str | None,
    count: int = 0,
    seed: int = 0,
    cache_dir: Path | str = "data/packages",
    progress: Callable[[int, int], None] | None = None,
    up: str = UP,
    front: str = FRONT,
) -> Listing:
    """List the shapes of one category, without reading meshes.

    category:   one of the source's; for sources of ShapeNet data, "thirteen" is all of `synsets.THIRTEEN`.
    source_dir: folder of the meshes. Generated sources write their own there and calls `progress(done, count)`
                after each. None downloads a source that is a package to `cache_dir`.
    count:      number of shapes, taken evenly from the splits; 0 for all.
    seed:       seed of the generated sources.
    up, front:  axes of the meshes of a folder, see `folder.listing`.

    Raises ValueError for an unknown source or category, OSError where meshes are missing.
    """
    if source not in SOURCES:
        raise ValueError(f"unknown source {source!r}: expected one of {', '.join(SOURCES)}")
    if count < 0:
        raise ValueError(f"count must not be negative, found {count}")
    if source in GENERATED:
        rare, folder = source == "procedural_rare", Path(source_dir or cache_dir)
        return Listing(_generated(category, folder, count, seed, rare, progress))
    module = importlib.import_module(f"imfield_jax.sources.{source.removesuffix(_FILLED)}")
    list_of = functools.partial(module.shapes, fill=True) if source.endswith(_FILLED) else module.shapes
    categories = THIRTEEN if category == "thirteen" and source in WITH_THIRTEEN else (category,)
    if source == "folder":
        listed = module.listing(source_dir, category, up, front)
    else:
        root = source_dir or module.obtain(cache_dir)
        listed = Listing([shape for name in categories for shape in list_of(root, name)])
    found = listed.shapes
    if not found:
        raise FileNotFoundError(f"no {category} meshes of source {source} in {source_dir or cache_dir}")
    found = sorted(found, key=lambda shape: (shape.split, shape.name))
    if count:
        found = [found[i * len(found) // count] for i in range(min(count, len(found)))]
    return dataclasses.replace(listed, shapes=found)


def _generated(
    category: str, root: Path, count: int, seed: int, rare: bool, progress: Callable[[int, int], None] | None
) -> list[Shape]:
    """Models generated on disk in ShapeNet's layout, and listed from there.

    The split is computed again: the folder may hold more models than requested.
    """
    if not count:
        raise ValueError("generated sources need --count, the number of shapes to generate")
    from imfield_jax.sources import procedural, shapenet

    procedural.write(root, category, count, seed, progress, rare)
    wanted = {procedural.model_name(index, seed, rare) for index in range(count)}
    found = [shape for shape in shapenet.shapes(root, category) if shape.name.rsplit("/", 1)[-1] in wanted]
    splits = split_sorted([shape.name for shape in found])
    return [dataclasses.replace(shape, split=splits[shape.name]) for shape in found]
