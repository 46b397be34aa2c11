"""The image encoder of spatial latents: one view in, three feature maps and the camera out.

1. A residual network makes features of the view at four sizes, and a global code of the smallest.
2. The camera is predicted from the global code.
3. Features of the view are lifted into the cube: each cell of a coarse grid takes those at its projection, and those
   at the projection of its mirror image in the plane x = 0, because most objects are symmetric and one side is hidden
   (compare UCLID-Net, Guillard et al. 2020; DISN, Xu et al. 2019).
4. Two-dimensional convolutions complete each plane of the grid, with the global code for what cannot be seen; between
   them, each plane receives the means of the others along their shared axes.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Float

from imfield_jax.coordinates import grid_points
from imfield_jax.models.bilinear import bilinear
from imfield_jax.models.camera_head import CameraHead, likeliest
from imfield_jax.models.decoder import leaky_relu
from imfield_jax.models.planes import PLANES, latent_size
from imfield_jax.models.projection import project
from imfield_jax.types import Array

MIRROR = np.array([-1, 1, 1], np.float32)
_LEAST_SCALE = 1e-3  # of a channel that is nearly the same in all latents
_GROUPS = 8  # of group normalisation


@dataclasses.dataclass(frozen=True)
class PlaneImageEncoderConfig:
    """resolution, channels: of the maps, as in `PlaneDecoderConfig`.

    width:  channels of the largest features of the view, doubled at each smaller size.
    lifted: channels of the features that are lifted, and `columns` of the grid they are lifted to.
    grid:   cells per axis of that grid.   planes: channels while the planes are completed.
    """

    resolution: int
    channels: int
    width: int = 32
    lifted: int = 32
    columns: int = 12
    grid: int = 16
    planes: int = 64

    @property
    def latent(self) -> int:
        """The number of values in a latent."""
        return latent_size(self.resolution, self.channels)


class PlaneImageEncoder(nn.Module):
    """Views in [0, 1] on white -> latents, three flat maps, and estimates of the cameras of the views.

    In `batch_stats`: `latent_statistics` of the latents to predict; without, latents are the predicted maps themselves.
    In `intermediates`, on request: the global `code`.
    camera: of each view, see `camera.view_camera`, if known; NaN where it is not: the likeliest one lifts the features.
    """

    config: PlaneImageEncoderConfig

    @nn.compact
    def __call__(
        self, view: Float[Array, "B S S C"], camera: Float[Array, "B 7"] | None = None
    ) -> tuple[Float[Array, "B Z"], Float[Array, "B 29"]]:
        config = self.config
        sizes, code, estimate = ViewFeatures(config.width, name="view")(view)
        self.sow("intermediates", "code", code)
        features = Pyramid(config.width, config.lifted, name="pyramid")(sizes, code)
        # The camera learns from cameras alone: through the places of the features, its gradients are mostly noise.
        used = jax.lax.stop_gradient(likeliest(estimate))
        if camera is not None:
            used = jnp.where(jnp.isfinite(camera), camera, used)
        cells = grid_points(config.grid).reshape(-1, 3)
        lift = jax.vmap(lifted, in_axes=(0, 0, None))
        seen = nn.Dense(config.columns, name="seen")(lift(features, used, cells))
        mirrored = nn.Dense(config.columns, name="mirrored")(lift(features, used, cells * MIRROR))
        grid = leaky_relu(seen + mirrored)
        grid = grid.reshape(len(view), *(config.grid,) * 3, config.columns)
        maps = _Completion(config, name="completion")(grid, code)
        return self._as_latents(maps).reshape(len(view), -1), estimate

    def _as_latents(self, maps: Array) -> Array:
        """The maps, which deviate from the mean latent in units of each channel's deviation, as latents.

        The mean is most of a latent: to learn it as well would take thousands of updates.
        """
        if not (self.is_initializing() or self.has_variable("batch_stats", "latent_mean")):
            return maps
        mean = self.variable("batch_stats", "latent_mean", jnp.zeros, maps.shape[1:]).value
        scale = self.variable("batch_stats", "latent_scale", jnp.ones, maps.shape[-1:]).value
        return jnp.expand_dims(mean, 0) + maps * jnp.expand_dims(scale, (0, 1, 2, 3))


def latent_statistics(latents: Float[Array, "N Z"], config: PlaneImageEncoderConfig) -> dict[str, Float[Array, " ..."]]:
    """The mean latent and the deviation of each channel from it, as `batch_stats` of the encoder."""
    maps = jnp.asarray(latents).reshape(-1, len(PLANES), config.resolution**2, config.channels)
    mean = maps.mean(axis=0)
    scale = jnp.sqrt(maps.var(axis=0).mean(axis=(0, 1)))
    shape = (len(PLANES), config.resolution, config.resolution, config.channels)
    return {"latent_mean": mean.reshape(shape), "latent_scale": jnp.maximum(scale, _LEAST_SCALE)}


class ViewFeatures(nn.Module):
    """Features of views at four sizes, a global code of the smallest, and estimates of the cameras from it."""

    width: int

    @nn.compact
    def __call__(self, view: Array) -> tuple[list[Array], Array, Array]:
        sizes = _Backbone(self.width, name="backbone")(view)
        coarse = nn.Dense(2 * self.width, name="parts")(leaky_relu(sizes[-1]))
        finer = nn.Dense(self.width // 2, name="places")(leaky_relu(sizes[-2]))
        flat = [leaky_relu(features).reshape(len(view), -1) for features in (coarse, finer)]
        code = leaky_relu(nn.Dense(8 * self.width, name="code")(jnp.concatenate(flat, axis=-1)))
        return sizes, code, CameraHead(name="camera")(code)


class _Backbone(nn.Module):
    """Features of a view at a quarter of its size, an eighth, a sixteenth and a thirty-second."""

    width: int

    @nn.compact
    def __call__(self, view: Array) -> list[Array]:
        # As wide as two cells, so that a cell of the features is in the middle of what it sees.
        stem = nn.Conv(self.width, (8, 8), strides=4, padding=2, name="stem")(1.0 - view)
        sizes = [_Residual(self.width, 1, name="block_1")(stem)]
        for number, (factor, blocks) in enumerate(((2, 2), (4, 2), (8, 1)), start=2):
            features = sizes[-1]
            for block in range(blocks):
                name = f"block_{number}" + "b" * block
                features = _Residual(self.width * factor, 1 if block else 2, name=name)(features)
            sizes.append(features)
        return sizes


class _Residual(nn.Module):
    """Two convolutions after normalisations, and a shortcut (He et al. 2016, "Identity mappings").

    A stride of 2 has a kernel of 2x2, which leaves each output in the middle of its inputs; 3x3 would shift it.
    """

    features: int
    stride: int

    @nn.compact
    def __call__(self, image: Array) -> Array:
        hidden = leaky_relu(nn.GroupNorm(_GROUPS, name="norm_1")(image))
        kernel = (3, 3) if self.stride == 1 else (self.stride, self.stride)
        hidden = nn.Conv(self.features, kernel, strides=self.stride, name="conv_1")(hidden)
        hidden = leaky_relu(nn.GroupNorm(_GROUPS, name="norm_2")(hidden))
        hidden = nn.Conv(self.features, (3, 3), name="conv_2")(hidden)
        if self.stride != 1 or image.shape[-1] != self.features:
            size = (self.stride, self.stride)
            image = nn.Dense(self.features, name="shortcut")(nn.avg_pool(image, size, size))
        return image + hidden


class Pyramid(nn.Module):
    """Features at a quarter of the view's size that know its larger surroundings (Lin et al. 2017, "FPN")."""

    width: int
    features: int

    @nn.compact
    def __call__(self, sizes: list[Array], code: Array) -> Array:
        *larger, smallest = sizes
        out = nn.Dense(4 * self.width, name="top")(smallest)
        out = out + jnp.expand_dims(nn.Dense(4 * self.width, name="code")(code), (1, 2))
        for number, (size, width) in enumerate(zip(larger[::-1], (4, 2, 2), strict=True), start=1):
            out = doubled(nn.Dense(width * self.width, name=f"reduce_{number}")(out))
            out = out + nn.Dense(width * self.width, name=f"lateral_{number}")(size)
            out = leaky_relu(nn.Conv(width * self.width, (3, 3), name=f"smooth_{number}")(out))
        return nn.Dense(self.features, name="out")(out)


