"""The voxels of HSP (Haene et al. 2017), which IM-NET is trained on: ShapeNet solids of 256^3 in blocks.

A MATLAB file holds `b`, blocks [n, 16, 16, 16] of which each differs from the others, and `bi` [16, 16, 16], the number
of each place's block, from 1. They are in the axes of ShapeNet v1: y up, front +x.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from imfield_jax.coordinates import SOLID_RESOLUTION
from imfield_jax.reason import reason

_BLOCKS = 16  # of each axis; and voxels of a block


def read(path: Path) -> np.ndarray:
    """The solid of a file, y up and front -z: [256, 256, 256] bool.

    Raises OSError when the file cannot be read, ValueError when it is damaged or holds something else.
    """
    contents = path.read_bytes()  # an OSError is one of the file, what follows one of its contents
    try:
        arrays = loadmat(io.BytesIO(contents), variable_names=("b", "bi"))
    except Exception as error:  # whatever the reader makes of a damaged file
        raise ValueError(f"{path} is damaged or no MATLAB file: {reason(error)}") from error
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


def unblocked(blocks: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Blocks [n, 16, 16, 16] at the places [16, 16, 16] that numbers, from 0, give them: [256, 256, 256]."""
    return blocks[numbers].transpose(0, 3, 1, 4, 2, 5).reshape((SOLID_RESOLUTION,) * 3)


def to_v2(solid: np.ndarray) -> np.ndarray:
    """A solid in the axes of ShapeNet v1, front +x, in those of v2, front -z: z becomes x, -x becomes z."""
    return np.ascontiguousarray(solid.transpose(2, 1, 0)[:, :, ::-1])


def filled(solid: np.ndarray) -> np.ndarray:
    """The solid [R, R, R] with what is hollow from above filled, as IM-NET's authors do before they sample.

    Going down a column, an empty voxel is filled below a full one while it has full ones on either side in x and
    in z; where it has not, the column has to meet a full one again.
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
