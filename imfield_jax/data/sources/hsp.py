"""The data of the paper: HSP's voxels and 3D-R2N2's renderings of ShapeNet, see `exchange.hsp` and `exchange.choy`.

    <root>/modelBlockedVoxels256/<synset>/<model>.mat
    <root>/ShapeNetRendering/<synset>/<model>/rendering/00.png ...

The split is AtlasNet's, which IM-NET takes: of the sorted names of a category the first 80 % train, the others test.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from imfield_jax.data.exchange import choy, hsp
from imfield_jax.data.record import Rendered
from imfield_jax.data.sources import Shape
from imfield_jax.data.sources.synsets import synset_of

VOXELS, PICTURES = "modelBlockedVoxels256", "ShapeNetRendering"
_LEFT_OUT = {"4a32519f44dc84aabafe26e2eb69ebf4"}  # a rifle, by IM-NET's authors too


def shapes(root: str | Path, category: str, fill: bool = False) -> list[Shape]:
    """The models of a category that have voxels, named "<synset>/<model>", sorted; one without pictures fails to load.

    fill: see `exchange.hsp.filled`.
    Raises ValueError for an unknown category, FileNotFoundError where there are no voxels.
    """
    synset = synset_of(category)
    voxels, pictures = Path(root) / VOXELS / synset, Path(root) / PICTURES / synset
    models = sorted(path.stem for path in voxels.glob("*.mat") if path.stem not in _LEFT_OUT)
    if not models:
        raise FileNotFoundError(f"{voxels}: expected a .mat file for each model, found none")
    trains = int(0.8 * len(models))
    return [
        Shape(
            name=f"{synset}/{model}",
            split="train" if number < trains else "test",
            load=partial(_load, voxels / f"{model}.mat", pictures / model / "rendering", fill),
        )
        for number, model in enumerate(models)
    ]


def _load(voxels: Path, pictures: Path, fill: bool) -> Rendered:
    solid = hsp.read(voxels)
    return Rendered(
        solid=hsp.filled(solid) if fill else solid,
        views=choy.read_views(pictures),
        cameras=choy.read_cameras(pictures),
        center=np.zeros(3, np.float32),
        scale=np.float32(1),
        diagnostics={"path": "hsp"},
    )
