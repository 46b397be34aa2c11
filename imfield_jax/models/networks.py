"""The three networks of a preset as pure functions of their parameters.

Parameters are one tree {"decoder", "voxel_encoder", "image_encoder"}; the running statistics of the
image encoder's batch normalisation are a second one, `batch_stats`. Weights may lack encoders: using
a missing one raises ValueError.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax
from jaxtyping import Float, Key, Shaped

from imfield_jax.models.decoder import FoldedDecoder, ImplicitDecoder, logit
from imfield_jax.models.image_encoder import ImageEncoder
from imfield_jax.models.presets import Preset
from imfield_jax.models.voxel_encoder import VoxelEncoder
from imfield_jax.types import Array

Tree = dict  # of arrays, nested


@dataclasses.dataclass(frozen=True)
class Networks:
    """Encoders and decoder of one preset."""

    preset: Preset

    def init(self, key: Key[jax.Array, ""]) -> tuple[Tree, Tree]:
        """Initial (params, batch_stats)."""
        of_decoder, of_voxels, of_views = jax.random.split(key, 3)
        decoder = self._decoder.init(of_decoder, jnp.zeros(self.preset.decoder.latent), jnp.zeros(3))
        voxels = self._voxel_encoder.init(of_voxels, jnp.zeros((1, 64, 64, 64), jnp.uint8))
        views = self._image_encoder.init(of_views, jnp.zeros((1, 128, 128, 1)))
        params = {
            "decoder": decoder["params"],
            "voxel_encoder": voxels["params"],
            "image_encoder": views["params"],
        }
        return params, views["batch_stats"]

    def shapes(self, parts: Iterable[str]) -> tuple[Tree, Tree]:
        """Array shapes of (params, batch_stats) for the decoder and these encoders."""
        params, batch_stats = jax.tree.map(np.shape, jax.eval_shape(lambda: self.init(jax.random.key(0))))
        present = {"decoder", *parts}
        params = {part: shapes for part, shapes in params.items() if part in present}
        return params, batch_stats if "image_encoder" in params else {}

    def encode_voxels(self, params: Tree, voxels: Shaped[Array, "B 64 64 64"]) -> Float[Array, "B Z"]:
        """The latents of voxels, 0 or 1."""
        return _applied(self._voxel_encoder, {"params": _part(params, "voxel_encoder")}, voxels)

    def encode_views(self, params: Tree, batch_stats: Tree, views: Float[Array, "B 128 128 1"]) -> Float[Array, "B Z"]:
        """The latents of views in [0, 1], each view on its own."""
        return _applied(self._image_encoder, self._image_variables(params, batch_stats), views)

    def encode_views_in_training(
        self, params: Tree, batch_stats: Tree, views: Float[Array, "B 128 128 1"]
    ) -> tuple[Float[Array, "B Z"], Tree]:
        """As `encode_views`, normalised over the batch; also the updated running statistics."""
        variables = self._image_variables(params, batch_stats)
        z, updated = _applied(self._image_encoder, variables, views, train=True, mutable=["batch_stats"])
        return z, updated["batch_stats"]

    def fold(self, params: Tree, z: Float[Array, "*objects Z"]) -> FoldedDecoder:
        """The decoders of the objects with these latents, for `decoder.occupancy`."""
        return _applied(self._decoder, {"params": params["decoder"]}, z, method="fold")

    def logits(
        self, params: Tree, z: Float[Array, "B Z"], points: Float[Array, "B P 3"], *, sequential: bool = False
    ) -> Float[Array, "B P"]:
        """Decoder values before the output function.

        sequential: decode the shapes one after another. The activations of one shape fit a CPU's cache,
        those of a batch do not; accelerators are faster with the whole batch.
        """

        def of_shape(shape: tuple[Array, Array]) -> Array:
            z, points = shape
            return jax.vmap(logit, in_axes=(None, 0))(self.fold(params, z), points)

        return lax.map(of_shape, (z, points)) if sequential else jax.vmap(of_shape)((z, points))

    @property
    def _decoder(self) -> ImplicitDecoder:
        return ImplicitDecoder(self.preset.decoder)

    @property
    def _voxel_encoder(self) -> VoxelEncoder:
        return VoxelEncoder(self.preset.voxel_encoder)

    @property
    def _image_encoder(self) -> ImageEncoder:
        return ImageEncoder(self.preset.image_encoder)

    @staticmethod
    def _image_variables(params: Tree, batch_stats: Tree) -> Tree:
        return {"params": _part(params, "image_encoder"), "batch_stats": batch_stats}


def _applied(module: nn.Module, *inputs: Any, **options: Any) -> Any:
    """`apply`, whose return type is only a union in Flax."""
    return module.apply(*inputs, **options)


def _part(params: Tree, part: str) -> Tree:
    if part not in params:
        raise ValueError(f"these weights have no {part.replace('_', ' ')}, only {', '.join(params)}")
    return params[part]
