"""The voxel encoder of spatial latents: voxels in, three feature maps out.

Each map is made by two-dimensional convolutions over its plane from the columns of voxels that stand on it: the voxels
of a column are the channels. A second branch at half the resolution sees wider surroundings.
"""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Float, Shaped

from imfield_jax.models.decoder import leaky_relu
from imfield_jax.models.planes import PLANES, latent_size
from imfield_jax.types import Array


@dataclasses.dataclass(frozen=True)
class PlaneVoxelEncoderConfig:
    """resolution, channels: of the maps, as in `PlaneDecoderConfig`. width: channels of the convolutions."""

    resolution: int
    channels: int
    width: int = 64

    @property
    def latent(self) -> int:
        """The number of values in a latent."""
        return latent_size(self.resolution, self.channels)


class PlaneVoxelEncoder(nn.Module):
    """Voxels, 0 or 1 -> latent: three maps, flat."""

    config: PlaneVoxelEncoderConfig

    @nn.compact
    def __call__(self, voxels: Shaped[Array, "B V V V"]) -> Float[Array, "B Z"]:
        grid = voxels.astype(jnp.float32)
        maps = [self._map(grid, number, *axes) for number, axes in enumerate(PLANES, start=1)]
        return jnp.stack(maps, axis=1).reshape(len(grid), -1)

    def _map(self, grid: Array, number: int, row: int, column: int) -> Array:
        """The map of one plane: [B, R, R, C]."""
        depth = 3 - row - column
        image = jnp.transpose(grid, (0, 1 + row, 1 + column, 1 + depth))
        stride, rest = divmod(grid.shape[1], self.config.resolution)
        if not stride or rest:
            raise ValueError(f"expected a multiple of {self.config.resolution} voxels per side, found {grid.shape[1]}")
        fine = self._residual(image, f"plane_{number}_fine", stride)
        coarse = self._residual(fine, f"plane_{number}_coarse", 2)
        coarse = jnp.repeat(jnp.repeat(coarse, 2, axis=1), 2, axis=2)
        both = jnp.concatenate([fine, coarse], axis=-1)
        return nn.Conv(self.config.channels, (3, 3), name=f"plane_{number}_out")(both)

    def _residual(self, image: Array, name: str, stride: int) -> Array:
        # Without overlap, so that a cell of the map is in the middle of what it sees.
        kernel = (3, 3) if stride == 1 else (stride, stride)
        first = nn.Conv(self.config.width, kernel, strides=stride, name=f"{name}_1")(image)
        first = leaky_relu(first)
        second = nn.Conv(self.config.width, (3, 3), name=f"{name}_2")(first)
        return first + leaky_relu(second)
