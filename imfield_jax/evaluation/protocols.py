"""The evaluation protocol: one shape's prediction scored against its ground truth.

All scores follow one protocol, so that numbers of the same name are comparable:

  * occupancy is compared at random voxel centres of the whole cube, where the truth is exact (Occupancy
    Networks draws points in a box of side 1.1 instead, with labels from the mesh), of the field itself, floaters
    included;
  * surfaces are compared at 100,000 points each, uniform over the area, as Occupancy Networks
    does. The prediction's mesh is that of `imfield extract`, without floaters; its normals are those
    of its faces, so that roughness is penalised; the truth's are smooth (see `mesh.voxel_surface`);
  * the F-score's threshold is 1 % of the longest side of the truth's bounding box (Tatarchenko et al.
    2019, "What do single-view 3D reconstruction networks learn?");
  * IM-NET's own two numbers are computed from 4,096 points each, as its authors did: Chamfer distances depend on
    the number of points.

Points are random, so the distance to even a perfect surface is not 0: about 0.5 / sqrt(points per unit of area),
0.0015 cube units for a surface of area 0.5 at 100,000 points.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import pathlib
from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from imfield_jax import coordinates
from imfield_jax.evaluation import metrics
from imfield_jax.files import write_atomic
from imfield_jax.mesh.sampling import SurfacePoints, sample_surface
from imfield_jax.mesh.voxel_surface import true_surface
from imfield_jax.types import Array, Mesh

POINTS = 100_000  # points in the cube, and on each surface
IMNET_POINTS = 4_096
F_SCORE_FRACTION = 0.01
OFF_DEGREES = 20.0

# Name -> whether higher is better, in the order of tables and CSV columns.
METRICS = {
    "iou": True,
    "chamfer_l1": False,
    "chamfer_l2": False,
    "normal_consistency": True,
    "normals_off_20": False,
    "f_score": True,
    "onet_chamfer_l1": False,
    "imnet_chamfer_l2": False,
    "imnet_normal_consistency": True,
}

UNITS = {
    "iou": "volume of the intersection over volume of the union",
    "chamfer_l1": "half the sum of both mean distances, in sides of the cube",
    "chamfer_l2": "both mean squared distances added, in sides of the cube, squared",
    "normal_consistency": "mean |dot| of nearest normals, both directions averaged",
    "normals_off_20": "share of nearest normals that differ by more than 20 degrees, both directions averaged",
    "f_score": "at 1 % of the longest side of the truth's bounding box",
    "onet_chamfer_l1": "chamfer_l1 in tenths of the longest side of the truth's bounding box",
    "imnet_chamfer_l2": "chamfer_l2 in thousandths of the squared diagonal of the truth's box, at 4,096 points",
    "imnet_normal_consistency": "normal_consistency at 4,096 points",
}


@dataclasses.dataclass(frozen=True)
class Truth:
    """The ground truth of a shape, sampled once and used for all predictions.

    points:    in the cube, where occupancy is compared.
    surface:   points and normals of the true surface.
    """

    points: Float32[np.ndarray, "P 3"]
    occupancy: Bool[np.ndarray, " P"]
    surface: SurfacePoints


@dataclasses.dataclass(frozen=True)
class Prediction:
    """A reconstruction: its mesh (may be empty) and its occupancy at the truth's points.

    smooth: take the mesh's own normals and not those of its faces. For true surfaces of other shapes
            (retrieval), whose faces show the staircase of voxels; see `mesh.voxel_surface`.
    """

    mesh: Mesh
    occupancy: Shaped[Array, " P"]
    smooth: bool = False


def truth_of(solid: Shaped[np.ndarray, "R R R"], rng: np.random.Generator, count: int = POINTS) -> Truth:
    """The truth of a solid: `count` points in the cube and `count` on the surface."""
    resolution = solid.shape[0]
    index = rng.integers(resolution, size=(count, 3))
    points = coordinates.index_to_point(index, resolution).astype(np.float32)
    occupancy = np.asarray(solid, bool)[tuple(index.T)]
    return Truth(points, occupancy, sample_surface(true_surface(solid), count, rng))


def score(prediction: Prediction, truth: Truth, rng: np.random.Generator) -> dict[str, float]:
    """Every metric of `METRICS` for one shape; `rng` draws the points on the predicted surface.

    Raises ValueError when the occupancies differ in shape.
    """
    mesh = prediction.mesh if prediction.smooth else dataclasses.replace(prediction.mesh, normals=None)
    surface = sample_surface(mesh, len(truth.surface) or POINTS, rng)
    return score_surfaces(surface, truth.surface) | {
        "iou": metrics.volumetric_iou(np.asarray(prediction.occupancy), truth.occupancy)
    }


def score_surfaces(predicted: SurfacePoints, true: SurfacePoints) -> dict[str, float]:
    """The metrics that need surface points only.

    The two published units are relative to the size of the truth; a truth without a surface, which
    has no size, is measured against the cube.
    """
    side, diagonal = _size(true)
    pair = metrics.match(predicted, true)
    few = metrics.match(predicted.first(IMNET_POINTS), true.first(IMNET_POINTS))
    return {
        "chamfer_l1": metrics.chamfer_l1(pair),
        "chamfer_l2": metrics.chamfer_l2(pair),
        "normal_consistency": metrics.normal_consistency(pair),
        "normals_off_20": metrics.normals_off(pair, OFF_DEGREES),
        "f_score": metrics.f_score(pair, F_SCORE_FRACTION * side),
        "onet_chamfer_l1": metrics.onet_chamfer_l1(pair, side),
        "imnet_chamfer_l2": metrics.imnet_chamfer_l2(few, diagonal),
        "imnet_normal_consistency": metrics.normal_consistency(few),
    }


def _size(true: SurfacePoints) -> tuple[float, float]:
    """Longest side and diagonal of the bounding box."""
    if not len(true):
        return 1.0, metrics.CUBE_DIAGONAL
    sides = np.ptp(true.points, axis=0)
    return float(sides.max()), float(np.linalg.norm(sides))


def write_scores(path: str | pathlib.Path, rows: Iterable[Mapping[str, object]]) -> None:
    """A CSV of one line per scored shape: the rows' own columns first, then `METRICS` in order.

    rows: each has the same keys, among them every metric. Without rows, the metrics are the only columns.
    """
    rows = list(rows)
    own = [key for key in (rows[0] if rows else {}) if key not in METRICS]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*own, *METRICS], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: f"{value:.6g}" if key in METRICS else value for key, value in row.items()})
    write_atomic(path, text.getvalue())
