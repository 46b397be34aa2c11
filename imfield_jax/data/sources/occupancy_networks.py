"""Shapes as Occupancy Networks has them, or `experiments.export` wrote them: see `exchange.occupancy_networks`.

Pictures and split are theirs; points are sampled anew, because theirs are not near the surface.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from imfield_jax.data.exchange import occupancy_networks
from imfield_jax.data.sources import Shape, stamp_of
from imfield_jax.data.sources.synsets import synset_of


def shapes(root: str | Path, category: str) -> list[Shape]:
    """The models in the lists of the folder <root>/<category>, or that of the category's synset.

    Raises FileNotFoundError where there are no such lists, ValueError for a category that is neither.
    """
    group = Path(root) / category
    if not group.is_dir():
        group = Path(root) / synset_of(category)
    lists = {ours: group / f"{theirs}.lst" for ours, theirs in occupancy_networks.SPLITS.items()}
    named = {split: path.read_text().split() for split, path in lists.items() if path.is_file()}
    if not any(named.values()):
        raise FileNotFoundError(f"{group}: expected train.lst, val.lst or test.lst with names of models, found none")
    return [
        Shape(
            f"{group.name}/{model}", split, partial(occupancy_networks.read, group / model), stamp=_stamp(group / model)
        )
        for split, models in named.items()
        for model in models
    ]


def _stamp(folder: Path) -> str:
    """That of the file the solid is made of; a model without one is listed too, and fails to load."""
    path = folder / occupancy_networks.CLOUD_FILE
    return stamp_of(path) if path.is_file() else ""
