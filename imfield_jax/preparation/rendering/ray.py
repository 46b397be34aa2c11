"""Views traced with Embree and shaded in NumPy: 16 rays per pixel, no display, no driver, no extra threads.

Ray tracing replaced an OpenGL renderer (moderngl on EGL). Commit a41ae0b has both, and in `benchmarks/rendering.py` a
table of 13 shapes: the median time of 24 views on one core was 0.09 s with OpenGL (Mesa) and 0.58 s with rays, of about
3 s for the preparation of a mesh; images differed by less than 0.1 of 255 per channel. Ray tracing needs only a wheel,
gives the same bytes on every machine, and does not crash in a process with JAX, as Mesa did.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from jaxtyping import UInt8

from imfield_jax.camera import Camera
from imfield_jax.preparation.rendering.lighting import R2N2, Lighting
from imfield_jax.preparation.rendering.pixels import SAMPLES, resolve
from imfield_jax.preparation.rendering.surface import Surface
from imfield_jax.preparation.rendering.texture import CUT_OUT, sample
from imfield_jax.sources import color as srgb

STEP = 1e-4  # offset of a ray after a hole it passed, as a fraction of the camera distance
HOLES = 12  # maximum cut-outs along a ray, the number of layers of a cane chair seen from the side
SHADOW_BIAS = 2e-3  # start of a ray to a lamp, in cube units from the surface
PANES = 8  # maximum layers of glass along a ray


def render(
    surface: Surface, cameras: Sequence[Camera], lights: Sequence[Lighting], size: int
) -> UInt8[np.ndarray, "K {size} {size} 4"]:
    """Views of a surface, straight alpha, each under its own lights."""
    tracer = _Tracer(surface, size)
    return np.stack([tracer.view(*view) for view in zip(cameras, lights, strict=True)])


class _Tracer:
    def __init__(self, surface: Surface, size: int):
        self.surface, self.size = surface, size
        self.face_normals = np.cross(
            surface.corners[:, 1] - surface.corners[:, 0], surface.corners[:, 2] - surface.corners[:, 0]
        )
        self.is_white = [bool((texels == 255).all()) for texels in surface.textures]
        self.opaque = _embree(surface.corners[: surface.opaque])
        self.glass = _embree(surface.corners[surface.opaque :])
        self.eye, self.lighting = np.zeros(3, np.float32), R2N2  # of the view that is traced

    def view(self, camera: Camera, lighting: Lighting) -> np.ndarray:
        self.eye, self.lighting = camera.eye().astype(np.float32), lighting
        pixels = np.zeros((self.size, self.size, 4), np.uint8)
        top, bottom, left, right = _window(self.surface, camera, self.size)
        if bottom <= top or right <= left:
            return pixels
        rows = np.arange(top * SAMPLES, bottom * SAMPLES) + 0.5
        columns = np.arange(left * SAMPLES, right * SAMPLES) + 0.5
        directions = camera.pixel_directions(columns[None, :], rows[:, None], self.size * SAMPLES).astype(np.float32)
        samples = self._trace(directions.reshape(-1, 3), STEP * camera.distance)
        samples = samples.reshape(len(rows), len(columns), 4)
        pixels[top:bottom, left:right] = resolve(samples * np.float32(255))
        return pixels

    def _trace(self, directions: np.ndarray, step: float) -> np.ndarray:
        """Premultiplied RGBA [N, 4] float32 in [0, 1] of rays from the eye."""
        samples = np.zeros((len(directions), 4), np.float32)
        depth = np.full(len(directions), 1e6, np.float32)
        if self.opaque is not None:
            self._solid(directions, step, samples, depth)
        if self.glass is not None:
            self._panes(directions, step, samples, depth)
        return samples

    def _solid(self, directions: np.ndarray, step: float, samples: np.ndarray, depth: np.ndarray) -> None:
        """Fills samples and depth of the rays that end on an opaque face."""
        rays = np.arange(len(directions))
        start = np.zeros(len(rays), np.float32)
        for _ in range(HOLES + 1):
            hit, face, weights, at = _nearest(self.opaque, self.eye, directions[rays], start, None)
            rays, texel = rays[hit], self._texels(face, weights)
            solid = np.ones(len(rays), bool) if texel is None else texel[:, 3] >= CUT_OUT
            ended = rays[solid]
            color = self._shade(
                directions[ended], face[solid], weights[solid], at[solid], texel if texel is None else texel[solid]
            )
            color[:, 3] = 1
            samples[ended], depth[ended] = color, at[solid]
            if solid.all():
                return
            rays, start = rays[~solid], at[~solid] + np.float32(step)

    def _panes(self, directions: np.ndarray, step: float, samples: np.ndarray, depth: np.ndarray) -> None:
        """Composites the glass over the opaque samples, near to far."""
        rays = np.arange(len(directions))
        start = np.zeros(len(rays), np.float32)
        front = np.zeros((len(rays), 3), np.float32)
        passed = np.ones((len(rays), 1), np.float32)
        for _ in range(PANES):
            hit, face, weights, at = _nearest(self.glass, self.eye, directions[rays], start, depth[rays])
            rays = rays[hit]
            if not len(rays):
                break
            face = face + self.surface.opaque
            color = self._shade(directions[rays], face, weights, at, self._texels(face, weights))
            front[rays] += passed[rays] * color[:, 3:] * color[:, :3]
            passed[rays] *= 1 - color[:, 3:]
            start = at + np.float32(step)
        samples[:, :3] = front + passed * samples[:, :3]
        samples[:, 3:] = 1 - passed * (1 - samples[:, 3:])

    def _shade(
        self,
        directions: np.ndarray,
        face: np.ndarray,
        weights: np.ndarray,
        at: np.ndarray,
        texel: np.ndarray | None,
    ) -> np.ndarray:
        """Straight (r, g, b, opacity) at hits on faces, at depths: [N, 4] float32. No texel means white."""
        surface = self.surface
        color = surface.colors[face] if texel is None else surface.colors[face] * texel
        if surface.shades is not None:
            shade = np.einsum("nk,nkc->nc", weights, surface.shades[face])
            color[:, :3] = srgb.stored(srgb.linear(color[:, :3]) * shade[:, :3])
            color[:, 3] *= shade[:, 3]
        normals = np.einsum("nk,nkc->nc", weights, surface.normals[face])
        away = np.einsum("nc,nc->n", self.face_normals[face], directions) > 0
        length = np.sqrt(np.einsum("nc,nc->n", normals, normals))
        normals /= (np.where(away, -1, 1) * np.maximum(length, np.float32(1e-12)))[:, None]
        to_eye = directions / -np.sqrt(np.einsum("nc,nc->n", directions, directions))[:, None]
        lit = self._lit(self.eye + at[:, None] * directions) if self.lighting.shadows else 1.0
        bright, highlight = self.lighting.shade(normals, to_eye, lit)
        color[:, :3] = np.minimum(color[:, :3] * bright[:, None] + highlight[:, None], 1)
        return color

    def _lit(self, points: np.ndarray) -> np.ndarray:
        """1 where the light of the first lamp arrives, 0 in the shadow of an opaque face, holes included: [N]."""
        if self.opaque is None:
            return np.ones(len(points), np.float32)
        to_lamp = np.ascontiguousarray(np.broadcast_to(self.lighting.lamps[0], points.shape))
        blocked = self.opaque.run(points + np.float32(SHADOW_BIAS) * to_lamp, to_lamp, query="OCCLUDED") >= 0
        return (~blocked).astype(np.float32)

    def _texels(self, face: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
        """Straight texture colours at hits: [N, 4] float32, None when all are white."""
        surface = self.surface
        row = surface.texture[face]
        texel = None
        for number, texels in enumerate(surface.textures):
            here = np.flatnonzero(row == number) if not self.is_white[number] else ()
            if not len(here):
                continue
            if texel is None:
                texel = np.ones((len(face), 4), np.float32)
            uv = np.einsum("nk,nkc->nc", weights[here], surface.uv[face[here]])
            texel[here] = sample(texels, uv)
        return texel


def _embree(corners: np.ndarray) -> EmbreeScene | None:
    """The acceleration structure of triangles [F, 3, 3]; None if there are none."""
    if not len(corners):
        return None
    scene = EmbreeScene()
    TriangleMesh(scene, np.ascontiguousarray(corners, np.float32))
    return scene


def _nearest(
    scene: EmbreeScene, eye: np.ndarray, directions: np.ndarray, start: np.ndarray, limit: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First hits of rays beyond their start and before their limit.

    Returns the rays that hit [M] int, and their face [M], barycentric weights [M, 3] and depth [M],
    as multiples of the direction from the eye.
    """
    origins = eye + start[:, None] * directions
    far = None if limit is None else limit - start
    found = scene.run(origins, directions, dists=far, output=1)
    hit = np.flatnonzero(found["primID"] >= 0)
    u, v = found["u"][hit], found["v"][hit]
    weights = np.stack([1 - u - v, u, v], axis=1)
    return hit, found["primID"][hit], weights, start[hit] + found["tfar"][hit]


def _window(surface: Surface, camera: Camera, size: int) -> tuple[int, int, int, int]:
    """The pixels that may show the surface: first and end row, first and end column."""
    points, depth = camera.project(surface.corners.reshape(-1, 3), size)
    if depth.min() <= 0.01 * camera.distance:
        return 0, size, 0, size
    left, top = np.clip(np.floor(points.min(axis=0)), 0, size).astype(int).tolist()
    right, bottom = np.clip(np.ceil(points.max(axis=0)), 0, size).astype(int).tolist()
    return top, bottom, left, right
