"""Everything a stage of training changes, as one pytree: what is stepped, donated and saved."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import optax

from imfield_jax.models.networks import Networks, Tree
from imfield_jax.training.stages import TRAINED, Schedule, Stage
from imfield_jax.types import Array

_FULL_RATE_FAN_IN = 128  # inputs per output up to which a kernel keeps the whole learning rate
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
    """Adam (IM-NET: beta1 0.5, beta2 0.999) with a short warm-up and, if asked, a cosine decay to zero."""
    warmup = max(1, int(_WARMUP_SHARE * stage.steps))
    if stage.decay:
        rate = optax.warmup_cosine_decay_schedule(0.0, stage.learning_rate, warmup, max(stage.steps, warmup + 1))
    else:
        rate = optax.linear_schedule(0.0, stage.learning_rate, warmup)
    adam = optax.scale_by_adam(b1=schedule.beta1, b2=0.999)
    if schedule.fan_in_rates:
        adam = optax.chain(adam, optax.stateless(lambda updates, params: jax.tree.map(_by_fan_in, updates)))
    return optax.chain(adam, optax.scale_by_learning_rate(rate))


def _by_fan_in(update: Array) -> Array:
    """The update of one leaf, smaller for kernels of many inputs.

    Adam moves every weight by about the learning rate, so the sum over n inputs that are correlated
    moves by n times that: the 8,192 inputs of the voxel encoder's last layer drive its sigmoids into
    saturation within a few steps at rates that the decoder needs.
    """
    return update * min(1.0, _FULL_RATE_FAN_IN / math.prod(update.shape[:-1])) if update.ndim > 1 else update


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
