"""Images mixed and blurred, on the device."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax
from jaxtyping import Float

from imfield_jax.types import Array


def mixed(
    one: Float[Array, " ..."], other: Float[Array, " ..."], share: Float[Array, " ..."] | float
) -> Float[Array, " ..."]:
    """Images with this share of the other one, all of shapes that broadcast."""
    return one + share * (other - one)


def blurred(image: Float[Array, " ..."], axes: tuple[int, int]) -> Float[Array, " ..."]:
    """The mean of 3x3 pixels, those at the edge repeated. axes: rows and columns."""
    for axis in axes:
        size = image.shape[axis]
        margins = [(1, 1) if each == axis else (0, 0) for each in range(image.ndim)]
        padded = jnp.pad(image, margins, mode="edge")
        before, here, after = (lax.slice_in_dim(padded, at, at + size, axis=axis) for at in range(3))
        image = (before + here + after) / 3
    return image
