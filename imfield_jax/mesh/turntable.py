"""A mesh that turns once, as an animation that plays in every browser and chat."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from imfield_jax.mesh.normals import with_vertex_normals
from imfield_jax.mesh.preview import shade, three_quarter_view
from imfield_jax.mesh.simplify import simplified
from imfield_jax.types import Mesh

FORMATS = ("gif", "webp")
FRAMES = 36
_SECONDS = 4.0  # per turn
_SIZE = 320
_FACES = 30_000
_QUALITY = 80  # of WebP


def turntable(mesh: Mesh, frames: int = FRAMES, size: int = _SIZE) -> UInt8[np.ndarray, "frames size size 3"]:
    """The mesh from all sides, sRGB, in equal steps around y, starting at the front right."""
    mesh = _light(mesh)
    some = dataclasses.replace(mesh, vertices=mesh.vertices[:: 1 + len(mesh.vertices) // 5000])  # to fit cameras
    start = three_quarter_view(some).azimuth_radians
    cameras = [three_quarter_view(some, start + 2 * np.pi * frame / frames) for frame in range(frames)]
    distance = max(camera.distance for camera in cameras)  # one scale, so that nothing pulsates
    return np.stack([shade(mesh, dataclasses.replace(camera, distance=distance), size) for camera in cameras])


def _light(mesh: Mesh) -> Mesh:
    """The mesh with fewer faces, which draws faster and looks the same; itself where that is not possible."""
    try:
        simpler = simplified(mesh, _FACES)
    except ValueError:  # not closed, or of too many pieces
        return mesh
    return simpler if simpler.normals is not None else with_vertex_normals(simpler)


def encode_turntable(images: UInt8[np.ndarray, "N H W 3"], file_format: str) -> bytes:
    """An animation without an end, of one of `FORMATS`. Raises ValueError for another format."""
    if file_format not in FORMATS:
        raise ValueError(f"unknown animation format {file_format!r}, expected one of {', '.join(FORMATS)}")
    first, *others = [Image.fromarray(image) for image in images]
    file = io.BytesIO()
    milliseconds = round(1000 * _SECONDS / len(images))
    options = {"quality": _QUALITY} if file_format == "webp" else {}
    first.save(file, file_format, save_all=True, append_images=others, duration=milliseconds, loop=0, **options)
    return file.getvalue()
