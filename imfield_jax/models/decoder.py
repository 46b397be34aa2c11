"""The implicit decoder: a latent and one point in, occupancy out (IM-NET, section 3.1).

Six (or seven) fully connected layers with leaky ReLU. In the paper's form the input vector
(point, z) is fed again to layers 2 to 5; the later form has no skips. The network is written for
one point and vmapped over query coordinates by its callers.

z is the same for all points of an object, so its part of every layer it feeds is added to that
layer's bias once per object: `fold`. `occupancy` and `signed_logit` then evaluate the folded decoder.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from imfield_jax.coordinates import LEVEL
from imfield_jax.types import Array

NEGATIVE_SLOPE = 0.02  # leaky ReLU, everywhere in IM-NET
CLIP_LEAK = 0.01  # slope outside of [0, 1] of IM-NET-pytorch's output
SURFACE_LOGITS = {"sigmoid": 0.0, "leaky_clip": LEVEL}  # logit that each output function maps to `LEVEL`


@dataclasses.dataclass(frozen=True)
class DecoderConfig:
    """latent: Z. widths: outputs of the hidden layers. skips: feed (point, z) again to all but the output layer.

    output: "sigmoid" (paper) or "leaky_clip" (IM-NET-pytorch).
    initial_std: standard deviation of the initial weights, 0.02 in IM-NET; None balances them, see
    `_balanced_kernel`, for decoders that train in minutes.
    octaves: frequencies of the positional encoding, see `point_features`; 0 in IM-NET.
    """

    latent: int
    widths: tuple[int, ...]
    skips: bool
    output: str
    initial_std: float | None = 0.02
    octaves: int = 0

    @property
    def point_width(self) -> int:
        """Rows of a kernel that the point feeds."""
        return 3 + 6 * self.octaves


@runtime_checkable
class Folded(Protocol):
    """The decoders of some objects with their latents folded in, a pytree; of any kind of decoder."""

    @property
    def output(self) -> str:
        """The output function, see `SURFACE_LOGITS`."""
        ...

    def of(self, number: Int[Array, ""]) -> Folded:
        """The decoder of one of the objects."""
        ...

    def in_dtype(self, dtype: DTypeLike) -> Folded:
        """The decoders with the products between their hidden layers in another dtype."""
        ...

    def logit(self, point: Float[Array, " 3"], precision: jax.lax.Precision | None = None) -> Float[Array, ""]:
        """The value of the decoder of one object before the output function."""
        ...


@partial(jax.tree_util.register_dataclass, data_fields=("hidden", "point", "bias"), meta_fields=())
@dataclasses.dataclass(frozen=True)
class FoldedLayer:
    """One layer with z folded in: kernels of the hidden units and of the point features, and the bias."""

    hidden: Float[Array, "inputs outputs"] | None
    point: Float[Array, "features outputs"] | None
    bias: Float[Array, "*objects outputs"]


@partial(jax.tree_util.register_dataclass, data_fields=("layers",), meta_fields=("output", "octaves"))
@dataclasses.dataclass(frozen=True)
class FoldedDecoder:
    """The decoder of one object, a small network from points to occupancy, or of several objects.

    Objects differ only in their biases: latents [*objects, Z] gave biases [*objects, outputs].
    """

    layers: tuple[FoldedLayer, ...]
    output: str
    octaves: int

    def of(self, number: Int[Array, ""]) -> FoldedDecoder:
        """The decoder of one of the objects."""
        layers = [dataclasses.replace(layer, bias=layer.bias[number]) for layer in self.layers]
        return dataclasses.replace(self, layers=tuple(layers))

    def in_dtype(self, dtype: DTypeLike) -> FoldedDecoder:
        """The decoder with the products between its hidden layers in another dtype; they are summed in float32.

        The first and last layers keep theirs: one separates nearby points, the other has a single output.
        """
        first, *middle, last = self.layers
        converted = (
            layer if layer.hidden is None else dataclasses.replace(layer, hidden=layer.hidden.astype(dtype))
            for layer in middle
        )
        return dataclasses.replace(self, layers=(first, *converted, last))

    def logit(self, point: Float[Array, " 3"], precision: jax.lax.Precision | None = None) -> Float[Array, ""]:
        """The value before the output function. precision: of the products, XLA's default if None."""
        features = hidden = point_features(point, self.octaves)  # the first layer has no hidden units before it
        for layer in self.layers:
            value = layer.bias
            if layer.point is not None:
                value = value + jnp.dot(features, layer.point, precision=precision)
            if layer.hidden is not None:
                inputs = leaky_relu(hidden).astype(layer.hidden.dtype)
                value = value + jnp.dot(inputs, layer.hidden, precision=precision, preferred_element_type=value.dtype)
            hidden = value
        return hidden[0]


