"""The data of the IM-NET paper: HSP's voxels and 3D-R2N2's renderings of ShapeNet, see `formats.renderings`.

    <root>/modelBlockedVoxels256/<synset>/<model>.mat
    <root>/ShapeNetRendering/<synset>/<model>/rendering/00.png ...

A MATLAB file of HSP (Haene et al. 2017) holds `b`, distinct blocks [n, 16, 16, 16], and
`bi` [16, 16, 16], the 1-based index of the block at each position. The axes are those of
ShapeNet v1: y up, front +x.

The split is AtlasNet's, which IM-NET uses: the first 80 % of a category's sorted names are for training, the rest for
testing.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int, Shaped
from scipy.io import loadmat

from imfield_jax.coordinates import SOLID_RESOLUTION
from imfield_jax.files import damaged
from imfield_jax.sources.formats import renderings
from imfield_jax.sources.shape import Partial, Shape, stamp_of
from imfield_jax.sources.synsets import synset_of

VOXELS, RENDERINGS = "modelBlockedVoxels256", "ShapeNetRendering"
_BLOCKS = 16  # per axis; also the voxels of a block per axis
_LEFT_OUT = {"4a32519f44dc84aabafe26e2eb69ebf4"}  # a rifle that IM-NET's authors exclude too


def shapes(root: str | Path, category: str, fill: bool = False) -> list[Shape]:
    """The models of a category that have voxels, named "<synset>/<model>", sorted; one without views fails to load.

    fill: see `filled`.
    Raises ValueError for an unknown category, FileNotFoundError where there are no voxels.
    """
    synset = synset_of(category)
    models = {path.stem: path for path in (Path(root) / VOXELS / synset).glob("*.mat")}
    if not models:
        raise FileNotFoundError(f"{Path(root) / VOXELS / synset}: expected a .mat file for each model, found none")
    return rendered_shapes(Path(root), synset, models, _read_filled if fill else read_solid)


def rendered_shapes(
    root: Path, synset: str, models: dict[str, Path], read: Callable[[Path], Bool[np.ndarray, "256 256 256"]]
) -> list[Shape]:
    """Models by name, with 3D-R2N2's views; `read` returns the solid of a voxel file."""
    names = sorted(set(models) - _LEFT_OUT)
    trains = int(0.8 * len(names))
    return [
        Shape(
            name=f"{synset}/{model}",
            split="train" if number < trains else "test",
            load=partial(_load, read, models[model], root / RENDERINGS / synset / model / "rendering"),
            stamp=stamp_of(models[model]),
        )
        for number, model in enumerate(names)
    ]


def _load(read: Callable[[Path], np.ndarray], voxels: Path, renders: Path) -> Partial:
    return Partial(
        {
            "solid": read(voxels),
            "views": renderings.read_views(renders),
            "cameras": renderings.read_cameras(renders),
            "diagnostics": {"path": voxels.suffix[1:]},
        }
    )


def _read_filled(path: Path) -> np.ndarray:
    return filled(read_solid(path))


def read_solid(path: Path) -> Bool[np.ndarray, "256 256 256"]:
    """The solid of a file, y up and front -z.

    Raises OSError when the file cannot be read, ValueError when it is damaged or has other contents.
    """
    contents = path.read_bytes()  # OSError only for the file itself; errors below concern its contents
    with damaged(path, "MATLAB file"):
        arrays = loadmat(io.BytesIO(contents), variable_names=("b", "bi"))
    for name in ("b", "bi"):
        if name not in arrays or arrays[name].dtype.kind not in "bui":
            raise ValueError(f"{path}: {name}: expected whole numbers, found none")
    blocks, numbers = arrays["b"], arrays["bi"].astype(np.int64) - 1
    if blocks.shape[1:] != (_BLOCKS,) * 3 or numbers.shape != (_BLOCKS,) * 3:
        raise ValueError(
            f"{path}: b, bi: expected [n, 16, 16, 16] and [16, 16, 16], found {blocks.shape}, {numbers.shape}"
        )
    if numbers.min() < 0 or numbers.max() >= len(blocks):
        raise ValueError(
            f"{path}: bi: expected numbers from 1 to {len(blocks)}, found {numbers.min() + 1} to {numbers.max() + 1}"
        )
    return to_v2(unblocked(blocks != 0, numbers))


def unblocked(
    blocks: Shaped[np.ndarray, "n 16 16 16"], numbers: Int[np.ndarray, "16 16 16"]
) -> Shaped[np.ndarray, "256 256 256"]:
    """The grid assembled from its blocks; `numbers` holds the 0-based block index at each position."""
    return blocks[numbers].transpose(0, 3, 1, 4, 2, 5).reshape((SOLID_RESOLUTION,) * 3)


def to_v2(solid: Shaped[np.ndarray, "R R R"]) -> Shaped[np.ndarray, "R R R"]:
    """Convert a solid from the axes of ShapeNet v1 (front +x) to those of v2 (front -z): z becomes x, -x becomes z."""
    return np.ascontiguousarray(solid.transpose(2, 1, 0)[:, :, ::-1])


def filled(solid: Bool[np.ndarray, "X Y Z"]) -> Bool[np.ndarray, "X Y Z"]:
    """The solid with hollows filled from above, as IM-NET's authors do before sampling.

    Going down a column, empty voxels below an occupied one are filled as long as they have occupied voxels on both
    sides in x and in z; filling resumes at the next occupied voxel.
    """
    between = np.ones_like(solid)
    for axis in (0, 2):
        before = np.maximum.accumulate(solid, axis)
        after = np.flip(np.maximum.accumulate(np.flip(solid, axis), axis), axis)
        between &= before & after
    result, below = solid.copy(), np.zeros(solid[:, 0].shape, bool)
    for y in reversed(range(solid.shape[1])):
        below = solid[:, y] | (below & between[:, y])
        result[:, y] |= below
    return result
