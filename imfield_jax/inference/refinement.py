"""A latent and its camera, moved until the outline of the field fits the object in the picture.

The outline is where the largest value of the field along a ray is positive; it is compared with the object's opacity at
RAYS x RAYS pixels, by gradient steps. A latent far from the predicted one, measured by how latents of training shapes
vary, costs as much as a worse outline: an outline alone says nothing about depths.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float, Float32

from imfield_jax.inference.model import Model
from imfield_jax.models.networks import Networks
from imfield_jax.models.projection import unproject
from imfield_jax.types import Array

RAYS, SAMPLES = 48, 40  # per side of the view, and along each ray
STEPS = 30
PRIOR = 0.1  # cost of a latent that is one deviation away, against the cross-entropy per pixel
_LATENT_RATE, _CAMERA_RATE = 0.005, 0.01  # deviations, and units of the camera's numbers, per step
_REACH = np.sqrt(3) / 2  # from the middle of the cube to its corners
_EMPTY = -10.0  # value beyond the cube


@dataclasses.dataclass(frozen=True)
class Refined:
    """before, after: intersection over union of the outline with the object, at RAYS x RAYS pixels."""

    z: Float32[np.ndarray, " Z"]
    camera: Float32[np.ndarray, " 7"]
    before: float
    after: float


def check_refinable(model: Model) -> None:
    """Raises ValueError if the fields of a model have no logits to fit."""
    preset = model.weights.networks.preset
    if preset.decoder.output != "sigmoid":
        raise ValueError(
            f"nothing is refined: the decoder of preset {preset.name} has the output {preset.decoder.output}, and "
            "outlines are fitted to a sigmoid"
        )


def refined(
    model: Model,
    opacity: Float[np.ndarray, "S S"],
    z: Float32[np.ndarray, " Z"],
    camera: Float32[np.ndarray, " 7"],
) -> Refined:
    """The latent of a view and its camera, refined. opacity: of the object in the view, in [0, 1].

    Of all steps, the one with the least cost counts; the first is the prediction, which may be the best.
    """
    weights = model.weights
    target = jax.image.resize(jnp.asarray(opacity, jnp.float32), (RAYS, RAYS), "linear")
    scale = jnp.broadcast_to(weights.networks.latent_scale(weights.batch_stats), z.shape)
    start = {"z": jnp.zeros_like(z), "camera": jnp.zeros_like(camera)}
    step = partial(_step, weights.networks, weights.params, z, camera, scale, target)
    moved, state, tried = start, _OPTIMIZER.init(start), []
    for _ in range(STEPS + 1):
        after, state, cost, overlap = step(moved, state)
        tried.append((float(cost), moved, float(overlap)))
        moved = after
    _, moved, overlap = min(tried, key=lambda each: each[0])
    return Refined(np.asarray(z + moved["z"] * scale), np.asarray(camera + moved["camera"]), tried[0][2], overlap)


_OPTIMIZER = optax.partition(
    {"z": optax.adam(_LATENT_RATE), "camera": optax.adam(_CAMERA_RATE)}, {"z": "z", "camera": "camera"}
)


@partial(jax.jit, static_argnums=0)
def _step(
    networks: Networks, params: dict, z: Array, camera: Array, scale: Array, target: Array, moved: dict, state: Array
) -> tuple[dict, Array, Array, Array]:
    """What moves the latent and the camera after a step, the optimizer's state, and cost and overlap before it."""

    def cost_of(moved: dict) -> tuple[Array, Array]:
        values = outline(networks, params, z + moved["z"] * scale, camera + moved["camera"])
        fit = optax.sigmoid_binary_cross_entropy(values, target).mean()
        inside, wanted = values > 0, target > 0.5
        overlap = (inside & wanted).sum() / jnp.maximum((inside | wanted).sum(), 1)
        return fit + PRIOR * (moved["z"] ** 2).mean(), overlap

    (cost, overlap), slope = jax.value_and_grad(cost_of, has_aux=True)(moved)
    updates, state = _OPTIMIZER.update(slope, state, moved)
    return optax.apply_updates(moved, updates), state, cost, overlap


def outline(networks: Networks, params: dict, z: Float[Array, " Z"], camera: Float[Array, " 7"]) -> Float[Array, "R R"]:
    """The largest logit along the ray through each pixel of the view."""
    axis = (jnp.arange(RAYS) + 0.5) / RAYS * 2 - 1
    places = jnp.stack(jnp.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    points = unproject(camera, places, jnp.linspace(-_REACH, _REACH, SAMPLES)).reshape(-1, 3)
    values = networks.logits(params, z[None], points[None])[0]
    inside = (jnp.abs(points) <= 0.5).all(axis=-1)
    return jnp.where(inside, values, _EMPTY).reshape(RAYS, RAYS, SAMPLES).max(axis=-1)
