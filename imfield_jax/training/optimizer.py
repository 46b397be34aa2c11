"""The optimizer of a stage: Adam as in the paper, or Muon for matrices."""

from __future__ import annotations

import math

import jax
import optax
import optax.contrib

from imfield_jax.training.stages import ADAM, MUON, Schedule, Stage
from imfield_jax.types import Array

_BETA2 = 0.999  # Adam's, as in IM-NET
_MUON_GAIN = 20.0  # scale of Muon updates relative to Adam's, so that one learning rate suits both
_WARMUP_FRACTION = 0.02  # of a stage's steps: Adam's first steps are too large


def optimizer_of(schedule: Schedule, stage: Stage) -> optax.GradientTransformation:
    """Adam (IM-NET: beta1 0.5, beta2 0.999) or Muon, with a short warm-up and an optional cosine decay to zero."""
    warmup = max(1, int(_WARMUP_FRACTION * stage.steps))
    peak, first = stage.learning_rate, stage.learning_rate / warmup
    if stage.decay:
        rate = optax.warmup_cosine_decay_schedule(first, peak, warmup, max(stage.steps, warmup + 1))
    else:
        rate = optax.linear_schedule(first, peak, warmup)
    if schedule.optimizer == ADAM:
        return optax.adam(rate, b1=schedule.beta1, b2=_BETA2)
    muon = optax.chain(
        optax.contrib.scale_by_muon(weight_dimension_numbers=lambda params: jax.tree.map(_matrix_axes, params)),
        optax.stateless_with_tree_map(lambda update, _: _spectral_size(update.shape) * update),
        optax.scale_by_learning_rate(lambda count: _MUON_GAIN * rate(count)),
    )
    adam = optax.adam(rate, b1=schedule.beta1, b2=_BETA2)
    return optax.partition({MUON: muon, ADAM: adam}, lambda params: jax.tree.map(_label, params))


def _label(leaf: Array) -> str:
    """The optimizer of a leaf: Muon for weight matrices, Adam for biases, scales and single-output layers."""
    return ADAM if leaf.ndim < 2 or leaf.shape[-1] == 1 else MUON


def _matrix_axes(leaf: Array) -> optax.contrib.MuonDimensionNumbers:
    """The axes that make a kernel the matrix [inputs, outputs] of its layer."""
    return optax.contrib.MuonDimensionNumbers(tuple(range(leaf.ndim - 1)), leaf.ndim - 1)


def _spectral_size(shape: tuple[int, ...]) -> float:
    """The scale of a layer's update, by its largest singular value: sqrt(outputs / inputs).

    The outputs of every layer then change by the same amount per unit, however wide it is (Yang, Simon and
    Bernstein 2023, "A spectral condition for feature learning"). With updates of one size per entry
    instead, the voxel encoder, with 8,192 inputs to its last layer, changes too fast for the decoder.
    """
    return math.sqrt(shape[-1] / math.prod(shape[:-1]))
