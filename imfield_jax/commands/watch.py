"""The outputs of a training run: log lines, TensorBoard, images, weights."""

from __future__ import annotations

import time
from pathlib import Path

import jax
import numpy as np
from absl import logging
from jax.sharding import Mesh

from imfield_jax.batches import HeldOut
from imfield_jax.commands.event_files import EventFiles
from imfield_jax.evaluation import figures
from imfield_jax.files import write_atomic
from imfield_jax.images import encode_png
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.models.networks import Networks
from imfield_jax.models.weights import Weights, save_weights
from imfield_jax.training.stages import AUTOENCODER, Schedule, Stage
from imfield_jax.training.state import TrainState

_SHAPES_PER_IMAGE = 12


class Watch:
    """The `loop.Observer` of a run folder. resolution: of the meshes in the images, cells per axis."""

    def __init__(
        self,
        folder: Path,
        networks: Networks,
        schedule: Schedule,
        mesh: Mesh,
        held_out: HeldOut,
        about: dict,
        resolution: int,
    ):
        self._folder, self._networks, self._schedule, self._mesh = folder, networks, schedule, mesh
        self._held_out, self._about, self._resolution = held_out, about, resolution
        self._events = EventFiles(folder / "events")
        self._scores: dict[str, float] = {}
        self._since: tuple[Stage, int, float] | None = None

    def measured(self, stage: Stage, step: int, metrics: dict[str, float]) -> None:
        rate = self._steps_per_second(stage, step)
        shown = "  ".join(f"{name} {value:.5f}" for name, value in metrics.items() if "inside" not in name)
        speed = (
            f"  {rate * stage.batch * max(stage.points, 1):,.0f} {'points' if stage.points else 'views'}/s"
            if rate
            else ""
        )
        left = f"  {(stage.steps - step) / rate / 60:.1f} min left in stage" if rate else ""
        logging.info("%s %d/%d  %s%s%s", stage.name, step, stage.steps, shown, speed, left)
        values = {f"train/{name}": value for name, value in metrics.items()}
        if rate:
            values["train/steps_per_second"] = rate
        self._events.scalars(values, self._updates(stage, step))

    def validated(self, stage: Stage, step: int, metrics: dict[str, float]) -> None:
        names = ["voxels"] if stage.kind == AUTOENCODER else ["voxels", "views"]
        self._scores = {f"validation_iou_from_{name}": metrics[name] for name in names}
        shown = "  ".join(f"{name} {value:.4f}" for name, value in self._scores.items())
        logging.info("%s %d/%d  %s", stage.name, step, stage.steps, shown)
        self._events.scalars(
            {f"validation/iou_from_{name}": metrics[name] for name in names}, self._updates(stage, step)
        )

    def finished(self, stage: Stage, state: TrainState) -> None:
        """Save the weights for extract and evaluate as weights.npz, and an image of validation shapes."""
        params, batch_stats = jax.device_get((state.params, state.batch_stats))
        about = {**self._about, "stage": stage.name, **{k: round(v, 4) for k, v in self._scores.items()}}
        save_weights(self._folder / "weights.npz", Weights(self._networks, params, batch_stats, about))
        self._draw(stage)

    def warned(self, stage: Stage, step: int, message: str) -> None:
        logging.warning("%s %d/%d: %s", stage.name, step, stage.steps, message)

    def estimating(self) -> None:
        logging.info("compiling the stages and timing a few updates of each")

    def estimated(self, seconds: dict[str, float]) -> None:
        kinds = [device.platform for device in self._mesh.devices.flat]
        stages = ", ".join(f"{name} {_duration(each)}" for name, each in seconds.items())
        total = _duration(sum(seconds.values()))
        logging.info("about %s on this machine (%d x %s): %s", total, len(kinds), kinds[0], stages)

    def resumed(self, step: int, total: int) -> None:
        logging.info("resuming after %d of %d updates", step, total)

    def _draw(self, stage: Stage) -> None:
        """Save an image of validation shapes: their views, and their reconstructions from this stage's input."""
        model = Reconstructor.of_run(self._folder)
        shown = slice(min(_SHAPES_PER_IMAGE, len(self._held_out.view)))
        views = self._held_out.view[shown]
        latents = (
            model.encode_voxels(self._held_out.voxels[shown])
            if stage.kind == AUTOENCODER
            else model.encode_views(views)
        )
        rows = [
            figures.Row((np.rint(view[..., 0] * 255).astype(np.uint8), model.extract(z, self._resolution).mesh))
            for view, z in zip(views, latents, strict=True)
        ]
        folder = self._folder / "validation_images"
        folder.mkdir(exist_ok=True)
        png = encode_png(figures.validation_grid(rows))
        write_atomic(folder / f"{stage.name}.png", png)
        self._events.image("validation/images", png, self._updates(stage, stage.steps))
        logging.info("%s: images in %s", stage.name, folder)

    def _steps_per_second(self, stage: Stage, step: int) -> float:
        """Mean over the steps since the last call; 0 in the first call of a stage, which includes the compilation."""
        now, since = time.monotonic(), self._since
        self._since = (stage, step, now)
        return (step - since[1]) / (now - since[2]) if since and since[0] == stage else 0.0

    def _updates(self, stage: Stage, step: int) -> int:
        """The number of updates of the run after `step` updates of a stage."""
        number = self._schedule.stages.index(stage)
        return self._schedule.ends[number] - stage.steps + step


def _duration(seconds: float) -> str:
    """ "40 s", "35 min" or "2.5 h"."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
