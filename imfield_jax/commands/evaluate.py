"""Score a trained category on held-out shapes, next to two baselines.

    imfield evaluate --category=car
    imfield evaluate --run=runs/car --data=data/car --split=test --views=24
    imfield evaluate --run=runs/car --trained_on=data/car --data=data/scans --split=all

Methods: the autoencoder (voxels -> z -> surface), single view (image -> z -> surface), retrieval (the
training shape whose z is nearest to the image's, scored with its true surface) and the mean shape. In
the output folder: scores.csv (a line per shape, method and view), summary.json and summary.md (means
with 95 % confidence intervals over shapes) and shapes.png (input | reconstruction | ground truth).

Needs a prepared dataset: its training split for the baselines, another for the scores.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jax
import numpy as np
from absl import flags, logging
from jaxtyping import Float

from imfield_jax.commands.flag_values import refuse_unused
from imfield_jax.commands.output import output_folder
from imfield_jax.commands.progress import Progress
from imfield_jax.commands.weights_flags import chosen_weights
from imfield_jax.coordinates import occupancy_of_solid
from imfield_jax.evaluation import baselines, cameras, comparison, figures, protocols, summary
from imfield_jax.evaluation.comparison import Method, ScoreRow
from imfield_jax.evaluation.protocols import Prediction, Truth
from imfield_jax.extraction.chunked import chunked
from imfield_jax.extraction.sparse import REFINEMENT_ITERATIONS, extract
from imfield_jax.files import write_atomic
from imfield_jax.framing import to_unit
from imfield_jax.images import encode_png
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh.floaters import without_floaters
from imfield_jax.mesh.voxel_surface import DISPLAYED, true_surface
from imfield_jax.models.weights import load_weights
from imfield_jax.sources.splits import SPLITS
from imfield_jax.types import Mesh

if TYPE_CHECKING:  # reading a dataset needs the packages of the extra `data`, --help does not
    from imfield_jax.dataset.rows import Row, Split

IMNET_VIEW = 23

_CATEGORY = flags.DEFINE_string("category", None, "Score the shipped weights of this category; car by default.")
_RUN = flags.DEFINE_string("run", None, "Score the weights of this run folder.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Score the weights of this file.")
_DATA = flags.DEFINE_string("data", None, "Prepared dataset; default data/<category, name of run or weights file>.")
_TRAINED_ON = flags.DEFINE_list(
    "trained_on", None, "Prepared datasets that the weights were trained on, if not --data; for the baselines."
)
_SPLIT = flags.DEFINE_enum("split", "test", (*SPLITS, "all"), "Split to score.")
_LIMIT = flags.DEFINE_integer("limit", None, "Score only the first N shapes.", lower_bound=1)
_VIEW = flags.DEFINE_integer(
    "view", None, f"Index of the view of each shape; default {IMNET_VIEW}, IM-NET's choice, or the last.", lower_bound=0
)
_VIEWS = flags.DEFINE_integer(
    "views", None, "Number of views of each shape to score and average, instead of one.", lower_bound=1
)
_RESOLUTION = flags.DEFINE_integer("resolution", 256, "Cells per axis of the meshes.", lower_bound=16, upper_bound=512)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the points that are compared.", lower_bound=0)
_PICTURED = flags.DEFINE_integer("pictured", 16, "Number of shapes in shapes.png, evenly spread.", lower_bound=1)
_OUT = flags.DEFINE_string("out", None, "Output folder; default results/<category, name of run or weights file>.")

GROUPS = {
    "Weights and data": [_CATEGORY, _RUN, _WEIGHTS, _DATA, _TRAINED_ON, _SPLIT, _LIMIT],
    "Scores": [_VIEW, _VIEWS, _RESOLUTION, _SEED],
    "Output": [_OUT, _PICTURED],
}

AUTOENCODER, SINGLE_VIEW, RETRIEVAL, MEAN_SHAPE = "autoencoder", "single view", "retrieval", "mean shape"
_MEAN_OF = 1000  # maximum number of training shapes, evenly spread, in the mean shape: half a gigabyte
_POOLED_BY = 4  # pooling factor of solids for the mean shape
_BATCH = 32  # shapes encoded at once
_CHUNK = 4096  # points per call of the mean shape's field


def main() -> None:
    if _VIEWS.value is not None:
        refuse_unused("with --views", _VIEW)
    from imfield_jax.dataset.mixture import open_mixture

    weights = chosen_weights(_WEIGHTS.value, _RUN.value, _CATEGORY.value, default="car")
    model, progress = Reconstructor(load_weights(weights)), Progress()
    name = Path(_RUN.value).name if _RUN.value else weights.stem
    data = _DATA.value or f"data/{name}"
    trained_on = _TRAINED_ON.value or [data]
    train = open_mixture(trained_on, "train")
    split = open_mixture([data], *(SPLITS if _SPLIT.value == "all" else (_SPLIT.value,)))
    _check_split(model, train, ",".join(trained_on))
    _check_unseen(train, split, data)
    names = split.names[: _LIMIT.value]
    views = _chosen_views(split.views)
    out = output_folder(_OUT.value or f"results/{name}")

    methods = _methods(model, split, views, *_trained_on(model, train, progress))
    rows: list[ScoreRow] = []
    scores = comparison.score_shapes(names, lambda row: split[row].solid, methods, _SEED.value)
    for done, scored in enumerate(scores, start=1):
        rows += scored
        protocols.write_scores(out / "scores.csv", rows)
        progress("scoring", done, len(names), "")
    report = _report(rows, model, weights, train, trained_on, data, views)
    table = _table(rows)
    if errors := _camera_errors(model, split, views, len(names)):
        report["predicted_cameras"] = errors
        table += f"\n{cameras.sentence(errors)}\n"
    write_atomic(out / "summary.json", json.dumps(report, indent=1) + "\n")
    write_atomic(out / "summary.md", table)
    write_atomic(out / "shapes.png", encode_png(_figure(model, split, views, rows, len(names))))
    print(table, end="")
    logging.info("scores of each shape, the summary and shapes.png: %s", out)


def _check_split(model: Reconstructor, train: Split, data: str) -> None:
    """Raises ValueError if the weights were trained on other shapes, which may include those of `data` to score."""
    about, category = model.weights.about, train.metadata["category"]
    if "training_names_sha256" in about and about["category"] != category:  # converted weights do not name one of ours
        raise ValueError(
            f"the weights are of category {about['category']} and the dataset in {data} of {category}: "
            "name the dataset that they were trained on with --trained_on"
        )
    if about.get("training_names_sha256", train.names_sha256) != train.names_sha256:
        raise ValueError(
            f"the weights were not trained on the training split of {data}, so they may have been trained on its "
            "held-out shapes: name the datasets that they were trained on with --trained_on"
        )


def _check_unseen(train: Split, split: Split, data: str) -> None:
    """Raises ValueError if shapes to score are training shapes, unless those of the training split were asked for."""
    seen = set(train.names) & set(split.names)
    if seen and _SPLIT.value != "train":
        raise ValueError(
            f"{len(seen)} of the {len(split)} shapes of {data} were trained on, {min(seen)} is one: "
            "name a held-out split with --split"
        )


def _chosen_views(count: int) -> list[int]:
    """The views to score: one, or several spread evenly over all."""
    if _VIEWS.value is None:
        view = min(IMNET_VIEW, count - 1) if _VIEW.value is None else _VIEW.value
        if view >= count:
            raise ValueError(f"--view: expected 0 to {count - 1}, found {view}")
        return [view]
    if _VIEWS.value > count:
        raise ValueError(f"--views: expected at most {count}, the views of each shape, found {_VIEWS.value}")
    return [number * count // _VIEWS.value for number in range(_VIEWS.value)]


@dataclasses.dataclass(frozen=True)
class TrainedOn:
    """The data of the baselines: the training shapes' latents, and the split to look them up in."""

    split: Split
    latents: Float[np.ndarray, "N Z"]


