"""Pictures to learn matting from: a rendered object before photographs, with its matte.

What renderings lack and photographs have is what a network would tell them apart by, so each picture varies it: the
object has the texture and the reflections of a photograph, or its background's mean colour; the background is a
photograph, a wall over a floor, or plain, in or out of focus, with the object's shadow and other, smaller objects,
which do not belong to the matte; the whole has a tint, noise and blur.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Key

from imfield_jax.models.matting import SIDE
from imfield_jax.models.plane_image_encoder import interpolated
from imfield_jax.training.blending import blurred, mixed
from imfield_jax.types import Array

OBJECTS, PHOTOS = 3, 3  # that one picture is made of: its object and two others; background, floor and texture
_PIXELS = (0, 1)  # axes of an image
_DRAWS = 128  # random numbers of a picture beside its noise, at most
_AXIS = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE * 2 - 1
_PLACES = np.stack(np.meshgrid(_AXIS, _AXIS), axis=-1)  # x, y in [-1, 1] of each pixel: [SIDE, SIDE, 2]

Uniform = Callable[..., Array]  # of low, high and a shape


def composite(
    objects: Float[Array, "3 H H 4"], photos: Float[Array, "3 K K 3"], key: Key[jax.Array, ""]
) -> tuple[Float[Array, "S S 3"], Float[Array, "S S"]]:
    """A picture and its matte, both in [0, 1]. objects: RGBA, not premultiplied."""
    of_numbers, of_noise = jax.random.split(key)
    numbers = iter(jax.random.uniform(of_numbers, (_DRAWS,)))  # all at once: each draw of its own takes XLA long

    def uniform(low: float, high: float, shape: tuple[int, ...] = ()) -> Array:
        drawn = jnp.stack([next(numbers) for _ in range(math.prod(shape))])
        return low + (high - low) * drawn.reshape(shape)

    scale = uniform(0.45, 1.15)
    middle = jnp.stack([uniform(-0.25, 0.25), uniform(-0.2, 0.25)])
    layer = _placed(objects[0], middle, scale, _sign(uniform))
    alpha = layer[..., 3:]
    background = _background(photos, middle, scale, uniform)
    background = _shadowed(background, objects[0][..., 3:], middle, scale, uniform)
    for other in objects[1:]:
        small = _placed(other, uniform(-1.1, 1.1, (2,)), uniform(0.15, 0.55), _sign(uniform))
        cover = small[..., 3:] * _with_chance(0.5, uniform)
        background = background * (1 - cover) + small[..., :3] * cover
    background = mixed(
        background, blurred(blurred(background, _PIXELS), _PIXELS), uniform(0, 1) * _with_chance(0.5, uniform)
    )
    color = _photographic(layer[..., :3], photos[2], background, uniform)
    picture = _taken(color * alpha + background * (1 - alpha), uniform)
    grey = picture.mean(axis=-1, keepdims=True)
    picture = mixed(picture, grey, _with_chance(0.1, uniform))
    picture = picture + uniform(0, 0.04) * jax.random.normal(of_noise, picture.shape)
    return jnp.clip(picture, 0, 1), alpha[..., 0]


def _placed(image: Array, middle: Array, scale: Array, sign: Array) -> Array:
    """An image in the picture, its alpha 0 beyond its borders: [H, H, C] -> [S, S, C]. sign: -1 mirrors it."""
    places = (_PLACES - jnp.expand_dims(middle, (0, 1))) / scale * jnp.expand_dims(jnp.stack([sign, 1.0]), (0, 1))
    inside = (jnp.abs(places) < 1).all(axis=-1, keepdims=True)
    sampled = interpolated(image, places.reshape(-1, 2)).reshape(SIDE, SIDE, -1)
    return jnp.concatenate([sampled[..., :-1], sampled[..., -1:] * inside], axis=-1)


def _filling(photo: Array, uniform: Uniform) -> Array:
    """A part of a photograph that fills the picture."""
    scale = jnp.exp(uniform(0, 1.6))
    places = (_PLACES - jnp.expand_dims(uniform(-1, 1, (2,)) * (scale - 1), (0, 1))) / scale
    sampled = interpolated(photo, places.reshape(-1, 2)).reshape(SIDE, SIDE, 3)
    return jnp.where(_sign(uniform) > 0, sampled, sampled[:, ::-1])


def _background(photos: Array, middle: Array, scale: Array, uniform: Uniform) -> Array:
    """A photograph, or a wall of it or of plain colour that meets a floor somewhere behind the object."""
    plain = jnp.expand_dims(uniform(0, 1, (2, 3)), (1, 2))
    wall = mixed(_filling(photos[0], uniform), plain[0], uniform(0, 1) * _with_chance(0.5, uniform))
    floor = mixed(_filling(photos[1], uniform), plain[1], 0.7 * _with_chance(0.4, uniform))
    line = middle[1] + scale * uniform(-0.3, 0.5) + uniform(-0.1, 0.1) * _PLACES[..., :1]
    below = jax.nn.sigmoid((_PLACES[..., 1:] - line) * jnp.exp(uniform(1.5, 4.5)))
    return mixed(wall, floor, below * _with_chance(0.5, uniform))


def _shadowed(background: Array, alpha: Array, middle: Array, scale: Array, uniform: Uniform) -> Array:
    """The background under the object's outline, flattened and blurred, at its feet."""
    at = middle + jnp.stack([uniform(-0.2, 0.2), 0.35 * scale])
    places = (_PLACES - jnp.expand_dims(at, (0, 1))) / scale
    places = places * jnp.expand_dims(jnp.stack([1.0, 1 / uniform(0.25, 0.6)]), (0, 1))
    inside = (jnp.abs(places) < 1).all(axis=-1, keepdims=True)
    shadow = interpolated(alpha, places.reshape(-1, 2)).reshape(SIDE, SIDE, 1) * inside
    for _ in range(3):
        shadow = blurred(shadow, _PIXELS)
    return background * (1 - uniform(0, 0.7) * _with_chance(0.6, uniform) * shadow)


