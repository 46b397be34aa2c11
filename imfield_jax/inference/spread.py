"""How sure a mesh is: how far its surface moves when the same picture is looked at a little differently.

Where the picture decides, small turns, shifts and changes of light change nothing. Where the model guesses, its guess
changes with them.
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float32, UInt8
from scipy import ndimage

from imfield_jax.framing import to_unit
from imfield_jax.inference.model import Model
from imfield_jax.types import Mesh

TURN, SCALE, SHIFT, LIGHT = np.radians(4), 0.05, 0.02, 0.2  # radians, factor, of the side, exponent
FARTHEST = 0.1  # cube units; the field tells distances near its surface only
_LOOKS = tuple(itertools.product((-1, 1), repeat=3))  # signs of turn, scale and shift, and light


def spread(model: Model, view: UInt8[np.ndarray, "S S C"], mesh: Mesh) -> Float32[np.ndarray, " V"]:
    """By how much the surface moves at each vertex of the mesh of a view, root mean square over other looks at it.

    In cube units, along the gradient of each look's field and to first order, at most `FARTHEST`.
    """
    latents = model.encode_views(to_unit(np.stack(looks(view))))
    squares = np.zeros(len(mesh.vertices))
    for z in latents:
        value, slope = model.field(z)(mesh.vertices), model.gradient(z)(mesh.vertices)
        distance = np.abs(value) / np.maximum(np.linalg.norm(slope, axis=-1), 1e-9)
        squares += np.minimum(distance, FARTHEST) ** 2
    return np.sqrt(squares / len(latents)).astype(np.float32)


def looks(view: UInt8[np.ndarray, "S S C"]) -> list[UInt8[np.ndarray, "S S C"]]:
    """A view turned, shrunk or grown, shifted, darker or brighter."""
    return [_look(view, turn, scale, light) for turn, scale, light in _LOOKS]


def _look(view: np.ndarray, turn: int, scale: int, light: int) -> np.ndarray:
    angle, factor = turn * TURN, 1 + scale * SCALE
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / factor
    middle = (np.array(view.shape[:2]) - 1) / 2
    offset = middle - matrix @ middle + SHIFT * len(view) * np.array([light * turn, scale * light])
    seen = [
        ndimage.affine_transform(c.astype(np.float32), matrix, offset, order=1, mode="nearest")
        for c in np.moveaxis(view, -1, 0)
    ]
    made = np.stack(seen, axis=-1)
    colors = made[..., : max(1, made.shape[-1] - 1)]  # the last channel of several is transparency
    colors[:] = 255 * (colors / 255) ** np.exp(light * LIGHT)
    return made.round().clip(0, 255).astype(np.uint8)
