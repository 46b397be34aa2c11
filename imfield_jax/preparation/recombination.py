"""More shapes from few: parts of two meshes put together, such as the front of a car and the rear of another.

Objects are cut below and above, in front and behind, or at both sides of the middle (wings and fuselage), where their
cross-sections fit best, and the second is moved and scaled so that its cross-section covers that of the first. Solids
are cut as well as surfaces, because a surface that is cut is no longer closed.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple, cast

import numpy as np
from jaxtyping import Bool, Float64
from trimesh.intersections import slice_faces_plane

from imfield_jax.coordinates import HALF, containing_cell, index_to_point
from imfield_jax.sources import credits
from imfield_jax.sources.derived import combination
from imfield_jax.sources.scene import Part, Placement, Scene, place
from imfield_jax.sources.shape import OWN_LONGEST_SIDE, Partial, Shape

_CUTS = 24  # that are compared across an axis
_WHERE = ((0.15, 0.6), (0.25, 0.75), (0.3, 0.7))  # cuts across x, y and z, as shares of the extent (x: of half of it)
_SAMPLES = 48  # per axis of cross-sections that are compared
_GOOD_FIT = 0.5  # see `_cuts`; with less, cuts across other axes are tried


class Cut(NamedTuple):
    """Where two objects in the cube are cut, and how the second is moved and scaled.

    axis:  across which they are cut. The first keeps what is below its cut (y), in front of it (z) or between it and
           its mirror image (x), the second what is on the other side.
    first, second: coordinate of the cut in each.
    scale: of the second along each axis.
    centers: points of the first and the second that come to lie in one place; across `axis`, the cuts.
    """

    axis: int
    first: float
    second: float
    scale: Float64[np.ndarray, " 3"]
    centers: Float64[np.ndarray, "2 3"]


def recombined(shapes: Sequence[Shape], count: int, seed: int) -> list[Shape]:
    """Up to `count` combinations of each training shape with another one, for training.

    Loading one raises ValueError where a source has no mesh, and for two objects without cross-sections to join.
    """
    training = [shape for shape in shapes if shape.split == "train"]
    made = []
    for first in training:
        others = [shape for shape in training if shape.name != first.name]
        chosen = _generator(seed, first.name).permutation(len(others))[:count]
        made += [_combined(first, others[number], seed) for number in chosen]
    return made


def recombine(first: Scene, second: Scene, longest_side: float | None, rng: np.random.Generator) -> Partial:
    """Parts of two scenes in one object in the cube: its scene, solid and placement, in units of the first.

    longest_side: of the object, as for `scene.place`; None gives it the diagonal of the first.

    Raises ValueError if one encloses no volume or there are no cross-sections to join.
    """
    from imfield_jax.preparation.solidify import solidify  # needs the packages of the extra `data`

    placed = [place(scene, OWN_LONGEST_SIDE) for scene in (first, second)]
    solids = [solidify(scene) for scene, _ in placed]
    if not all(solid.occupancy.any() for solid in solids):
        raise ValueError("one of the two meshes to combine encloses no volume, not even one voxel")
    cut = best_cut(solids[0].occupancy, solids[1].occupancy, rng)
    scene = Scene((*_inner(placed[0][0], cut), *_outer(placed[1][0], cut)))
    again, before = _placement(scene, longest_side, first), placed[0][1]
    parts = tuple(dataclasses.replace(part, vertices=again.to_cube(part.vertices)) for part in scene.parts)
    warnings = [*first.warnings, *second.warnings]
    for solid in solids:
        warnings += cast("list[str]", solid.diagnostics["warnings"])
    return Partial(
        {
            "solid": joined(solids[0].occupancy, solids[1].occupancy, cut, again),
            "diagnostics": {"path": "recombined", "warnings": warnings},
            "center": (before.center + again.center / before.scale).astype(np.float32),
            "scale": np.float32(again.scale * before.scale),
        },
        Scene(parts),
    )


def best_cut(first: Bool[np.ndarray, "R R R"], second: Bool[np.ndarray, "R R R"], rng: np.random.Generator) -> Cut:
    """The cut of two solids whose cross-sections fit best, across an axis drawn at random.

    Where no cross-sections fit well, the other axes are tried, and the best of all cuts is taken. Raises ValueError if
    there is none.
    """
    best: tuple[float, Cut] | None = None
    for axis in rng.permutation(3).tolist():
        for fit, cut in _cuts(first, second, axis, rng):
            if best is None or fit > best[0]:
                best = fit, cut
        if best is not None and best[0] >= _GOOD_FIT:
            break
    if best is None:
        raise ValueError("expected two objects of similar cross-sections to combine, found none")
    return best[1]


def joined(
    first: Bool[np.ndarray, "R R R"], second: Bool[np.ndarray, "R R R"], cut: Cut, placement: Placement
) -> Bool[np.ndarray, "R R R"]:
    """The solid of a combination, moved in the cube.

    placement: of the combination before it is moved.
    """
    axis = index_to_point(np.arange(len(first)), len(first)) / placement.scale
    mine = [axis + center for center in placement.center]
    across = np.abs(mine[0]) if cut.axis == 0 else mine[cut.axis]
    inner = np.expand_dims(across < cut.first, [i for i in range(3) if i != cut.axis])
    other = [(points - to) / scale + of for points, scale, to, of in zip(mine, cut.scale, *cut.centers, strict=True)]
    if cut.axis == 0:
        outside = (across - cut.first) / cut.scale[0] + cut.second
        other[0] = np.where(mine[0] < 0, -outside, outside)
    return np.where(inner, _sampled(first, mine), _sampled(second, other))


def _cuts(first: np.ndarray, second: np.ndarray, axis: int, rng: np.random.Generator) -> Iterator[tuple[float, Cut]]:
    """Random cuts across an axis, each with its fit: the intersection over union of the scaled cross-sections, divided
    by the larger factor of stretching or squeezing.
    """
    for _ in range(_CUTS):
        (at, one), (other_at, other) = (_section(solid, axis, rng.uniform(*_WHERE[axis])) for solid in (first, second))
        if not (one.any() and other.any()):
            continue
        boxes = np.array([_box(section) for section in (one, other)])  # solid, axis, end
        centers, extents = boxes.mean(axis=2), np.ptp(boxes, axis=2)
        scale = extents[0] / extents[1]
        samples = [_stretched(section, box) for section, box in zip((one, other), boxes, strict=True)]
        overlap = np.logical_and(*samples).sum() / np.logical_or(*samples).sum()
        fit = overlap / max(scale.max(), 1 / scale.min())
        places = np.insert(centers / len(first) - HALF, axis, [at, other_at], axis=1)
        yield float(fit), Cut(axis, at, other_at, np.insert(scale, axis, np.sqrt(scale.prod())), places)


def _section(solid: np.ndarray, axis: int, share: float) -> tuple[float, np.ndarray]:
    """The coordinate of a cross-section at a share of the extent, and its cells; of x, from the middle."""
    filled = np.flatnonzero(solid.any(axis=tuple(i for i in range(3) if i != axis)))
    low, high = (filled[0], filled[-1] + 1) if axis else (len(solid) / 2, filled[-1] + 1)
    cell = int(low + share * (high - low))
    return (cell + 1) / len(solid) - HALF, solid.take(cell, axis=axis)


def _box(section: np.ndarray) -> list[tuple[int, int]]:
    """First cell and end of what is full, along both axes."""
    filled = [np.flatnonzero(section.any(axis=1 - axis)) for axis in range(2)]
    return [(int(cells[0]), int(cells[-1]) + 1) for cells in filled]


def _stretched(section: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Samples of what is within a box, as many along both axes."""
    shares = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    return section[np.ix_(*((low + shares * (high - low)).astype(int) for low, high in box))]


