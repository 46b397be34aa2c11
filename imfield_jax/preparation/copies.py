"""Near copies among a user's meshes: a test on a copy of a training shape is meaningless."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float16

from imfield_jax.files import read_arrays, write_atomic
from imfield_jax.preparation.workers import run_jobs
from imfield_jax.sources import clusters
from imfield_jax.sources.scene import Scene
from imfield_jax.sources.shape import Listing, Shape
from imfield_jax.sources.splits import SPLITS, split_groups

CACHE = "surfaces.cache"  # in the work folder: points of each mesh, valid until its file changes

Done = Callable[[str, int, int], None]
"""Called as done(activity, number, total)."""


def settle_splits(
    listing: Listing, shapes: Sequence[Shape], cache: Path, limits: tuple[int, float, int], done: Done
) -> tuple[list[Shape], list[str]]:
    """`shapes` of `listing` with their final splits, and warnings about these, one line each.

    cache: a file for the points of the meshes. limits: processes, seconds and mebibytes as for `workers.run_jobs`.
    """
    if listing.copies == "ignored":
        return list(shapes), []
    groups = near_copies(shapes, cache, limits, done)
    split_of = {shape.name: shape.split for shape in shapes}
    if listing.copies == "together":
        split_of = split_groups(list(split_of), groups)
    apart = [group for group in groups if len({split_of[name] for name in group}) > 1]
    lines = [f"nearly the same mesh in several splits: {', '.join(f'{n} ({split_of[n]})' for n in g)}" for g in apart]
    if missing := [split for split in SPLITS if split not in split_of.values()]:
        lines.append(_without(missing, len(shapes)))
    return [dataclasses.replace(shape, split=split_of[shape.name]) for shape in shapes], lines


def near_copies(shapes: Sequence[Shape], cache: Path, limits: tuple[int, float, int], done: Done) -> list[list[str]]:
    """Names of near copies, in groups of two or more. A mesh that cannot be read has no copies."""
    known = _read(cache, shapes)
    missing = [shape for shape in shapes if shape.name not in known]
    try:
        for name, points in _sampled(missing, limits, done):
            known[name] = points
    finally:
        if missing:
            _write(cache, shapes, known)
    names = [shape.name for shape in shapes if shape.name in known]
    groups = clusters.copies(
        [known[name].astype(np.float64) for name in names],
        progress=lambda number: done("comparing meshes", number, len(names)),
    )
    return [[names[i] for i in group] for group in groups]


def surface_of(shape: Shape) -> Float16[np.ndarray, "n 3"]:
    """Points of a mesh, see `clusters.surface_points`. Runs in a worker process."""
    scene = shape.load()
    if not isinstance(scene, Scene):
        raise ValueError(f"{shape.name}: expected a mesh, found a shape that is already prepared")
    return clusters.surface_points(scene).astype(np.float16)


def _sampled(shapes: Sequence[Shape], limits: tuple[int, float, int], done: Done) -> Iterator[tuple[str, np.ndarray]]:
    for count, (number, points, _) in enumerate(run_jobs(surface_of, shapes, *limits), start=1):
        if points is not None:
            yield shapes[number].name, points
        done("sampling surfaces", count, len(shapes))


def _read(cache: Path, shapes: Sequence[Shape]) -> dict[str, np.ndarray]:
    """The points of those shapes whose files have not changed."""
    try:
        arrays = read_arrays(cache)
    except (OSError, ValueError):
        return {}
    keys = {f"{shape.name}\n{shape.stamp}": shape.name for shape in shapes}
    return {keys[k]: points for k, points in zip(arrays["keys"].tolist(), arrays["points"], strict=True) if k in keys}


def _write(cache: Path, shapes: Sequence[Shape], known: dict[str, np.ndarray]) -> None:
    keys = [f"{shape.name}\n{shape.stamp}" for shape in shapes if shape.name in known]
    points = [known[shape.name] for shape in shapes if shape.name in known]
    contents = io.BytesIO()
    np.savez(contents, keys=np.array(keys), points=np.array(points))
    write_atomic(cache, contents.getvalue())


def _without(missing: list[str], count: int) -> str:
    meaning = {
        "train": "nothing can be trained",
        "validation": "validation uses training shapes",
        "test": "evaluation has no held-out shapes",
    }
    what = "; ".join(f"none in {split}, so {meaning[split]}" for split in missing)
    return f"of {count} shapes there are {what} (more meshes or a split.csv would help)"
