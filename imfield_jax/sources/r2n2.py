"""The data of 3D-R2N2 (Choy et al. 2016): ShapeNet as voxels of 32^3 and renderings.

    <root>/ShapeNetVox32/<synset>/<model>/model.binvox
    <root>/ShapeNetRendering/<synset>/<model>/rendering/00.png ...

Otherwise as `hsp`. The voxels are coarser than the voxel encoder's input, so edges are blocks of 8 voxels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imfield_jax.sources import hsp
from imfield_jax.sources.formats import binvox
from imfield_jax.sources.hsp import rendered_shapes
from imfield_jax.sources.shape import Shape
from imfield_jax.sources.synsets import synset_of

VOXELS, FILE = "ShapeNetVox32", "model.binvox"


def shapes(root: str | Path, category: str) -> list[Shape]:
    """The models of a category that have voxels, as `hsp.shapes`."""
    synset = synset_of(category)
    models = {path.parent.name: path for path in (Path(root) / VOXELS / synset).glob(f"*/{FILE}")}
    if not models:
        raise FileNotFoundError(f"{Path(root) / VOXELS / synset}: expected <model>/{FILE} for each model, found none")
    return rendered_shapes(Path(root), synset, models, _read)


def _read(path: Path) -> np.ndarray:
    return hsp.to_v2(binvox.solid(binvox.read(path)))
