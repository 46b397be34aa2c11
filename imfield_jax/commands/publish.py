"""Publish a run's weights in the package or a folder: weights, a sample image and a model card.

    imfield publish --run=runs/car --scores=results/car --time="40 min on 2 cores" \\
        --command="imfield train --flagfile=car.flags" --limits="..."

--scores may name several evaluations of the weights, on different datasets; the sample is of the first.

Writes <category>.npz, <category>.png and <category>.md to imfield_jax/weights or to --out, from where
`extract --weights=FOLDER/<category>.npz` and `Reconstructor.load` read them. The image shows a held-out test shape.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax
import numpy as np
from absl import flags, logging

from imfield_jax.commands.event_files import curves
from imfield_jax.commands.output import output_folder
from imfield_jax.commands.weights_flags import chosen_weights
from imfield_jax.files import read_json, write_atomic
from imfield_jax.inference.model import SHIPPED
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.models.familiarity import Familiarity, familiarity
from imfield_jax.models.weights import Weights, load_weights, save_weights
from imfield_jax.sources import credits
from imfield_jax.sources.derived import originals
from imfield_jax.sources.synsets import ANY
from imfield_jax.training.augmentation import is_augmented, photographed

_RUN = flags.DEFINE_string("run", None, "Folder of the training run.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Weights file, instead of a run folder.")
_SCORES = flags.DEFINE_list("scores", None, "Output folders of evaluate for these weights.", required=True)
_COMMAND = flags.DEFINE_string("command", None, "Command that trained the weights, for the model card.", required=True)
_TIME = flags.DEFINE_string("time", None, "Duration and machine of the training, for the model card.", required=True)
_LIMITS = flags.DEFINE_string("limits", None, "Limitations, for the model card.", required=True)
_SAMPLE = flags.DEFINE_integer("sample", 0, "Index of the test shape of the sample image.", lower_bound=0)
_VIEW = flags.DEFINE_integer("view", 0, "Index of the view of the sample.", lower_bound=0)
_DTYPE = flags.DEFINE_enum("dtype", "float16", ("float16", "float32"), "Precision of the numbers in the file.")
_OUT = flags.DEFINE_string("out", str(SHIPPED), "Output folder; the package's own weights by default.")

_CURVE = 16  # rows of the training curve, at most
_TRAINING_VIEWS, _HELD_OUT_VIEWS = 1500, 500  # that tell how familiar an image is

GROUPS = {
    "Weights and scores": [_RUN, _WEIGHTS, _SCORES],
    "Model card": [_COMMAND, _TIME, _LIMITS, _SAMPLE, _VIEW],
    "Output": [_OUT, _DTYPE],
}


def main() -> None:
    weights = load_weights(_source())
    all_scores = [_scores(Path(folder), weights) for folder in _SCORES.value]
    scores = all_scores[0]
    from imfield_jax.dataset.storage import open_split  # needs the packages of the extra `data`, --help does not

    split = open_split(scores["data"], "test")
    if weights.about["category"] not in (ANY, split.metadata["category"]):
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
    known = _familiarity(weights, _trained_on(scores))
    save_weights(out / f"{category}.npz", dataclasses.replace(weights, about=about, familiarity=known), _DTYPE.value)
    write_atomic(out / f"{category}.png", split[_SAMPLE.value].view_png(_VIEW.value))
    size = (out / f"{category}.npz").stat().st_size
    card = _card(weights, all_scores, split.names[_SAMPLE.value], size)
    card += _training(curves(_source().parent / "events"), "averaged_with" in about) + _credits(_trained_on(scores))
    write_atomic(out / f"{category}.md", card)
    logging.info("%s weights, sample image and model card: %s", category, out)


def _source() -> Path:
    """The weights file to publish. Raises ValueError if none is named."""
    if not (_RUN.value or _WEIGHTS.value):
        raise ValueError("--run, --weights: expected one of the two, the weights to publish")
    return chosen_weights(_WEIGHTS.value, _RUN.value)


def _scores(folder: Path, weights: Weights) -> dict:
    """The summary in an output folder of evaluate. Raises ValueError for other weights, or shapes that are no test."""
    scores = read_json(folder / "summary.json", "summary of scores", "evaluate again")
    scored = {key: value for key, value in scores.get("weights", {}).items() if key != "file"}
    if scored != weights.about or scores.get("split") not in ("test", "all"):
        raise ValueError(f"{folder} does not hold this run's scores on test shapes: imfield evaluate {_named()}")
    return scores | {"table": (folder / "summary.md").read_text().rstrip()}


def _trained_on(scores: dict) -> list[str]:
    """The datasets that the weights were trained on."""
    return scores.get("trained_on", [scores["data"]])


def _familiarity(weights: Weights, datasets: list[str]) -> Familiarity | None:
    """Of views, with the same number from each dataset; None if none of the datasets has shapes for validation."""
    from imfield_jax.dataset.held_out import spread_views
    from imfield_jax.dataset.storage import open_split, split_names

    model = Reconstructor(weights)
    codes: dict[str, list[np.ndarray]] = {}
    for name, count in (("train", _TRAINING_VIEWS), ("validation", _HELD_OUT_VIEWS)):
        having = [folder for folder in datasets if name in split_names(folder)]
        for folder in having:
            views = spread_views(open_split(folder, name), model.inputs, -(-count // len(having)))
            if is_augmented(weights.networks):  # as images of users are
                views = np.asarray(jax.jit(photographed)(views, jax.random.key(0, impl="rbg")))
            codes.setdefault(name, []).append(np.asarray(model.encode_views_in_full(views).code))
    if len(codes) < 2:
        logging.info("no shapes for validation: the weights cannot tell images of other objects")
        return None
    return familiarity(np.concatenate(codes["train"]), np.concatenate(codes["validation"]))


def _training(points: dict[str, list[tuple[int, float]]], averaged: bool) -> str:
    """A section with the curves of the run: the loss, a mean since the row before, and the scores at validations.

    averaged: whether the weights are the mean of the run's first and last, which no row describes.
    """
    scored = {tag: dict(values) for tag, values in points.items() if tag.startswith("validation/iou")}
    steps = sorted(set().union(*scored.values()))
    if not steps:
        return ""
    steps = [steps[number] for number in sorted({round(at) for at in np.linspace(0, len(steps) - 1, _CURVE)})]
    lines, before = [], 0
    for step in steps:
        losses = [value for at, value in points.get("train/loss", []) if before < at <= step]
        cells = [f"{np.mean(losses):.3f}" if losses else ""]
        cells += [f"{values[step]:.3f}" if step in values else "" for values in scored.values()]
        lines.append(f"| {step:,} | {' | '.join(cells)} |")
        before = step
    names = " | ".join(tag.removeprefix("validation/").replace("_", " ").replace("iou", "IoU") for tag in scored)
    head = f"| updates | loss | {names} |\n{'| --- ' * (len(scored) + 2)}|\n"
    of = " The rows are of the run's own weights, before they were averaged with those it started from." * averaged
    return f"\n## Training\n\nEach stage has a loss of its own.{of}\n\n{head}" + "\n".join(lines) + "\n"


def _credits(datasets: list[str]) -> str:
    """A section with the authors and licences of the meshes that were trained on; empty if none has a credit."""
    from imfield_jax.dataset.storage import open_split

    meshes: dict[tuple[str, str], set[str]] = {}
    for folder in datasets:
        table = Path(folder) / credits.FILE_NAME
        names = open_split(folder, "train").names
        for name, (author, licence, _) in (credits.columns(table, names) if table.exists() else {}).items():
            made_of = originals(name)
            if len(made_of) == 1:  # the parts of a combination are trained on as shapes of their own, too
                meshes.setdefault((licence, author), set()).add(made_of[0].split("/", 1)[-1])
    if not meshes:
        return ""
    lines = (
        f"- {licence}, {author}: {', '.join(sorted(found))}" for (licence, author), found in sorted(meshes.items())
    )
    return "\n## Credits\n\nMeshes that were trained on and have a known author:\n\n" + "\n".join(lines) + "\n"


def _named() -> str:
    return f"--run={_RUN.value}" if _RUN.value else f"--weights={_WEIGHTS.value}"


def _evaluation(category: str, scores: dict) -> str:
    """The command that reproduces these scores from the published file."""
    command, views, data = "imfield evaluate", scores["views"], scores["data"]
    view = f"--view={views[0]}" if len(views) == 1 else f"--views={len(views)}"
    flags = f"{view} --resolution={scores['resolution']}"
    if scores.get("limit"):
        flags = f"--limit={scores['limit']} {flags}"
    if scores["split"] != "test":
        flags = f"--split={scores['split']} {flags}"
    if _trained_on(scores) != [data]:
        flags = f"--data={data} --trained_on={','.join(_trained_on(scores))} {flags}"
    if Path(_OUT.value).resolve() == SHIPPED.resolve():
        return f"{command} --category={category} {flags}"
    named = "" if "--data" in flags else f" --data={data}"
    return f"{command} --weights={Path(_OUT.value) / category}.npz{named} {flags}"


def _section(category: str, scores: dict, several: bool) -> str:
    """The scores on one dataset."""
    title = f"Scores on {Path(scores['data']).name}" if several else "Scores"
    held_out = "test" if scores["split"] == "test" else "other"
    return f"""## {title}

