"""What a training run shows and keeps: log lines, TensorBoard, pictures, weights."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType

import jax
import numpy as np
from absl import logging

from imfield_jax.batches import HeldOut
from imfield_jax.evaluation import figures
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.models.networks import Networks
from imfield_jax.models.weights import Weights, save_weights
from imfield_jax.training.stages import AUTOENCODER, Schedule, Stage
from imfield_jax.training.state import TrainState

_PICTURED = 12  # validation shapes per picture
_RESOLUTION = 128  # at 64, wings of airplanes fall between the cells


class Watch:
    """The `loop.Observer` of a run folder."""

    def __init__(self, folder: Path, networks: Networks, schedule: Schedule, held_out: HeldOut, about: dict):
        self._folder, self._networks, self._schedule = folder, networks, schedule
        self._held_out, self._about = held_out, about
        self._scalars = _scalar_writer(folder)
        self._scores: dict[str, float] = {}
        self._since: tuple[Stage, int, float] | None = None

    def measured(self, stage: Stage, step: int, measures: dict[str, float]) -> None:
        rate = self._steps_per_second(stage, step)
        shown = "  ".join(f"{name} {value:.5f}" for name, value in measures.items() if "inside" not in name)
        speed = (
            f"  {rate * stage.batch * max(stage.points, 1):,.0f} {'points' if stage.points else 'views'}/s"
            if rate
            else ""
        )
        left = f"  {(stage.steps - step) / rate / 60:.1f} min left in stage" if rate else ""
        logging.info("%s %d/%d  %s%s%s", stage.name, step, stage.steps, shown, speed, left)
        self._write(stage, step, {f"train/{name}": value for name, value in measures.items()})

    def validated(self, stage: Stage, step: int, measures: dict[str, float]) -> None:
        names = ["voxels"] if stage.kind == AUTOENCODER else ["voxels", "views"]
        self._scores = {f"validation_iou_from_{name}": measures[name] for name in names}
        shown = "  ".join(f"{name} {value:.4f}" for name, value in self._scores.items())
        logging.info("%s %d/%d  %s", stage.name, step, stage.steps, shown)
        self._write(stage, step, self._scores)

    def finished(self, stage: Stage, state: TrainState) -> None:
        """Keep the weights for extract and evaluate: weights.npz in the run folder, and a picture of them."""
        host = jax.device_get((state.params, state.batch_stats))
        about = {**self._about, "stage": stage.name, **{k: round(v, 4) for k, v in self._scores.items()}}
        save_weights(self._folder / "weights.npz", Weights(self._networks, *host, about))
        self._picture(stage)

    def warned(self, stage: Stage, step: int, message: str) -> None:
        logging.warning("%s %d/%d: %s", stage.name, step, stage.steps, message)

    def resumed(self, done: int, total: int) -> None:
        logging.info("going on after %d of %d updates", done, total)

    def _picture(self, stage: Stage) -> None:
        """Validation shapes as this stage's own input gives them, and what the network saw of them."""
        model = Reconstructor.of_run(self._folder)
        shown = slice(min(_PICTURED, len(self._held_out.view)))
        views = self._held_out.view[shown]
        latents = (
            model.encode_voxels(self._held_out.voxels[shown])
            if stage.kind == AUTOENCODER
            else model.encode_views(views)
        )
        rows = [
            figures.Row((np.rint(view[..., 0] * 255).astype(np.uint8), model.extract(z, _RESOLUTION).mesh))
            for view, z in zip(views, latents, strict=True)
        ]
        folder = self._folder / "pictures"
        folder.mkdir(exist_ok=True)
        figures.save(folder / f"{stage.name}.png", figures.validation_grid(rows))
        logging.info("%s: pictures in %s", stage.name, folder)

    def _steps_per_second(self, stage: Stage, step: int) -> float:
        """Over the steps since the last call; 0 for the first of a stage, which holds the compilation."""
        now, since = time.monotonic(), self._since
        self._since = (stage, step, now)
        return (step - since[1]) / (now - since[2]) if since and since[0] == stage else 0.0

    def _write(self, stage: Stage, step: int, scalars: dict[str, float]) -> None:
        number = self._schedule.stages.index(stage)
        done = self._schedule.ends[number] - stage.steps + step
        for name, value in scalars.items():
            self._scalars.add_scalar(name, value, done)
        self._scalars.flush()


class _NoScalars:
    """Stands in where TensorBoard is not installed: its curves are a convenience, not a need."""

    def add_scalar(self, name: str, value: float, step: int) -> None: ...

    def flush(self) -> None: ...


def _scalar_writer(folder: Path):
    # TensorBoard writes without TensorFlow where it finds this; importing TensorFlow takes seconds and logs.
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("notf"))
    try:
        from tensorboard.summary import Writer
    except ImportError:
        logging.info("TensorBoard is not installed: no curves, log lines only")
        return _NoScalars()
    return Writer(str(folder / "events"))
