"""How often a network says that an image is unlike all that it was trained on: of known objects, and of others.

    python -m benchmarks.familiarity --category=any --data=data/real_car,data/real_chair --images=FOLDER,FOLDER

--data names datasets with test shapes of known kinds, which should not be noted; --images names folders, searched with
their subfolders, of images of other things, which should. For each, the share of noted images and the quartiles of the
similarity. Images that cannot be read or cut out are named and left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from absl import flags

from imfield_jax.commands.entry import run
from imfield_jax.dataset.held_out import spread_views
from imfield_jax.dataset.storage import open_split
from imfield_jax.framing import to_unit
from imfield_jax.inference.photo import read_image
from imfield_jax.inference.reconstructor import Reconstructor

_CATEGORY = flags.DEFINE_string("category", "any", "Category of the shipped weights.")
_WEIGHTS = flags.DEFINE_string("weights", None, "A weights file that was published, instead of shipped weights.")
_DATA = flags.DEFINE_list("data", [], "Datasets whose test shapes are of known kinds.")
_IMAGES = flags.DEFINE_list("images", [], "Folders of images of other things.")
_VIEWS = flags.DEFINE_integer("views", 200, "Views per dataset.", lower_bound=1)
_BATCH = 50
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def main() -> None:
    model = Reconstructor.load(_WEIGHTS.value) if _WEIGHTS.value else Reconstructor.shipped(_CATEGORY.value)
    known = model.weights.familiarity
    if known is None:
        raise ValueError("these weights do not say what is familiar to them: publish them from their run")
    print(f"limit {known.limit:.3f}\n")
    print("| images | number | noted | similarity: 25 %, 50 %, 75 % |\n| --- | --- | --- | --- |")
    for name, views in _views(model):
        codes = [model.encode_views_in_full(views[at : at + _BATCH]).code for at in range(0, len(views), _BATCH)]
        found = known.similarities(np.concatenate(codes))
        quartiles = ", ".join(f"{value:.2f}" for value in np.quantile(found, (0.25, 0.5, 0.75)))
        print(f"| {name} | {len(views)} | {np.mean(found < known.limit):.0%} | {quartiles} |", flush=True)


def _views(model: Reconstructor) -> Iterator[tuple[str, np.ndarray]]:
    """Names and views in [0, 1]."""
    for folder in _DATA.value:
        yield Path(folder).name, spread_views(open_split(folder, "test"), model.inputs, _VIEWS.value)
    for folder in _IMAGES.value:
        paths = [path for path in sorted(Path(folder).rglob("*")) if path.suffix.lower() in _SUFFIXES]
        views = []
        for path in paths:
            try:
                views.append(model.view(read_image(path, crop=model.crop).rgba))
            except (ValueError, OSError) as error:
                print(f"left out: {error}", file=sys.stderr)
        if not views:
            raise ValueError(f"{folder}: expected images of {', '.join(_SUFFIXES)}, found none that can be used")
        yield Path(folder).name, to_unit(np.stack(views))


if __name__ == "__main__":
    run(sys.modules[__name__])
