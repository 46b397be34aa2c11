"""A shaded image of a mesh in plain numpy, so that inference can show its result without a renderer.

The look is matte clay under a key and a fill light that move with the camera, darker in creases, on a
light background.
"""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import UInt8

from imfield_jax.camera import Camera
from imfield_jax.mesh.raster import barycentric, visible
from imfield_jax.types import Mesh

SUPERSAMPLING = 2
_FRONT = 0.65  # radians, azimuth of the three-quarter view
NEAREST = 1e-3  # faces that come closer to the camera than this are left out

# Camera space: x to the right, y up, z to the viewer. Colours are linear light.
_KEY = np.array([-0.50, 0.70, 0.55]) / np.linalg.norm([-0.50, 0.70, 0.55])
_FILL = np.array([0.80, 0.15, 0.50]) / np.linalg.norm([0.80, 0.15, 0.50])
_CLAY = np.array([0.56, 0.515, 0.47])
_KEY_LIGHT = np.array([0.95, 0.92, 0.87])
_FILL_LIGHT = np.array([0.20, 0.22, 0.27])
_SKY_LIGHT = np.array([0.30, 0.32, 0.35])
_GROUND_LIGHT = np.array([0.13, 0.12, 0.11])
_RELIT = 1.2
_GLOSS, _GLOSS_POWER = 0.10, 24.0
_SHADOW = 0.38
_BACKGROUND = (252.0, 232.0)  # sRGB grey at the top and at the bottom


def three_quarter_view(mesh: Mesh, azimuth_radians: float = _FRONT, elevation_radians: float = 0.38) -> Camera:
    """A camera from the front side, far enough to see all of the mesh around the origin."""
    fov = float(np.radians(30))
    reach = float(np.linalg.norm(mesh.vertices, axis=1).max()) if len(mesh.vertices) else 0.5
    distance = 2 * max(reach, 1e-6) / np.sin(fov / 2)
    for _ in range(8):  # perspective grows as the camera nears, so approach the distance that fits
        camera = Camera(azimuth_radians, elevation_radians, float(distance), fov)
        if not len(mesh.vertices):
            break
        pixels, _ = camera.project(mesh.vertices, 2)
        distance = max(distance * np.abs(pixels - 1).max() / 0.9, 1.05 * reach)
    return camera


