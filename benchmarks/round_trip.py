"""Solids exported to Occupancy Networks' layout and imported again: how much of each survives.

    python -m benchmarks.round_trip
    python -m benchmarks.round_trip --data=data/car,data/chair,data/airplane --count=6

A row per solid: intersection over union with what is rebuilt from 100,000 points of its surface in half precision, and
CPU seconds. Without --data, the analytic solids only, the bulky ones and the thin walls that are hard.
"""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from absl import flags

from imfield_jax.commands.entry import run
from imfield_jax.coordinates import SOLID_RESOLUTION, grid_points
from imfield_jax.dataset.storage import open_split
from imfield_jax.interchange.occupancy_networks import placement, surface_points
from imfield_jax.preparation.solidify.cloud import solid_of_cloud
from imfield_jax.sources.occupancy_networks import TO_OURS, to_ours

_DATA = flags.DEFINE_list("data", [], "Prepared datasets whose test shapes are tried too.")
_COUNT = flags.DEFINE_integer("count", 6, "Test shapes of each dataset.", lower_bound=1)
_VOXEL = 1 / SOLID_RESOLUTION

Solid = Callable[[np.ndarray], np.ndarray]  # points [..., 3] -> inside [...]


def box(half: tuple[float, float, float], center: tuple[float, float, float] = (0, 0, 0)) -> Solid:
    return lambda points: (np.abs(points - np.float32(center)) < np.float32(half)).all(-1)


def ball(radius: float) -> Solid:
    return lambda points: np.linalg.norm(points, axis=-1) < radius


def shell(outer: Solid, inner: Solid) -> Solid:
    return lambda points: outer(points) & ~inner(points)


def union(*solids: Solid) -> Solid:
    return lambda points: np.any([solid(points) for solid in solids], axis=0)


def torus(points: np.ndarray) -> np.ndarray:
    return np.hypot(np.hypot(points[..., 0], points[..., 2]) - 0.32, points[..., 1]) < 0.13


def cone(points: np.ndarray) -> np.ndarray:
    radius = np.hypot(points[..., 0], points[..., 2])
    return (radius < (0.45 - points[..., 1]) / 2) & (np.abs(points[..., 1]) < 0.45)


ANALYTIC: dict[str, Solid] = {
    "box of 0.9": box((0.45, 0.45, 0.45)),
    "the whole cube": box((1, 1, 1)),
    "slab, 51 voxels": box((0.45, 0.1, 0.45)),
    "slab, 2 voxels": box((0.45, _VOXEL, 0.45)),
    "ball of 0.9": ball(0.45),
    "torus": torus,
    "cone": cone,
    "sofa": union(
        box((0.45, 0.1, 0.2), (0, -0.1, 0)),
        box((0.45, 0.2, 0.05), (0, 0, 0.17)),
        box((0.05, 0.16, 0.2), (0.4, -0.04, 0)),
        box((0.05, 0.16, 0.2), (-0.4, -0.04, 0)),
    ),
    "hollow ball, wall of 26 voxels": shell(ball(0.45), ball(0.35)),
    "hollow ball, wall of 3 voxels": shell(ball(0.45), ball(0.45 - 3 * _VOXEL)),
    "hollow ball, wall of 2 voxels": shell(ball(0.45), ball(0.45 - 2 * _VOXEL)),
    "hollow box, wall of 3 voxels": shell(box((0.45,) * 3), box((0.45 - 3 * _VOXEL,) * 3)),
    "12 boards of 6 voxels": union(*(box((0.4, 0.4, 3 * _VOXEL), (0, 0, z)) for z in np.linspace(-0.4, 0.4, 12))),
}


def main() -> None:
    print("| solid | IoU | seconds |")
    print("| --- | --- | --- |")
    scores = []
    for name, solid in _solids():
        iou, seconds = round_trip(name, solid)
        scores.append(iou)
        print(f"| {name} | {iou:.4f} | {seconds:.1f} |", flush=True)
    print(f"\n{len(scores)} solids: mean IoU {np.mean(scores):.4f}, lowest {min(scores):.4f}")


def _solids() -> Iterator[tuple[str, np.ndarray]]:
    points = grid_points(SOLID_RESOLUTION)
    for name, solid in ANALYTIC.items():
        yield name, solid(points)
    for data in _DATA.value:
        split = open_split(data, "test")
        for row in np.linspace(0, len(split) - 1, min(_COUNT.value, len(split))).round().astype(int).tolist():
            yield split.names[row], split[row].solid


def round_trip(name: str, solid: np.ndarray) -> tuple[float, float]:
    """IoU of a solid with the one rebuilt from its file, and CPU seconds for rebuilding it."""
    place = placement(solid)
    file = surface_points(solid, place, np.random.default_rng(zlib.crc32(name.encode())))
    start = time.process_time()
    rebuilt = solid_of_cloud(to_ours(file["points"], place), file["normals"] @ TO_OURS.T)
    seconds = time.process_time() - start
    return float((rebuilt & solid).sum() / (rebuilt | solid).sum()), seconds


if __name__ == "__main__":
    run(sys.modules[__name__])
