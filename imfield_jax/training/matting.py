"""The training of the matting network: pictures are composed on the device, each a function of (seed, step)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Bool, Float, Key, UInt8

from imfield_jax.models.matting import MattingConfig, matting_logits
from imfield_jax.training.composites import OBJECTS, PHOTOS, composite
from imfield_jax.training.losses import occupancy_loss
from imfield_jax.training.optimizer import optimizer_of
from imfield_jax.training.stages import MATTING, MUON, Schedule, Stage
from imfield_jax.training.state import TrainState
from imfield_jax.types import Array

_IOU_WEIGHT = 0.5  # of the soft intersection over union beside the cross-entropy
_PART = "matting"

Metrics = dict[str, Float[Array, ""]]
Update = Callable[[TrainState, Key[jax.Array, ""]], tuple[TrainState, Metrics]]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Material:
    """What pictures are made of. objects: RGBA renderings, not premultiplied. photos: backgrounds and textures."""

    objects: UInt8[Array, "N H H 4"]
    photos: UInt8[Array, "M K K 3"]


def pictures(
    material: Material, batch: int, key: Key[jax.Array, ""]
) -> tuple[Float[Array, "B S S 3"], Float[Array, "B S S"]]:
    """A batch of pictures and their mattes."""
    of_objects, of_photos, of_pictures = jax.random.split(key, 3)
    objects = material.objects[jax.random.randint(of_objects, (batch, OBJECTS), 0, len(material.objects))]
    photos = material.photos[jax.random.randint(of_photos, (batch, PHOTOS), 0, len(material.photos))]
    unit = jnp.float32(1 / 255)
    return jax.vmap(composite)(objects * unit, photos * unit, jax.random.split(of_pictures, batch))


def first_matting_state(schedule: Schedule, params: dict) -> TrainState:
    """The state before the first update of these parameters, fresh or trained."""
    parts = {_PART: params}
    opt_state = optimizer_of(schedule, schedule.stages[0]).init(parts)
    return TrainState(jnp.zeros((), jnp.int32), parts, {}, opt_state)


def matting_params(state: TrainState) -> dict:
    """The parameters of the network in a state."""
    return state.params[_PART]


def make_matting_update(config: MattingConfig, schedule: Schedule, material: Material) -> Update:
    """An update of the only stage of a schedule: (state, key of the run) -> (state, metrics)."""
    (stage,) = schedule.stages
    optimizer = optimizer_of(schedule, stage)

    def loss_of(params: dict, image: Array, matte: Array) -> tuple[Float[Array, ""], Metrics]:
        logits = matting_logits(config, params[_PART], image).reshape(stage.batch, -1)
        truth = matte.reshape(stage.batch, -1)
        loss = occupancy_loss(logits, truth, "sigmoid", "bce")
        loss = loss + _IOU_WEIGHT * occupancy_loss(logits, truth, "sigmoid", "iou")
        return loss, {"loss": loss, "iou": matte_iou(logits > 0, truth > 0.5).mean()}

    @jax.jit
    def update(state: TrainState, key: Key[jax.Array, ""], material: Material) -> tuple[TrainState, Metrics]:
        image, matte = pictures(material, stage.batch, jax.random.fold_in(key, state.step))
        gradients, metrics = jax.grad(loss_of, has_aux=True)(state.params, image, matte)
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.params)
        return TrainState(state.step + 1, optax.apply_updates(state.params, updates), {}, opt_state), metrics

    on_device = jax.device_put(material)  # once, and not as constants of the program
    return lambda state, key: update(state, key, on_device)


def matte_iou(found: Bool[Array, "B P"], truth: Bool[Array, "B P"]) -> Float[Array, " B"]:
    """Intersection over union of each of a batch of masks."""
    return (found & truth).sum(axis=-1) / jnp.maximum((found | truth).sum(axis=-1), 1)


def matting_schedule(steps: int, batch: int, learning_rate: float) -> Schedule:
    """One stage of Muon that decays to 0."""
    stage = Stage(MATTING, None, steps, batch, 0, learning_rate, decay=True)
    return Schedule((stage,), "bce", 0.9, MUON)
