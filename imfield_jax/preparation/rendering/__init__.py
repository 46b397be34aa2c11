"""Training images of scenes for the image encoder: square RGBA, transparent background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from imfield_jax.camera import Camera
from imfield_jax.preparation.rendering import ray
from imfield_jax.preparation.rendering.cameras import camera_ring, photo_cameras
from imfield_jax.preparation.rendering.lighting import R2N2, Lighting, photo_lights
from imfield_jax.preparation.rendering.pixels import VIEW_SIZE
from imfield_jax.preparation.rendering.surface import corners, diagonal, surface_of
from imfield_jax.sources.scene import Scene

__all__ = ["R2N2", "VIEW_SIZE", "camera_ring", "corners", "diagonal", "photo_cameras", "photo_lights", "render_views"]


def render_views(
    scene: Scene, cameras: Sequence[Camera], lights: Sequence[Lighting] | None = None, size: int = VIEW_SIZE
) -> UInt8[np.ndarray, "K {size} {size} 4"]:
    """Images of a scene in the cube, straight (not premultiplied) alpha.

    lights: of each view; those of 3D-R2N2 by default.
    Pixels without alpha are black. The same scene, cameras and lights give the same bytes every time.

    Raises ValueError for a scene without triangles.
    """
    drawn = surface_of(scene)
    if not len(cameras):
        return np.zeros((0, size, size, 4), np.uint8)
    return ray.render(drawn, cameras, [R2N2] * len(cameras) if lights is None else lights, size)
