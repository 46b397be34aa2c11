"""Losses over labelled points and latents, and the metrics reported with them."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float

from imfield_jax.coordinates import LEVEL
from imfield_jax.models.camera_head import direction_loss, towards
from imfield_jax.models.decoder import SURFACE_LOGITS, activate
from imfield_jax.models.projection import project
from imfield_jax.types import Array

CAMERA_WEIGHT = 1.0  # of the camera loss beside the others
_DIRECTION_WEIGHT = 0.3  # of the directions in it
_BOX = np.array(list(itertools.product((-0.3, 0.3), repeat=3)), np.float32)  # its corners


def occupancy_loss(
    logits: Float[Array, "B P"], occupancy: Float[Array, "B P"], output: str, loss: str
) -> Float[Array, ""]:
    """Mean over all points, or over shapes.

    loss: "mse" between the field's value and {0, 1} (IM-NET, equation 2 with unit weights), or "bce",
    the cross-entropy of the logit: its gradient does not vanish where the sigmoid saturates. Or "iou", the
    soft intersection over union of each shape (Rahman and Wang 2016): it decides where an image leaves doubt, and
    drops parts that it cannot place to within their thickness.
    Raises ValueError for "bce" and "iou" with another output than the sigmoid: its level 0.5 is not at logit 0.
    """
    check_loss(loss, output)
    if loss == "bce":
        return optax.sigmoid_binary_cross_entropy(logits, occupancy).mean()
    values = activate(logits, output)
    if loss == "iou":
        overlap = (values * occupancy).sum(axis=-1)
        union = (values + occupancy).sum(axis=-1) - overlap
        return (1 - (overlap + 1) / (union + 1)).mean()  # 0 for an empty shape that is found empty
    return jnp.square(values - occupancy).mean()


def check_loss(loss: str, output: str) -> None:
    """Raises ValueError for a loss that a decoder with this output cannot be trained with."""
    if loss != "mse" and output != "sigmoid":
        raise ValueError(f"loss {loss} needs a decoder with output sigmoid, found {output}: use mse")


def latent_loss(
    z: Float[Array, "B Z"], target: Float[Array, "B Z"], scale: Float[Array, " Z"] | float = 1.0
) -> Float[Array, ""]:
    """Mean squared error (IM-NET, supplementary: single view reconstruction), in units of `scale`."""
    return (jnp.square(z - target).mean(axis=0) / jnp.square(scale)).mean()


def camera_loss(estimates: Float[Array, "B 29"], cameras: Float[Array, "B 7"]) -> Float[Array, ""]:
    """The cross-entropy of the direction, and the mean distance in the view of the corners of a box.

    The distances, in half widths of the view, are of where the corners are seen and of how near they are. They weigh
    each number by what it does to the view. Unknown cameras (NaN) count nothing.
    """
    predicted = towards(estimates, cameras)
    known = jnp.where(jnp.isfinite(cameras), cameras, predicted)
    distance = jnp.abs(_corners(predicted) - _corners(known)).mean()
    return distance + _DIRECTION_WEIGHT * direction_loss(estimates, cameras)


def _corners(cameras: Array) -> jax.Array:
    """Place and nearness of the corners of the box: [B, 8, 3]."""
    places, nearer = jax.vmap(project, in_axes=(0, None))(cameras, _BOX)
    return jnp.concatenate([places, nearer[..., None]], axis=-1)


def point_metrics(
    logits: Float[Array, "B P"], occupancy: Float[Array, "B P"], output: str
) -> dict[str, Float[Array, ""]]:
    """Intersection over union on the points of the batch, and the fractions predicted and truly inside."""
    inside = logits > SURFACE_LOGITS[output]
    full = occupancy > LEVEL
    overlap = jnp.sum(inside & full, axis=-1)
    union = jnp.maximum(jnp.sum(inside | full, axis=-1), 1)
    return {
        "point_iou": jnp.mean(overlap / union),
        "predicted_inside": jnp.mean(inside),
        "true_inside": jnp.mean(full),
    }


def latent_spread(z: Float[Array, "B Z"]) -> Float[Array, ""]:
    """Spread of the latents of a batch: the standard deviation over shapes, averaged over components.

    Near zero means that the encoder maps all shapes to one latent: its sigmoids are saturated.
    """
    return jnp.std(z, axis=0).mean()
