"""The plane decoder: a latent that is laid out in space, and a small network for each point.

The latent is three feature maps over the coordinate planes of the cube (Peng et al. 2020, "Convolutional Occupancy
Networks"; Chan et al. 2022, "Efficient geometry-aware 3D generative adversarial networks"). A point is projected onto
each plane, the features there are interpolated and concatenated, and a few fully connected layers make one logit of
them. Where a global latent is a point in a catalogue of shapes, this one says what is where, so that shapes unlike all
that were seen in training can be described too.

As an array, a latent is the three maps one after the other, [3 * R * R * C], so that all code that handles latents
handles these.

The first layer is linear in the features: `fold` applies it to the maps once per object, and each point interpolates
its outputs.
"""

from __future__ import annotations

import dataclasses
import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from imfield_jax.models.bilinear import bilinear
from imfield_jax.models.decoder import leaky_relu
from imfield_jax.types import Array

PLANES = ((0, 1), (0, 2), (1, 2))  # axes of the rows and columns of each map


def latent_size(resolution: int, channels: int) -> int:
    """The number of values in a latent of three maps."""
    return len(PLANES) * resolution**2 * channels


@dataclasses.dataclass(frozen=True)
class PlaneDecoderConfig:
    """resolution: R of the maps. channels: C. widths: outputs of the hidden layers. output: as in `DecoderConfig`."""

    resolution: int
    channels: int
    widths: tuple[int, ...]
    output: str = "sigmoid"

    @property
    def latent(self) -> int:
        """The number of values in a latent."""
        return latent_size(self.resolution, self.channels)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("maps", "number", "kernels", "biases"),
    meta_fields=("resolution", "output"),
)
@dataclasses.dataclass(frozen=True)
class FoldedPlanes:
    """The decoder of one object, or of several, with the first layer applied to its maps.

    maps:    the outputs of the first layer, rows of objects, planes and cells: interpolated and added up.
    number:  of the object that points are evaluated for.
    kernels, biases: of the layers after the first; biases also of the first.
    """

    maps: Float[Array, "rows width"]
    number: Int[Array, ""]
    kernels: tuple[Float[Array, "_ _"], ...]
    biases: tuple[Float[Array, " _"], ...]
    resolution: int
    output: str

    def of(self, number: Int[Array, ""]) -> FoldedPlanes:
        """The decoder of one of the objects."""
        return dataclasses.replace(self, number=number)

    def in_dtype(self, dtype: DTypeLike) -> FoldedPlanes:
        """The decoder with the products between its hidden layers in another dtype; they are summed in float32."""
        *middle, last = self.kernels
        return dataclasses.replace(self, kernels=(*(kernel.astype(dtype) for kernel in middle), last))

    def logit(self, point: Float[Array, " 3"], precision: jax.lax.Precision | None = None) -> Float[Array, ""]:
        """The logit at a point of the cube; beyond it, that of the nearest point on its border."""
        first = self.biases[0] + sum(_interpolated(self.maps, self.number, self.resolution, point))
        return _remaining(first, self.kernels, self.biases[1:], precision)


class PlaneDecoder(nn.Module):
    """Parameters of the decoder: layer_1 ... layer_n with kernel [in, out] and bias [out]."""

    config: PlaneDecoderConfig

    def setup(self) -> None:
        sizes = (len(PLANES) * self.config.channels, *self.config.widths, 1)
        kernel_init = nn.initializers.he_normal()
        pairs = list(enumerate(itertools.pairwise(sizes), start=1))
        self.kernels = tuple(self.param(f"layer_{number}_kernel", kernel_init, shape) for number, shape in pairs)
        self.biases = tuple(
            self.param(f"layer_{number}_bias", nn.initializers.zeros, (out,)) for number, (_, out) in pairs
        )

    def fold(self, z: Float[Array, "*objects Z"]) -> FoldedPlanes:
        """The decoders of the objects with these latents."""
        config = self.config
        first = self.kernels[0].reshape(len(PLANES), config.channels, -1)
        maps = z.reshape(-1, len(PLANES), config.resolution**2, config.channels)
        maps = jnp.einsum("opnc,pcw->opnw", maps, first)
        return FoldedPlanes(
            maps.reshape(-1, first.shape[-1]),
            jnp.zeros((), jnp.int32),
            self.kernels[1:],
            self.biases,
            config.resolution,
            config.output,
        )

    def logits(self, z: Float[Array, " Z"], points: Float[Array, "P 3"]) -> Float[Array, " P"]:
        """The logits of an object at points.

        As `fold` gives them, up to rounding. Unfolded, the gradients are twice as fast: they add up C and not `widths`
        values for each corner of each cell.
        """
        maps = z.reshape(-1, self.config.channels)

        def of_point(point: Array) -> Array:
            features = jnp.concatenate(_interpolated(maps, jnp.zeros((), jnp.int32), self.config.resolution, point))
            return _remaining(features @ self.kernels[0] + self.biases[0], self.kernels[1:], self.biases[1:], None)

        return jax.vmap(of_point)(points)

    def __call__(self, z: Float[Array, " Z"], point: Float[Array, " 3"]) -> Float[Array, ""]:
        """The logit of an object at a point."""
        return self.logits(z, point[None])[0]


def _interpolated(maps: Array, number: Array, cells: int, point: Array) -> list[Array]:
    """The features of a point on each plane.

    maps: rows of objects, planes and cells.   number: of the object.
    """
    place = (point + 0.5) * cells
    firsts = [(number * len(PLANES) + plane) * cells**2 for plane in range(len(PLANES))]
    return [bilinear(maps, cells, place[np.array(axes)], first) for axes, first in zip(PLANES, firsts, strict=True)]


def _remaining(
    hidden: Array, kernels: tuple[Array, ...], biases: tuple[Array, ...], precision: jax.lax.Precision | None
) -> Array:
    """The logit, from the outputs of the first layer and the layers after it."""
    for kernel, bias in zip(kernels, biases, strict=True):
        inputs = leaky_relu(hidden).astype(kernel.dtype)
        hidden = bias + jnp.dot(inputs, kernel, precision=precision, preferred_element_type=bias.dtype)
    return hidden[0]
