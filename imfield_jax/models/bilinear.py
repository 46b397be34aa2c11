"""Bilinear interpolation between the centres of the cells of a square map."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Float, Int

from imfield_jax.types import Array

_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


def bilinear(
    cells: Float[Array, "N C"], size: int, place: Float[Array, " 2"], first: Int[Array, ""] | int = 0
) -> Float[Array, " C"]:
    """The features at a place of a map; beyond the outermost centres, those of the border.

    cells: row by row, size x size for each map.   first: the row of `cells` at which the map begins.
    place: along the rows' axis and along the columns', in cells; the centre of the first cell is at 0.5.
    """
    cells = jnp.asarray(cells)
    at = jnp.clip(place - 0.5, 0.0, size - 1.0)
    low = jnp.minimum(at.astype(jnp.int32), size - 2)
    weights = jnp.stack([1 - (at - low), at - low])  # of the lower and the upper cell along each axis
    features = jnp.zeros(cells.shape[-1], cells.dtype)
    for down, right in _CORNERS:
        row = first + (low[0] + down) * size + low[1] + right
        features = features + weights[down, 0] * weights[right, 1] * cells[row]
    return features
