"""Shapes that IM-NET's authors, or `experiments.export`, have prepared: see `exchange.imnet`.

Nothing is sampled again, and nothing rendered where there are pictures: they, the voxels and the labelled points are
the files' own. The split is theirs, except for the first files, `<synset>_vox.hdf5`, which have a whole category.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

from imfield_jax.data.exchange import imnet
from imfield_jax.data.sources import SPLITS, Shape, split_sorted, stamp_of
from imfield_jax.data.sources.synsets import synset_of

EVERYTHING = "all"
_WHOLE = "vox"


def shapes(root: str | Path, category: str) -> list[Shape]:
    """The rows that are of a category, or of all, of `*_train.hdf5`, `*_validation.hdf5` and `*_test.hdf5` in a folder.

    Where there are none, those of `*_vox.hdf5`, with the sorted 80/10/10 split.

    Raises OSError and ValueError as `imnet.layout_of` and `names_of`, where there are no such files, and for files of
    both layouts.
    """
    root, group = Path(root), None if category == EVERYTHING else synset_of(category)
    files = {split: sorted(root.glob(f"*_{split}.hdf5")) for split in (*SPLITS, _WHOLE)}
    if any(files[split] for split in SPLITS):
        del files[_WHOLE]
    paths = [path for of_split in files.values() for path in of_split]
    if not paths:
        raise FileNotFoundError(f"{root}: expected files such as all_vox256_img_train.hdf5 or *_vox.hdf5, found none")
    layouts = {path: imnet.layout_of(path) for path in paths}
    if any(layout != layouts[paths[0]] for layout in layouts.values()):
        raise ValueError(f"{root}: expected files of one layout, found IM-NET's first and later ones: use two folders")
    found = [
        Shape(name, split, partial(imnet.read, path, number, name, layouts[path]), stamp=stamp)
        for split, of_split in files.items()
        for path, stamp in zip(of_split, map(stamp_of, of_split), strict=True)
        for number, name in enumerate(imnet.names_of(path))
        if group in (None, name.split("/")[0])
    ]
    return _split(found) if _WHOLE in files else found


def _split(found: list[Shape]) -> list[Shape]:
    splits = split_sorted([shape.name for shape in found])
    return [dataclasses.replace(shape, split=splits[shape.name]) for shape in found]
