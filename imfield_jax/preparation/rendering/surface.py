"""A scene prepared for rendering: clean triangles with smooth normals, sorted by material.

Artists' meshes repeat faces (often once per side, as in ShapeNet) and have inconsistent winding.
Repeated faces cause z-fighting and cancel each other's vertex normals, so they are removed first;
then each corner gets the mean normal of those faces around it that meet its own face at less than
the crease angle, regardless of their winding.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from imfield_jax.mesh.normals import face_vectors
from imfield_jax.mesh.soup import first_copies, merged, with_three_corners
from imfield_jax.preparation.rendering.texture import is_translucent, prepared
from imfield_jax.sources import color as srgb
from imfield_jax.sources.scene import Color, Part, Scene
from imfield_jax.types import Mesh

CREASE_DEGREES = 40.0
WELD = 2.0**-20  # vertices closer than this fraction of the bounding box are welded
LARGEST_FAN = 64  # corners around a vertex beyond which it is the hub of a flat fan
INVISIBLE = 1 / 255


@dataclasses.dataclass(frozen=True)
class Surface:
    """Triangles without duplicates; the opaque ones come first, then by texture.

    corners: positions.                     normals: per corner, on the side given by the winding.
    colors:  (r, g, b, opacity), sRGB.
    texture: index in `textures`.           textures: see `texture.prepared`.
    shades:  corner colours in linear light, white for parts without; None if all are white.
    opaque:  number of faces that are opaque except for holes in their texture.
    """

    corners: Float32[np.ndarray, "F 3 3"]
    normals: Float32[np.ndarray, "F 3 3"]
    uv: Float32[np.ndarray, "F 3 2"]
    colors: Float32[np.ndarray, "F 4"]
    texture: Int[np.ndarray, " F"]
    textures: tuple[UInt8[np.ndarray, "_ _ 4"], ...]
    opaque: int
    shades: Float32[np.ndarray, "F 3 4"] | None = None


def diagonal(scene: Scene) -> float:
    """Length of the diagonal of the scene's bounding box; unused vertices do not count."""
    low, high = _bounds(scene)
    return float(np.linalg.norm(high - low))


def corners(scene: Scene) -> Float[np.ndarray, "8 3"]:
    """The corners of the scene's bounding box; unused vertices do not count."""
    return np.array(list(itertools.product(*zip(*_bounds(scene), strict=True))))


