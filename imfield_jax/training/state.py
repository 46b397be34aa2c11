"""The training state as one pytree, which updates change and checkpoints save."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Int32, Key

from imfield_jax.models.networks import Networks, Tree
from imfield_jax.training.optimizer import optimizer_of
from imfield_jax.training.stages import Schedule, Stage
from imfield_jax.types import Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """step: updates made in this stage. params: of all networks. opt_state: of the trained ones."""

    step: Int32[Array, ""]
    params: Tree
    batch_stats: Tree
    opt_state: optax.OptState


def first_state(networks: Networks, schedule: Schedule, key: Key[jax.Array, ""]) -> TrainState:
    """The state before the first update of the first stage."""
    params, batch_stats = jax.jit(networks.init)(key)  # jit drops the forward pass of flax's init
    return begin_stage(schedule, schedule.stages[0], params, batch_stats)


def begin_stage(schedule: Schedule, stage: Stage, params: Tree, batch_stats: Tree) -> TrainState:
    """The state before the first update of a stage: the weights are kept, the optimizer is reset."""
    opt_state = optimizer_of(schedule, stage).init(trained(stage, params))
    return TrainState(jnp.zeros((), jnp.int32), params, batch_stats, opt_state)


def trained(stage: Stage, params: Tree) -> Tree:
    """The part of the parameters that a stage changes."""
    return {name: params[name] for name in stage.trained}