class _Completion(nn.Module):
    """A grid of features in the cube to the maps of a latent: [B, G, G, G, C] -> [B, 3, R, R, C]."""

    config: PlaneImageEncoderConfig

    @nn.compact
    def __call__(self, grid: Array, code: Array) -> Array:
        config = self.config
        maps = []
        for number, (row, column) in enumerate(PLANES, start=1):
            image = jnp.transpose(grid, (0, 1 + row, 1 + column, 4 - row - column, 4))
            image = nn.Dense(config.planes, name=f"plane_{number}")(image.reshape(*image.shape[:3], -1))
            maps.append(image + jnp.expand_dims(nn.Dense(config.planes, name=f"code_{number}")(code), (1, 2)))
        planes = jnp.stack(maps, axis=1)
        for number in (1, 2):
            both = jnp.concatenate([planes, means_of_others(planes)], axis=-1)
            mixed = nn.Dense(config.planes, name=f"mix_{number}")(_images(both))
            planes = planes + self._surroundings(mixed, number).reshape(planes.shape)
        out = _images(planes)
        for number in range(1, 1 + int(np.log2(config.resolution // config.grid))):
            out = doubled(nn.Dense(config.planes // 2, name=f"narrower_{number}")(out))
            out = leaky_relu(nn.Conv(config.planes // 2, (3, 3), name=f"finer_{number}")(out))
        out = nn.Dense(config.channels, name="out")(out)
        return out.reshape(-1, len(PLANES), *out.shape[1:])

    def _surroundings(self, image: Array, number: int) -> Array:
        """One step of a U-Net: [N, G, G, C] -> the same."""
        width = self.config.planes
        coarse = leaky_relu(nn.Conv(2 * width, (2, 2), strides=2, name=f"coarser_{number}")(leaky_relu(image)))
        coarse = coarse + leaky_relu(nn.Conv(2 * width, (3, 3), name=f"coarse_{number}")(coarse))
        wider = doubled(nn.Dense(width, name=f"wider_{number}")(coarse))
        return image + nn.Conv(width, (3, 3), name=f"fine_{number}")(leaky_relu(image + wider))


def lifted(
    features: Float[Array, "H W C"], camera: Float[Array, " 7"], points: Float[Array, "P 3"]
) -> Float[Array, "P C+1"]:
    """Features of a view at the projections of points, and how near each point is."""
    places, nearer = project(camera, points)
    return jnp.concatenate([interpolated(features, places), nearer[:, None]], axis=-1)


def interpolated(image: Float[Array, "H H C"], places: Float[Array, "P 2"]) -> Float[Array, "P C"]:
    """Samples of an image at places in [-1, 1], x first."""
    size, pixels = image.shape[0], image.reshape(-1, image.shape[-1])
    return jax.vmap(partial(bilinear, pixels, size))((places[:, ::-1] + 1) * (size / 2))


def means_of_others(planes: Float[Array, "B 3 G G C"]) -> Float[Array, "B 3 G G 2*C"]:
    """For each plane, the means of the other two over the axis that they do not share with it: [B, 3, G, G, 2 C]."""
    means = []
    for mine in PLANES:
        found = []
        for number, other in enumerate(PLANES):
            if other == mine:
                continue
            (shared,) = set(mine) & set(other)
            mean = planes[:, number].mean(axis=2 - other.index(shared))  # [B, G, C] along the shared axis
            found.append(jnp.broadcast_to(jnp.expand_dims(mean, 2 - mine.index(shared)), planes[:, 0].shape))
        means.append(jnp.concatenate(found, axis=-1))
    return jnp.stack(means, axis=1)


def _images(planes: Array) -> Array:
    """[B, 3, G, G, C] -> [3 B, G, G, C]."""
    return planes.reshape(-1, *planes.shape[2:])


def doubled(image: Float[Array, "B H W C"]) -> Float[Array, "B 2*H 2*W C"]:
    """Twice the size, by bilinear interpolation."""
    batch, height, width, channels = image.shape
    return jax.image.resize(image, (batch, 2 * height, 2 * width, channels), "linear")
