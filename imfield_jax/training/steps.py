"""One update of each stage: pure functions from (state, batch) to (state, metrics)."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Float

from imfield_jax.batches import PointBatch, ViewBatch
from imfield_jax.models.networks import Networks, Tree
from imfield_jax.training.augmentation import augmented, is_augmented
from imfield_jax.training.losses import (
    CAMERA_WEIGHT,
    camera_loss,
    latent_loss,
    latent_spread,
    occupancy_loss,
    point_metrics,
)
from imfield_jax.training.optimizer import optimizer_of
from imfield_jax.training.stages import AUTOENCODER, ENCODER, FINETUNE, Schedule, Stage
from imfield_jax.training.state import TrainState, trained
from imfield_jax.types import Array

Metrics = dict[str, Float[Array, ""]]
Step = Callable[[TrainState, PointBatch | ViewBatch, Float[Array, "N Z"]], tuple[TrainState, Metrics]]
Loss = tuple[Float[Array, ""], tuple[Tree, Metrics]]  # the loss, and the new batch_stats

LossFunction = Callable[..., Loss]  # of params, batch_stats, a batch of the stage's kind, latents


def make_step(networks: Networks, schedule: Schedule, stage: Stage, *, sequential: bool) -> Step:
    """The update of a stage: step(state, batch, latents) -> (state, metrics).

    latents: the autoencoder's latents of the split by row, the regression targets of views; those of mirrored shapes
    follow if views are augmented. The autoencoder's own stages ignore them.
    sequential: see `Networks.logits`.
    """
    optimizer = optimizer_of(schedule, stage)
    varied = is_augmented(networks)
    loss_function = _loss_function(networks, schedule, stage, sequential)

    def step(
        state: TrainState, batch: PointBatch | ViewBatch, latents: Float[Array, "N Z"]
    ) -> tuple[TrainState, Metrics]:
        if varied and isinstance(batch, ViewBatch):
            key = jax.random.fold_in(jax.random.key(0, impl="rbg"), state.step)
            batch = augmented(batch, len(latents) // 2, key)

        def loss_of(part: Tree) -> Loss:
            return loss_function({**state.params, **part}, state.batch_stats, batch, latents)

        part = trained(stage, state.params)
        (loss, (batch_stats, metrics)), gradients = jax.value_and_grad(loss_of, has_aux=True)(part)
        updates, opt_state = optimizer.update(gradients, state.opt_state, part)
        params = {**state.params, **optax.apply_updates(part, updates)}
        return TrainState(state.step + 1, params, batch_stats, opt_state), {"loss": loss, **metrics}

    return step


def _loss_function(networks: Networks, schedule: Schedule, stage: Stage, sequential: bool) -> LossFunction:
    output = networks.preset.decoder.output

    def occupancy_terms(
        params: Tree, z: Float[Array, "B Z"], batch: PointBatch | ViewBatch
    ) -> tuple[Float[Array, ""], Metrics]:
        logits = networks.logits(params, z, batch.points, sequential=sequential)
        loss = occupancy_loss(logits, batch.occupancy, output, schedule.loss)
        return loss, {**point_metrics(logits, batch.occupancy, output), "latent_spread": latent_spread(z)}

    def camera_terms(
        estimates: Float[Array, "B 29"] | None, batch: ViewBatch
    ) -> tuple[Float[Array, ""] | float, Metrics]:
        if estimates is None:
            return 0.0, {}
        loss = camera_loss(estimates, batch.camera)
        return CAMERA_WEIGHT * loss, {"camera_loss": loss}

    def autoencoder(params: Tree, batch_stats: Tree, batch: PointBatch, latents: Float[Array, "N Z"]) -> Loss:
        loss, metrics = occupancy_terms(params, networks.encode_voxels(params, batch.voxels), batch)
        return loss, (batch_stats, metrics)

    def encoder(params: Tree, batch_stats: Tree, batch: ViewBatch, latents: Float[Array, "N Z"]) -> Loss:
        # Half of the views are lifted along the true cameras, and teach what belongs where. The others are lifted
        # along the predicted ones, as the views of a user are.
        every_other = jnp.arange(len(batch.index))[:, None] % 2 == 0
        used = jnp.where(every_other, batch.camera, jnp.nan)
        z, batch_stats, estimates = networks.encode_views_in_training(params, batch_stats, batch.view, used)
        loss, metrics = camera_terms(estimates, batch)
        metrics = {**metrics, "latent_spread": latent_spread(z)}
        scale = networks.latent_scale(batch_stats)
        return loss + latent_loss(z, latents[batch.index], scale), (batch_stats, metrics)

    def finetune(params: Tree, batch_stats: Tree, batch: ViewBatch, latents: Float[Array, "N Z"]) -> Loss:
        z, batch_stats, estimates = networks.encode_views_in_training(params, batch_stats, batch.view)
        of_camera, metrics = camera_terms(estimates, batch)
        loss, of_points = occupancy_terms(params, z, batch)
        distance = latent_loss(z, latents[batch.index], networks.latent_scale(batch_stats))
        metrics = {**metrics, **of_points, "latent_loss": distance}
        return loss + of_camera + schedule.latent_weight * distance, (batch_stats, metrics)

    functions: dict[str, LossFunction] = {AUTOENCODER: autoencoder, ENCODER: encoder, FINETUNE: finetune}
    return functions[stage.kind]