def _sampled(solid: np.ndarray, coordinates: Sequence[np.ndarray]) -> np.ndarray:
    """A solid at the points of a grid with these coordinates along each axis; outside the cube it is empty."""
    cells = solid[np.ix_(*(containing_cell(points, len(solid)) for points in coordinates))]
    x, y, z = (np.abs(points) < HALF for points in coordinates)
    return cells & x[:, None, None] & y[:, None] & z


def _inner(scene: Scene, cut: Cut) -> list[Part]:
    """What the first scene keeps."""
    parts = [_clipped(part, cut.axis, -1, cut.first) for part in scene.parts]
    if cut.axis == 0:
        parts = [_clipped(part, 0, 1, -cut.first) for part in parts]
    return [part for part in parts if len(part.faces)]


def _outer(scene: Scene, cut: Cut) -> list[Part]:
    """What the second scene keeps, moved and scaled to its place."""
    to, of = cut.centers
    kept = []
    for side in (1, -1) if cut.axis == 0 else (1,):
        mirrored = np.array([side, 1, 1])
        for part in scene.parts:
            clipped = _clipped(part, cut.axis, side, side * cut.second)
            vertices = ((clipped.vertices * mirrored - of) * cut.scale + to) * mirrored
            kept.append(dataclasses.replace(clipped, vertices=vertices))
    return [part for part in kept if len(part.faces)]


def _clipped(part: Part, axis: int, side: int, at: float) -> Part:
    """What of a part is on one side of a plane: where `side` times the coordinate is larger than that of the plane."""
    fields = [array for array in (part.uv, part.colors) if array is not None]
    of_vertices = np.concatenate([np.zeros((len(part.vertices), 0)), *fields], axis=1)
    plane = np.eye(3)[axis]
    with np.errstate(divide="ignore", invalid="ignore"):  # triangles without area
        vertices, faces, found = slice_faces_plane(part.vertices, part.faces, side * plane, at * plane, uv=of_vertices)
    found = np.nan_to_num(found) if len(faces) else np.zeros((0, of_vertices.shape[1]))
    of = 0 if part.uv is None else 2
    return dataclasses.replace(
        part,
        vertices=np.asarray(vertices, np.float64),
        faces=np.asarray(faces, np.int64),
        uv=None if part.uv is None else found[:, :of].astype(np.float32),
        colors=None if part.colors is None else found[:, of:].astype(np.float32),
    )


def _placement(scene: Scene, longest_side: float | None, first: Scene) -> Placement:
    """Of a combination; `first` is the scene that gives it its size if `longest_side` is None."""
    from imfield_jax.preparation.rendering import diagonal  # needs the extra `data`, too

    _, unit = place(scene, 1.0)
    if longest_side is None:
        longest_side = diagonal(first) / (diagonal(scene) * unit.scale)
    return Placement(unit.center, unit.scale * longest_side)


def _combined(first: Shape, second: Shape, seed: int) -> Shape:
    name = combination(first.name, second.name)
    return dataclasses.replace(
        first,
        name=name,
        load=partial(_load, first, second, name, seed),
        credit=credits.joined(first.credit, second.credit),
        stamp=f"{first.stamp}; {second.stamp}" if first.stamp or second.stamp else "",
    )


def _load(first: Shape, second: Shape, name: str, seed: int) -> Partial:
    one, other = first.load(), second.load()
    if not isinstance(one, Scene) or not isinstance(other, Scene):
        raise ValueError(f"{name}: expected two meshes to combine, found a shape that is already prepared")
    return recombine(one, other, first.longest_side, _generator(seed, name))


def _generator(seed: int, name: str) -> np.random.Generator:
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[16:24], "little")])
