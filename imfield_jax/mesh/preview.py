"""A shaded picture of a mesh in plain numpy, so that inference can show what it made anywhere.

Triangles are cut into rows of pixels and the rows into pixels, all triangles at once, and the
nearest face of every pixel is kept by one maximum over (nearness, face) keys: work grows with the
pixels covered, and neither large nor very many triangles are a special case. The look is matte
clay under a key and a fill light that move with the camera, darker in creases, on a light ground.
"""

from __future__ import annotations

import itertools

import numpy as np

from imfield_jax import pinhole
from imfield_jax.types import Camera, Mesh

SUPERSAMPLING = 2
NEAREST = 1e-3  # faces that come closer to the camera than this are left out
PIXELS_AT_ONCE = 1 << 20

# Camera space: x to the right, y up, z to the viewer. Colours are linear light.
_KEY = np.array([-0.50, 0.70, 0.55]) / np.linalg.norm([-0.50, 0.70, 0.55])
_FILL = np.array([0.80, 0.15, 0.50]) / np.linalg.norm([0.80, 0.15, 0.50])
_CLAY = np.array([0.56, 0.515, 0.47])
_KEY_LIGHT = np.array([0.95, 0.92, 0.87])
_FILL_LIGHT = np.array([0.20, 0.22, 0.27])
_SKY_LIGHT = np.array([0.30, 0.32, 0.35])
_GROUND_LIGHT = np.array([0.13, 0.12, 0.11])
_GLOSS, _GLOSS_POWER = 0.10, 24.0
_SHADOW = 0.38
_BACKGROUND = (252.0, 232.0)  # sRGB grey at the top and at the bottom


def three_quarter_view(mesh: Mesh, azimuth_radians: float = 0.65, elevation_radians: float = 0.38) -> Camera:
    """A camera from the front side, far enough to see all of the mesh around the origin."""
    fov = float(np.radians(30))
    reach = float(np.linalg.norm(mesh.vertices, axis=1).max()) if len(mesh.vertices) else 0.5
    distance = 2 * max(reach, 1e-6) / np.sin(fov / 2)
    for _ in range(8):  # perspective grows as the camera nears, so approach the distance that fits
        camera = Camera(azimuth_radians, elevation_radians, float(distance), fov)
        if not len(mesh.vertices):
            break
        pixels, _ = pinhole.project(camera, mesh.vertices, 2)
        distance = max(distance * np.abs(pixels - 1).max() / 0.9, 1.05 * reach)
    return camera


def shade(mesh: Mesh, camera: Camera, size: int = 512) -> np.ndarray:
    """A picture of the mesh: uint8 [size, size, 3] sRGB.

    Smooth where the mesh has normals, faceted where not. Faces are shown from both sides. A mesh
    without faces gives the empty background.
    """
    fine = size * SUPERSAMPLING
    picture = np.repeat(np.linspace(*_BACKGROUND, fine, dtype=np.float32)[:, None], fine, axis=1)
    picture = np.repeat(picture[..., None], 3, axis=2)
    faces, corners, nearness = _projected(mesh.vertices, mesh.faces, camera, fine)
    rows, columns, face = _visible(corners, nearness, fine)
    if len(face):
        picture *= _shadow(mesh, camera, size).repeat(SUPERSAMPLING, axis=0).repeat(SUPERSAMPLING, axis=1)[..., None]
        weights = _barycentric(corners[face], columns + 0.5, rows + 0.5)
        near = np.zeros((fine, fine), np.float32)
        near[rows, columns] = np.einsum("nk,nk->n", weights, nearness[face])
        weights *= nearness[face]  # linear on the screen -> linear on the face
        weights /= weights.sum(axis=1, keepdims=True)
        normals = _normals(mesh, faces, face, weights, camera)
        sight = pinhole.pixel_directions(camera, columns + 0.5, rows + 0.5, fine) @ pinhole.axes(camera).T
        openness = _openness(near, rows, columns, fine)
        picture[rows, columns] = _clay(normals, sight, openness)
    cells = picture.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING, 3)
    return np.rint(cells.mean(axis=(1, 3))).astype(np.uint8)


