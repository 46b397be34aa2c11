"""What the pictures of the matting network are made of: renderings of prepared datasets, and photographs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from imfield_jax.dataset.rows import Split

_SIDE = 160  # of a part of a photograph
_LEAST = 0.15  # of the photograph's shorter side, that a part of it shows


def renderings(
    split: Split, each: int, seed: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> UInt8[np.ndarray, "N H H 4"]:
    """Some views of each shape, RGBA. Raises ValueError if shapes have fewer views."""
    if each > split.views:
        raise ValueError(f"expected at most {split.views}, the views of each shape, found {each}")
    rng, images = np.random.default_rng(seed), []
    for row in range(len(split)):
        images += [split[row].view(int(number)) for number in rng.choice(split.views, each, replace=False)]
        progress(row + 1, len(split))
    return np.stack(images)


def parts(photos: Sequence[Image.Image], each: int, seed: int) -> UInt8[np.ndarray, "M 160 160 3"]:
    """Square parts of photographs, of any size."""
    rng, images = np.random.default_rng(seed), []
    for photo in photos:
        rgb, least = photo.convert("RGB"), min(photo.size)
        for _ in range(each):
            side = max(1, round(least * _LEAST ** rng.uniform()))
            left, top = (int(rng.integers(extent - side + 1)) for extent in rgb.size)
            box = (left, top, left + side, top + side)
            images.append(np.asarray(rgb.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, box, reducing_gap=2.0)))
    return np.stack(images)


def image_files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """The files below a folder with these suffixes, sorted. Raises ValueError if there are none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    if not found:
        raise ValueError(f"{folder}: expected photographs in it or its subfolders, found none")
    return found
