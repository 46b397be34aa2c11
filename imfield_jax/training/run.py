"""The complete configuration of a training run."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import jax
from jaxtyping import Key

from imfield_jax.models.networks import Networks, Tree
from imfield_jax.training.feed import Feed
from imfield_jax.training.parallel import parallel_step, sequential
from imfield_jax.training.stages import Schedule
from imfield_jax.training.steps import Step, make_step
from imfield_jax.training.validation import Validation


@dataclasses.dataclass(frozen=True)
class Run:
    """Networks, schedule and batches, and how often the run reports, validates and saves.

    feeds:    stage number -> batches of that stage, each with its own seed.
    initial:  (params, batch_stats) to start from instead of random ones.
    clock:    seconds, such as time.perf_counter, with which the expected duration is estimated and reported first.
    stop:     asked after each update; once it says yes, the run saves a checkpoint and ends with `loop.Stopped`.
    """

    networks: Networks
    schedule: Schedule
    feeds: Callable[[int], Feed]
    validate: Validation
    key: Key[jax.Array, ""]
    mesh: jax.sharding.Mesh
    measure_every: int = 50
    validate_every: int = 500
    save_every: int = 250
    initial: tuple[Tree, Tree] | None = None
    clock: Callable[[], float] | None = None
    stop: Callable[[], bool] = lambda: False

    @functools.cached_property
    def steps(self) -> tuple[Step, ...]:
        """The update of each stage; each compiles when it is first called."""
        return tuple(
            parallel_step(make_step(self.networks, self.schedule, stage, sequential=sequential(self.mesh)), self.mesh)
            for stage in self.schedule.stages
        )