class ImplicitDecoder(nn.Module):
    """Parameters of the decoder, layer_1 ... layer_n with kernel [in, out] and bias [out].

    Rows of a kernel are ordered (hidden, point, z), as IM-NET concatenates them.
    """

    config: DecoderConfig

    def setup(self) -> None:
        config = self.config
        fed = config.point_width + config.latent
        outputs = (*config.widths, 1)
        kernels, biases = [], []
        for number, out in enumerate(outputs, start=1):
            hidden = outputs[number - 2] if number > 1 else 0
            shape = (hidden + (fed if self._is_fed(number) else 0), out)
            if config.initial_std is None:
                rows = (hidden, config.point_width)
                clipped = config.output == "leaky_clip" and number == len(outputs)
                kernel = self.param(f"layer_{number}_kernel", _balanced_kernel, shape, rows, clipped)
                bias = self.param(f"layer_{number}_bias", _balanced_bias, kernel, rows, clipped)
            else:
                kernel = self.param(f"layer_{number}_kernel", nn.initializers.normal(config.initial_std), shape)
                bias = self.param(f"layer_{number}_bias", nn.initializers.zeros, (out,))
            kernels.append(kernel)
            biases.append(bias)
        self.kernels, self.biases = tuple(kernels), tuple(biases)

    def _is_fed(self, number: int) -> bool:
        """Whether layer `number` (from 1) sees (point, z): the first always, with skips all but the output layer."""
        return number == 1 or (self.config.skips and number <= len(self.config.widths))

    def fold(self, z: Float[Array, "*objects Z"]) -> FoldedDecoder:
        """The decoders of the objects with these latents."""
        layers, point_width = [], self.config.point_width
        for number, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True), start=1):
            hidden: Array | None = kernel
            point: Array | None = None
            bias = jnp.broadcast_to(bias, (*z.shape[:-1], *bias.shape))
            if self._is_fed(number):
                rows = kernel.shape[0] - point_width - self.config.latent
                hidden = kernel[:rows] if rows else None
                point = kernel[rows : rows + point_width]
                bias = bias + z @ kernel[rows + point_width :]
            layers.append(FoldedLayer(hidden, point, bias))
        return FoldedDecoder(tuple(layers), self.config.output, self.config.octaves)

    def logits(self, z: Float[Array, " Z"], points: Float[Array, "P 3"]) -> Float[Array, " P"]:
        """The logits of an object at points."""
        return jax.vmap(self.fold(z).logit)(points)

    def __call__(self, z: Float[Array, " Z"], point: Float[Array, " 3"]) -> Float[Array, ""]:
        """Occupancy of an object at a point."""
        return occupancy(self.fold(z), point)


# Initial standard deviations that balance the coordinates of a point (about 0.2 around 0) and its sines and
# cosines (about 0.7) against the latent (about 0.1 around 0.5 per component): the kinks of the units are then
# close enough together for parts the size of a wheel. Twice as large, surfaces of held-out shapes ripple;
# smaller, small parts are learned later.
_POINT_STD, _WAVE_STD, _LATENT_STD, _BIAS_STD = 3.0, 0.3, 0.3, 0.5
_CLIPPED_SCALE = 0.1


def _balanced_kernel(key: Array, shape: tuple[int, int], rows: tuple[int, int], clipped: bool) -> Array:
    """Initial kernel [in, out] that balances the point against the hidden units and the latent.

    rows: number of rows for hidden units and for the point (may be 0); those of the latent follow.
    clipped: start small, around the middle of the output clip, outside of which the slope is tiny.
    With one standard deviation for all rows, the 128 components of z, all near 0.5, dominate the three
    coordinates, and the first thousand updates are spent on growing the rows of the point.
    """
    hidden, point_width = rows
    deviations = jnp.full(shape[0], _LATENT_STD).at[: hidden + point_width].set(_WAVE_STD)
    deviations = deviations.at[hidden : hidden + 3].set(_POINT_STD)
    deviations = deviations.at[:hidden].set(jnp.sqrt(2.0 / max(hidden, 1)))
    return jax.random.normal(key, shape) * deviations[:, None] * (_CLIPPED_SCALE if clipped else 1.0)


def _balanced_bias(key: Array, kernel: Array, rows: tuple[int, int], clipped: bool) -> Array:
    """Initial bias [out] that spreads the kinks of the units over the cube, for latents around 0.5."""
    if kernel.shape[0] == rows[0]:
        # With the dtype: an update makes a weakly typed parameter strong, and the second step would compile again.
        return jnp.full(kernel.shape[1], SURFACE_LOGITS["leaky_clip"] if clipped else 0.0, kernel.dtype)
    return _BIAS_STD * jax.random.normal(key, kernel.shape[1:]) - 0.5 * kernel[sum(rows) :].sum(axis=0)


def point_features(point: Float[Array, " 3"], octaves: int) -> Float[Array, " 3+6*{octaves}"]:
    """The coordinates, then their sines and cosines of periods 2, 1, 1/2, ...

    Networks learn fine structure from these much faster than from coordinates alone (Mildenhall et al. 2020, "NeRF",
    equation 4; Tancik et al. 2020, "Fourier features").
    """
    angles = jnp.concatenate([jnp.pi * 2.0**octave * point for octave in range(octaves)] or [point[:0]])
    return jnp.concatenate([point, jnp.sin(angles), jnp.cos(angles)])


def leaky_relu(values: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The activation between layers, with IM-NET's slope."""
    return jnp.maximum(values, NEGATIVE_SLOPE * values)


def activate(values: Float[Array, "*shape"], output: str) -> Float[Array, "*shape"]:
    """The output function, elementwise: "sigmoid", or a clip to [0, 1] with a leak outside."""
    if output == "sigmoid":
        return nn.sigmoid(values)
    if output == "leaky_clip":
        return jnp.maximum(jnp.minimum(values, CLIP_LEAK * values + 1.0 - CLIP_LEAK), CLIP_LEAK * values)
    raise ValueError(f"decoder output: expected sigmoid or leaky_clip, found {output!r}")


def occupancy(folded: Folded, point: Float[Array, " 3"]) -> Float[Array, ""]:
    """The decoder's occupancy at one point: 1 inside, surface at 0.5."""
    return activate(folded.logit(point), folded.output)


def signed_logit(folded: Folded, point: Float[Array, " 3"]) -> Float[Array, ""]:
    """The field of one object at one point: positive inside, 0 on the surface.

    It is the logit, so it is nearly linear between neighbouring points and does not saturate. Products of a float32
    decoder keep full precision: accelerators would round their factors by default, and the surface would move.
    """
    return folded.logit(point, jax.lax.Precision.HIGHEST) - SURFACE_LOGITS[folded.output]