def _trained_on(model: Reconstructor, train: Split, progress: Progress) -> tuple[TrainedOn, baselines.MeanShape]:
    """The data of the baselines, in one pass over the training split."""
    averaged = set(np.linspace(0, len(train) - 1, min(len(train), _MEAN_OF)).round().astype(int).tolist())
    latents, fractions = [], []
    size = model.inputs.voxel_size
    for start in range(0, len(train), _BATCH):
        rows = range(start, min(start + _BATCH, len(train)))
        shapes = [train[row] for row in rows]
        # Padded with the last shape, so that all batches have one size and compile once.
        voxels = np.stack([shape.voxels_of(size) for shape in shapes + shapes[-1:] * (_BATCH - len(shapes))])
        latents.append(model.encode_voxels(voxels)[: len(shapes)])
        for row, shape in zip(rows, shapes, strict=True):
            if row in averaged:
                # Fractions are multiples of 1/64: half precision holds them exactly.
                fractions.append(baselines.average_pool(shape.solid, _POOLED_BY).astype(np.float16))
        progress("reading training shapes", rows[-1] + 1, len(train), "")
    return TrainedOn(train, np.concatenate(latents)), baselines.mean_shape(fractions)


def _methods(
    model: Reconstructor, split: Split, views: list[int], known: TrainedOn, mean: baselines.MeanShape
) -> dict[str, Method]:
    """The methods to compare, each a function from a row of the split to predictions of it."""
    field = chunked(jax.jit(mean.field()), _CHUNK)
    mean_mesh = without_floaters(extract(field, _RESOLUTION.value, refinement_iterations=REFINEMENT_ITERATIONS).mesh)[0]

    def decoded(z: np.ndarray, truth: Truth) -> Prediction:
        return Prediction(model.extract(z, _RESOLUTION.value).mesh, model.field(z)(truth.points) > 0)

    @functools.lru_cache(maxsize=1)
    def latents(row: int) -> np.ndarray:
        return _latents_of_views(model, split[row], views)

    @functools.lru_cache(maxsize=8)
    def retrieved(row: int) -> tuple[np.ndarray, Mesh]:
        solid = known.split[row].solid
        return solid, true_surface(solid)

    def autoencoder(row: int, truth: Truth) -> Iterator[tuple[str, Prediction]]:
        yield "", decoded(model.encode_voxels(split[row].voxels_of(model.inputs.voxel_size)[None])[0], truth)

    def single_view(row: int, truth: Truth) -> Iterator[tuple[str, Prediction]]:
        for view, z in zip(views, latents(row), strict=True):
            yield str(view), decoded(z, truth)

    def retrieval(row: int, truth: Truth) -> Iterator[tuple[str, Prediction]]:
        for view, nearest in zip(views, baselines.nearest(known.latents, latents(row)), strict=True):
            solid, surface = retrieved(int(nearest))
            yield str(view), Prediction(surface, occupancy_of_solid(solid, truth.points), smooth=True)

    def mean_shape(row: int, truth: Truth) -> Iterator[tuple[str, Prediction]]:
        yield "", Prediction(mean_mesh, field(truth.points) > 0)

    return {AUTOENCODER: autoencoder, SINGLE_VIEW: single_view, RETRIEVAL: retrieval, MEAN_SHAPE: mean_shape}


