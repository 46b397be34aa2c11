"""One model for all categories against models of one: single-view IoU on the same views of the same shapes.

    python -m benchmarks.categories --data=data/real_car --weights=any,car

--weights names shipped weights or published files. The table has, for each, the mean IoU on 64^3 points and how much
better the first one is, with 95 % intervals over shapes. No shape may have been trained on: name held-out splits.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
from absl import flags

from imfield_jax.commands.entry import run
from imfield_jax.coordinates import grid_points, occupancy_of_solid
from imfield_jax.dataset.rows import Row
from imfield_jax.dataset.storage import open_split, split_names
from imfield_jax.evaluation.summary import bootstrap
from imfield_jax.framing import to_unit
from imfield_jax.inference.model import shipped_categories
from imfield_jax.inference.reconstructor import Reconstructor

_DATA = flags.DEFINE_list("data", [], "Prepared datasets to score.")
_SPLIT = flags.DEFINE_string("split", "test", "Split to score, or all.")
_WEIGHTS = flags.DEFINE_list("weights", ["any", "car"], "Categories of shipped weights, or weights files.")
_LIMIT = flags.DEFINE_integer("limit", 100, "Shapes to score of each dataset.", lower_bound=1)
_VIEWS = flags.DEFINE_integer("views", 3, "Views per shape, evenly spread.", lower_bound=1)
_POINTS = grid_points(64).reshape(-1, 3)


def main() -> None:
    models = {name: _model(name) for name in _WEIGHTS.value}
    first = _WEIGHTS.value[0]
    print("| data | shapes | weights | IoU | " + first + " is better by |\n| --- | --- | --- | --- | --- |")
    for data in _DATA.value:
        splits = split_names(data) if _SPLIT.value == "all" else [_SPLIT.value]
        rows = itertools.islice(itertools.chain(*(open_split(data, split) for split in splits)), _LIMIT.value)
        scores = np.array([[_iou(model, row) for model in models.values()] for row in rows])
        for name, found in zip(models, scores.T, strict=True):
            gain = "" if name == first else _interval(scores[:, 0] - found)
            print(f"| {data} | {len(scores)} | {name} | {_interval(found)} | {gain} |", flush=True)


def _model(name: str) -> Reconstructor:
    if name in shipped_categories():
        return Reconstructor.shipped(name)
    if not Path(name).is_file():
        raise ValueError(
            f"--weights: expected a weights file or one of {', '.join(shipped_categories())}, found {name!r}"
        )
    return Reconstructor.load(name)


def _iou(model: Reconstructor, row: Row) -> float:
    """The mean over the views."""
    inside = occupancy_of_solid(row.solid, _POINTS).astype(bool)
    numbers = [number * row.view_count // _VIEWS.value for number in range(_VIEWS.value)]
    latents = model.encode_views(to_unit(np.stack([model.view(row.view(number)) for number in numbers])))
    found = [model.field(z)(_POINTS) > 0 for z in latents]
    return float(np.mean([(inside & each).sum() / max((inside | each).sum(), 1) for each in found]))


def _interval(values: np.ndarray) -> str:
    estimate = bootstrap(values)
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


if __name__ == "__main__":
    run(sys.modules[__name__])
