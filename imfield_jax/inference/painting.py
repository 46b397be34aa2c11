"""The colours of a picture on the mesh that was made of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8

from imfield_jax.framing import frame
from imfield_jax.mesh.coloring import colored
from imfield_jax.mesh.view_fit import fitted_camera
from imfield_jax.types import Mesh

_SIZE = 512  # pixels of the picture that is projected
_FAINT = 0.3  # opacity from which the colour of a pixel can be told
_LEAST = 0.6  # IoU of the outlines below which the camera is taken to be wrong


def painted(
    meshes: Sequence[Mesh], rgba: UInt8[np.ndarray, "H W 4"], camera: Float[np.ndarray, " 7"]
) -> tuple[list[Mesh], str, Float[np.ndarray, " 7"] | None]:
    """Meshes of one object with the colours of the picture, a note, and the camera with which their outline fits the
    object; without colours, and None, if it cannot be found.

    meshes: the first is fitted to the outline of the object, the others are simpler.
    camera: of the view, see `camera_of`.
    """
    picture = _without_white(frame(rgba, "colour", _SIZE))
    fitted, overlap = fitted_camera(meshes[0], picture[..., 3] < 128, camera)
    made = [colored(mesh, picture, fitted) for mesh in meshes] if overlap >= _LEAST else list(meshes)
    if made[0].seen is None:
        note = f"no colours: the mesh does not fit the picture from any side (outlines overlap by {overlap:.0%})"
        return made, note, None
    seen = made[0].seen.mean()
    return made, f"colours of {seen:.0%} of the vertices are from the picture, the others are a guess", fitted


def _without_white(picture: UInt8[np.ndarray, "S S 4"]) -> UInt8[np.ndarray, "S S 4"]:
    """A view whose half-transparent pixels show the object alone, and not on white."""
    shown, opacity = picture[..., :3].astype(np.float64), 1 - picture[..., 3:] / 255
    alone = np.where(opacity > _FAINT, 255 + (shown - 255) / np.maximum(opacity, _FAINT), shown)
    return np.concatenate([np.rint(alone).clip(0, 255).astype(np.uint8), picture[..., 3:]], axis=-1)