def _bounds(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    vertices, faces = scene.soup()
    used = vertices[faces.reshape(-1)]
    return used.min(axis=0), used.max(axis=0)


def surface_of(scene: Scene) -> Surface:
    """The scene ready to render. Raises ValueError when no triangle has an area."""
    parts = _visible_parts(scene)
    table = {_tinted(part): part for part in parts}  # several parts often have the same image
    rows = {key: row for row, key in enumerate(table)}
    translucent = [_translucent(part) for part in parts]
    order = sorted(range(len(parts)), key=lambda i: (translucent[i], rows[_tinted(parts[i])]))
    parts = [parts[i] for i in order]
    counts = [len(part.faces) for part in parts]
    opaque = sum(counts[: len(parts) - sum(translucent)])

    vertices, faces = Scene(tuple(parts)).soup()
    corners = vertices[faces]
    welded = _weld(corners)
    keep = _distinct(corners, welded)
    if not len(keep):
        raise ValueError("the mesh has no triangle with an area, there is nothing to render")
    corners = corners[keep]
    return Surface(
        corners=corners.astype(np.float32),
        normals=_smooth_normals(corners, welded[keep]).astype(np.float32),
        uv=np.concatenate([_corner_uv(part) for part in parts])[keep],
        colors=np.repeat(np.array([_plain_color(part) for part in parts], np.float32), counts, axis=0)[keep],
        texture=np.repeat([rows[_tinted(part)] for part in parts], counts)[keep],
        textures=tuple(prepared(part.texture, part.color[:3]) for part in table.values()),
        opaque=int((keep < opaque).sum()),
        shades=_shades(parts, keep),
    )


def _visible_parts(scene: Scene) -> list[Part]:
    parts = [part for part in scene.parts if len(part.faces)]
    visible = [part for part in parts if part.color[3] >= INVISIBLE]
    if visible:
        return visible
    # Some exporters write transparency as opacity; a fully invisible mesh is never intended.
    return [dataclasses.replace(part, color=(*part.color[:3], 1.0)) for part in parts]


def _tinted(part: Part) -> tuple:
    """A key that is equal for parts with the same texels (texture multiplied by colour)."""
    return (id(part.texture), part.color[:3]) if part.texture is not None else ()


def _plain_color(part: Part) -> Color:
    """The colour of a part, excluding what its texels already contain."""
    return part.color if part.texture is None else (1.0, 1.0, 1.0, part.color[3])


def _shades(parts: list[Part], keep: np.ndarray) -> np.ndarray | None:
    if all(part.colors is None for part in parts):
        return None
    shades = [np.ones((len(part.faces), 3, 4), np.float32) for part in parts]
    for shade, part in zip(shades, parts, strict=True):
        if part.colors is not None:
            shade[:] = part.colors[part.faces]
            shade[..., :3] = srgb.linear(shade[..., :3])
    return np.concatenate(shades)[keep]


def _translucent(part: Part) -> bool:
    vertex_opacity = 1.0 if part.colors is None or not len(part.colors) else float(part.colors[:, 3].mean())
    return part.color[3] * vertex_opacity < 0.99 or (part.texture is not None and is_translucent(part.texture))


def _corner_uv(part: Part) -> np.ndarray:
    if part.uv is None:
        return np.zeros((len(part.faces), 3, 2), np.float32)
    return part.uv[part.faces].astype(np.float32)


def _weld(corners: np.ndarray) -> np.ndarray:
    """Indices that are equal for coincident corners: [F, 3, 3] positions -> [F, 3] int64."""
    if not len(corners):
        return np.zeros((0, 3), np.int64)
    points = corners.reshape(-1, 3)
    low = points.min(axis=0)
    extent = max(float((points.max(axis=0) - low).max()), np.finfo(float).tiny)
    cell = np.rint((points - low) / (extent * WELD)).astype(np.int64)
    return merged(cell)[1].reshape(-1, 3)


def _distinct(corners: np.ndarray, welded: np.ndarray) -> np.ndarray:
    """Rows of faces with nonzero area, the first of each set of equal ones: [N] int64, ascending."""
    area = np.linalg.norm(_face_vectors(corners), axis=1)
    rows = np.flatnonzero(with_three_corners(welded) & (area > 0))
    return rows[first_copies(welded[rows])]


def _face_vectors(corners: np.ndarray) -> np.ndarray:
    """`face_vectors`, [F, 3]. For a sliver, other edges may give exactly zero where these do not."""
    points = corners.reshape(-1, 3)
    return face_vectors(Mesh(points, np.arange(len(points)).reshape(-1, 3)))


def _smooth_normals(corners: np.ndarray, welded: np.ndarray, pairs_at_once: int = 1 << 20) -> np.ndarray:
    """Unit normals [F, 3, 3] per corner: angle-weighted means over faces within the crease angle."""
    normals, weights = _face_normals(corners)
    vertex = welded.reshape(-1)
    order = np.argsort(vertex, kind="stable")
    _, first, degree = np.unique(vertex[order], return_index=True, return_counts=True)
    first, degree = np.repeat(first, degree), np.repeat(degree, degree)  # per sorted corner
    degree = np.where(degree > LARGEST_FAN, 1, degree)
    first = np.where(degree > 1, first, np.arange(len(order)))

    smooth = np.empty((len(order), 3))
    ends = np.cumsum(degree)
    begin = 0
    while begin < len(order):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + pairs_at_once, side="right")))
        starts = ends[begin:end] - degree[begin:end] - done
        place = np.arange(ends[end - 1] - done) - np.repeat(starts, degree[begin:end])
        own = np.repeat(order[begin:end] // 3, degree[begin:end])
        other = order[np.repeat(first[begin:end], degree[begin:end]) + place]
        cosine = np.einsum("nc,nc->n", normals[own], normals[other // 3])
        factor = np.where(np.abs(cosine) > np.cos(np.radians(CREASE_DEGREES)), np.sign(cosine), 0.0)
        factor *= weights[other]
        smooth[order[begin:end]] = np.add.reduceat(factor[:, None] * normals[other // 3], starts)
        begin = end
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True)
    return smooth.reshape(-1, 3, 3)


def _face_normals(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit normals [F, 3] and the angle at every corner [3 F]."""
    edges = np.roll(corners, -1, axis=1) - corners
    normals = _face_vectors(corners)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    forward = edges / np.linalg.norm(edges, axis=2, keepdims=True)
    backward = -np.roll(forward, 1, axis=1)
    cosine = np.einsum("fkc,fkc->fk", forward, backward)
    # A sliver's corner of angle 0 needs a positive weight, or its normal would be 0 / 0.
    return normals, np.maximum(np.arccos(np.clip(cosine, -1, 1)), 1e-6).reshape(-1)
