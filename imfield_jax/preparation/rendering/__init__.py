"""Pictures of scenes as the image encoder is trained on them: 137x137 RGBA, nothing behind.

Two renderers draw the same picture: OpenGL where there is one, rays through Embree where not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imfield_jax.camera import Camera
from imfield_jax.preparation.rendering import gl, ray
from imfield_jax.preparation.rendering.cameras import camera_ring
from imfield_jax.preparation.rendering.pixels import VIEW_SIZE
from imfield_jax.preparation.rendering.surface import diagonal, surface_of
from imfield_jax.sources.scene import Scene

__all__ = ["BACKENDS", "VIEW_SIZE", "camera_ring", "diagonal", "render_views"]

BACKENDS = ("auto", "gl", "ray")


def render_views(scene: Scene, cameras: Sequence[Camera], backend: str = "auto") -> np.ndarray:
    """Pictures of a scene in the cube: uint8 [K, 137, 137, 4], straight (not premultiplied) alpha.

    backend: "gl" (moderngl), "ray" (embreex), or "auto" for the first of these that works here.
    Pixels without alpha are black. The same scene and cameras give the same bytes every time.

    Raises ValueError for an unknown backend or a scene without triangles, RuntimeError for "gl"
    where there is no OpenGL.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend is {backend!r}, expected one of {', '.join(BACKENDS)}")
    drawn = surface_of(scene)
    if not len(cameras):
        return np.zeros((0, VIEW_SIZE, VIEW_SIZE, 4), np.uint8)
    if backend == "gl" or (backend == "auto" and gl.available()):
        return gl.render(drawn, list(cameras))
    return ray.render(drawn, list(cameras))
