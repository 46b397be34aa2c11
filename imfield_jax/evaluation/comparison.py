"""Several methods on the same shapes: one row of scores per shape, method and view.

A method is a function from a shape to predictions of it, so this file imports neither networks nor data:
the entry point binds an autoencoder, a single-view network and the baselines into such functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Bool

from imfield_jax.evaluation import protocols, summary
from imfield_jax.evaluation.protocols import METRICS, Prediction, Truth

# Row of a split, and its truth -> (view, prediction) pairs; the view is "" for methods without images.
Method = Callable[[int, Truth], Iterable[tuple[str, Prediction]]]
ScoreRow = dict[str, object]  # "name", "method", "view", and every metric of `METRICS`

_TRUTH, _PREDICTION = 0, 1  # random streams: prediction and truth are never sampled with the same draws


def score_shapes(
    names: Sequence[str],
    solid: Callable[[int], Bool[np.ndarray, "R R R"]],
    methods: Mapping[str, Method],
    seed: int = 0,
    points: int = protocols.POINTS,
) -> Iterator[list[ScoreRow]]:
    """Scores of one shape after another, for all methods and views.

    names: of the shapes; row i's solid is `solid(i)`.

    A shape's points depend on (seed, i) alone, so scoring a few shapes gives the same rows as
    scoring all.
    """
    for row, name in enumerate(names):
        truth = protocols.truth_of(solid(row), np.random.default_rng([seed, row, _TRUTH]), points)
        scored = []
        for method, predict in methods.items():
            for view, prediction in predict(row, truth):
                rng = np.random.default_rng([seed, row, _PREDICTION])
                scores = protocols.score(prediction, truth, rng)
                scored.append({"name": name, "method": method, "view": view, **scores})
        yield scored


def over_views(rows: Iterable[ScoreRow], method: str) -> dict[str, dict[str, float]]:
    """The scores of one method by shape, in the order of the rows, averaged over the views of each shape.

    Averaged first, because views of one shape are not independent and intervals are over shapes.
    """
    by_name: dict[str, list[ScoreRow]] = {}
    for row in rows:
        if row["method"] == method:
            by_name.setdefault(str(row["name"]), []).append(row)
    return {
        name: {metric: float(np.mean([row[metric] for row in views])) for metric in METRICS}
        for name, views in by_name.items()
    }


def summaries(rows: Sequence[ScoreRow]) -> dict[str, dict[str, summary.Estimate]]:
    """The summary of each method, in the order in which the methods first occur."""
    methods = dict.fromkeys(str(row["method"]) for row in rows)
    return {method: summary.summarise(list(over_views(rows, method).values())) for method in methods}


def advantages(rows: Sequence[ScoreRow], method: str, other: str) -> dict[str, summary.Estimate]:
    """How much better one method is than another, shape by shape; see `summary.advantages`.

    Raises ValueError when the two were not scored on the same shapes.
    """
    first, second = over_views(rows, method), over_views(rows, other)
    if list(first) != list(second):
        raise ValueError(f"{method!r} and {other!r} were not scored on the same shapes")
    return summary.advantages(list(first.values()), list(second.values()))
