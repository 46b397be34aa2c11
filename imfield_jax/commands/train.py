"""Train a category: autoencoder at 16^3, 32^3, 64^3, image encoder, finetuning, in one command.

    python -m experiments.train --flagfile=car.flags
    python -m experiments.train --category=teapot --data=data/teapot --run=runs/teapot

The dataset is prepared when there is none: cars, chairs and airplanes from nothing, others from --source.
A run that was stopped goes on from its last checkpoint when the same command is given again, and ends
with the same weights.
In the run folder: config.json, checkpoints/, weights.npz (for extract and evaluate), pictures/ of
validation shapes after each stage, and TensorBoard's event files.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import jax
from absl import flags, logging

from imfield_jax.batches import HeldOut
from imfield_jax.commands import stage_flags
from imfield_jax.commands.progress import Progress
from imfield_jax.commands.watch import Watch
from imfield_jax.dataset.feed import FeedConfig
from imfield_jax.files import write_atomic
from imfield_jax.models.networks import Networks
from imfield_jax.models.presets import PRESETS, Preset
from imfield_jax.preparation.sampling import LABELS
from imfield_jax.sources.listing import SOURCES
from imfield_jax.training.checkpoints import Checkpoints
from imfield_jax.training.feed import Feed
from imfield_jax.training.loop import Run, train
from imfield_jax.training.losses import check_loss
from imfield_jax.training.parallel import batch_sharded, data_mesh, sequential
from imfield_jax.training.stages import Schedule
from imfield_jax.training.validation import validation

_CATEGORY = flags.DEFINE_string("category", "car", "What to train.")
_PRESET = flags.DEFINE_enum("preset", "compact", sorted(PRESETS), "Networks, see imfield_jax/models/presets.py.")
_BALANCED = flags.DEFINE_bool(
    "balanced", False, "Initial weights of the decoder that train in minutes, as compact always has, not the paper's."
)
_DATA = flags.DEFINE_string("data", None, "Prepared dataset; default data/<category>.")
_RUN = flags.DEFINE_string("run", None, "Run folder; default runs/<category>.")
_SOURCE = flags.DEFINE_enum("source", "procedural", SOURCES, "What to prepare the dataset from when there is none.")
_SOURCE_DIR = flags.DEFINE_string("source_dir", None, "Folder of the meshes, where the source needs one.")
_COUNT = flags.DEFINE_integer("count", 1000, "How many shapes the procedural source makes.", lower_bound=10)
_LABELS = flags.DEFINE_enum("labels", "exact", LABELS, "Labels of the points of a dataset that is prepared here.")
_SEED = flags.DEFINE_integer("seed", 0, "Of weights, batches and the default dataset.", lower_bound=0)
_FEED = flags.DEFINE_enum(
    "feed",
    "resident",
    ("resident", "pipeline"),
    "Keep the training split on the device, or stream it through tf.data.",
)
_DEVICES = flags.DEFINE_integer("devices", None, "Local devices to use; default all.", lower_bound=1)
_SAVE_EVERY = flags.DEFINE_integer("save_every", 250, "Updates between checkpoints.", lower_bound=1)
_VALIDATE_EVERY = flags.DEFINE_integer("validate_every", 500, "Updates between validations.", lower_bound=1)
_MEASURE_EVERY = flags.DEFINE_integer("measure_every", 50, "Updates between log lines.", lower_bound=1)
flags.adopt_module_key_flags(stage_flags)  # --help lists them too


def main() -> None:
    folder = Path(_RUN.value or f"runs/{_CATEGORY.value}")
    networks, schedule = Networks(_preset()), stage_flags.schedule()
    check_loss(schedule.loss, networks.preset.decoder.output)
    mesh = data_mesh(_DEVICES.value)
    stage_flags.check_batches(schedule.stages, mesh.size)
    data = _dataset()
    origin = _origin(data)
    _check_labels(origin)
    _claim(folder / "config.json", _config(networks, schedule, origin))
    feeds, held_out = _feeds(data, networks.preset.framing, schedule, mesh)
    plan = Run(
        networks=networks,
        schedule=schedule,
        feeds=feeds,
        validate=validation(networks, held_out, sequential(mesh)),
        key=jax.random.key(_SEED.value, impl="rbg"),  # XLA's CPU compiler takes a second per threefry draw
        mesh=mesh,
        measure_every=_MEASURE_EVERY.value,
        validate_every=_VALIDATE_EVERY.value,
        save_every=_SAVE_EVERY.value,
    )
    about = {
        "category": _CATEGORY.value,
        "seed": _SEED.value,
        "shapes": origin["shapes"],
        "source": origin["settings"]["source"],
        "licence": origin["licence"],
        "training_names_sha256": origin["names_sha256"],
    }
    watch = Watch(folder, networks, schedule, held_out, about)
    logging.info("training %s on %s, %d shapes: %s", _CATEGORY.value, _names(mesh), about["shapes"], folder)
    with Checkpoints(folder / "checkpoints") as checkpoints:
        train(plan, checkpoints, watch)
    logging.info("done: python -m experiments.evaluate --run=%s --data=%s", folder, _data_folder())


def _preset() -> Preset:
    preset = PRESETS[_PRESET.value]
    if not _BALANCED.value:
        return preset
    return dataclasses.replace(preset, decoder=dataclasses.replace(preset.decoder, initial_std=None))


def _data_folder() -> str:
    return _DATA.value or f"data/{_CATEGORY.value}"


def _dataset() -> Path:
    """The folder of the prepared dataset, which is made when there is none."""
    from imfield_jax.dataset.storage import find_dataset

    folder = _data_folder()
    found = find_dataset(folder)
    if found is not None:
        return found
    from imfield_jax.dataset.prepare import prepare
    from imfield_jax.preparation.record import Settings
    from imfield_jax.preparation.records import Preparation
    from imfield_jax.preparation.workers import usable_processors
    from imfield_jax.sources.procedural import CATEGORIES

    procedural = _SOURCE.value == "procedural"
    if procedural and _CATEGORY.value not in CATEGORIES:
        raise ValueError(
            f"no prepared dataset in {folder}, and only {', '.join(sorted(CATEGORIES))} can be made from nothing: "
            f"name a --source of {_CATEGORY.value} meshes, such as folder, and its --source_dir"
        )
    logging.info("no dataset in %s yet: preparing one from source %s", folder, _SOURCE.value)
    preparation = Preparation(
        source=_SOURCE.value,
        category=_CATEGORY.value,
        out=folder,
        source_dir=_SOURCE_DIR.value,
        count=_COUNT.value if procedural else 0,
        settings=Settings(labels=_LABELS.value, seed=_SEED.value),
        processes=usable_processors(),
    )
    return prepare(preparation, Progress())


def _origin(data: Path) -> dict:
    """What tells this training data from any other: kept with the run, so that it goes on with no other."""
    from imfield_jax.dataset.storage import open_split

    split = open_split(data, "train")
    return {
        "settings": split.metadata["settings"],
        "licence": split.metadata["license"],
        "shapes": len(split.names),
        "names_sha256": split.names_sha256,
    }


def _check_labels(origin: dict) -> None:
    """Raises ValueError where the flags ask for other labels than those of the dataset that was found."""
    made = origin["settings"]["labels"]
    if flags.FLAGS["labels"].present and made != _LABELS.value:
        raise ValueError(
            f"the dataset in {_data_folder()} has {made} labels, not --labels={_LABELS.value}: "
            f"give --labels={made}, or another --data to prepare"
        )


def _feeds(data: Path, framing: str, schedule: Schedule, mesh) -> tuple[Callable[[int], Feed], HeldOut]:
    """The batches of each stage, by its number, and the shapes to watch."""
    from imfield_jax.dataset.held_out import held_out
    from imfield_jax.dataset.storage import open_split, split_names

    split = open_split(data, "train")
    watched = open_split(data, "validation" if "validation" in split_names(data) else "train")
    configs = [
        FeedConfig(seed=_SEED.value * len(schedule.stages) + number, batch=s.batch, points=s.points, framing=framing)
        for number, s in enumerate(schedule.stages)
    ]
    if _FEED.value == "pipeline":
        from imfield_jax.dataset.pipeline import PipelineFeed

        return lambda number: PipelineFeed(split, configs[number]), held_out(watched, framing)
    from imfield_jax.dataset.resident import ResidentFeed, pack

    progress = Progress()
    packed = pack(split, framing, progress=lambda done, total: progress("reading shapes", done, total, ""))
    return (
        lambda number: ResidentFeed(packed, configs[number], batch_sharded(mesh)),
        held_out(watched, framing),
    )


def _config(networks: Networks, schedule: Schedule, origin: dict) -> dict:
    """What determines the weights: what a run folder must have been begun with to go on."""
    config = {
        "category": _CATEGORY.value,
        "seed": _SEED.value,
        "data": origin,
        "preset": dataclasses.asdict(networks.preset),
        "schedule": dataclasses.asdict(schedule),
    }
    return json.loads(json.dumps(config))


def _claim(path: Path, config: dict) -> None:
    """Save the configuration of a new run; refuse to go on with another."""
    if path.exists():
        found = json.loads(path.read_text())
        if found != config:
            changed = ", ".join(key for key in {**config, **found} if found.get(key) != config.get(key))
            raise ValueError(
                f"{path.parent} is a run with another {changed} (see {path.name} there): give the flags it was begun "
                "with, or another --run"
            )
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(config, indent=1))


def _names(mesh) -> str:
    kinds = [device.device_kind for device in mesh.devices.flat]
    return f"{len(kinds)} x {kinds[0]}"
