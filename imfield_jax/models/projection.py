"""The projection with the camera of a view, differentiable in the camera; its numbers are those of `view_camera`."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Float

from imfield_jax.types import Array

_NEAREST = 0.3  # of the depth of the origin: nearer points are projected as if they were this near


def project(view: Float[Array, " 7"], points: Float[Array, "P 3"]) -> tuple[Float[Array, "P 2"], Float[Array, " P"]]:
    """Places in the view, x to the right and y down in [-1, 1], and how much nearer than the origin points are."""
    sine, cosine, elevation, scale, nearness = (view[i] for i in range(5))
    length = jnp.sqrt(sine**2 + cosine**2 + 1e-6)  # predicted sines and cosines need not be those of one angle
    sine, cosine = sine / length, cosine / length
    up, flat = jnp.sin(elevation), jnp.cos(elevation)
    backward = jnp.stack([sine * flat, up, -cosine * flat])
    right = jnp.stack([-cosine, jnp.zeros_like(sine), -sine])
    upward = jnp.cross(backward, right)
    nearer = points @ backward
    per_unit = scale / jnp.maximum(1 - nearness * nearer, _NEAREST)
    places = jnp.stack([points @ right, -(points @ upward)], axis=-1) * per_unit[:, None]
    return places + view[None, 5:], nearer
