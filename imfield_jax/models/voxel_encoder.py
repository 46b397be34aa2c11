"""The 3D encoder: voxels in, latent out (IM-NET, supplementary; IM-NET-pytorch's `encoder`).

Four 4x4x4 convolutions of stride 2 halve 64^3 down to 4^3, a fifth without padding reads the 4^3
block, a sigmoid bounds the latent to (0, 1). Each convolution but the last is followed by instance
normalisation and leaky ReLU.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from jaxtyping import Float, Shaped

from imfield_jax.models.decoder import NEGATIVE_SLOPE
from imfield_jax.types import Array

INSTANCE_NORM_EPSILON = 1e-5  # IM-NET-pytorch's


@dataclasses.dataclass(frozen=True)
class VoxelEncoderConfig:
    """latent: Z. width: channels of the first convolution (32 in IM-NET), doubled by each that follows.

    affine: biases on the convolutions and a scale and shift in the norms (the original code's
    parameters); IM-NET-pytorch has neither.
    stem_stride: 2 in IM-NET. 4 reads 4x4x4 voxels at a time without overlap and leaves out one
    convolution: a tenth of the work, for CPUs.
    """

    latent: int
    width: int
    affine: bool
    stem_stride: int = 2


class StridedConvolution(nn.Module):
    """A 4x4x4 convolution, of stride 2 with padding 1 or of stride 4 without."""

    features: int
    stride: int
    use_bias: bool

    @nn.compact
    def __call__(self, grid: Float[Array, "B R R R C"]) -> Float[Array, "B r r r features"]:
        channels = grid.shape[-1]
        kernel = self.param("kernel", nn.initializers.xavier_uniform(), (4, 4, 4, channels, self.features))
        as_product = product_of_blocks if self.stride == 2 else product_of_patches
        # XLA's CPU code for gradients of 3D convolutions is tens of times slower than a product.
        out = lax.platform_dependent(grid, kernel, cpu=as_product, default=partial(convolution, stride=self.stride))
        if self.use_bias:
            out = out + jnp.expand_dims(self.param("bias", nn.initializers.zeros, (self.features,)), (0, 1, 2, 3))
        return out


def convolution(
    grid: Float[Array, "B R R R C"], kernel: Float[Array, "4 4 4 C features"], stride: int
) -> Float[Array, "B R//{stride} R//{stride} R//{stride} features"]:
    """The strided convolution as XLA implements it."""
    padding = [(1, 1)] * 3 if stride == 2 else "VALID"
    layout = ("NDHWC", "DHWIO", "NDHWC")
    return lax.conv_general_dilated(
        jnp.asarray(grid), jnp.asarray(kernel), (stride,) * 3, padding, dimension_numbers=layout
    )


def product_of_patches(
    grid: Float[Array, "B R R R C"], kernel: Float[Array, "4 4 4 C features"]
) -> Float[Array, "B R//4 R//4 R//4 features"]:
    """`convolution` of stride 4 as a matrix product of disjoint patches."""
    batch, size, channels = grid.shape[0], grid.shape[1], grid.shape[-1]
    coarse = size // 4
    patches = grid.reshape(batch, coarse, 4, coarse, 4, coarse, 4, channels)
    patches = patches.transpose(0, 1, 3, 5, 2, 4, 6, 7).reshape(batch, coarse, coarse, coarse, 64 * channels)
    return patches @ kernel.reshape(64 * channels, -1)


def product_of_blocks(
    grid: Float[Array, "B R R R C"], kernel: Float[Array, "4 4 4 C features"]
) -> Float[Array, "B R//2 R//2 R//2 features"]:
    """`convolution` of stride 2 as a matrix product.

    Padding, folding 2x2x2 blocks into channels and gathering 2x2x2 of those reads exactly the
    voxels that the strided kernel would.
    """
    return blocks_of(grid) @ kernel_of_blocks(kernel)


def blocks_of(grid: Float[Array, "B R R R C"]) -> Float[Array, "B R//2 R//2 R//2 64*C"]:
    """What each output of the strided convolution sees.

    The last axis is ordered (which 2-block along x, y, z; place in the block along x, y, z; channel).
    """
    batch, size, channels = grid.shape[0], grid.shape[1], grid.shape[-1]
    half = size // 2
    padded = jnp.pad(grid, ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0)))
    folded = padded.reshape(batch, half + 1, 2, half + 1, 2, half + 1, 2, channels)
    folded = folded.transpose(0, 1, 3, 5, 2, 4, 6, 7).reshape(batch, half + 1, half + 1, half + 1, 8 * channels)
    corners = [folded[:, i : i + half, j : j + half, k : k + half] for i in (0, 1) for j in (0, 1) for k in (0, 1)]
    return jnp.concatenate(corners, axis=-1)


def kernel_of_blocks(kernel: Float[Array, "4 4 4 C features"]) -> Float[Array, "64*C features"]:
    """The kernel as a matrix, rows in the order of `blocks_of`."""
    channels, features = kernel.shape[3:]
    split = kernel.reshape(2, 2, 2, 2, 2, 2, channels, features)
    return split.transpose(0, 2, 4, 1, 3, 5, 6, 7).reshape(64 * channels, features)


class InstanceNorm(nn.Module):
    """Zero mean and unit variance over the grid of each element and channel."""

    affine: bool

    @nn.compact
    def __call__(self, grid: Float[Array, "B R R R C"]) -> Float[Array, "B R R R C"]:
        axes = (1, 2, 3)
        mean = grid.mean(axis=axes, keepdims=True)
        variance = jnp.square(grid - mean).mean(axis=axes, keepdims=True)
        grid = (grid - mean) * lax.rsqrt(variance + INSTANCE_NORM_EPSILON)
        if self.affine:
            scale = self.param("scale", nn.initializers.ones, (grid.shape[-1],))
            shift = self.param("bias", nn.initializers.zeros, (grid.shape[-1],))
            grid = grid * jnp.expand_dims(scale, (0, 1, 2, 3)) + jnp.expand_dims(shift, (0, 1, 2, 3))
        return grid


class VoxelEncoder(nn.Module):
    """Voxels, 0 or 1 -> latent in (0, 1)."""

    config: VoxelEncoderConfig

    @nn.compact
    def __call__(self, voxels: Shaped[Array, "B V V V"]) -> Float[Array, "B Z"]:
        config = self.config
        grid = voxels.astype(jnp.float32)[..., None]
        for number in range(1, 5 if config.stem_stride == 2 else 4):
            features = config.width * 2 ** (number - 1)
            stride = config.stem_stride if number == 1 else 2
            grid = StridedConvolution(features, stride, config.affine, name=f"conv_{number}")(grid)
            grid = InstanceNorm(config.affine, name=f"norm_{number}")(grid)
            grid = nn.leaky_relu(grid, NEGATIVE_SLOPE)
        # The last convolution covers its whole 4^3 input, so it is a dense layer.
        flat = grid.reshape(grid.shape[0], -1)
        z = nn.Dense(config.latent, kernel_init=nn.initializers.xavier_uniform(), name="conv_5")(flat)
        return nn.sigmoid(z)
