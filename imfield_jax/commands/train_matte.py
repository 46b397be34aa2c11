"""Train a matting network, which tells an object from any background: for `extract --matte=FILE.npz`.

    imfield train_matte --data=data/car,data/chair --photos=~/Pictures

It learns from pictures that are composed on the way: a rendering of a prepared dataset before parts of photographs, of
which any hundred will do that show no such objects (landscapes, rooms, walls, ground). The network is matte.npz in the
run folder, with pictures.png, which shows what it learns from: pictures of held-out shapes and photographs, its mattes
and the true ones. A killed run resumes. --init_from=shipped continues from the network that comes with the package.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import jax
import numpy as np
from absl import flags, logging
from jaxtyping import Key

from imfield_jax.commands import run_config
from imfield_jax.commands.output import output_folder
from imfield_jax.commands.progress import Progress
from imfield_jax.files import write_atomic
from imfield_jax.images import encode_png
from imfield_jax.inference.image_file import SUFFIXES_OF, open_image
from imfield_jax.inference.learned_matte import SHIPPED, identity
from imfield_jax.models.matting import MattingConfig, MattingWeights, initial_params, load_matting, save_matting
from imfield_jax.training.checkpoints import Checkpoints
from imfield_jax.training.matting import (
    Material,
    first_matting_state,
    make_matting_update,
    matte_iou,
    matting_params,
    matting_schedule,
    pictures,
)
from imfield_jax.training.stages import Schedule
from imfield_jax.training.state import TrainState
from imfield_jax.types import Array

_DATA = flags.DEFINE_list("data", None, "Prepared datasets whose renderings are the objects.", required=True)
_PHOTOS = flags.DEFINE_string("photos", None, "Folder of photographs, searched with its subfolders.", required=True)
_RUN = flags.DEFINE_string("run", "runs/matte", "Run folder.")
_JUDGED = flags.DEFINE_integer("judged", 128, "Pictures of held-out shapes to judge by, at least.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 3000, "Updates.", lower_bound=1)
_BATCH = flags.DEFINE_integer("batch", 16, "Pictures per update.", lower_bound=1)
_WIDTHS = flags.DEFINE_list(
    "widths",
    [str(width) for width in MattingConfig().widths],
    "Channels of the network's features: five multiples of 8, from those of the image's size to the smallest.",
)
_RATE = flags.DEFINE_float("learning_rate", 1e-3, "Learning rate after warm-up; it decays to 0.", lower_bound=0.0)
_INIT_FROM = flags.DEFINE_string(
    "init_from", None, "Start from this network, with its --widths: a matte.npz, or `shipped` for the package's own."
)
_VIEWS = flags.DEFINE_integer("views", 3, "Renderings of each shape to use.", lower_bound=1)
_PARTS = flags.DEFINE_integer("parts", 10, "Parts of each photograph to use.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of weights and pictures.", lower_bound=0)
_SAVE_EVERY = flags.DEFINE_integer("save_every", 250, "Updates between checkpoints.", lower_bound=1)
_MEASURE_EVERY = flags.DEFINE_integer("measure_every", 50, "Updates between log lines.", lower_bound=1)

GROUPS = {
    "Data": [_DATA, _PHOTOS, _VIEWS, _PARTS],
    "Run": [_RUN, _SEED, _SAVE_EVERY, _MEASURE_EVERY, _JUDGED],
    "Optimizer": [_STEPS, _BATCH, _RATE],
    "Network": [_INIT_FROM, _WIDTHS],
}
_HELD_OUT = 10  # every tenth photograph is
_SHOWN = 16  # at most, of the held-out pictures; as many are judged at once


def main() -> None:
    folder = output_folder(_RUN.value, "--run")
    initial, init_from = _initial()
    schedule = matting_schedule(_STEPS.value, _BATCH.value, _RATE.value)
    material, held_out, origin = _material()
    settings = {
        "seed": _SEED.value,
        "data": origin | {"views": _VIEWS.value, "parts": _PARTS.value},
        "matting": dataclasses.asdict(initial.config),
        "schedule": dataclasses.asdict(schedule),
        "init_from": init_from,
    }
    with run_config.claimed(folder, settings), Checkpoints(folder / "checkpoints") as checkpoints:
        state = _trained(initial, schedule, material, checkpoints)
        about = {**origin, "seed": _SEED.value, "steps": _STEPS.value, "init_from": init_from}
        weights = dataclasses.replace(initial, params=jax.device_get(matting_params(state)), about=about)
        iou, sheet = _judged(weights, held_out)
        save_matting(folder / "matte.npz", dataclasses.replace(weights, about={**about, "held_out_iou": iou}))
        write_atomic(folder / "pictures.png", encode_png(sheet))
    logging.info("IoU of mattes of held-out pictures: %.4f", iou)
    logging.info("imfield extract --matte=%s PHOTO; what it learned from: %s", folder / "matte.npz", folder)


def _widths() -> tuple[int, ...]:
    texts = _WIDTHS.value
    if len(texts) != 5 or not all(text.isdecimal() and int(text) and int(text) % 8 == 0 for text in texts):
        raise ValueError(f"--widths: expected five multiples of 8, found {','.join(texts)!r}")
    return tuple(map(int, texts))


def _material() -> tuple[Material, Material, dict]:
    """What to learn from, what to judge by, and the identity of both."""
    from imfield_jax.dataset.material import image_files, parts, renderings
    from imfield_jax.dataset.mixture import open_mixture

    suffixes = [suffix for endings in SUFFIXES_OF.values() for suffix in endings]
    files = image_files(Path(_PHOTOS.value).expanduser(), suffixes)
    if len(files) < 2:
        raise ValueError(f"--photos: expected two photographs or more in {_PHOTOS.value}, found one")
    photos, progress = [], Progress()
    for done, file in enumerate(files, start=1):
        photos.append(parts([open_image(file).image], _PARTS.value, _SEED.value + done))
        progress("reading photographs", done, len(files), "")
    split = open_mixture(_DATA.value, "train")
    objects = renderings(
        split, _VIEWS.value, _SEED.value, lambda done, total: progress("reading renderings", done, total, "")
    )
    others = renderings(open_mixture(_DATA.value, "validation"), 1, _SEED.value)
    origin = {
        "shapes": len(split.names),
        "training_names_sha256": split.names_sha256,
        "licence": split.metadata["license"],
        "photographs": len(files),
    }
    learned = Material(objects, np.concatenate([each for n, each in enumerate(photos) if n % _HELD_OUT]))
    return learned, Material(others, np.concatenate(photos[::_HELD_OUT])), origin


def _initial() -> tuple[MattingWeights, dict | None]:
    """The network to train, and the identity of --init_from if it is from there."""
    if _INIT_FROM.value is None:
        config = MattingConfig(_widths())
        return MattingWeights(config, initial_params(config, _key()), {}), None
    path = SHIPPED if _INIT_FROM.value == "shipped" else Path(_INIT_FROM.value).expanduser()
    weights = load_matting(path)
    if flags.FLAGS["widths"].present and _widths() != weights.config.widths:
        raise ValueError(
            f"--widths={','.join(_WIDTHS.value)}: expected {','.join(map(str, weights.config.widths))}, those of "
            f"--init_from={_INIT_FROM.value}; leave one of them out"
        )
    return weights, identity(path)


def _key() -> Key[jax.Array, ""]:
    return jax.random.key(_SEED.value, impl="rbg")


def _trained(initial: MattingWeights, schedule: Schedule, material: Material, checkpoints: Checkpoints) -> TrainState:
    """The state after all updates, from the newest checkpoint if there is one."""
    key, state = _key(), first_matting_state(schedule, initial.params)
    found = checkpoints.newest(lambda step: state, lambda step, problem: logging.warning("%s", problem))
    if found is not None:
        step, state = found
        logging.info("resuming after %d of %d updates", step, _STEPS.value)
    update, started, seen = make_matting_update(initial.config, schedule, material), time.perf_counter(), []
    for step in range(int(state.step) + 1, _STEPS.value + 1):
        state, metrics = update(state, key)
        seen.append(metrics)
        last = step == _STEPS.value
        if last or step % _MEASURE_EVERY.value == 0:
            means = jax.tree.map(lambda *values: float(np.mean(values)), *seen)
            left = (time.perf_counter() - started) / len(seen) * (_STEPS.value - step) / 60
            logging.info(
                "%d/%d  loss %.4f  iou %.4f  %.1f min left", step, _STEPS.value, means["loss"], means["iou"], left
            )
            if not np.isfinite(means["loss"]):
                raise ValueError(f"the loss is {means['loss']}: train with a lower --learning_rate into another --run")
            started, seen = time.perf_counter(), []
        if last or step % _SAVE_EVERY.value == 0:
            checkpoints.save(step, state)
    return state


def _judged(weights: MattingWeights, held_out: Material) -> tuple[float, np.ndarray]:
    """The mean IoU on held-out pictures, and some of them over their mattes and the true ones."""
    key, batch = jax.random.key(_SEED.value + 1, impl="rbg"), min(_SHOWN, _JUDGED.value)

    @jax.jit
    def judge(key: jax.Array, material: Material) -> tuple[Array, Array, Array]:
        image, truth = pictures(material, batch, key)
        return image, jax.nn.sigmoid(weights.logits(image)), truth

    ious: list[float] = []
    rows: list[np.ndarray] = []
    for number in range(-(-_JUDGED.value // batch)):
        image, found, truth = map(np.asarray, judge(jax.random.fold_in(key, number), held_out))
        ious.append(float(matte_iou(found.reshape(batch, -1) > 0.5, truth.reshape(batch, -1) > 0.5).mean()))
        if not rows:
            grey = [np.repeat(matte[..., None], 3, axis=-1) for matte in (found, truth)]
            rows = [np.concatenate(list(each), axis=1) for each in (image, *grey)]
    return round(float(np.mean(ious)), 4), np.round(255 * np.concatenate(rows)).astype(np.uint8)
