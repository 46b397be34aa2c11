"""Training images of scenes for the image encoder: 137x137 RGBA, transparent background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from imfield_jax.camera import Camera
from imfield_jax.preparation.rendering import ray
from imfield_jax.preparation.rendering.cameras import camera_ring
from imfield_jax.preparation.rendering.pixels import VIEW_SIZE
from imfield_jax.preparation.rendering.surface import diagonal, surface_of
from imfield_jax.sources.scene import Scene

__all__ = ["VIEW_SIZE", "camera_ring", "diagonal", "render_views"]


def render_views(scene: Scene, cameras: Sequence[Camera]) -> UInt8[np.ndarray, "K 137 137 4"]:
    """Images of a scene in the cube, straight (not premultiplied) alpha.

    Pixels without alpha are black. The same scene and cameras give the same bytes every time.

    Raises ValueError for a scene without triangles.
    """
    drawn = surface_of(scene)
    if not len(cameras):
        return np.zeros((0, VIEW_SIZE, VIEW_SIZE, 4), np.uint8)
    return ray.render(drawn, list(cameras))
