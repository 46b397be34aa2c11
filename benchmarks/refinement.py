"""What fitting shapes to the outline of the object (`extract --refine_to_picture`) does to meshes of test shapes.

    python -m benchmarks.refinement --data=data/real_chair

The means over shapes and views of the outlines' intersection over union, and of the mesh's IoU and Chamfer-L1 with the
true solid, before and after, with 95 % intervals of the differences over shapes.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys

import numpy as np
from absl import flags

from imfield_jax.commands.entry import run
from imfield_jax.coordinates import grid_points, occupancy_of_solid
from imfield_jax.dataset.rows import Row
from imfield_jax.dataset.storage import open_split
from imfield_jax.evaluation.metrics import chamfer_l1, match
from imfield_jax.evaluation.summary import bootstrap
from imfield_jax.inference.photo import Photo
from imfield_jax.inference.reconstructor import Reconstructor, Result
from imfield_jax.mesh.sampling import SurfacePoints, sample_surface
from imfield_jax.mesh.voxel_surface import true_surface
from imfield_jax.types import Mesh

_DATA = flags.DEFINE_list("data", [], "Prepared datasets to score.")
_CATEGORY = flags.DEFINE_string("category", "any", "Shipped weights.")
_SPLIT = flags.DEFINE_string("split", "test", "Split to score.")
_LIMIT = flags.DEFINE_integer("limit", 100, "Shapes to score of each dataset.", lower_bound=1)
_VIEWS = flags.DEFINE_integer("views", 2, "Views per shape, evenly spread.", lower_bound=1)
_RESOLUTION, _SAMPLES = 64, 20_000
_POINTS = grid_points(_RESOLUTION).reshape(-1, 3)


def main() -> None:
    model = Reconstructor.shipped(_CATEGORY.value)
    print(f"with {_CATEGORY.value}\n")
    print("| data | shapes | score | before | after | difference |\n| --- | --- | --- | --- | --- | --- |")
    for data in _DATA.value:
        rows = itertools.islice(open_split(data, _SPLIT.value), _LIMIT.value)
        scores = np.array([_scores(model, row) for row in rows])  # shapes, before or after, scores
        for number, name in enumerate(("outline IoU", "IoU", "Chamfer-L1")):
            before, after = scores[:, :, number].T
            gain = bootstrap(after - before)
            print(
                f"| {data} | {len(scores)} | {name} | {before.mean():.4f} | {after.mean():.4f} "
                f"| {gain.mean:+.4f} [{gain.low:.4f}, {gain.high:.4f}] |",
                flush=True,
            )


def _scores(model: Reconstructor, row: Row) -> np.ndarray:
    """Means over the views: before and after, outline IoU, IoU and Chamfer-L1."""
    inside, surface = occupancy_of_solid(row.solid, _POINTS).astype(bool), _sampled(true_surface(row.solid))
    found = []
    for number in (number * row.view_count // _VIEWS.value for number in range(_VIEWS.value)):
        photo = Photo(row.view(number), [])
        before, after = (model(photo, _RESOLUTION, refine_to_picture=refine) for refine in (False, True))
        outlines = after.outlines or (0.0, 0.0)
        found.append(
            [
                (overlap, *_of_solid(made, inside, surface))
                for overlap, made in zip(outlines, (before, after), strict=True)
            ]
        )
    return np.mean(found, axis=0)


def _of_solid(made: Result, inside: np.ndarray, surface: SurfacePoints) -> tuple[float, float]:
    """IoU and Chamfer-L1."""
    found = np.asarray(made.field(_POINTS)) > 0
    return (found & inside).sum() / (found | inside).sum(), chamfer_l1(match(_sampled(made.mesh), surface))


def _sampled(mesh: Mesh) -> SurfacePoints:
    return sample_surface(dataclasses.replace(mesh, normals=None), _SAMPLES, np.random.default_rng(0))


if __name__ == "__main__":
    run(sys.modules[__name__])
