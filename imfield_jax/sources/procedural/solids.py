"""Closed solids and their combinations: the geometry kit of the generators.

Every function returns a `manifold3d.Manifold`, which is closed and outward-oriented after
any operation, and so is every part of a scene. Axes are those of the
model: x right, y up, front -z.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float64
from manifold3d import CrossSection, FillRule, Manifold, Mesh64, OpType
from numpy.typing import ArrayLike

from imfield_jax.sources.scene import Part, Scene

Color = tuple[float, float, float, float]
Point = tuple[float, float, float]
Piece = tuple[Color, Manifold]

MIN_VOLUME = 1e-6  # of a piece, in a model of diagonal 1: smaller ones are by-products of cuts
DECIMALS = 7  # of coordinates in files
STEP_APART = 2e-6
SHORTEST_EDGE = 2e-4  # of the diagonal: slivers left by booleans would be lost in the text of an OBJ


def rounded(
    corners: Float64[np.ndarray, "*shape C D"], setback: ArrayLike, steps: int = 3
) -> Float64[np.ndarray, "*shape N D"]:
    """Closed polygons with their corners rounded, N = C (steps + 1).

    setback: distance from each corner at which its curve begins, broadcast to [..., C]; clipped to
    just under half of the shorter edge, so that the outline never intersects itself and the number
    of points is constant, as a loft requires.
    """
    corners = np.asarray(corners, np.float64)
    before = np.roll(corners, 1, axis=-2) - corners
    after = np.roll(corners, -1, axis=-2) - corners
    lengths = np.linalg.norm(before, axis=-1), np.linalg.norm(after, axis=-1)
    reach = np.minimum(setback, 0.49 * np.minimum(*lengths))
    start = corners + before * (reach / np.maximum(lengths[0], 1e-9))[..., None]
    end = corners + after * (reach / np.maximum(lengths[1], 1e-9))[..., None]
    t = np.linspace(0, 1, steps + 1)[:, None]
    curve = (1 - t) ** 2 * start[..., None, :] + 2 * t * (1 - t) * corners[..., None, :] + t**2 * end[..., None, :]
    return curve.reshape(*corners.shape[:-2], -1, corners.shape[-1])


def bent(path: ArrayLike, setback: float, steps: int = 4) -> Float64[np.ndarray, "N D"]:
    """An open path with its inner corners rounded: [C, D] -> [2 + (C - 2) * (steps + 1), D]."""
    path = np.asarray(path, np.float64)
    curves = rounded(path, setback, steps).reshape(len(path), steps + 1, -1)
    return np.concatenate([path[:1], curves[1:-1].reshape(-1, path.shape[1]), path[-1:]])


def loft(rings: Float64[np.ndarray, "S N 3"]) -> Manifold:
    """Skin over a sequence of rings, closed by a fan at each end.

    Each end ring must be star-shaped about its mean. Rings may have either orientation.
    """
    stations, count = rings.shape[:2]
    vertices = np.concatenate([rings.reshape(-1, 3), rings[:1].mean(axis=1), rings[-1:].mean(axis=1)])
    near = np.arange(stations * count).reshape(stations, count)
    far = np.roll(near, -1, axis=1)
    quads = np.stack([near[:-1], far[:-1], far[1:], near[1:]], axis=-1).reshape(-1, 4)
    first = np.stack([far[0], near[0], np.full(count, stations * count)], axis=-1)
    last = np.stack([near[-1], far[-1], np.full(count, stations * count + 1)], axis=-1)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], first, last])
    corner = vertices[faces]
    if np.einsum("fi,fi->", corner[:, 0], np.cross(corner[:, 1], corner[:, 2])) < 0:
        faces = faces[:, ::-1]
    return Manifold(Mesh64(vertices, np.ascontiguousarray(faces, np.uint64)))


def outline(polygon: ArrayLike) -> CrossSection:
    """A planar region from one closed polygon, [N, 2], of either orientation."""
    return CrossSection([np.asarray(polygon, np.float64)], FillRule.NonZero)


def _region(shape: CrossSection | ArrayLike) -> CrossSection:
    return shape if isinstance(shape, CrossSection) else outline(shape)


def along_x(shape: CrossSection | ArrayLike, low: float, high: float) -> Manifold:
    """Extrude a side view, a region or polygon of points (z, y), from x = low to x = high."""
    region = _region(shape).mirror((1, 0))
    return Manifold.extrude(region, high - low).rotate((0, 90, 0)).translate((low, 0, 0))


def along_z(shape: CrossSection | ArrayLike, low: float, high: float) -> Manifold:
    """Extrude a front view, a region or polygon of points (x, y), from z = low to z = high."""
    return Manifold.extrude(_region(shape), high - low).translate((0, 0, low))


def turned(profile: ArrayLike, axis: str, center: Point = (0.0, 0.0, 0.0), segments: int = 32) -> Manifold:
    """Revolve a closed polygon of (radius, position along the axis) about "x", "y" or "z"."""
    turn = {"x": (0, 90, 0), "y": (-90, 0, 0), "z": (0, 0, 0)}[axis]
    return Manifold.revolve(outline(profile), segments).rotate(turn).translate(center)


def block(size: Point, center: Point, radius: float = 0.0, steps: int = 2) -> Manifold:
    """A box of `size` about `center` with its edges and corners rounded in `steps` facets."""
    half = np.asarray(size, np.float64) / 2
    radius = min(radius, 0.999 * half.min())
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    if radius <= 0:
        return Manifold.hull_points(signs * half + center)
    turn, lift = np.meshgrid(*[np.linspace(0, np.pi / 2, steps + 1)] * 2)
    towards = np.stack([np.cos(turn) * np.cos(lift), np.sin(lift), np.sin(turn) * np.cos(lift)], axis=-1)
    points = (signs * (half - radius))[:, None] + signs[:, None] * towards.reshape(-1, 3) * radius
    return Manifold.hull_points(points.reshape(-1, 3) + center)


def ball(radii: Point, center: Point, segments: int = 20) -> Manifold:
    """An ellipsoid with three half axes."""
    return Manifold.sphere(1.0, segments).scale(tuple(radii)).translate(tuple(center))


def tube(path: Sequence[ArrayLike] | Float64[np.ndarray, "S 3"], radius: ArrayLike, segments: int = 12) -> Manifold:
    """A bar that follows a path, [S, 3], with one radius or one per point; 4 segments make it square."""
    path = np.asarray(path, np.float64)
    radius = np.broadcast_to(np.asarray(radius, np.float64), len(path))
    steps = np.diff(path, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    tangents = np.concatenate([steps[:1], steps[:-1] + steps[1:], steps[-1:]])
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    # One fixed axis for the whole path, the least aligned with it, keeps the section from twisting.
    side = np.cross(np.eye(3)[np.argmin(np.abs(tangents).max(axis=0))], tangents)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    rise = np.cross(tangents, side)
    angle = (np.arange(segments) + 0.5)[:, None] * (2 * np.pi / segments)
    section = np.cos(angle) * side[:, None] + np.sin(angle) * rise[:, None]
    size = radius * (np.sqrt(2) if segments == 4 else 1)
    return loft(path[:, None] + size[:, None, None] * section)


def slab(plan: Float64[np.ndarray, "N 2"], low: float, high: float, edge: float) -> Manifold:
    """A plate: a plan of points (x, z) between two heights, with rims rounded by `edge`."""
    plan = np.asarray(plan, np.float64)
    edge = min(edge, 0.49 * (high - low))
    middle = (plan.max(axis=0) + plan.min(axis=0)) / 2
    shrink = 1 - edge / (np.ptp(plan, axis=0) / 2)
    rings = []
    for height, fraction in ((low, 1.0), (low + 0.3 * edge, 0.3), (low + edge, 0.0),
                          (high - edge, 0.0), (high - 0.3 * edge, 0.3), (high, 1.0)):  # fmt: skip
        ring = middle + (plan - middle) * (1 - fraction * (1 - shrink))
        rings.append(np.stack([ring[:, 0], np.full(len(ring), height), ring[:, 1]], axis=-1))
    return loft(np.array(rings))


def covers(plan: Float64[np.ndarray, "N 2"], x: float, z: float) -> bool:
    """Whether a point lies in a convex plan that contains the origin."""
    after = np.roll(plan, -1, axis=0)
    turn = (after[:, 0] - plan[:, 0]) * (z - plan[:, 1]) - (after[:, 1] - plan[:, 1]) * (x - plan[:, 0])
    return bool((turn >= 0).all() or (turn <= 0).all())


def mirrored(solid: Manifold) -> Manifold:
    """The solid united with its mirror image across x = 0."""
    return solid + solid.mirror((1, 0, 0))


def union(solids: Iterable[Manifold]) -> Manifold:
    return Manifold.batch_boolean(list(solids), OpType.Add)


def as_scene(pieces: Sequence[Piece]) -> Scene:
    """One part per colour, the scene centred by its bounding box with a diagonal of 1 (ShapeNet v2).

    Pieces of one colour are united, so no part overlaps itself.
    """
    groups: dict[Color, list[Manifold]] = {}
    for color, solid in pieces:
        groups.setdefault(color, []).append(solid)
    solids = {color: union(group) for color, group in groups.items()}
    bounds = np.array([solid.bounding_box() for solid in solids.values() if not solid.is_empty()])
    low, high = bounds[:, :3].min(axis=0), bounds[:, 3:].max(axis=0)
    scale = 1.0 / float(np.linalg.norm(high - low))
    parts = []
    for color, solid in solids.items():
        moved = solid.translate(tuple(-(low + high) / 2)).scale((scale,) * 3).simplify(SHORTEST_EDGE)
        kept = [body for body in moved.decompose() if body.volume() > MIN_VOLUME]
        if kept:
            mesh = Manifold.compose(kept).to_mesh64()
            faces = mesh.tri_verts.astype(np.int64)
            parts.append(Part(_apart(mesh.vert_properties[:, :3], faces), faces, color))
    return Scene(tuple(parts))


def _apart(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The vertices, with coincident ones moved inwards by different small steps.

    Where two surfaces touch, a solid has several vertices at one point. A reader of the file would
    weld them, and edges would no longer have exactly two triangles each.
    """
    places, counts = np.unique(np.round(vertices, DECIMALS), axis=0, return_inverse=True, return_counts=True)[1:]
    if counts.max() == 1:
        return np.array(vertices)
    order = np.argsort(places, kind="stable")
    rank = np.empty(len(vertices))
    rank[order] = np.arange(len(vertices)) - np.repeat(np.cumsum(counts) - counts, counts)
    corner = vertices[faces]
    normals = np.zeros_like(vertices)
    flat = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    np.add.at(normals, faces.ravel(), np.repeat(flat, 3, axis=0))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    return vertices - normals * (rank * STEP_APART)[:, None]
