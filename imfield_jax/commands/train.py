"""Train a category: autoencoder at 16^3, 32^3, 64^3, image encoder, finetuning, in one command.

    imfield train --flagfile=car.flags
    imfield train --category=teapot --data=data/teapot --run=runs/teapot
    imfield train --category=teapot --init_from=car --learning_rate=1e-3

Without other flags the settings are those of car.flags; those of the paper are in experiments/flags/paper.flags.
A missing dataset is prepared: cars, airplanes and furniture are generated, others read from --source.
A run that was stopped resumes from its last checkpoint when the same command is given again, and ends
with the same weights. --extend=N continues a finished run.
In the run folder: config.json, checkpoints/, weights.npz (for extract and evaluate), validation_images/,
one after each stage, TensorBoard's event files in events/ and, with --average, averaged.npz.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import jax
from absl import flags, logging
from jax.sharding import Mesh

from imfield_jax.batches import HeldOut, Inputs
from imfield_jax.commands import run_config, stage_flags
from imfield_jax.commands.output import output_folder
from imfield_jax.commands.preemption import Preemption
from imfield_jax.commands.progress import Progress
from imfield_jax.commands.watch import Watch
from imfield_jax.dataset.feed import FeedConfig
from imfield_jax.inference.model import run_weights, shipped_categories, shipped_weights
from imfield_jax.models.decoder import DecoderConfig
from imfield_jax.models.networks import Networks
from imfield_jax.models.presets import PRESETS, Preset, architecture
from imfield_jax.models.weights import Weights, averaged, load_weights, save_weights
from imfield_jax.preparation.sampling import LABELS
from imfield_jax.sources.listing import GENERATED, SOURCES
from imfield_jax.training.checkpoints import Checkpoints
from imfield_jax.training.feed import Feed
from imfield_jax.training.loop import Run, Stopped, train
from imfield_jax.training.losses import check_loss
from imfield_jax.training.parallel import batch_sharded, check_single_process, data_mesh, sequential
from imfield_jax.training.stages import Schedule
from imfield_jax.training.validation import validation

_CATEGORY = flags.DEFINE_string("category", "car", "Category to train; that of the dataset.")
_PRESET = flags.DEFINE_enum("preset", "compact", sorted(PRESETS), "Networks; see imfield_jax/models/presets.py.")
_VIEW_SIZE = flags.DEFINE_integer("view_size", None, "Pixels per side of a view; default that of the preset, 128.")
_VOXEL_SIZE = flags.DEFINE_integer(
    "voxel_size", None, "Voxels per side of the cube that the autoencoder sees; default that of the preset."
)
_BALANCED = flags.DEFINE_bool(
    "balanced",
    False,
    "Scale the decoder's initial weights by layer width, as compact does.",
)
_DATA = flags.DEFINE_list("data", None, "Prepared dataset, or several to train on together; default data/<category>.")
_VISITS = flags.DEFINE_list(
    "visits", None, "How often an epoch visits the shapes of each dataset of --data, as in 1,4; default once."
)
_RUN = flags.DEFINE_string("run", None, "Run folder; default runs/<category>.")
_SOURCE = flags.DEFINE_enum("source", "procedural", SOURCES, "What to prepare the dataset from if there is none.")
_SOURCE_DIR = flags.DEFINE_string("source_dir", None, "Folder of the source's meshes, if it needs one.")
_COUNT = flags.DEFINE_integer("count", 1000, "Number of shapes of the generated sources.", lower_bound=10)
_INIT_FROM = flags.DEFINE_string(
    "init_from", None, "Start from these weights: a weights file, a run folder or a shipped category, such as car."
)
_AVERAGE = flags.DEFINE_bool(
    "average",
    False,
    "At the end, write averaged.npz: the mean of the weights and those of --init_from, of which it forgets less.",
)
_LABELS = flags.DEFINE_enum("labels", "exact", LABELS, "How points are labelled if the dataset is prepared here.")
_SEED = flags.DEFINE_integer("seed", 0, "Seed of weights, batches and a dataset prepared here.", lower_bound=0)
_FEED = flags.DEFINE_enum(
    "feed",
    "resident",
    ("resident", "pipeline"),
    "Keep the training split on the device, or stream it through tf.data.",
)
_DEVICES = flags.DEFINE_integer("devices", None, "Local devices to use; default all.", lower_bound=1)
_SAVE_EVERY = flags.DEFINE_integer("save_every", 250, "Updates between checkpoints.", lower_bound=1)
_GRACE = flags.DEFINE_float(
    "grace_seconds", 25.0, "After SIGTERM, seconds to save a checkpoint; then the process ends anyway.", lower_bound=0
)
_VALIDATE_EVERY = flags.DEFINE_integer("validate_every", 500, "Updates between validations.", lower_bound=1)
_MEASURE_EVERY = flags.DEFINE_integer("measure_every", 50, "Updates between log lines.", lower_bound=1)
_IMAGE_RESOLUTION = flags.DEFINE_integer(
    "image_resolution",
    128,  # at 64, wings of airplanes fall between the cells
    "Cells per axis of the meshes in validation_images.",
    lower_bound=16,
    upper_bound=1024,
)
flags.adopt_module_key_flags(stage_flags)

GROUPS = {
    "Data": [_CATEGORY, _DATA, _VISITS, _SOURCE, _SOURCE_DIR, _COUNT, _LABELS],
    "Run": [_RUN, _INIT_FROM, _AVERAGE, _SEED, _DEVICES, _FEED, _SAVE_EVERY, _GRACE],
    **stage_flags.GROUPS,
    "Network": [_PRESET, _VIEW_SIZE, _VOXEL_SIZE, _BALANCED],
    "Logging": [_MEASURE_EVERY, _VALIDATE_EVERY, _IMAGE_RESOLUTION],
}


def main() -> None:
    check_single_process()
    if _AVERAGE.value and not _INIT_FROM.value:
        raise ValueError("--average: expected --init_from as well, the weights to average with")
    folder = output_folder(_RUN.value or f"runs/{_CATEGORY.value}", "--run")
    networks, schedule = Networks(_preset()), stage_flags.schedule()
    check_loss(schedule.loss, networks.preset.decoder.output)
    mesh = data_mesh(_DEVICES.value)
    stage_flags.check_batches(schedule.stages, mesh.size)
    data = _datasets(networks.preset.view_size)
    origin = _origin(data)
    _check_category(data)
    _check_labels(origin)
    visits = _visits(data)
    initial, init_from = _initial(networks.preset)
    with run_config.claimed(folder, _config(networks, schedule, origin, init_from)):
        _train(folder, data, visits, networks, schedule, mesh, origin, initial)


def _train(
    folder: Path,
    data: list[str],
    visits: tuple[int, ...],
    networks: Networks,
    schedule: Schedule,
    mesh: Mesh,
    origin: dict,
    initial: Weights | None,
) -> None:
    """Train into a run folder that this process has locked."""
    feeds, held_out = _feeds(data, visits, networks.preset.inputs, schedule, mesh)
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
        initial=(initial.params, initial.batch_stats) if initial else None,
        clock=time.perf_counter,
    )
    about = {
        "category": _CATEGORY.value,
        "seed": _SEED.value,
        "shapes": origin["shapes"],
        "source": origin["settings"]["source"],
        "licence": origin["licence"],
        "training_names_sha256": origin["names_sha256"],
    }
    if initial:
        about["init_from"] = _INIT_FROM.value
    watch = Watch(folder, networks, schedule, mesh, held_out, about, _IMAGE_RESOLUTION.value)
    logging.info("training %s on %s, %d shapes: %s", _CATEGORY.value, _names(mesh), about["shapes"], folder)
    try:
        with Preemption(_GRACE.value) as preemption, Checkpoints(folder / "checkpoints") as checkpoints:
            train(dataclasses.replace(plan, stop=preemption.requested), checkpoints, watch)
    except Stopped as stopped:
        logging.info("%s: rerun the same command to resume", stopped)
        return
    if initial and _AVERAGE.value:
        save_weights(folder / "averaged.npz", averaged(initial, load_weights(folder / "weights.npz")))
        logging.info("mean of these weights and those of --init_from: %s", folder / "averaged.npz")
    logging.info("done: imfield evaluate --run=%s --data=%s", folder, ",".join(data))


def _preset() -> Preset:
    preset = PRESETS[_PRESET.value]
    preset = dataclasses.replace(
        preset,
        view_size=_VIEW_SIZE.value or preset.view_size,
        voxel_size=_VOXEL_SIZE.value or preset.voxel_size,
    )
    try:
        _ = preset.inputs
    except ValueError as error:
        raise ValueError(f"--{error}") from error
    if not _BALANCED.value:
        return preset
    if not isinstance(preset.decoder, DecoderConfig):
        raise ValueError(f"--balanced: the weights of preset {preset.name} are balanced already")
    return dataclasses.replace(preset, decoder=dataclasses.replace(preset.decoder, initial_std=None))


def _data_folders() -> list[str]:
    return _DATA.value or [f"data/{_CATEGORY.value}"]


def _datasets(view_size: int) -> list[str]:
    """The folders of the prepared datasets; prepares it if there is only one and it is missing."""
    from imfield_jax.dataset.storage import find_dataset

    folder, *more = _data_folders()
    found = find_dataset(folder)
    if more or found is not None:
        return [folder, *more]
    from imfield_jax.dataset.prepare import prepare
    from imfield_jax.preparation.record import Settings, rendered_size
    from imfield_jax.preparation.records import Preparation
    from imfield_jax.preparation.workers import usable_processors
    from imfield_jax.sources.procedural import CATEGORIES

    generated = _SOURCE.value in GENERATED
    if generated and _CATEGORY.value not in CATEGORIES:
        raise ValueError(
            f"no prepared dataset in {folder}, and only {', '.join(sorted(CATEGORIES))} can be generated: "
            f"name a --source of {_CATEGORY.value} meshes, such as folder, and its --source_dir"
        )
    logging.info("no dataset in %s yet: preparing one from source %s", folder, _SOURCE.value)
    preparation = Preparation(
        source=_SOURCE.value,
        category=_CATEGORY.value,
        out=folder,
        source_dir=_SOURCE_DIR.value,
        count=_COUNT.value if generated else 0,
        settings=Settings(labels=_LABELS.value, seed=_SEED.value, image_size=rendered_size(view_size)),
        processes=usable_processors(),
    )
    prepare(preparation, Progress())
    return [folder]


def _origin(data: list[str]) -> dict:
    """The identity of the training data, kept with the run so that it resumes with the same data only."""
    from imfield_jax.dataset.mixture import open_mixture

    split = open_mixture(data, "train")
    return ({"visits": _VISITS.value} if _VISITS.value else {}) | {
        "settings": split.metadata["settings"],
        "licence": split.metadata["license"],
        "shapes": len(split.names),
        "names_sha256": split.names_sha256,
    }


def _check_category(data: list[str]) -> None:
    """Raises ValueError if the dataset that was found has another category than --category."""
    from imfield_jax.dataset.mixture import open_mixture

    found = open_mixture(data, "train").metadata["category"]
    if found != _CATEGORY.value:
        raise ValueError(
            f"the data in {','.join(data)} is of category {found}, not {_CATEGORY.value}: give --category={found}, "
            "or another --data"
        )


def _check_labels(origin: dict) -> None:
    """Raises ValueError if --labels differs from the labels of the dataset that was found."""
    found = origin["settings"]["labels"]
    if flags.FLAGS["labels"].present and found != _LABELS.value:
        raise ValueError(
            f"the dataset in {','.join(_data_folders())} has {found} labels, not --labels={_LABELS.value}: "
            f"give --labels={found}, or another --data to prepare"
        )


def _feeds(
    data: list[str], visits: tuple[int, ...], inputs: Inputs, schedule: Schedule, mesh: Mesh
) -> tuple[Callable[[int], Feed], HeldOut]:
    """The batches of each stage, by its number, and the shapes to validate on."""
    from imfield_jax.dataset.held_out import held_out
    from imfield_jax.dataset.mixture import open_mixture
    from imfield_jax.dataset.storage import split_names

    split = open_mixture(data, "train")
    validates = any("validation" in split_names(folder) for folder in data)
    if not validates:
        logging.info("the dataset has no validation split: validation scores are of training shapes")
    watched = open_mixture(data, "validation" if validates else "train")
    planned = sum(stage.round == 1 for stage in schedule.stages)  # so that an extension changes no other stage's seed
    configs = [
        FeedConfig(seed=_SEED.value * planned + number, batch=s.batch, points=s.points, inputs=inputs, visits=visits)
        for number, s in enumerate(schedule.stages)
    ]
    if _FEED.value == "pipeline":
        from imfield_jax.dataset.pipeline import PipelineFeed

        return lambda number: PipelineFeed(split, configs[number]), held_out(watched, inputs)
    from imfield_jax.dataset.resident import ResidentFeed, pack

    progress = Progress()
    packed = pack(split, inputs, progress=lambda done, total: progress("reading shapes", done, total, ""))
    return (
        lambda number: ResidentFeed(packed, configs[number], batch_sharded(mesh)),
        held_out(watched, inputs),
    )


def _visits(data: list[str]) -> tuple[int, ...]:
    """How often an epoch visits each shape, from --visits. Raises ValueError if that is malformed."""
    from imfield_jax.dataset.storage import open_split, split_names

    if not _VISITS.value:
        return ()
    if len(_VISITS.value) != len(data) or not all(text.isdecimal() and int(text) > 0 for text in _VISITS.value):
        raise ValueError(
            f"--visits: expected {len(data)} whole numbers above 0, one for each dataset of --data, "
            f"found {','.join(_VISITS.value)}"
        )
    visits: list[int] = []
    for folder, text in zip(data, _VISITS.value, strict=True):
        if "train" in split_names(folder):
            visits += [int(text)] * len(open_split(folder, "train"))
    return tuple(visits)


def _initial(preset: Preset) -> tuple[Weights | None, dict | None]:
    """The weights to start from and their entry in config.json, or neither.

    Raises ValueError if they lack a network of this preset.
    """
    if not _INIT_FROM.value:
        return None, None
    path = _initial_path(_INIT_FROM.value)
    weights = load_weights(path)
    found, wanted = (architecture(each) for each in (weights.networks.preset, preset))
    if found != wanted:
        different = ", ".join(key for key in wanted if found[key] != wanted[key])
        raise ValueError(
            f"--init_from: {path} holds weights of preset {weights.networks.preset.name}, whose {different} differ "
            f"from those of --preset={preset.name}"
        )
    missing = sorted({"decoder", "voxel_encoder", "image_encoder"} - set(weights.params))
    if missing:
        raise ValueError(f"--init_from: {path} has no {', '.join(missing)}: expected all three networks")
    return weights, run_config.initial_weights(path, weights.about.get("category", ""))


def _initial_path(name: str) -> Path:
    """The weights file that `name` is, or that of the run folder or shipped category that it names."""
    path = Path(name)
    if path.is_dir():
        return run_weights(path)
    if path.exists():
        return path
    if name in shipped_categories():
        return shipped_weights(name)
    raise ValueError(
        f"--init_from={name}: expected a weights file, a run folder or one of {', '.join(shipped_categories())}"
    )


def _config(networks: Networks, schedule: Schedule, origin: dict, init_from: dict | None) -> dict:
    """All that determines the weights: a run folder is resumed only with the same values."""
    return {
        "category": _CATEGORY.value,
        "seed": _SEED.value,
        "data": origin,
        "preset": dataclasses.asdict(networks.preset),
        "schedule": dataclasses.asdict(schedule),
        "init_from": init_from,
    }


def _names(mesh: Mesh) -> str:
    kinds = [device.device_kind for device in mesh.devices.flat]
    return f"{len(kinds)} x {kinds[0]}"
