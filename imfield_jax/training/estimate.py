"""How long the rest of a run takes, from a few timed updates of each kind of stage."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from imfield_jax.training.augmentation import is_augmented
from imfield_jax.training.feed import batch
from imfield_jax.training.parallel import replicated
from imfield_jax.training.run import Run
from imfield_jax.training.stages import AUTOENCODER
from imfield_jax.training.state import TrainState, begin_stage

Clock = Callable[[], float]
_SECONDS, _UPDATES = 1.0, 5  # of timing per kind of stage, whichever is reached first


def remaining_seconds(run: Run, clock: Clock, current: int, state: TrainState) -> dict[str, float]:
    """Seconds of each stage that is not finished, by name: updates, remaining compilation and validation.

    current: the number of the stage that `state` belongs to. Stages of the same kind, batch and points are timed once.
    Training reuses the compiled functions, so only the timed updates, on copies of the state, are extra work.
    """
    run.validate(state)
    validation = _seconds(clock, lambda: run.validate(state))
    timed: dict[tuple, tuple[float, float]] = {}
    seconds = {}
    for number, stage in enumerate(run.schedule.stages[current:], start=current):
        left = stage.steps - (int(state.step) if number == current else 0)
        if not left:
            continue
        shapes, compilation = (stage.kind, stage.batch, stage.points), 0.0
        if shapes in timed:
            compilation, update = timed[shapes]
        else:
            timed[shapes] = _, update = _timed(run, clock, number, state)
        seconds[stage.name] = compilation + left * update + (left // run.validate_every + 1) * validation
    return seconds


def _timed(run: Run, clock: Clock, number: int, state: TrainState) -> tuple[float, float]:
    """Extra seconds of a stage's first update, which compiles, and seconds of each other update."""
    stage, feed = run.schedule.stages[number], run.feeds(number)
    same = replicated(run.mesh)
    copies = jax.tree.map(jnp.copy, (state.params, state.batch_stats))  # the step donates its state
    trial = jax.device_put(begin_stage(run.schedule, stage, *copies), same)
    targets = 0 if stage.kind == AUTOENCODER else len(feed.names) * (2 if is_augmented(run.networks) else 1)
    latents = jax.device_put(jnp.zeros((targets, run.networks.preset.decoder.latent), jnp.float32), same)

    def update() -> None:
        nonlocal trial
        trial, _ = run.steps[number](trial, batch(feed, stage, 0), latents)
        jax.block_until_ready(trial)

    first = _seconds(clock, update)
    start, updates = clock(), 0
    while not updates or (updates < _UPDATES and clock() - start < _SECONDS):
        update()
        updates += 1
    each = (clock() - start) / updates
    return max(first - each, 0.0), each


def _seconds(clock: Clock, work: Callable[[], object]) -> float:
    start = clock()
    work()
    return clock() - start
