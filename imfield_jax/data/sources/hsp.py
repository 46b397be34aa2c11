"""The data of the paper: HSP's voxels and 3D-R2N2's renderings of ShapeNet, see `exchange.hsp` and `exchange.choy`.

    <root>/modelBlockedVoxels256/<synset>/<model>.mat
    <root>/ShapeNetRendering/<synset>/<model>/rendering/00.png ...

The split is AtlasNet's, which IM-NET takes: of the sorted names of a category the first 80 % train, the others test.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from imfield_jax.data.exchange import choy, hsp
from imfield_jax.data.record import Partial
from imfield_jax.data.sources import Shape, stamp_of
from imfield_jax.data.sources.synsets import synset_of

VOXELS, PICTURES = "modelBlockedVoxels256", "ShapeNetRendering"
_LEFT_OUT = {"4a32519f44dc84aabafe26e2eb69ebf4"}  # a rifle, by IM-NET's authors too


def shapes(root: str | Path, category: str, fill: bool = False) -> list[Shape]:
    """The models of a category that have voxels, named "<synset>/<model>", sorted; one without pictures fails to load.

    fill: see `exchange.hsp.filled`.
    Raises ValueError for an unknown category, FileNotFoundError where there are no voxels.
    """
    synset = synset_of(category)
    models = {path.stem: path for path in (Path(root) / VOXELS / synset).glob("*.mat")}
    if not models:
        raise FileNotFoundError(f"{Path(root) / VOXELS / synset}: expected a .mat file for each model, found none")
    return rendered_shapes(Path(root), synset, models, _read_filled if fill else hsp.read)


def rendered_shapes(
    root: Path, synset: str, models: dict[str, Path], read: Callable[[Path], np.ndarray]
) -> list[Shape]:
    """Models by name, each a file of voxels that `read` makes a solid [256, 256, 256] of, with 3D-R2N2's pictures."""
    names = sorted(set(models) - _LEFT_OUT)
    trains = int(0.8 * len(names))
    return [
        Shape(
            name=f"{synset}/{model}",
            split="train" if number < trains else "test",
            load=partial(_load, read, models[model], root / PICTURES / synset / model / "rendering"),
            stamp=stamp_of(models[model]),
        )
        for number, model in enumerate(names)
    ]


def _load(read: Callable[[Path], np.ndarray], voxels: Path, pictures: Path) -> Partial:
    return Partial(
        {
            "solid": read(voxels),
            "views": choy.read_views(pictures),
            "cameras": choy.read_cameras(pictures),
            "diagnostics": {"path": voxels.suffix[1:]},
        }
    )


def _read_filled(path: Path) -> np.ndarray:
    return hsp.filled(hsp.read(path))
