"""Metrics of a reconstruction against the ground truth, each with its unit.

All surface metrics are functions of one `Match`: for two sets of surface points with normals, the
distance from every point to the nearest point of the other set, and how well the normals there
agree. Two k-d tree queries therefore serve all metrics.

Two conventions use the same names for different numbers; both are here, under names of their own:

    chamfer_l1  half the sum of the two mean distances, in cube units. Occupancy Networks prints
                ten times this in a frame whose longest box side is 1 (`onet_chamfer_l1`).
    chamfer_l2  the two mean squared distances added, in cube units squared. IM-NET and BSP-Net
                print a thousand times this in a frame whose box diagonal is 1 (`imnet_chamfer_l2`).

Empty sets have scores. Two empty sets agree perfectly. If just one is empty, every point of the other
counts as one diagonal of the cube away, sqrt(3), with no normal agreeing, so chamfer_l1 is sqrt(3),
chamfer_l2 is 6, all normals are off, normal consistency and F-score are 0 (the convention of Occupancy Networks).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float, Shaped

from imfield_jax import coordinates
from imfield_jax.mesh.sampling import SurfacePoints

CUBE_DIAGONAL = float(np.sqrt(3.0))


@dataclasses.dataclass(frozen=True)
class Match:
    """Nearest neighbours between a predicted surface (P points) and a true one (Q points).

    accuracy:             distance of each predicted point to the truth, cube units.
    completeness:         distance of each true point to the prediction, cube units.
    accuracy_normals:     |dot| of the normals of each predicted point and its neighbour.
    completeness_normals: the same from the truth's side.

    An empty side has a single entry, the worst case.
    """

    accuracy: Float[np.ndarray, " P"]
    completeness: Float[np.ndarray, " Q"]
    accuracy_normals: Float[np.ndarray, " P"]
    completeness_normals: Float[np.ndarray, " Q"]


def match(predicted: SurfacePoints, true: SurfacePoints) -> Match:
    """Nearest neighbours both ways; see the module docstring for empty sets."""
    if not len(predicted) or not len(true):
        both = len(predicted) == len(true)
        distance, agreement = np.full(1, 0.0 if both else CUBE_DIAGONAL), np.full(1, 1.0 if both else 0.0)
        return Match(distance, distance, agreement, agreement)
    accuracy, neighbour = true.nearest(predicted.points)
    accuracy_normals = _agreement(predicted.normals, true.normals[neighbour])
    completeness, neighbour = predicted.nearest(true.points)
    completeness_normals = _agreement(true.normals, predicted.normals[neighbour])
    return Match(accuracy, completeness, accuracy_normals, completeness_normals)


def _agreement(normals: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.abs(np.einsum("pc,pc->p", normals, others))


def volumetric_iou(predicted: Shaped[np.ndarray, " ..."], true: Shaped[np.ndarray, " ..."]) -> float:
    """Intersection over union of two solids sampled at the same points; 1 when both are empty.

    predicted: occupancy, inside above `coordinates.LEVEL` (a bool is its own occupancy).
    true:      bool or occupancy, the same points.

    Over points spread evenly in the cube this estimates the ratio of volumes.
    Raises ValueError when the shapes differ.
    """
    if predicted.shape != true.shape:
        raise ValueError(f"predicted and true occupancy differ in shape: {predicted.shape} and {true.shape}")
    inside, truly_inside = predicted > coordinates.LEVEL, true > coordinates.LEVEL
    union = np.count_nonzero(inside | truly_inside)
    return float(np.count_nonzero(inside & truly_inside) / union) if union else 1.0


def chamfer_l1(pair: Match) -> float:
    """Half the sum of mean accuracy and mean completeness, cube units."""
    return 0.5 * (float(pair.accuracy.mean()) + float(pair.completeness.mean()))


def chamfer_l2(pair: Match) -> float:
    """Mean squared distances of both directions added, cube units squared (IM-NET, BSP-Net)."""
    return float(np.square(pair.accuracy).mean() + np.square(pair.completeness).mean())


def normal_consistency(pair: Match) -> float:
    """Mean |dot| of neighbouring normals, averaged over both directions, in [0, 1]."""
    return 0.5 * (float(pair.accuracy_normals.mean()) + float(pair.completeness_normals.mean()))


def normals_off(pair: Match, degrees: float) -> float:
    """The share of points whose neighbour's normal differs by more than this angle, averaged over both directions.

    A ripple or a ragged edge turns normals long before it moves the surface.
    """
    least = float(np.cos(np.radians(degrees)))
    return 0.5 * (float((pair.accuracy_normals < least).mean()) + float((pair.completeness_normals < least).mean()))


def f_score(pair: Match, threshold: float) -> float:
    """Harmonic mean of precision and recall: the fractions of points with a neighbour within `threshold`.

    threshold: cube units; `protocols` uses a fraction of the truth's longest box side.
    """
    precision = float((pair.accuracy <= threshold).mean())
    recall = float((pair.completeness <= threshold).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def onet_chamfer_l1(pair: Match, longest_side: float) -> float:
    """Chamfer-L1 as Occupancy Networks prints it: in tenths of the truth's longest box side."""
    return 10.0 * chamfer_l1(pair) / longest_side


def imnet_chamfer_l2(pair: Match, diagonal: float) -> float:
    """Chamfer-L2 as IM-NET prints it: thousandths, in a frame where the truth's box diagonal is 1."""
    return 1000.0 * chamfer_l2(pair) / diagonal**2
