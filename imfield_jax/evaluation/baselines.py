"""Baselines: the mean shape, and the nearest training shape.

Retrieval is the baseline that single-view networks have been shown to barely beat (Tatarchenko et al.
2019): the training shape whose latent is nearest to the one predicted from the image. It is scored
with that shape's own solid and true surface, so no decoder degrades it: the strongest form of the baseline.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import ndimage
from jaxtyping import Bool, Float, Float32, Int64, Shaped
from scipy.spatial.distance import cdist

from imfield_jax import coordinates, fields

_LEVELS = 256  # candidate thresholds for the mean shape


@dataclasses.dataclass(frozen=True)
class MeanShape:
    """The best single prediction for all images of a category.

    occupancy: in [0, 1] at cell centres, above `coordinates.LEVEL` inside.
    level:     fraction of the training shapes above which a cell is inside.
    iou:       mean IoU with the training shapes on this grid.
    """

    occupancy: Float32[np.ndarray, "R R R"]
    level: float
    iou: float

    def field(self) -> fields.Field:
        """Occupancy minus `coordinates.LEVEL`, trilinear between cell centres, empty outside of the cube."""
        return fields.bind(_excess, jnp.asarray(self.occupancy))


def _excess(grid: Float[jax.Array, "R R R"], point: Float[jax.Array, " 3"]) -> Float[jax.Array, ""]:
    index = coordinates.point_to_index(point, grid.shape[0])
    return ndimage.map_coordinates(grid, list(index), order=1, mode="constant", cval=0.0) - coordinates.LEVEL


def average_pool(
    solid: Bool[np.ndarray, "R R R"], factor: int
) -> Float32[np.ndarray, "R//{factor} R//{factor} R//{factor}"]:
    """The fraction of each coarse cell that is full.

    Voxels for the mean shape: unlike the max-pooled ones that the network sees, they preserve volume.
    Raises ValueError when `factor` does not divide R.
    """
    resolution = solid.shape[0]
    if resolution % factor:
        raise ValueError(f"a grid of {resolution} cells cannot be pooled by {factor}")
    coarse = resolution // factor
    blocks = solid.reshape(coarse, factor, coarse, factor, coarse, factor)
    # Innermost axis first: byte sums along memory are several times faster than one three-axis mean.
    counts = blocks.sum(axis=5, dtype=np.uint8).sum(axis=3, dtype=np.uint16).sum(axis=1, dtype=np.uint32)
    return (counts / factor**3).astype(np.float32)


def mean_shape(shapes: Sequence[Shaped[np.ndarray, "R R R"]] | Shaped[np.ndarray, "N R R R"]) -> MeanShape:
    """The mean of training shapes, thresholded for the best mean IoU.

    shapes: in [0, 1]: bool or uint8 voxels, or fractions from `average_pool`.

    The level is the one with the largest mean IoU over the shapes, where a fraction counts as that much volume.
    Values are stretched so that this level becomes `coordinates.LEVEL`.
    Raises ValueError without shapes.
    """
    if not len(shapes):
        raise ValueError("the mean shape needs at least one training shape")
    mean = np.zeros(shapes[0].shape, np.float64)
    for shape in shapes:
        mean += shape
    mean /= len(shapes)
    levels, ious = _level_ious(mean, shapes)
    # Between two values of the mean every level selects the same cells: take the middle of that range.
    tied = np.flatnonzero(ious >= ious.max() - 1e-12)
    best = tied[len(tied) // 2]
    level = float(levels[best])
    below, above = 0.5 * mean / level, 0.5 + 0.5 * (mean - level) / (1 - level)
    stretched = np.where(mean < level, below, above)
    return MeanShape(stretched.astype(np.float32), level, float(ious[best]))


def _level_ious(mean: np.ndarray, shapes: Sequence[np.ndarray] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels in (0, 1), and at each the mean IoU of {mean above level} with the shapes.

    A histogram per shape gives all levels at once: the intersection at a level is the shape's volume
    in cells whose mean is above it.
    """
    levels = (np.arange(_LEVELS) + 0.5) / _LEVELS
    below = np.searchsorted(levels, mean.ravel())  # how many levels each cell's mean exceeds
    filled = _volume_above(below, np.ones(mean.size))
    ious = np.zeros(_LEVELS)
    for shape in shapes:
        common = _volume_above(below, np.asarray(shape, np.float64).ravel())
        union = filled + float(np.sum(shape, dtype=np.float64)) - common
        ious += np.where(union > 0, common / np.where(union > 0, union, 1), 1.0)
    return levels, ious / len(shapes)


def _volume_above(below: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """[_LEVELS]: the volume of the cells whose mean exceeds each level."""
    counts = np.bincount(below, volume, _LEVELS + 1)
    return counts[::-1].cumsum()[::-1][1:]


def nearest(training_latents: Float[np.ndarray, "N z"], latents: Float[np.ndarray, "B Z"]) -> Int64[np.ndarray, " B"]:
    """The training row with the nearest latent; the first of several equally near.

    Raises ValueError without training latents or when the widths differ.
    """
    if not len(training_latents) or training_latents.shape[1] != latents.shape[1]:
        raise ValueError(
            "retrieval needs training latents as wide as the queries: "
            f"found {training_latents.shape} and {latents.shape}"
        )
    return np.argmin(cdist(latents, training_latents, "sqeuclidean"), axis=1)
