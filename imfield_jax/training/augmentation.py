"""Views of framing 'matte' varied in training: in a mirror, and with the faults of photographs.

In the plane x = 0, most objects are their own mirror image, and for all of them the mirror image of a view is a view
that costs nothing. Cameras and background removers have exposure, blur, noise, and mattes that do not fit exactly;
renderings are perfect in all of these, and a network that has only seen perfect views trusts them. Real objects have
liveries, cloth and reflections, and most models that one can render have one colour for each part.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Key

from imfield_jax.batches import ViewBatch
from imfield_jax.models.networks import Networks
from imfield_jax.models.plane_image_encoder import MIRROR
from imfield_jax.training.blending import blurred, mixed
from imfield_jax.types import Array

_CAMERA_MIRROR = np.array([-1, 1, 1, 1, 1, -1, 1], np.float32)  # of the sine of the azimuth, and of the middle's x

_PIXELS = (1, 2)  # axes of a batch of images
_PAINTED = 0.5  # share of the views with a pattern on the object
_PATCHES = (3, 6, 12, 24, 48)  # random numbers along a side of the view, of which patterns are made
_EXPOSURE = 0.7  # stops, up and down
_GAMMA = 0.5  # of the logarithm to base 2, up and down
_NOISE = 0.04  # largest standard deviation
_IMPERFECT = 0.3  # share of the mattes that do not fit
_MARGIN = 0.35  # by how much of its soft rim such a matte is too large or too small


def is_augmented(networks: Networks) -> bool:
    """Whether the views that networks are trained on are varied, and every second latent is of a mirrored shape."""
    return networks.preset.framing == "matte"


def augmented(batch: ViewBatch, shapes: int, key: Key[jax.Array, ""]) -> ViewBatch:
    """A batch, drawn from so many shapes, in which half of the views are mirrored and all have faults."""
    of_sides, of_faults = jax.random.split(key)
    batch = mirrored(batch, jax.random.bernoulli(of_sides, shape=batch.index.shape), shapes)
    return dataclasses.replace(batch, view=photographed(batch.view, of_faults))


def mirrored(batch: ViewBatch, chosen: Bool[Array, " B"], shapes: int) -> ViewBatch:
    """A batch with the chosen views mirrored. The indices of mirrored shapes follow those of all shapes."""
    points = jnp.expand_dims(jnp.where(chosen[:, None], MIRROR[None], 1), 1)
    return ViewBatch(
        index=jnp.where(chosen, batch.index + shapes, batch.index),
        view=jnp.where(chosen[:, None, None, None], batch.view[:, :, ::-1], batch.view),
        camera=batch.camera * jnp.where(chosen[:, None], _CAMERA_MIRROR[None], 1),
        points=batch.points * points,
        occupancy=batch.occupancy,
    )


def photographed(views: Float[Array, "B H W 2"], key: Key[jax.Array, ""]) -> Float[Array, "B H W 2"]:
    """Views of framing 'matte' (grey on white, transparency) as of photographs, different for each view."""
    keys = iter(jax.random.split(key, 9))

    def uniform(low: float, high: float) -> Array:
        return jax.random.uniform(next(keys), (len(views), 1, 1), minval=low, maxval=high)

    grey, transparency = views[..., 0], views[..., 1]
    alpha = 1 - transparency
    color: Array = jnp.clip((grey - transparency) / jnp.maximum(alpha, 0.02), 0, 1)
    color = _painted(color, next(keys))
    exposed = color ** (2.0 ** uniform(-_GAMMA, _GAMMA)) * 2.0 ** uniform(-_EXPOSURE, _EXPOSURE)
    color = jnp.where(alpha > 0.01, exposed, uniform(0, 1))  # a matte that is too large shows the background
    color = mixed(color, blurred(color, _PIXELS), uniform(0, 1))
    color = color + uniform(0, _NOISE) * jax.random.normal(next(keys), color.shape)
    rim = blurred(blurred(alpha, _PIXELS), _PIXELS)
    loose = jnp.clip((rim - 0.5 + uniform(-_MARGIN, _MARGIN)) * 4 + 0.5, 0, 1)
    alpha = jnp.where(uniform(0, 1) < _IMPERFECT, loose, alpha)
    return jnp.stack([jnp.clip(color, 0, 1) * alpha + (1 - alpha), 1 - alpha], axis=-1)


def _painted(color: Array, key: Array) -> Array:
    """Colours, [B, H, W], some with a pattern in another tone, with a reflection, and lighter on one side."""
    keys = iter(jax.random.split(key, 32))
    count, height, width = color.shape

    def uniform(low: float, high: float) -> Array:
        return jax.random.uniform(next(keys), (count, 1, 1), minval=low, maxval=high)

    def patches() -> Array:
        """Smooth random numbers, of deviation 1 or so, coarse in some views and fine in others."""
        shares = jax.random.normal(next(keys), (count, len(_PATCHES)))
        shares = shares / jnp.linalg.norm(shares, axis=1, keepdims=True)
        layers = [jax.random.normal(next(keys), (count, size, size)) for size in _PATCHES]
        larger = [jax.image.resize(layer, color.shape, "cubic") for layer in layers]
        return 1.3 * jnp.einsum("bk,kbhw->bhw", shares, jnp.stack(larger))

    down, right = jnp.meshgrid(jnp.linspace(-1, 1, height), jnp.linspace(-1, 1, width), indexing="ij")
    angle = uniform(0, 2 * np.pi)
    across = jnp.cos(angle) * right[None] + jnp.sin(angle) * down[None]
    stripes = jnp.sin(jnp.exp(uniform(1, 4)) * across + uniform(0, 2 * np.pi))
    pattern = jnp.where(uniform(0, 1) < 0.7, patches(), stripes) + uniform(-1, 1)
    edges = jnp.exp(uniform(0, 3))
    share = uniform(0.1, 0.9) * (uniform(0, 1) < _PAINTED)
    color = mixed(color, uniform(0, 1) * (0.5 + color), share * jax.nn.sigmoid(edges * pattern))
    shine = jnp.maximum(patches() - uniform(0, 1.5), 0)
    return jnp.clip((color + uniform(0, 0.3) * (uniform(0, 1) < 0.4) * shine) * (1 + 0.3 * across), 0, 1)
