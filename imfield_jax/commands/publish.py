"""Publish a run's weights in the package or a folder: weights, a sample image and a model card.

    imfield publish --run=runs/car --scores=results/car --time="40 min on 2 cores" \\
        --command="imfield train --flagfile=car.flags" --limits="..."

Writes <category>.npz, <category>.png and <category>.md to imfield_jax/weights or to --out, from where
`extract --weights=FOLDER/<category>.npz` and `Reconstructor.load` read them. The image shows a held-out test shape.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from absl import flags, logging

from imfield_jax.commands.output import output_folder
from imfield_jax.commands.weights_flags import chosen_weights
from imfield_jax.files import read_json, write_atomic
from imfield_jax.inference.reconstructor import SHIPPED
from imfield_jax.models.weights import Weights, load_weights, save_weights

_RUN = flags.DEFINE_string("run", None, "Folder of the training run.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Weights file, instead of a run folder.")
_SCORES = flags.DEFINE_string("scores", None, "Output folder of evaluate for these weights.", required=True)
_COMMAND = flags.DEFINE_string("command", None, "Command that trained the weights, for the model card.", required=True)
_TIME = flags.DEFINE_string("time", None, "Duration and machine of the training, for the model card.", required=True)
_LIMITS = flags.DEFINE_string("limits", None, "Limitations, for the model card.", required=True)
_SAMPLE = flags.DEFINE_integer("sample", 0, "Index of the test shape of the sample image.", lower_bound=0)
_VIEW = flags.DEFINE_integer("view", 0, "Index of the view of the sample.", lower_bound=0)
_DTYPE = flags.DEFINE_enum("dtype", "float16", ("float16", "float32"), "Precision of the numbers in the file.")
_OUT = flags.DEFINE_string("out", str(SHIPPED), "Output folder; the package's own weights by default.")

GROUPS = {
    "Weights and scores": [_RUN, _WEIGHTS, _SCORES],
    "Model card": [_COMMAND, _TIME, _LIMITS, _SAMPLE, _VIEW],
    "Output": [_OUT, _DTYPE],
}


def main() -> None:
    weights = load_weights(_source())
    scores = read_json(Path(_SCORES.value) / "summary.json", "summary of scores", "evaluate again")
    _check_scores(scores, weights)
    from imfield_jax.dataset.storage import open_split  # needs the packages of the extra `data`, --help does not

    split = open_split(scores["data"], "test")
    if split.metadata["category"] != weights.about["category"]:
        raise ValueError(
            f"the weights are of category {weights.about['category']} and the dataset in {scores['data']} of "
            f"{split.metadata['category']}: expected the dataset that they were trained on"
        )
    if _SAMPLE.value >= len(split) or _VIEW.value >= split.views:
        raise ValueError(
            f"--sample, --view: expected a test shape below {len(split)} and a view below {split.views}, "
            f"found {_SAMPLE.value} and {_VIEW.value}"
        )
    category, out = weights.about["category"], output_folder(_OUT.value)
    single = scores["methods"]["single view"]
    about = {**weights.about, "test_iou_single_view": round(single["iou"]["mean"], 4)}
    save_weights(out / f"{category}.npz", dataclasses.replace(weights, about=about), _DTYPE.value)
    write_atomic(out / f"{category}.png", split[_SAMPLE.value].view_png(_VIEW.value))
    card = _card(weights, scores, split.names[_SAMPLE.value], (out / f"{category}.npz").stat().st_size)
    write_atomic(out / f"{category}.md", card)
    logging.info("%s weights, sample image and model card: %s", category, out)


def _source() -> Path:
    """The weights file to publish. Raises ValueError if none is named."""
    if not (_RUN.value or _WEIGHTS.value):
        raise ValueError("--run, --weights: expected one of the two, the weights to publish")
    return chosen_weights(_WEIGHTS.value, _RUN.value, None)


def _check_scores(scores: dict, weights: Weights) -> None:
    """Raises ValueError for scores of other weights than the run's, or of another split than test."""
    scored = {key: value for key, value in scores.get("weights", {}).items() if key != "file"}
    if scored != weights.about or scores.get("split") != "test":
        raise ValueError(f"{_SCORES.value} does not hold this run's scores on test shapes: imfield evaluate {_named()}")


def _named() -> str:
    return f"--run={_RUN.value}" if _RUN.value else f"--weights={_WEIGHTS.value}"


def _evaluation(category: str, scores: dict) -> str:
    """The command that reproduces these scores from the published file."""
    command, views = "imfield evaluate", scores["views"]
    view = f"--view={views[0]}" if len(views) == 1 else f"--views={len(views)}"
    flags = f"{view} --resolution={scores['resolution']}"
    if Path(_OUT.value).resolve() == SHIPPED.resolve():
        return f"{command} --category={category} {flags}"
    return f"{command} --weights={Path(_OUT.value) / category}.npz --data={scores['data']} {flags}"


def _card(weights: Weights, scores: dict, sample: str, size: int) -> str:
    about, category = weights.about, weights.about["category"]
    table = (Path(_SCORES.value) / "summary.md").read_text().rstrip()
    return f"""# Model card: {category}

| | |
| --- | --- |
| network | preset `{weights.networks.preset.name}` of imfield_jax, {size / 1e6:.1f} MB as {_DTYPE.value} |
| trained on | {about["shapes"]} shapes, source {about["source"]}, {about["licence"]} |
| command | `{_COMMAND.value}` |
| time | {_TIME.value} |
| seed | {about["seed"]} |
| sample image | `{category}.png`, view {_VIEW.value} of test shape `{sample}` |

## Scores

{scores["shapes"]} {scores["split"]} shapes held out from training, one image each (view
{", ".join(map(str, scores["views"]))}), meshes at {scores["resolution"]}^3, mean and 95 % interval over shapes, by
`{_evaluation(category, scores)}`:

{table}

## What it cannot do

{_LIMITS.value}

It knows one category and reconstructs every image as a member of it. Sides that the image does not show are inferred
from the training shapes. It predicts no colour, no scale and no camera.
"""
