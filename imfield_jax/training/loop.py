"""The loop over stages and steps: resumes from the newest checkpoint, reports to an observer, saves.

Batches and keys are functions of the step number, so a run that was killed and restarted gives
the same weights, bit for bit, as one that was not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import jax
import numpy as np
import optax
from jaxtyping import Float

from imfield_jax.training.augmentation import is_augmented
from imfield_jax.training.checkpoints import Checkpoints
from imfield_jax.training.estimate import remaining_seconds
from imfield_jax.training.feed import Feed, batch
from imfield_jax.training.parallel import replicated
from imfield_jax.training.run import Run
from imfield_jax.training.stages import AUTOENCODER, ENCODER, Stage
from imfield_jax.training.state import TrainState, begin_stage, first_state, trained
from imfield_jax.training.steps import Metrics
from imfield_jax.training.validation import latents_of

EMPTY_FRACTION = 0.02  # predicted-inside over true-inside fraction: below this the network predicts "empty" everywhere
COLLAPSED_SPREAD = 1e-3  # of latents in (0, 1): below this the encoder maps all shapes to one latent
_norm = jax.jit(optax.tree.norm)  # uncompiled it is five programs for each shape of an array


@runtime_checkable
class Observer(Protocol):
    """Receives the reports of a run; it must not change the run."""

    def measured(self, stage: Stage, step: int, metrics: dict[str, float]) -> None:
        """Means over the steps since the last call, after `step` updates of the stage."""

    def validated(self, stage: Stage, step: int, metrics: dict[str, float]) -> None:
        """Intersection over union on held-out shapes."""

    def finished(self, stage: Stage, state: TrainState) -> None:
        """A stage is over."""

    def warned(self, stage: Stage, step: int, message: str) -> None:
        """Something is wrong that the user should know now."""

    def estimating(self) -> None:
        """Unfinished stages are compiled and a few updates of each are timed; this takes a while."""

    def estimated(self, seconds: dict[str, float]) -> None:
        """Expected seconds of each unfinished stage, by name."""

    def resumed(self, step: int, total: int) -> None:
        """The run resumes after `step` of `total` updates."""


class Stopped(Exception):
    """A run was told to stop and has saved a checkpoint.

    step, total: its updates so far, and in all.
    """

    def __init__(self, step: int, total: int):
        super().__init__(f"stopped after {step} of {total} updates")
        self.step, self.total = step, total


def train(run: Run, checkpoints: Checkpoints, observer: Observer) -> TrainState:
    """Go through all stages, from the newest checkpoint that can be read; returns the last state.

    Raises ValueError when there are checkpoints and none can be read, or when the loss is not finite, and `Stopped`.
    """
    step, state = _resume(run, checkpoints, observer)
    current = run.schedule.locate(step)
    if run.clock and step < run.schedule.ends[-1]:
        observer.estimating()
        observer.estimated(remaining_seconds(run, run.clock, current, state))
    state = _train_stage(run, current, state, checkpoints, observer)
    for number in range(current + 1, len(run.schedule.stages)):
        state = begin_stage(run.schedule, run.schedule.stages[number], state.params, state.batch_stats)
        # With the sharding that an update returns; otherwise the second update would compile again.
        state = jax.device_put(state, replicated(run.mesh))
        state = _train_stage(run, number, state, checkpoints, observer)
    return state


def _resume(run: Run, checkpoints: Checkpoints, observer: Observer) -> tuple[int, TrainState]:
    """The number of updates so far and the state after them: from a checkpoint, or 0 and the first state."""

    def stage_of(step: int) -> Stage:
        return run.schedule.stages[run.schedule.locate(step)]

    found = checkpoints.newest(
        lambda step: _expected(run, stage_of(step)),
        lambda step, problem: observer.warned(stage_of(step), step, problem),
    )
    if found is not None:
        observer.resumed(found[0], run.schedule.ends[-1])
        return found
    if run.initial is None:
        state = first_state(run.networks, run.schedule, run.key)
    else:
        state = begin_stage(run.schedule, run.schedule.stages[0], *run.initial)
    return 0, jax.device_put(state, replicated(run.mesh))


def _expected(run: Run, stage: Stage) -> TrainState:
    """Shapes, dtypes and shardings of a state of a stage."""
    shapes = jax.eval_shape(lambda key: begin_stage(run.schedule, stage, *run.networks.init(key)), run.key)
    same = replicated(run.mesh)
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=same), shapes)


def _train_stage(run: Run, number: int, state: TrainState, checkpoints: Checkpoints, observer: Observer) -> TrainState:
    stage = run.schedule.stages[number]
    if int(state.step) < stage.steps:
        state = _update(run, number, state, checkpoints, observer)
    # Report a stage that finished just before an interruption again: the observer may have missed it.
    observer.validated(stage, stage.steps, run.validate(state))
    observer.finished(stage, state)
    return state


def _update(run: Run, number: int, state: TrainState, checkpoints: Checkpoints, observer: Observer) -> TrainState:
    """Run the remaining updates of a stage."""
    stage = run.schedule.stages[number]
    before = run.schedule.ends[number] - stage.steps
    feed = run.feeds(number)
    update = run.steps[number]
    latents = _targets(run, stage, state, feed)
    if stage.kind == ENCODER and int(state.step) == 0:
        batch_stats = run.networks.with_statistics(state.batch_stats, latents)
        state = dataclasses.replace(state, batch_stats=jax.device_put(batch_stats, replicated(run.mesh)))
    seen: list[Metrics] = []
    for step in range(int(state.step) + 1, stage.steps + 1):
        state, metrics = update(state, batch(feed, stage, step - 1), latents)
        seen.append(metrics)
        last = step == stage.steps
        if last or step % run.measure_every == 0:
            _report(observer, stage, step, seen)
            seen = []
        stopping = run.stop()
        if last or stopping or step % run.save_every == 0:
            _check_finite(stage, step, "norm of the weights", float(_norm(trained(stage, state.params))))
            checkpoints.save(before + step, state)
        if stopping:
            raise Stopped(before + step, run.schedule.ends[-1])
        if step % run.validate_every == 0 and not last:
            observer.validated(stage, step, run.validate(state))
    return state


def _targets(run: Run, stage: Stage, state: TrainState, feed: Feed) -> Float[jax.Array, "N Z"]:
    """The regression targets of the views, and of mirrored ones if those are trained on.

    The autoencoder is frozen by then, so they are the same after a resume.
    """
    if stage.kind == AUTOENCODER:
        return jax.device_put(np.zeros((0, run.networks.preset.decoder.latent), np.float32), replicated(run.mesh))
    latents = latents_of(run.networks, state.params, feed.voxels, len(feed.names))
    if is_augmented(run.networks):
        mirrored = latents_of(run.networks, state.params, lambda rows: feed.voxels(rows)[:, ::-1], len(feed.names))
        latents = jax.numpy.concatenate([latents, mirrored])
    return jax.device_put(latents, replicated(run.mesh))


def _report(observer: Observer, stage: Stage, step: int, seen: list[Metrics]) -> None:
    means = {name: float(np.mean([float(metrics[name]) for metrics in seen])) for name in seen[0]}
    _check_finite(stage, step, "loss", means["loss"])
    observer.measured(stage, step, means)
    if step > stage.steps // 2:
        for message in _symptoms(stage, means):
            observer.warned(stage, step, message)


def _symptoms(stage: Stage, means: dict[str, float]) -> Iterator[str]:
    """Problems that the metrics reveal, and what to do about them."""
    if means.get("predicted_inside", 1.0) < EMPTY_FRACTION * means.get("true_inside", 0.0):
        yield (
            f"the network predicts 'empty' everywhere ({means['predicted_inside']:.2%} of points predicted inside, "
            f"{means['true_inside']:.2%} truly inside; loss {means['loss']:.4f}): check the dataset's contact.png, or "
            "train with a lower --learning_rate or --loss=bce into another --run"
        )
    if stage.batch > 1 and means.get("latent_spread", 1.0) < COLLAPSED_SPREAD:
        yield (
            f"the encoder maps all shapes to nearly one latent (they differ by {means['latent_spread']:.1e}): "
            "train with a lower --learning_rate or --optimizer=muon into another --run"
        )


def _check_finite(stage: Stage, step: int, name: str, value: float) -> None:
    """Stop a run that has diverged, before it overwrites good checkpoints."""
    if not np.isfinite(value):
        raise ValueError(
            f"{stage.name}: the {name} is {value} after {step} updates: train with a lower --learning_rate into "
            "another --run"
        )
