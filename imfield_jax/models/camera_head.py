"""The prediction of a view's camera: its direction by classification, everything else by regression.

From many views of a chair, its front and its side are both likely. A regression of the azimuth answers with their
mean, where the object certainly does not face; a classification answers with the likelier one (compare Tulsiani and
Malik 2015, "Viewpoints and Keypoints"). An estimate is a row of numbers: a logit for each of DIRECTIONS azimuths,
evenly spread, and the rest of `camera.view_camera`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jaxtyping import Float

from imfield_jax.camera import VIEW_CAMERA
from imfield_jax.models.decoder import leaky_relu
from imfield_jax.types import Array

DIRECTIONS = 24
_STEP = 2 * np.pi / DIRECTIONS  # between them, in radians
_REST = VIEW_CAMERA - 2  # numbers of a camera without the sine and cosine of its azimuth
ESTIMATE = DIRECTIONS + _REST


class CameraHead(nn.Module):
    """A global code to an estimate: around the middle of what photographs have, and never beyond what can project."""

    @nn.compact
    def __call__(self, code: Float[Array, "B C"]) -> Float[Array, "B 29"]:
        hidden = leaky_relu(nn.Dense(64, name="hidden")(code))
        out = nn.Dense(ESTIMATE, kernel_init=nn.initializers.normal(0.02), name="out")(hidden)
        logits, rest = jnp.split(out, (DIRECTIONS,), axis=-1)
        elevation, scale, nearness, middle = jnp.split(0.5 * rest, (1, 2, 3), axis=-1)
        return jnp.concatenate(
            [
                logits,
                0.45 + 0.8 * jnp.tanh(elevation),
                1.5 * jnp.exp(jnp.tanh(scale)),
                0.6 + 0.55 * jnp.tanh(nearness),
                0.5 * jnp.tanh(middle),
            ],
            axis=-1,
        )


def likeliest(estimate: Float[Array, "B 29"]) -> Float[Array, "B 7"]:
    """The cameras of estimates: at the mean of the three neighbouring directions that are together the likeliest."""
    logits, rest = jnp.split(estimate, (DIRECTIONS,), axis=-1)
    shares = jax.nn.softmax(logits, axis=-1)
    before, after = jnp.roll(shares, 1, axis=-1), jnp.roll(shares, -1, axis=-1)
    together = jnp.maximum(before + shares + after, 1e-9)
    means = jnp.expand_dims(jnp.arange(DIRECTIONS), 0) + (after - before) / together
    azimuth = _STEP * jnp.take_along_axis(means, jnp.argmax(together, axis=-1)[:, None], axis=-1)[:, 0]
    return jnp.concatenate([jnp.sin(azimuth)[:, None], jnp.cos(azimuth)[:, None], rest], axis=-1)


def direction_loss(estimate: Float[Array, "B 29"], cameras: Float[Array, "B 7"]) -> Float[Array, ""]:
    """Mean cross-entropy of the directions, beyond that of the truth itself. Unknown cameras (NaN) count nothing.

    The truth lies between two directions, which share it by how near they are: `likeliest` of these shares is exact.
    """
    known = jnp.isfinite(cameras).all(axis=-1)
    azimuth = jnp.where(known, jnp.arctan2(cameras[:, 0], cameras[:, 1]), 0.0)
    away = jnp.abs(azimuth[:, None] / _STEP - jnp.arange(DIRECTIONS)[None])
    shares = jnp.maximum(1 - jnp.minimum(away % DIRECTIONS, -away % DIRECTIONS), 0)
    losses = optax.losses.kl_divergence(jax.nn.log_softmax(estimate[:, :DIRECTIONS], axis=-1), shares)
    return jnp.where(known, losses, 0.0).mean()


def towards(estimate: Float[Array, "B 29"], cameras: Float[Array, "B 7"]) -> Float[Array, "B 7"]:
    """The cameras of estimates in the directions of other cameras; in the likeliest ones where those are NaN."""
    directions = jnp.where(jnp.isfinite(cameras[:, :2]), cameras[:, :2], likeliest(estimate)[:, :2])
    return jnp.concatenate([directions, estimate[:, DIRECTIONS:]], axis=-1)
