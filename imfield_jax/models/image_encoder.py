"""The image encoder: one view in, latent out (IM-NET's ResNet18, without pooling).

Differences from a stock ResNet18: one grey channel, leaky ReLU of slope 0.02, no pooling anywhere,
and a strided and an unpadded 4x4 convolution in place of the classifier. The first operation is
1 - view, so that the white background becomes zero. Padding is symmetric as in PyTorch: XLA's
"SAME" shifts an odd kernel of stride 2 by half a pixel.
"""

from __future__ import annotations

import dataclasses
from functools import partial

from flax import linen as nn
from jaxtyping import Float

from imfield_jax.models.decoder import NEGATIVE_SLOPE
from imfield_jax.types import Array

BATCH_NORM_MOMENTUM = 0.9  # fraction of the running statistics kept per step, PyTorch's default
BATCH_NORM_EPSILON = 1e-5


@dataclasses.dataclass(frozen=True)
class ImageEncoderConfig:
    """latent: Z. width: channels of the first convolution (64 in ResNet18), doubled three times.

    stem_stride: 2 in IM-NET, which leaves out ResNet18's pooling; 4 reaches the size that the pooling
    would, at a quarter of the work, for CPUs.
    """

    latent: int
    width: int
    stem_stride: int = 2


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, projected when the block strides."""

    features: int
    stride: int

    @nn.compact
    def __call__(self, image: Float[Array, "B H W C"], *, train: bool) -> Float[Array, "B h w features"]:
        conv = partial(nn.Conv, self.features, use_bias=False, kernel_init=nn.initializers.xavier_uniform())
        norm = partial(
            nn.BatchNorm,
            use_running_average=not train,
            momentum=BATCH_NORM_MOMENTUM,
            epsilon=BATCH_NORM_EPSILON,
        )
        shortcut = image
        out = conv(kernel_size=(3, 3), strides=self.stride, padding=1, name="conv_1")(image)
        out = nn.leaky_relu(norm(name="bn_1")(out), NEGATIVE_SLOPE)
        out = norm(name="bn_2")(conv(kernel_size=(3, 3), padding=1, name="conv_2")(out))
        if self.stride != 1:
            shortcut = conv(kernel_size=(1, 1), strides=self.stride, padding=0, name="conv_s")(image)
            shortcut = norm(name="bn_s")(shortcut)
        return nn.leaky_relu(out + shortcut, NEGATIVE_SLOPE)


class ImageEncoder(nn.Module):
    """A view in [0, 1] on white -> its latent in (0, 1).

    `train` normalises by the batch's statistics and updates the running ones ("batch_stats").
    """

    config: ImageEncoderConfig

    @nn.compact
    def __call__(self, view: Float[Array, "B S S C"], *, train: bool = False) -> Float[Array, "B Z"]:
        width = self.config.width
        conv = partial(nn.Conv, kernel_init=nn.initializers.xavier_uniform())
        norm = partial(
            nn.BatchNorm,
            use_running_average=not train,
            momentum=BATCH_NORM_MOMENTUM,
            epsilon=BATCH_NORM_EPSILON,
        )
        stem = self.config.stem_stride
        image = conv(width, (7, 7), strides=stem, padding=3, use_bias=False, name="conv_0")(1.0 - view)
        image = nn.leaky_relu(norm(name="bn_0")(image), NEGATIVE_SLOPE)
        for number in range(1, 9):
            group, second = divmod(number - 1, 2)
            stride = 2 if group and not second else 1
            image = ResidualBlock(width * 2**group, stride, name=f"res_{number}")(image, train=train)
        image = conv(width * 8, (4, 4), strides=2, padding=1, use_bias=False, name="conv_9")(image)
        image = nn.leaky_relu(norm(name="bn_9")(image), NEGATIVE_SLOPE)
        # The last convolution covers its whole input, so it is a dense layer.
        flat = image.reshape(image.shape[0], -1)
        z = nn.Dense(self.config.latent, kernel_init=nn.initializers.xavier_uniform(), name="conv_10")(flat)
        return nn.sigmoid(z)
