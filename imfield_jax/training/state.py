"""Everything a stage of training changes, as one pytree: what is stepped, donated and saved."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import optax
import optax.contrib

from imfield_jax.models.networks import Networks, Tree
from imfield_jax.training.stages import ADAM, TRAINED, Schedule, Stage
from imfield_jax.types import Array

_BETA2 = 0.999  # of Adam, in IM-NET too
_MUON_RMS = 0.2  # of an update at learning rate 1, near Adam's own, so that one rate suits both
_WARMUP_SHARE = 0.02  # of a stage's steps: Adam's first steps are too sure of themselves


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """step: [] int32, updates made in this stage. params: of all networks. opt_state: of the trained ones."""

    step: Array
    params: Tree
    batch_stats: Tree
    opt_state: optax.OptState


def optimizer_of(schedule: Schedule, stage: Stage) -> optax.GradientTransformation:
    """Adam (IM-NET: beta1 0.5, beta2 0.999) or Muon, with a short warm-up and, if asked, a cosine decay to zero."""
    warmup = max(1, int(_WARMUP_SHARE * stage.steps))
    peak, first = stage.learning_rate, stage.learning_rate / warmup
    if stage.decay:
        rate = optax.warmup_cosine_decay_schedule(first, peak, warmup, max(stage.steps, warmup + 1))
    else:
        rate = optax.linear_schedule(first, peak, warmup)
    if schedule.optimizer == ADAM:
        return optax.adam(rate, b1=schedule.beta1, b2=_BETA2)
    return optax.contrib.muon(
        rate,
        consistent_rms=_MUON_RMS,
        muon_weight_dimension_numbers=lambda params: jax.tree.map(_matrix_axes, params),
        adam_b1=schedule.beta1,
        adam_b2=_BETA2,
    )


def _matrix_axes(leaf: Array) -> optax.contrib.MuonDimensionNumbers | None:
    """How a leaf is the matrix [inputs, outputs] of a layer; None where there is none: Adam moves those."""
    if leaf.ndim < 2 or leaf.shape[-1] == 1:
        return None
    return optax.contrib.MuonDimensionNumbers(tuple(range(leaf.ndim - 1)), leaf.ndim - 1)


def first_state(networks: Networks, schedule: Schedule, key: Array) -> TrainState:
    """The state before the first update of the first stage."""
    params, batch_stats = jax.jit(networks.init)(key)  # drops the forward pass that flax makes
    return begin_stage(schedule, schedule.stages[0], params, batch_stats)


def begin_stage(schedule: Schedule, stage: Stage, params: Tree, batch_stats: Tree) -> TrainState:
    """The state before the first update of a stage: weights go on, the optimizer starts afresh."""
    opt_state = optimizer_of(schedule, stage).init(trained(stage, params))
    return TrainState(jnp.zeros((), jnp.int32), params, batch_stats, opt_state)


def trained(stage: Stage, params: Tree) -> Tree:
    """The part of the parameters that a stage changes."""
    return {name: params[name] for name in TRAINED[stage.kind]}
