"""Polygons of a file and their conversion to parts of a scene, for the readers of OBJ, PLY, OFF and COLLADA."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int, Num

from imfield_jax.sources.formats.polygons import triangles
from imfield_jax.sources.scene import GREY, Color, Part, Texture

MAX_REPEATS = 1 << 20  # of a texture; texture coordinates beyond, or not finite, are invalid


@dataclasses.dataclass(frozen=True)
class Polygons:
    """Polygons over shared vertices.

    counts:  number of corners of each polygon.
    corners: vertex index of each corner, polygon by polygon; may be out of range, see `known`.
    uv:      per corner.   colors: per corner, RGBA, sRGB.
    groups:  material index of each polygon, if the file has several materials.
    """

    vertices: Float64[np.ndarray, "V 3"]
    counts: Int[np.ndarray, " P"]
    corners: Int[np.ndarray, " C"]
    uv: Float32[np.ndarray, "C 2"] | None = None
    colors: Float32[np.ndarray, "C 4"] | None = None
    groups: Int[np.ndarray, " P"] | None = None

    def select(self, chosen: Bool[np.ndarray, " P"]) -> Polygons:
        """The polygons of a mask."""
        rows = np.repeat(chosen, self.counts)
        return dataclasses.replace(
            self,
            counts=self.counts[chosen],
            corners=self.corners[rows],
            uv=None if self.uv is None else self.uv[rows],
            colors=None if self.colors is None else self.colors[rows],
            groups=None if self.groups is None else self.groups[chosen],
        )

    def of_group(self, group: int) -> Polygons:
        """The polygons of one material; all if the file has none."""
        return self if self.groups is None else self.select(self.groups == group)


def known(polygons: Polygons) -> tuple[Polygons, tuple[str, ...]]:
    """The polygons whose vertices all exist, and a warning if others were left out."""
    outside = (polygons.corners < 0) | (polygons.corners >= len(polygons.vertices))
    if not outside.any():
        return polygons, ()
    owner = np.repeat(np.arange(len(polygons.counts)), polygons.counts)
    chosen = np.ones(len(polygons.counts), bool)
    chosen[owner[outside]] = False
    lost = len(chosen) - int(chosen.sum())
    why = f"they refer to vertices beyond the {len(polygons.vertices)} of the file"
    return polygons.select(chosen), (f"{lost} of {len(chosen)} faces left out: {why}",)


def part(polygons: Polygons, color: Color = GREY, texture: Texture | None = None) -> Part:
    """One part of polygons whose vertices all exist, equal corners welded; a texture without valid uv is left out."""
    rows = triangles(polygons.vertices[polygons.corners], polygons.counts)
    uv = polygons.uv if texture is not None and polygons.uv is not None and _valid(polygons.uv) else None
    own = [values for values in (uv, polygons.colors) if values is not None]
    if not own:
        used, faces = np.unique(polygons.corners[rows], return_inverse=True)
        return Part(polygons.vertices[used], faces.reshape(-1, 3), color)
    first, number = _distinct(polygons.corners, own)
    return Part(
        vertices=polygons.vertices[polygons.corners[first]],
        faces=number[rows].astype(np.int64).reshape(-1, 3),
        color=color,
        uv=None if uv is None else uv[first],
        texture=None if uv is None else texture,
        colors=None if polygons.colors is None else polygons.colors[first],
    )


def _distinct(corners: np.ndarray, values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the distinct corners, and for each corner [C] its index among these.

    Column by column: `np.unique` of whole rows takes ten times as long.
    """
    columns = [np.ascontiguousarray(rows, np.float32).view(np.int64) for rows in values]  # two float32 each
    first, number = np.unique(corners, return_index=True, return_inverse=True)[1:]
    for column in np.concatenate(columns, axis=1).T:
        kind = np.unique(column, return_inverse=True)[1]
        first, number = np.unique(number * (kind.max() + 1) + kind, return_index=True, return_inverse=True)[1:]
    return first, number


def unit(values: Num[np.ndarray, "N components"]) -> Float32[np.ndarray, "N 4"]:
    """Colours of 3 or 4 components as RGBA in [0, 1]: scaled by type for 8 and 16-bit integers, else by magnitude.

    Floats below 2 are fractions: highlights or rounding may exceed 1 slightly.
    """
    scale = 255.0 if values.dtype == np.uint8 else 65535.0 if values.dtype == np.uint16 else None
    values = np.nan_to_num(values.astype(np.float64))
    if scale is None:
        scale = 255.0 if values.max(initial=0) >= 2 else 1.0
    opaque = np.ones((len(values), 4), np.float32)
    opaque[:, : values.shape[1]] = np.clip(values / scale, 0, 1)
    return opaque


def _valid(uv: np.ndarray) -> bool:
    return bool((np.abs(uv) < MAX_REPEATS).all())
