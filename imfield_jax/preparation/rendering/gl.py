"""Views drawn by OpenGL, without a display: moderngl on EGL, in software where there is no GPU.

Needs the run-time libraries libegl1, libgl1 and libgl1-mesa-dri (Debian names) and the `moderngl`
package, which is imported only when a renderer is made.
"""

from __future__ import annotations

import functools
import itertools
import os

import numpy as np

from imfield_jax.camera import Camera
from imfield_jax.preparation.rendering.lighting import GLSL
from imfield_jax.preparation.rendering.pixels import SAMPLES, VIEW_SIZE, resolve
from imfield_jax.preparation.rendering.surface import Surface
from imfield_jax.preparation.rendering.texture import CUT_OUT

_VERTEX = """
#version 330
uniform mat4 to_clip;
in vec3 position; in vec3 normal; in vec2 uv; in vec4 color;
out vec3 at; out vec3 n; out vec2 t; flat out vec4 base;
void main() {
    at = position; n = normal; t = uv; base = color;
    gl_Position = to_clip * vec4(position, 1.0);
}
"""

_FRAGMENT = f"""
#version 330
uniform vec3 eye; uniform sampler2D picture; uniform bool opaque;
in vec3 at; in vec3 n; in vec2 t; flat in vec4 base;
out vec4 premultiplied;
{GLSL}
void main() {{
    vec4 texel = texture(picture, t);
    if (opaque && texel.a < {CUT_OUT}) discard;
    vec3 albedo = base.rgb * min(texel.rgb / max(texel.a, 1e-3), 1.0);
    vec3 normal = normalize(gl_FrontFacing ? n : -n);
    vec3 shaded = min(albedo * brightness(normal, normalize(eye - at)), 1.0);
    float opacity = opaque ? 1.0 : base.a * texel.a;
    premultiplied = vec4(shaded * opacity, opacity);
}}
"""


def available() -> bool:
    """Whether this process can draw with OpenGL."""
    try:
        _renderer(os.getpid())
    except Exception:  # moderngl raises bare Exceptions for every missing library and driver
        return False
    return True


def render(surface: Surface, cameras: list[Camera]) -> np.ndarray:
    """Views of a surface: uint8 [K, 137, 137, 4], straight alpha.

    Raises RuntimeError when no OpenGL context can be made.
    """
    try:
        renderer = _renderer(os.getpid())
    except Exception as error:
        raise RuntimeError(
            f"no OpenGL context: {error}; install moderngl, libegl1, libgl1 and libgl1-mesa-dri, "
            "or use the ray tracer (backend 'ray')"
        ) from error
    return renderer.views(surface, cameras)


@functools.cache
def _renderer(process: int) -> _Renderer:
    """The context of this process. Keyed by process, since a context does not survive a fork."""
    return _Renderer()


class _Renderer:
    def __init__(self):
        import moderngl

        # Distributions install the versioned names; the bare ones come with development packages.
        self.context = context = moderngl.create_standalone_context(
            backend="egl", libgl="libGL.so.1", libegl="libEGL.so.1"
        )
        self.program = context.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT)
        size = (VIEW_SIZE * SAMPLES,) * 2
        self.target = context.framebuffer(context.renderbuffer(size), context.depth_renderbuffer(size))
        self.target.use()
        context.enable(moderngl.DEPTH_TEST | moderngl.BLEND)
        context.blend_func = moderngl.ONE, moderngl.ONE_MINUS_SRC_ALPHA

    def views(self, surface: Surface, cameras: list[Camera]) -> np.ndarray:
        context = self.context
        vertices = context.buffer(_vertex_data(surface))
        indices = context.buffer(reserve=12 * len(surface.corners))
        layout = [(vertices, "3f 3f 2f 4f", "position", "normal", "uv", "color")]
        array = context.vertex_array(self.program, layout, indices)
        textures = [_upload(context, texels) for texels in surface.textures]
        try:
            return np.stack([self._view(surface, camera, indices, array, textures) for camera in cameras])
        finally:
            for resource in (array, vertices, indices, *textures):
                resource.release()

    def _view(self, surface, camera, indices, array, textures) -> np.ndarray:
        eye = camera.eye()
        self.program["to_clip"].write(_to_clip(surface, camera).T.astype("f4").tobytes())
        self.program["eye"].value = tuple(eye)
        faces, calls = _drawing_order(surface, camera)
        indices.write((3 * faces[:, None] + np.arange(3)).astype("u4").tobytes())
        self.target.depth_mask = True
        self.target.clear()
        for first, end, texture in calls:
            opaque = first < surface.opaque
            self.program["opaque"].value = opaque
            self.target.depth_mask = opaque
            textures[texture].use()
            array.render(vertices=3 * (end - first), first=3 * first)
        samples = np.frombuffer(self.target.read(components=4, alignment=1), np.uint8)
        return resolve(samples.reshape(VIEW_SIZE * SAMPLES, -1, 4))[::-1]  # GL's first row is the lowest


def _drawing_order(surface: Surface, camera: Camera) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """Faces [F], opaque ones as they are and then glass far to near, and the draw calls for them.

    A call is (first, end, texture): a stretch of that order with one texture, all opaque or all not.
    """
    opaque, count = surface.opaque, len(surface.corners)
    nearness = surface.corners[opaque:].mean(axis=1) @ camera.axes()[2]
    faces = np.concatenate([np.arange(opaque), opaque + np.argsort(nearness, kind="stable")])
    texture = surface.texture[faces]
    borders = np.unique(np.concatenate([[0, opaque, count], np.flatnonzero(np.diff(texture)) + 1])).tolist()
    return faces, [(first, end, int(texture[first])) for first, end in itertools.pairwise(borders)]


def _to_clip(surface: Surface, camera: Camera) -> np.ndarray:
    reach = float(np.linalg.norm(surface.corners.reshape(-1, 3), axis=1).max())
    near = max(camera.distance - 1.01 * reach, 0.01 * camera.distance)
    projection = camera.projection_matrix(near, camera.distance + 1.01 * reach)
    return projection @ camera.view_matrix()


def _vertex_data(surface: Surface) -> bytes:
    colors = np.broadcast_to(surface.colors[:, None], (len(surface.colors), 3, 4))
    rows = np.concatenate([surface.corners, surface.normals, surface.uv, colors], axis=2)
    return rows.astype("f4").tobytes()


def _upload(context, texels: np.ndarray):
    texture = context.texture(texels.shape[1::-1], 4, texels.tobytes(), alignment=1)
    texture.repeat_x = texture.repeat_y = True
    texture.filter = context.LINEAR, context.LINEAR
    return texture
