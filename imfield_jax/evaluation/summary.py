"""Summaries of scores over shapes: means with bootstrap confidence intervals.

Intervals are percentile bootstrap over shapes (Efron 1979): the shapes are resampled with replacement,
and the middle 95 % of the means is the interval. Differences between two methods are taken shape by
shape before that, because hard shapes are hard for both and the difference varies far less than either mean.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from scipy import stats

from imfield_jax.evaluation.protocols import METRICS

RESAMPLES = 2_000
CONFIDENCE = 0.95

Scores = Sequence[Mapping[str, float]]  # one mapping with every metric per shape


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean over shapes, and the confidence interval [low, high] around it."""

    mean: float
    low: float
    high: float


def bootstrap(values: Float[np.ndarray, " N"], seed: int = 0) -> Estimate:
    """The mean of values and its interval; the same values give the same interval.

    Raises ValueError without values or with one that is not a finite number.
    """
    values = np.asarray(values, np.float64)
    if not values.size or not np.isfinite(values).all():
        raise ValueError("a summary needs at least one score, and only finite ones")
    mean = float(values.mean())
    if values.size == 1:  # which scipy rejects
        return Estimate(mean, mean, mean)
    low, high = stats.bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, confidence_level=CONFIDENCE, method="percentile", rng=seed
    ).confidence_interval
    return Estimate(mean, float(low), float(high))


def summarise(scores: Scores, seed: int = 0) -> dict[str, Estimate]:
    """The estimate of every metric over shapes. Raises ValueError without shapes."""
    return {name: bootstrap(np.array([row[name] for row in scores]), seed) for name in METRICS}


def advantages(scores: Scores, others: Scores, seed: int = 0) -> dict[str, Estimate]:
    """How much better `scores` are than `others` on the same shapes in the same order, per metric.

    Positive is better for every metric, even if lower scores are better; if its interval excludes 0, a
    difference is significant for this number of shapes. Raises ValueError when the numbers of shapes differ.
    """
    if len(scores) != len(others):
        raise ValueError(f"paired scores need the same shapes: found {len(scores)} and {len(others)}")
    estimates = {}
    for name, more_is_better in METRICS.items():
        difference = np.array([a[name] - b[name] for a, b in zip(scores, others, strict=True)])
        estimates[name] = bootstrap(difference if more_is_better else -difference, seed)
    return estimates


def markdown(summaries: Mapping[str, Mapping[str, Estimate]]) -> str:
    """A table with one row per method and one column per metric, "mean [low, high]"."""
    lines = ["| | " + " | ".join(METRICS) + " |", "| --- " * (len(METRICS) + 1) + "|"]
    for method, estimates in summaries.items():
        cells = (f"{e.mean:.4g} [{e.low:.4g}, {e.high:.4g}]" for e in (estimates[name] for name in METRICS))
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
