"""Whether the spread of a mesh tells where it is wrong, on test shapes.

    python -m benchmarks.spread --category=any --data=data/real_chair

For each view of a test shape, the vertices of the mesh are ranked by their spread and by their distance to the surface
of the true solid. Printed are the means over views of the rank correlation, and of the distance of the quarter of the
vertices that is most and least sure.
"""

from __future__ import annotations

import sys

import numpy as np
from absl import flags
from scipy import ndimage
from scipy.stats import spearmanr

from imfield_jax.commands.entry import run
from imfield_jax.dataset.mixture import open_mixture
from imfield_jax.evaluation.summary import bootstrap
from imfield_jax.inference.photo import Photo
from imfield_jax.inference.reconstructor import Reconstructor

_CATEGORY = flags.DEFINE_string("category", "any", "Shipped weights.")
_DATA = flags.DEFINE_list("data", None, "Prepared datasets with test shapes.", required=True)
_SHAPES = flags.DEFINE_integer(
    "shapes", 24, "Test shapes at most, spread over the split; a view of each.", lower_bound=2
)
_RESOLUTION = 64


def main() -> None:
    model, split = Reconstructor.shipped(_CATEGORY.value), open_mixture(_DATA.value, "test")
    rows = np.unique(np.linspace(0, len(split.names) - 1, _SHAPES.value).astype(int))
    found = []
    for row in rows.tolist():
        shape = split[row]
        try:
            made = model(Photo(shape.view(row % split.views), []), _RESOLUTION, spread=True)
        except ValueError as error:
            print(error, file=sys.stderr)
            continue
        distance, spread = distances(made.mesh.vertices, shape.solid), made.mesh.spread
        sure, unsure = (spread <= np.quantile(spread, 0.25)), (spread >= np.quantile(spread, 0.75))
        found.append((spearmanr(spread, distance).statistic, distance[sure].mean(), distance[unsure].mean()))
    print(f"{_CATEGORY.value} on {len(found)} views of {','.join(_DATA.value)}, distances in cube units\n")
    print("| rank correlation | distance of the surest quarter | of the least sure quarter |\n| --- | --- | --- |")
    parts = [bootstrap(list(column)) for column in zip(*found, strict=True)]
    print("| " + " | ".join(f"{part.mean:.3f} [{part.low:.3f}, {part.high:.3f}]" for part in parts) + " |")


def distances(points: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Of points [P, 3] in the cube to the surface of a solid [R, R, R], to a voxel."""
    resolution = len(solid)
    inside, outside = (ndimage.distance_transform_edt(part) for part in (solid, ~solid))
    voxels = np.clip(((points + 0.5) * resolution).astype(int), 0, resolution - 1)
    return ((inside + outside) / resolution)[tuple(voxels.T)]


if __name__ == "__main__":
    run(sys.modules[__name__])
