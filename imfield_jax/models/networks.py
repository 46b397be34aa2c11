"""The three networks of a preset as pure functions of their parameters.

Parameters are one tree {"decoder", "voxel_encoder", "image_encoder"}; the running statistics of the
image encoder's batch normalisation are a second one, `batch_stats`. Weights may lack encoders: using
a missing one raises ValueError.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax
from jaxtyping import Float, Key, Shaped

from imfield_jax.framing import CHANNELS
from imfield_jax.models.camera_head import likeliest
from imfield_jax.models.decoder import DecoderConfig, Folded, ImplicitDecoder
from imfield_jax.models.image_encoder import ImageEncoder, ImageEncoderConfig
from imfield_jax.models.plane_image_encoder import PlaneImageEncoder, PlaneImageEncoderConfig, latent_statistics
from imfield_jax.models.plane_voxel_encoder import PlaneVoxelEncoder, PlaneVoxelEncoderConfig
from imfield_jax.models.planes import PlaneDecoder, PlaneDecoderConfig
from imfield_jax.models.presets import Preset
from imfield_jax.models.voxel_encoder import VoxelEncoder, VoxelEncoderConfig
from imfield_jax.types import Array

Tree = dict  # of arrays, nested

_MODULES: dict[type, Callable[[Any], nn.Module]] = {
    DecoderConfig: ImplicitDecoder,
    PlaneDecoderConfig: PlaneDecoder,
    VoxelEncoderConfig: VoxelEncoder,
    PlaneVoxelEncoderConfig: PlaneVoxelEncoder,
    ImageEncoderConfig: ImageEncoder,
    PlaneImageEncoderConfig: PlaneImageEncoder,
}


@partial(jax.tree_util.register_dataclass, data_fields=("z", "camera", "code"), meta_fields=())
@dataclasses.dataclass(frozen=True)
class EncodedViews:
    """What an image encoder says about views.

    z:      their latents.
    camera: the predicted cameras, see `camera.view_camera`; None if it predicts none.
    code:   what they look like as a whole, see `familiarity`; the latents, unless these are laid out in space.
    """

    z: Float[Array, "B Z"]
    camera: Float[Array, "B 7"] | None
    code: Float[Array, "B C"]


@dataclasses.dataclass(frozen=True)
class Networks:
    """Encoders and decoder of one preset."""

    preset: Preset

    def init(self, key: Key[jax.Array, ""]) -> tuple[Tree, Tree]:
        """Initial (params, batch_stats)."""
        of_decoder, of_voxels, of_views = jax.random.split(key, 3)
        decoder = self._decoder.init(of_decoder, jnp.zeros(self.preset.decoder.latent), jnp.zeros(3))
        voxels = self._voxel_encoder.init(of_voxels, jnp.zeros((1, *(self.preset.voxel_size,) * 3), jnp.uint8))
        size, channels = self.preset.view_size, CHANNELS[self.preset.framing]
        views = self._image_encoder.init(of_views, jnp.zeros((1, size, size, channels)))
        params = {
            "decoder": decoder["params"],
            "voxel_encoder": voxels["params"],
            "image_encoder": views["params"],
        }
        return params, views.get("batch_stats", {})

    def shapes(self, parts: Iterable[str]) -> tuple[Tree, Tree]:
        """Array shapes of (params, batch_stats) for the decoder and these encoders."""
        params, batch_stats = jax.tree.map(np.shape, jax.eval_shape(lambda: self.init(jax.random.key(0))))
        present = {"decoder", *parts}
        params = {part: shapes for part, shapes in params.items() if part in present}
        return params, batch_stats if "image_encoder" in params else {}

    def encode_voxels(self, params: Tree, voxels: Shaped[Array, "B V V V"]) -> Float[Array, "B Z"]:
        """The latents of voxels, 0 or 1."""
        return _applied(self._voxel_encoder, {"params": _part(params, "voxel_encoder")}, voxels)

    def encode_views(self, params: Tree, batch_stats: Tree, views: Float[Array, "B S S C"]) -> Float[Array, "B Z"]:
        """The latents of views in [0, 1], each view on its own."""
        return self.encode_views_in_full(params, batch_stats, views).z

    def encode_views_in_full(self, params: Tree, batch_stats: Tree, views: Float[Array, "B S S C"]) -> EncodedViews:
        """All that the image encoder says about views in [0, 1], each on its own."""
        variables = self._image_variables(params, batch_stats)
        if not self.predicts_cameras:
            z = _applied(self._image_encoder, variables, views)
            return EncodedViews(z, None, z)
        (z, estimates), inner = _applied(self._image_encoder, variables, views, mutable=["intermediates"])
        return EncodedViews(z, likeliest(estimates), inner["intermediates"]["code"][0])

    def encode_views_in_training(
        self,
        params: Tree,
        batch_stats: Tree,
        views: Float[Array, "B S S C"],
        cameras: Float[Array, "B 7"] | None = None,
    ) -> tuple[Float[Array, "B Z"], Tree, Float[Array, "B 29"] | None]:
        """As `encode_views`, normalised over the batch; also updated running statistics and estimates of the cameras.

        cameras: for encoders that use them, in place of the predicted ones; NaN if not known.
        """
        variables = self._image_variables(params, batch_stats)
        if self.predicts_cameras:
            z, estimates = _applied(self._image_encoder, variables, views, cameras)
            return z, batch_stats, estimates
        z, updated = _applied(self._image_encoder, variables, views, train=True, mutable=["batch_stats"])
        return z, updated["batch_stats"], None

    def with_statistics(self, batch_stats: Tree, latents: Float[Array, "N Z"]) -> Tree:
        """`batch_stats` before the image encoder is trained to predict these latents."""
        config = self.preset.image_encoder
        return latent_statistics(latents, config) if isinstance(config, PlaneImageEncoderConfig) else batch_stats

    def latent_scale(self, batch_stats: Tree) -> Float[Array, " Z"] | float:
        """Deviations of latents, by which distances between them are measured; 1 for latents in (0, 1)."""
        config = self.preset.image_encoder
        if not isinstance(config, PlaneImageEncoderConfig):
            return 1.0
        return jnp.tile(batch_stats["latent_scale"], config.latent // config.channels)

    @property
    def predicts_cameras(self) -> bool:
        """Whether the image encoder predicts the camera of a view."""
        return isinstance(self.preset.image_encoder, PlaneImageEncoderConfig)

    def fold(self, params: Tree, z: Float[Array, "*objects Z"]) -> Folded:
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
            return _applied(self._decoder, {"params": params["decoder"]}, *shape, method="logits")

        return lax.map(of_shape, (z, points)) if sequential else jax.vmap(of_shape)((z, points))

    @property
    def _decoder(self) -> nn.Module:
        return _module(self.preset.decoder)

    @property
    def _voxel_encoder(self) -> nn.Module:
        return _module(self.preset.voxel_encoder)

    @property
    def _image_encoder(self) -> nn.Module:
        return _module(self.preset.image_encoder)

    @staticmethod
    def _image_variables(params: Tree, batch_stats: Tree) -> Tree:
        return {"params": _part(params, "image_encoder"), "batch_stats": batch_stats}


def _module(config: Any) -> nn.Module:
    """The network of a configuration."""
    return _MODULES[type(config)](config)


def _applied(module: nn.Module, *inputs: Any, **options: Any) -> Any:
    """`apply`, whose return type is only a union in Flax."""
    return module.apply(*inputs, **options)


def _part(params: Tree, part: str) -> Tree:
    if part not in params:
        raise ValueError(f"these weights have no {part.replace('_', ' ')}, only {', '.join(params)}")
    return params[part]