{scores["shapes"]} {held_out} shapes held out from training, one image each (view
{", ".join(map(str, scores["views"]))}), meshes at {scores["resolution"]}^3, mean and 95 % interval over shapes, by
`{_evaluation(category, scores)}`:

{scores["table"]}
"""


def _card(weights: Weights, all_scores: list[dict], sample: str, size: int) -> str:
    about, category = weights.about, weights.about["category"]
    sections = "\n".join(_section(category, scores, len(all_scores) > 1) for scores in all_scores)
    predicts = "no colour, no scale and no camera"
    if weights.networks.predicts_cameras:
        predicts = "the camera, but no colour and no scale"
    trained_on = f"{about['shapes']} shapes, source {about['source']}, {about['licence']}"
    if start := about.get("averaged_with"):
        trained_on += f"; the mean with the weights that training started from, of {start['shapes']} shapes"
    known = "It reconstructs every image as an object of the categories that it was trained on."
    if category != ANY:
        known = "It knows one category and reconstructs every image as a member of it."
    return f"""# Model card: {category}

| | |
| --- | --- |
| network | preset `{weights.networks.preset.name}` of imfield_jax, {size / 1e6:.1f} MB as {_DTYPE.value} |
| trained on | {trained_on} |
| command | `{_COMMAND.value}` |
| time | {_TIME.value} |
| seed | {about["seed"]} |
| sample image | `{category}.png`, view {_VIEW.value} of test shape `{sample}` |

{sections}
## What it cannot do

{_LIMITS.value}

{known} Sides that the image does not show are inferred
from the training shapes. It predicts {predicts}.
"""
