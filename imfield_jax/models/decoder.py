"""The implicit decoder: a latent and one point in, occupancy out (IM-NET, section 3.1).

Six (or seven) fully connected layers with leaky ReLU. In the paper's form the input vector
(point, z) is fed again to layers 2 to 5; the later form has no skips. The network is written for
one point and vmapped over query coordinates by its callers.

z is the same for all points of an object, so its part of every layer it feeds is added to that
layer's bias once per object: `fold`. `occupancy` then asks the folded decoder.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn

from imfield_jax.types import Array

NEGATIVE_SLOPE = 0.02  # leaky ReLU, everywhere in IM-NET
CLIP_LEAK = 0.01  # slope outside of [0, 1] of IM-NET-pytorch's output


@dataclasses.dataclass(frozen=True)
class DecoderConfig:
    """latent: Z. widths: outputs of the hidden layers. skips: feed (point, z) again to all but the output layer.

    output: "sigmoid" (paper) or "leaky_clip" (IM-NET-pytorch).
    initial_std: standard deviation of the initial weights, 0.02 in IM-NET; None balances them, see
    `_balanced_kernel`, for decoders that are to be trained in minutes.
    """

    latent: int
    widths: tuple[int, ...]
    skips: bool
    output: str
    initial_std: float | None = 0.02


@partial(jax.tree_util.register_dataclass, data_fields=("hidden", "point", "bias"), meta_fields=())
@dataclasses.dataclass(frozen=True)
class FoldedLayer:
    """One layer with z folded in. hidden: [in, out] or None; point: [3, out] or None; bias: [out]."""

    hidden: Array | None
    point: Array | None
    bias: Array


@partial(jax.tree_util.register_dataclass, data_fields=("layers",), meta_fields=("output",))
@dataclasses.dataclass(frozen=True)
class FoldedDecoder:
    """The decoder of one object: a small network from points to occupancy."""

    layers: tuple[FoldedLayer, ...]
    output: str


class ImplicitDecoder(nn.Module):
    """Parameters of the decoder, layer_1 ... layer_n with kernel [in, out] and bias [out].

    Rows of a kernel are ordered (hidden, point, z), as IM-NET concatenates them.
    """

    config: DecoderConfig

    def setup(self):
        config = self.config
        fed = 3 + config.latent
        outputs = (*config.widths, 1)
        kernels, biases = [], []
        for number, out in enumerate(outputs, start=1):
            hidden = outputs[number - 2] if number > 1 else 0
            shape = (hidden + (fed if self._is_fed(number) else 0), out)
            if config.initial_std is None:
                kernel = self.param(f"layer_{number}_kernel", _balanced_kernel, shape, hidden)
                bias = self.param(f"layer_{number}_bias", _balanced_bias, kernel, hidden)
            else:
                kernel = self.param(f"layer_{number}_kernel", nn.initializers.normal(config.initial_std), shape)
                bias = self.param(f"layer_{number}_bias", nn.initializers.zeros, (out,))
            kernels.append(kernel)
            biases.append(bias)
        self.kernels, self.biases = tuple(kernels), tuple(biases)

    def _is_fed(self, number: int) -> bool:
        """Whether layer `number` (from 1) sees (point, z): the first always, with skips all but the output layer."""
        return number == 1 or (self.config.skips and number <= len(self.config.widths))

    def fold(self, z: Array) -> FoldedDecoder:
        """z: [Z] -> the decoder of that object."""
        layers = []
        for number, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True), start=1):
            hidden, point = kernel, None
            if self._is_fed(number):
                rows = kernel.shape[0] - 3 - self.config.latent
                hidden = kernel[:rows] if rows else None
                point = kernel[rows : rows + 3]
                bias = bias + z @ kernel[rows + 3 :]
            layers.append(FoldedLayer(hidden, point, bias))
        return FoldedDecoder(tuple(layers), self.config.output)

    def __call__(self, z: Array, point: Array) -> Array:
        """z: [Z], point: [3] -> occupancy []."""
        return occupancy(self.fold(z), point)


# Standard deviations with which a point in the cube (0.2 or so around 0 on each axis) outweighs a latent
# (0.1 or so around 0.5 in each component): the units' kinks are then close enough to one another for
# parts the size of a wheel. At a third of this, training needs twice the updates to find them.
_POINT_STD, _LATENT_STD, _BIAS_STD = 6.0, 0.3, 0.5


def _balanced_kernel(key: Array, shape: tuple[int, int], hidden: int) -> Array:
    """Initial kernel [hidden, or hidden + 3 + Z, out] in which the point is heard beside hidden units and latent.

    With one standard deviation for all rows, the 128 components of z, all near 0.5, drown the three
    coordinates, and the first thousand updates go into growing the rows of the point.
    """
    deviations = jnp.full(shape[0], _LATENT_STD).at[: hidden + 3].set(_POINT_STD)
    deviations = deviations.at[:hidden].set(jnp.sqrt(2.0 / max(hidden, 1)))
    return jax.random.normal(key, shape) * deviations[:, None]


def _balanced_bias(key: Array, kernel: Array, hidden: int) -> Array:
    """Initial bias [out] that puts the kinks of the units all over the cube, for latents around 0.5."""
    if kernel.shape[0] == hidden:
        return jnp.zeros(kernel.shape[1])
    return _BIAS_STD * jax.random.normal(key, kernel.shape[1:]) - 0.5 * kernel[hidden + 3 :].sum(axis=0)


def logit(folded: FoldedDecoder, point: Array) -> Array:
    """Value before the output function: point [3] -> []."""
    hidden = None
    for layer in folded.layers:
        value = layer.bias
        if layer.point is not None:
            value = value + point @ layer.point
        if layer.hidden is not None:
            value = value + nn.leaky_relu(hidden, NEGATIVE_SLOPE) @ layer.hidden
        hidden = value
    return hidden[0]


def activate(values: Array, output: str) -> Array:
    """The output function, elementwise: "sigmoid", or a clip to [0, 1] with a leak outside."""
    if output == "sigmoid":
        return nn.sigmoid(values)
    if output == "leaky_clip":
        return jnp.maximum(jnp.minimum(values, CLIP_LEAK * values + 1.0 - CLIP_LEAK), CLIP_LEAK * values)
    raise ValueError(f"decoder output: expected sigmoid or leaky_clip, found {output!r}")


def occupancy(folded: FoldedDecoder, point: Array) -> Array:
    """The field of one object at one point: [3] -> [], 1 inside, surface at 0.5."""
    return activate(logit(folded, point), folded.output)