def _projected(vertices, faces, camera: Camera, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces [F, 3] in front of the camera, their corners [F, 3, 2] in pixels and 1 / depth [F, 3]."""
    pixels, depth = pinhole.project(camera, np.asarray(vertices, np.float64), size)
    faces = np.asarray(faces).reshape(-1, 3)
    faces = faces[(depth[faces] > NEAREST).all(axis=1)]
    return faces, pixels[faces], 1 / depth[faces]


def _shadow(mesh: Mesh, camera: Camera, size: int) -> np.ndarray:
    """Light left on the floor under the mesh by an overcast sky, as a picture [size, size] in 0..1."""
    floor = np.asarray(mesh.vertices, np.float64).copy()
    floor[:, 1] = floor[mesh.faces, 1].min()
    if pinhole.eye(camera)[1] <= floor[0, 1]:
        return np.ones((size, size), np.float32)
    _, corners, nearness = _projected(floor, mesh.faces, camera, size)
    rows, columns, _ = _visible(corners, nearness, size)
    covered = np.zeros((size, size), np.float32)
    covered[rows, columns] = 1
    tight, wide = (_blurred(covered, max(1, round(width * size))) for width in (0.008, 0.03))
    return 1 - _SHADOW * (0.5 * tight + 0.5 * wide)


def _blurred(picture: np.ndarray, radius: int) -> np.ndarray:
    """Three means over 2 radius + 1 pixels along each axis, nearly a Gaussian; 0 beyond the border."""
    for _ in range(3):
        for _ in range(2):
            total = np.cumsum(np.pad(picture, ((radius + 1, radius), (0, 0))), axis=0, dtype=np.float64)
            window = 2 * radius + 1
            picture = ((total[window:] - total[:-window]) / window).T.astype(np.float32)
    return picture


def _visible(corners: np.ndarray, nearness: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nearest face of every covered pixel: rows [N], columns [N] and faces [N].

    corners: [F, 3, 2] pixels.   nearness: [F, 3] one over depth, which is linear on the screen.
    """
    slope = _gradient(corners, nearness)
    key = np.zeros(size * size, np.uint64)  # nearness in the high bits, face + 1 in the low ones
    first, count = _span(corners[..., 1].min(axis=1), corners[..., 1].max(axis=1), size)
    for begin, end in _blocks(count):
        face, row = _expand(first[begin:end], count[begin:end])
        face += begin
        left, right = _crossings(corners[face], row + 0.5)
        start, width = _span(left, right, size)
        for low, high in _blocks(width):
            line, column = _expand(start[low:high], width[low:high])
            owner, y = face[low + line], row[low + line]
            offset = np.stack([column + 0.5, y + 0.5], axis=1) - corners[owner, 0]
            near = nearness[owner, 0] + np.einsum("nc,nc->n", slope[owner], offset)
            # A sliver's gradient is all rounding: never leave the range of the corners.
            near = np.clip(near, nearness[owner].min(axis=1), nearness[owner].max(axis=1))
            bits = near.astype(np.float32).view(np.uint32).astype(np.uint64)  # ordered as the floats are
            np.maximum.at(key, y * size + column, (bits << np.uint64(32)) | (owner + 1).astype(np.uint64))
    covered = np.flatnonzero(key)
    rows, columns = np.divmod(covered, size)
    return rows, columns, (key[covered] & np.uint64(0xFFFFFFFF)).astype(np.int64) - 1


def _span(low: np.ndarray, high: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels whose centre is in [low, high): the first [N] and how many [N], inside the picture."""
    first = np.clip(np.ceil(low - 0.5), 0, size).astype(np.int64)
    end = np.clip(np.ceil(high - 0.5), 0, size).astype(np.int64)
    return first, np.maximum(end - first, 0)


def _expand(first: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All (item, first[item] + 0 .. count[item] - 1): two [sum of count] arrays."""
    item = np.repeat(np.arange(len(count)), count)
    begin = np.cumsum(count) - count
    return item, np.arange(len(item)) - np.repeat(begin - first, count)


def _blocks(count: np.ndarray):
    """Cuts items into stretches (begin, end) of at most about PIXELS_AT_ONCE pixels together."""
    total = np.cumsum(count)
    if not len(total) or total[-1] == 0:
        return []
    marks = np.searchsorted(total, np.arange(PIXELS_AT_ONCE, total[-1], PIXELS_AT_ONCE)) + 1
    return itertools.pairwise(np.unique([0, *marks, len(total)]).tolist())


def _crossings(corners: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where horizontal lines y [N] enter and leave triangles [N, 3, 2]: left [N] and right [N]."""
    left, right = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        # Always from the upper end, so that both faces at an edge compute the same crossing.
        swap = corners[:, a, 1] > corners[:, b, 1]
        x0, x1 = (np.where(swap, corners[:, i, 0], corners[:, j, 0]) for i, j in ((b, a), (a, b)))
        y0, y1 = (np.where(swap, corners[:, i, 1], corners[:, j, 1]) for i, j in ((b, a), (a, b)))
        crossed = (y0 <= y) & (y < y1)
        x = x0 + (y - y0) * (x1 - x0) / np.where(crossed, y1 - y0, 1)
        left = np.where(crossed, np.minimum(left, x), left)
        right = np.where(crossed, np.maximum(right, x), right)
    return left, right


def _gradient(corners: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Change per pixel in x and y of what is linear on each triangle: [F, 2], 0 without area."""
    (ax, ay), (bx, by) = np.moveaxis(corners[:, 1:] - corners[:, :1], 0, -1)
    a, b = (values[:, 1:] - values[:, :1]).T
    area = ax * by - ay * bx
    inverse = np.divide(1, area, out=np.zeros_like(area), where=np.abs(area) > 1e-12)
    return np.stack([(a * by - b * ay) * inverse, (b * ax - a * bx) * inverse], axis=1)


def _barycentric(corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Screen-space weights [N, 3] of points in triangles [N, 3, 2], clipped against rounding."""
    (ax, ay), (bx, by) = np.moveaxis(corners[:, 1:] - corners[:, :1], 0, -1)
    px, py = x - corners[:, 0, 0], y - corners[:, 0, 1]
    area = ax * by - ay * bx
    area = np.where(np.abs(area) > 1e-12, area, 1)
    one, two = (px * by - py * bx) / area, (ax * py - ay * px) / area
    weights = np.clip(np.stack([1 - one - two, one, two], axis=1), 0, 1)
    return weights / weights.sum(axis=1, keepdims=True)


def _normals(mesh: Mesh, faces: np.ndarray, face: np.ndarray, weights: np.ndarray, camera: Camera) -> np.ndarray:
    """Unit normals [N, 3] in camera space at points of faces, on the side the camera is on."""
    a, b, c = np.moveaxis(np.asarray(mesh.vertices, np.float64)[faces], 1, 0)
    flat = np.cross(b - a, c - a)
    away = np.einsum("fc,fc->f", flat, a - pinhole.eye(camera)) > 0
    if mesh.normals is None:
        normals = flat[face]
    else:
        normals = np.einsum("nk,nkc->nc", weights, np.asarray(mesh.normals, np.float64)[faces[face]])
    length = np.linalg.norm(normals, axis=1) * np.where(away[face], -1, 1)
    normals /= np.where(np.abs(length) > 1e-30, length, 1)[:, None]
    return normals @ pinhole.axes(camera).T


def _openness(near: np.ndarray, rows: np.ndarray, columns: np.ndarray, size: int) -> np.ndarray:
    """1 on flat and convex places down to about 0.4 in creases: [N].

    Opposite neighbours are compared in pairs with the middle: one over depth is linear on the
    screen over a plane, whatever its slant, so planes stay exactly bright. Neighbours much nearer
    belong to another limb in front and are not a crease.
    """
    middle = near[rows, columns]
    dark = np.zeros(len(rows), np.float32)
    radii = (0.006, 0.015, 0.03)  # of the picture's width
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


def _clay(normals: np.ndarray, sight: np.ndarray, openness: np.ndarray) -> np.ndarray:
    """sRGB [N, 3] in 0..255 of unit normals and view rays in camera space."""
    key = np.clip(normals @ _KEY, 0, None)[:, None]
    fill = np.clip(normals @ _FILL, 0, None)[:, None]
    sky = (0.5 + 0.5 * normals[:, 1])[:, None]
    surrounding = sky * _SKY_LIGHT + (1 - sky) * _GROUND_LIGHT + fill * _FILL_LIGHT
    light = _CLAY * (key * _KEY_LIGHT * (0.5 + 0.5 * openness[:, None]) + surrounding * openness[:, None])
    half = _KEY - sight / np.linalg.norm(sight, axis=1, keepdims=True)
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    gloss = _GLOSS * np.clip(np.einsum("nc,nc->n", normals, half), 0, None) ** _GLOSS_POWER
    return 255 * np.clip(light + gloss[:, None], 0, 1) ** (1 / 2.2)
