"""The projection with the camera of a view, differentiable in the camera; its numbers are those of `view_camera`."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Float

from imfield_jax.types import Array

_NEAREST = 0.3  # of the depth of the origin: nearer points are projected as if they were this near


def project(view: Float[Array, " 7"], points: Float[Array, "P 3"]) -> tuple[Float[Array, "P 2"], Float[Array, " P"]]:
    """Places in the view, x to the right and y down in [-1, 1], and how much nearer than the origin points are."""
    right, upward, backward = _axes(view)
    nearer = points @ backward
    places = jnp.stack([points @ right, -(points @ upward)], axis=-1) * _per_unit(view, nearer)[:, None]
    return places + view[None, 5:], nearer


def unproject(
    view: Float[Array, " 7"], places: Float[Array, "P 2"], nearer: Float[Array, " D"]
) -> Float[Array, "P D 3"]:
    """The points that `project` puts at each place of the view, as much nearer than the origin as said."""
    right, upward, backward = _axes(view)
    per_unit = _per_unit(view, nearer)
    across = (places[:, None] - view[None, None, 5:]) / per_unit[None, :, None]
    right, upward, backward = (axis[None, None] for axis in (right, upward, backward))
    return across[..., :1] * right - across[..., 1:] * upward + nearer[None, :, None] * backward


def _axes(view: Float[Array, " 7"]) -> tuple[Float[Array, " 3"], Float[Array, " 3"], Float[Array, " 3"]]:
    """Right, up and backward directions of the camera."""
    sine, cosine, elevation = (view[i] for i in range(3))
    length = jnp.sqrt(sine**2 + cosine**2 + 1e-6)  # predicted sines and cosines need not be those of one angle
    sine, cosine = sine / length, cosine / length
    up, flat = jnp.sin(elevation), jnp.cos(elevation)
    backward = jnp.stack([sine * flat, up, -cosine * flat])
    right = jnp.stack([-cosine, jnp.zeros_like(sine), -sine])
    return right, jnp.cross(backward, right), backward


def _per_unit(view: Float[Array, " 7"], nearer: Float[Array, " *shape"]) -> Float[Array, " *shape"]:
    """The length in the view of a unit, at points that are so much nearer than the origin."""
    return view[3] / jnp.maximum(1 - view[4] * nearer, _NEAREST)