def _photographic(color: Array, texture: Array, background: Array, uniform: Uniform) -> Array:
    """The object's colours with a photograph's texture, another light, and the background in them."""
    pattern = _filling(texture, uniform).mean(axis=-1, keepdims=True)
    pattern = pattern / jnp.maximum(pattern.mean(), 0.05) - 1
    color = color * (1 + uniform(0, 0.7) * _with_chance(0.6, uniform) * pattern)
    light = jnp.expand_dims(1 + uniform(-0.3, 0.3, (3,)), (0, 1)) * jnp.exp(uniform(-0.5, 0.5))
    color = jnp.clip(color * light, 0, 1) ** jnp.exp(uniform(-0.4, 0.4))
    color = mixed(color, background[::-1], uniform(0, 0.35) * _with_chance(0.4, uniform))
    return mixed(color, background.mean(axis=(0, 1), keepdims=True), 0.5 * _with_chance(0.15, uniform))


def _taken(picture: Array, uniform: Uniform) -> Array:
    """The picture with a camera's blur, tint and exposure."""
    picture = mixed(picture, blurred(picture, _PIXELS), uniform(0, 1))
    tint = jnp.expand_dims(1 + uniform(-0.15, 0.15, (3,)), (0, 1))
    return jnp.clip(picture * tint, 0, 1) ** jnp.exp(uniform(-0.4, 0.4)) * jnp.exp(uniform(-0.3, 0.2))


def _with_chance(share: float, uniform: Uniform) -> Array:
    """1 with this probability, 0 otherwise."""
    return (uniform(0, 1) < share).astype(jnp.float32)


def _sign(uniform: Uniform) -> Array:
    return jnp.where(uniform(0, 1) < 0.5, -1.0, 1.0)
