"""Shapes that IM-NET's authors, or `experiments.export`, have prepared: see `exchange.imnet`.

Nothing is rendered or sampled again: the pictures, voxels and labelled points are the files' own. The split is theirs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from imfield_jax.data.exchange import imnet
from imfield_jax.data.sources import SPLITS, Shape
from imfield_jax.data.sources.synsets import synset_of

EVERYTHING = "all"


def shapes(root: str | Path, category: str) -> list[Shape]:
    """The rows of `*_train.hdf5`, `*_validation.hdf5` and `*_test.hdf5` in a folder that are of a category, or of all.

    Raises OSError and ValueError as `imnet.names_of`, and where there are no such files.
    """
    group = None if category == EVERYTHING else synset_of(category)
    files = {split: sorted(Path(root).glob(f"*_{split}.hdf5")) for split in SPLITS}
    if not any(files.values()):
        raise FileNotFoundError(f"{root}: expected files such as all_vox256_img_train.hdf5, found none")
    return [
        Shape(name=name, split=split, load=partial(imnet.read, path, number, name))
        for split, paths in files.items()
        for path in paths
        for number, name in enumerate(imnet.names_of(path))
        if group in (None, name.split("/")[0])
    ]
