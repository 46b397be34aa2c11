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
        maps = [self._map(voxels, number, *axes) for number, axes in enumerate(PLANES, start=1)]
        return jnp.stack(maps, axis=1).reshape(len(voxels), -1)

    def _map(self, voxels: Array, number: int, row: int, column: int) -> Array:
        """The map of one plane: [B, R, R, C]."""
        cells = self.config.resolution
        stride, rest = divmod(voxels.shape[1], cells)
        if not stride or rest:
            raise ValueError(f"expected a multiple of {cells} voxels per side, found {voxels.shape[1]}")
        image = jnp.transpose(voxels, (0, 1 + row, 1 + column, 4 - row - column))
        # The voxels over a cell as its channels, so that the first layer is one product.
        image = image.reshape(-1, cells, stride, cells, stride, voxels.shape[1]).transpose(0, 1, 3, 2, 4, 5)
        image = image.reshape(*image.shape[:3], -1).astype(jnp.float32)
        fine = self._residual(
            nn.Dense(self.config.width, name=f"plane_{number}_fine_1")(image), f"plane_{number}_fine_2"
        )
        # Without overlap, so that a cell is in the middle of what it sees.
        coarse = nn.Conv(self.config.width, (2, 2), strides=2, name=f"plane_{number}_coarse_1")(fine)
        coarse = self._residual(coarse, f"plane_{number}_coarse_2")
        coarse = jnp.repeat(jnp.repeat(coarse, 2, axis=1), 2, axis=2)
        both = jnp.concatenate([fine, coarse], axis=-1)
        return nn.Conv(self.config.channels, (3, 3), name=f"plane_{number}_out")(both)

    def _residual(self, image: Array, name: str) -> Array:
        first = leaky_relu(image)
        return first + leaky_relu(nn.Conv(self.config.width, (3, 3), name=name)(first))
