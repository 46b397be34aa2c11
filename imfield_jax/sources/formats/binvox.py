"""Voxel files of binvox (Min 2004), as distributed with 3D-R2N2 and ShapeNet: a run-length encoded cube of R^3 cells.

A text header, `#binvox 1`, `dim R R R`, `translate x y z`, `scale s`, `data`, and then pairs of bytes, a value and its
run length, x slowest, then z, then y. Cell i of an axis spans translate + scale * [i, i + 1] / R.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from imfield_jax.coordinates import HALF, SOLID_RESOLUTION, index_to_point
from imfield_jax.files import one_line, write_atomic
from imfield_jax.mesh.voxel_surface import true_surface
from imfield_jax.types import Mesh

_MAX_RESOLUTION = 1024  # voxels per axis; more is treated as damage, before memory is allocated
_MAX_RUN = 255  # length of a run that a byte can hold


@dataclasses.dataclass(frozen=True)
class Grid:
    """Voxels in the coordinates of their file.

    full: indices (x, y, z).   low: lowest corner of the cube.   side: its side length.
    """

    full: Bool[np.ndarray, "R R R"]
    low: Float64[np.ndarray, " 3"]
    side: float


def read(path: Path) -> Grid:
    """The voxels of a file.

    Raises OSError when it cannot be read, ValueError when it is damaged or of another kind.
    """
    header, mark, runs = path.read_bytes().partition(b"\ndata\n")
    lines = header.decode("ascii", "replace").splitlines()
    if not mark or not header.startswith(b"#binvox 1"):
        raise ValueError(f"{path}: expected a binvox file, found another format or a damaged file")
    resolution, low, side = _header(path, lines[1:])
    values, counts = np.frombuffer(runs[: len(runs) // 2 * 2], np.uint8).reshape(-1, 2).T
    if counts.sum(dtype=np.int64) != resolution**3 or len(runs) % 2 or values.max(initial=0) > 1:
        raise ValueError(
            f"{path}: data: expected runs of 0 and 1 for {resolution}^3 voxels, found {counts.sum(dtype=np.int64)} of "
            f"up to {values.max(initial=0)}"
        )
    full = np.repeat(values.astype(bool), counts).reshape((resolution,) * 3)
    return Grid(full.transpose(0, 2, 1), low, side)


def _header(path: Path, lines: list[str]) -> tuple[int, np.ndarray, float]:
    fields = {words[0]: words[1:] for line in lines if (words := line.split())}
    try:
        sizes = {int(word) for word in fields["dim"]}
        low = np.array([float(word) for word in fields["translate"]])
        (side,) = (float(word) for word in fields["scale"])
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"{path}: expected lines of dim, translate and scale with numbers: {one_line(error)}"
        ) from error
    if len(fields["dim"]) != 3 or len(sizes) != 1 or not 1 <= min(sizes) <= _MAX_RESOLUTION:
        raise ValueError(
            f"{path}: dim: expected three equal numbers up to {_MAX_RESOLUTION}, found {fields['dim'][:4]}"
        )
    if low.shape != (3,) or not np.isfinite([*low, side]).all() or side <= 0:
        raise ValueError(
            f"{path}: translate, scale: expected three numbers and one above 0, found {fields['translate'][:4]}, {side}"
        )
    return sizes.pop(), low, side


def write(path: Path, grid: Grid) -> None:
    """The inverse of `read`."""
    write_atomic(path, encode(grid))


def encode(grid: Grid) -> bytes:
    """The contents of a file."""
    resolution = len(grid.full)
    values = grid.full.transpose(0, 2, 1).ravel()
    starts = np.flatnonzero(np.diff(values, prepend=~values[:1]))
    lengths = np.diff(starts, append=len(values))
    pieces = -(-lengths // _MAX_RUN)  # of each run
    counts = np.full(pieces.sum(), _MAX_RUN)
    counts[np.cumsum(pieces) - 1] = lengths - (pieces - 1) * _MAX_RUN
    runs = np.stack([np.repeat(values[starts], pieces), counts], axis=-1).astype(np.uint8)
    place = " ".join(str(float(number)) for number in grid.low)
    header = (
        f"#binvox 1\ndim {resolution} {resolution} {resolution}\ntranslate {place}\nscale {float(grid.side)}\ndata\n"
    )
    return header.encode() + runs.tobytes()


def surface(grid: Grid) -> Mesh:
    """The smoothed surface of voxels, in file coordinates; cavities are filled, as binvox may store shells only."""
    mesh = true_surface(ndimage.binary_fill_holes(grid.full))
    return dataclasses.replace(mesh, vertices=(mesh.vertices + HALF) * grid.side + grid.low)


def solid(grid: Grid) -> Bool[np.ndarray, "256 256 256"]:
    """The cells of the cube whose centres are in occupied voxels or enclosed by them."""
    resolution = len(grid.full)
    centres = index_to_point(np.arange(SOLID_RESOLUTION), SOLID_RESOLUTION)
    index = np.floor((centres - grid.low[:, None]) / grid.side * resolution).astype(np.int64)  # [3, 256]
    full = np.pad(ndimage.binary_fill_holes(grid.full), 1)
    return full[np.ix_(*np.clip(index + 1, 0, resolution + 1))]