def sides(mesh: Mesh, size: int = 320) -> UInt8[np.ndarray, "size 4*size 3"]:
    """Four images of the mesh side by side, sRGB.

    From front right, front left, back left and back right, all at one scale, so that a missing part is visible.
    """
    right, left = _FRONT, -_FRONT
    some = dataclasses.replace(mesh, vertices=mesh.vertices[:: 1 + len(mesh.vertices) // 5000])  # enough to fit cameras
    cameras = [three_quarter_view(some, azimuth) for azimuth in (right, left, right + np.pi, left + np.pi)]
    distance = max(camera.distance for camera in cameras)
    with ThreadPoolExecutor() as pool:  # NumPy works on large arrays in several threads
        images = pool.map(lambda camera: shade(mesh, dataclasses.replace(camera, distance=distance), size), cameras)
        return np.hstack(list(images))


def shade(mesh: Mesh, camera: Camera, size: int = 512) -> UInt8[np.ndarray, "size size 3"]:
    """A shaded image of the mesh, sRGB.

    Smooth where the mesh has normals, faceted where not. Faces are shown from both sides. A mesh
    without faces gives the empty background.
    """
    fine = size * SUPERSAMPLING
    image = np.repeat(np.linspace(*_BACKGROUND, fine, dtype=np.float32)[:, None], fine, axis=1)
    image = np.repeat(image[..., None], 3, axis=2)
    faces, corners, nearness = _projected(mesh.vertices, mesh.faces, camera, fine)
    rows, columns, face = visible(corners, nearness, fine)
    if len(face):
        image *= _shadow(mesh, camera, size).repeat(SUPERSAMPLING, axis=0).repeat(SUPERSAMPLING, axis=1)[..., None]
        weights = barycentric(corners[face], columns + 0.5, rows + 0.5)
        near = np.zeros((fine, fine), np.float32)
        near[rows, columns] = np.einsum("nk,nk->n", weights, nearness[face])
        weights *= nearness[face]  # linear on the screen -> linear on the face
        weights /= weights.sum(axis=1, keepdims=True)
        normals = _normals(mesh, faces, face, weights, camera)
        sight = camera.pixel_directions(columns + 0.5, rows + 0.5, fine) @ camera.axes().T
        openness = _openness(near, rows, columns, fine)
        albedo = _CLAY if mesh.colors is None else _albedo(mesh, faces, face, weights)
        image[rows, columns] = _shaded(albedo, normals, sight, openness)
    cells = image.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING, 3).sum(axis=3).sum(axis=1)
    return np.rint(cells / SUPERSAMPLING**2).astype(np.uint8)


def _projected(
    vertices: np.ndarray, faces: np.ndarray, camera: Camera, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces [F, 3] in front of the camera, their corners [F, 3, 2] in pixels and 1 / depth [F, 3]."""
    pixels, depth = camera.project(np.asarray(vertices, np.float64), size)
    faces = np.asarray(faces).reshape(-1, 3)
    faces = faces[(depth[faces] > NEAREST).all(axis=1)]
    return faces, pixels[faces], 1 / depth[faces]


def _shadow(mesh: Mesh, camera: Camera, size: int) -> np.ndarray:
    """The fraction of light that reaches the floor under the mesh (a soft shadow), as an image [size, size]."""
    floor = np.asarray(mesh.vertices, np.float64).copy()
    floor[:, 1] = floor[mesh.faces, 1].min()
    if camera.eye()[1] <= floor[0, 1]:
        return np.ones((size, size), np.float32)
    _, corners, nearness = _projected(floor, mesh.faces, camera, size)
    rows, columns, _ = visible(corners, nearness, size)
    covered = np.zeros((size, size), np.float32)
    covered[rows, columns] = 1
    tight, wide = (_blurred(covered, max(1, round(width * size))) for width in (0.008, 0.03))
    return 1 - _SHADOW * (0.5 * tight + 0.5 * wide)


def _blurred(image: np.ndarray, radius: int) -> np.ndarray:
    """Three box filters of 2 radius + 1 pixels along each axis, nearly a Gaussian; 0 beyond the border."""
    for _ in range(3):
        for _ in range(2):
            total = np.cumsum(np.pad(image, ((radius + 1, radius), (0, 0))), axis=0, dtype=np.float64)
            window = 2 * radius + 1
            image = ((total[window:] - total[:-window]) / window).T.astype(np.float32)
    return image


def _normals(mesh: Mesh, faces: np.ndarray, face: np.ndarray, weights: np.ndarray, camera: Camera) -> np.ndarray:
    """Unit normals [N, 3] in camera space at points of faces, facing the camera."""
    a, b, c = np.moveaxis(np.asarray(mesh.vertices, np.float64)[faces], 1, 0)
    flat = np.cross(b - a, c - a)
    away = np.einsum("fc,fc->f", flat, a - camera.eye()) > 0
    if mesh.normals is None:
        normals = flat[face]
    else:
        normals = np.einsum("nk,nkc->nc", weights, np.asarray(mesh.normals, np.float64)[faces[face]])
    length = np.linalg.norm(normals, axis=1) * np.where(away[face], -1, 1)
    normals /= np.where(np.abs(length) > 1e-30, length, 1)[:, None]
    return normals @ camera.axes().T


def _openness(near: np.ndarray, rows: np.ndarray, columns: np.ndarray, size: int) -> np.ndarray:
    """Ambient occlusion: 1 on flat and convex places down to about 0.4 in creases, [N].

    Opposite neighbours are compared in pairs with the middle: one over depth is linear on the
    screen over a plane of any slant, so planes are not darkened at all. Neighbours much nearer
    belong to another part in front and are not a crease.
    """
    middle = near[rows, columns]
    dark = np.zeros(len(rows), np.float32)
    radii = (0.006, 0.015, 0.03)  # of the image's width
    reach = max(1, round(radii[-1] * size))
    padded = np.pad(near, reach).reshape(-1)
    stride = size + 2 * reach
    place = (rows + reach) * stride + columns + reach
    for ring, radius in enumerate(radii):
        for angle in (np.arange(4) + ring / 3) * np.pi / 4:
            dy, dx = np.rint(radius * size * np.array([np.sin(angle), np.cos(angle)])).astype(int)
            step = int(dy) * stride + int(dx)
            bend = (padded[place + step] + padded[place - step]) / (2 * middle) - 1
            depth = np.clip(bend / (0.35 * radius), 0, 1)
            dark += depth * np.clip(2 - bend / (2.5 * radius), 0, 1)
    return 1 - 0.75 * np.clip(dark / (4 * len(radii)), 0, 0.8)


def _albedo(mesh: Mesh, faces: np.ndarray, face: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Linear colours [N, 3] at points of faces, brighter, because they hold the shadows of the picture already."""
    assert mesh.colors is not None
    linear = (mesh.colors[faces[face]] / 255) ** 2.2
    return np.einsum("nk,nkc->nc", weights, linear) * _RELIT


def _shaded(albedo: np.ndarray, normals: np.ndarray, sight: np.ndarray, openness: np.ndarray) -> np.ndarray:
    """sRGB [N, 3] in 0..255 of linear colours, unit normals and view rays in camera space."""
    key = np.clip(normals @ _KEY, 0, None)[:, None]
    fill = np.clip(normals @ _FILL, 0, None)[:, None]
    sky = (0.5 + 0.5 * normals[:, 1])[:, None]
    surrounding = sky * _SKY_LIGHT + (1 - sky) * _GROUND_LIGHT + fill * _FILL_LIGHT
    light = albedo * (key * _KEY_LIGHT * (0.5 + 0.5 * openness[:, None]) + surrounding * openness[:, None])
    half = _KEY - sight / np.linalg.norm(sight, axis=1, keepdims=True)
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    gloss = _GLOSS * np.clip(np.einsum("nc,nc->n", normals, half), 0, None) ** _GLOSS_POWER
    return 255 * np.clip(light + gloss[:, None], 0, 1) ** (1 / 2.2)