def _latents_of_views(model: Reconstructor, shape: Row, views: list[int]) -> np.ndarray:
    """[len(views), Z]."""
    framed = np.stack([model.view(shape.view(view)) for view in views])
    return model.encode_views(to_unit(framed))


def _camera_errors(model: Reconstructor, split: Split, views: list[int], scored: int) -> dict[str, float]:
    """Errors of the cameras predicted for the scored views; empty if none is predicted or known."""
    from imfield_jax.dataset.feed import framed

    predicted, true = [], []
    for row in range(scored):
        images, known = zip(*(framed(split[row], view, model.inputs) for view in views), strict=True)
        found = model.encode_views_in_full(to_unit(np.stack(images))).camera
        if found is None:
            return {}
        for camera, expected in zip(found, known, strict=True):
            if np.isfinite(expected).all():  # some datasets do not tell
                predicted.append(camera)
                true.append(expected)
    return cameras.camera_errors(np.stack(predicted), np.stack(true)) if true else {}


def _report(
    rows: list[ScoreRow],
    model: Reconstructor,
    weights: Path,
    train: Split,
    trained_on: list[str],
    data: str,
    views: list[int],
) -> dict:
    def plain(estimates: dict[str, summary.Estimate]) -> dict:
        return {name: dataclasses.asdict(estimate) for name, estimate in estimates.items()}

    return {
        "weights": {"file": str(weights), **model.weights.about},
        "data": data,
        "split": _SPLIT.value,
        "limit": _LIMIT.value,
        "shapes": len({row["name"] for row in rows}),
        "trained_on": trained_on,
        "training_shapes": len(train),
        "views": views,
        "resolution": _RESOLUTION.value,
        "points": protocols.POINTS,
        "units": protocols.UNITS,
        "confidence": summary.CONFIDENCE,
        "methods": {name: plain(estimates) for name, estimates in comparison.summaries(rows).items()},
        "advantage_of_single_view_over": {
            other: plain(comparison.advantages(rows, SINGLE_VIEW, other)) for other in (RETRIEVAL, MEAN_SHAPE)
        },
    }


def _table(rows: list[ScoreRow]) -> str:
    """The scores of the methods, then the gain of single view over each baseline: positive is always better."""
    compared = comparison.summaries(rows)
    for other in (RETRIEVAL, MEAN_SHAPE):
        compared[f"{SINGLE_VIEW}, gain over {other}"] = comparison.advantages(rows, SINGLE_VIEW, other)
    units = "".join(f"- {name}: {unit}\n" for name, unit in protocols.UNITS.items())
    return (
        f"{summary.markdown(compared)}\n{units}- gain: difference of the means, positive where single view is better\n"
    )


def _figure(model: Reconstructor, split: Split, views: list[int], rows: list[ScoreRow], scored: int) -> np.ndarray:
    """Shapes evenly spread over those scored, not chosen by their scores."""
    first = str(views[0])
    ious = {row["name"]: row["iou"] for row in rows if (row["method"], row["view"]) == (SINGLE_VIEW, first)}
    shown = []
    for number in np.linspace(0, scored - 1, min(_PICTURED.value, scored)).round().astype(int).tolist():
        shape = split[number]
        z = _latents_of_views(model, shape, views)[0]
        cells = (
            model.view(shape.view(views[0]))[..., 0],
            model.extract(z, _RESOLUTION.value).mesh,
            true_surface(shape.solid, DISPLAYED),
        )
        shown.append(figures.Row(cells, caption=f"{shape.name}  IoU {ious[shape.name]:.2f}"))
    return figures.three_columns(shown, groups=2)
