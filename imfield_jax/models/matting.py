"""The matting network: which pixels of a photograph are its object.

A U-Net (Ronneberger et al. 2015) small enough to be trained on a CPU and to ship: five sizes of features, the mean of
the smallest added to all of them, so that each pixel knows the scene, and skips to a matte as large as the image.
"""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict
from jaxtyping import Float, Key

from imfield_jax.files import damaged, read_arrays, write_arrays
from imfield_jax.models.decoder import leaky_relu
from imfield_jax.models.plane_image_encoder import doubled
from imfield_jax.types import Array

SIDE = 128  # of the images that it is trained on
_FORMAT = 1
_GROUPS = 8  # of group normalisation


@dataclasses.dataclass(frozen=True)
class MattingConfig:
    """widths: channels of the features, from those as large as the image; each size is half of the one before."""

    widths: tuple[int, ...] = (16, 32, 64, 96, 128)


class MattingNetwork(nn.Module):
    """Images in [0, 1], sides divisible by 16 -> logits of their mattes."""

    config: MattingConfig

    @nn.compact
    def __call__(self, image: Float[Array, "B H W 3"]) -> Float[Array, "B H W"]:
        widths = self.config.widths
        sizes: list[Array] = []
        features = nn.Conv(widths[0], (3, 3), name="stem")(2 * image - 1)
        for number, width in enumerate(widths):
            if number:
                features = nn.Conv(width, (2, 2), strides=2, name=f"half_{number}")(leaky_relu(features))
            features = _Refined(width, name=f"down_{number}")(features)
            sizes.append(features)
        features = features + nn.Dense(widths[-1], name="scene")(features.mean(axis=(1, 2), keepdims=True))
        for number, width in reversed(list(enumerate(widths[:-1]))):
            features = doubled(nn.Dense(width, name=f"wider_{number}")(features))
            features = features + nn.Dense(width, name=f"skip_{number}")(sizes[number])
            features = _Refined(width, name=f"up_{number}")(features)
        return nn.Dense(1, name="out")(leaky_relu(features))[..., 0]


class _Refined(nn.Module):
    """A residual 3x3 convolution, normalised."""

    width: int

    @nn.compact
    def __call__(self, features: Array) -> Array:
        hidden = leaky_relu(nn.GroupNorm(_GROUPS, name="norm")(features))
        return features + nn.Conv(self.width, (3, 3), name="conv")(hidden)


@dataclasses.dataclass(frozen=True)
class MattingWeights:
    """A trained matting network. about: what it was trained on; any JSON value."""

    config: MattingConfig
    params: dict
    about: dict

    def logits(self, image: Float[Array, "B H W 3"]) -> Float[Array, "B H W"]:
        """As `MattingNetwork`."""
        return matting_logits(self.config, self.params, image)


def matting_logits(config: MattingConfig, params: dict, image: Float[Array, "B H W 3"]) -> Float[Array, "B H W"]:
    """The network as a pure function of its parameters."""
    module: Any = MattingNetwork(config)  # Flax declares the outputs of `apply` as a union
    return module.apply({"params": params}, image)


def initial_params(config: MattingConfig, key: Key[jax.Array, ""]) -> dict:
    """Parameters to train."""
    return jax.jit(MattingNetwork(config).init)(key, np.zeros((1, SIDE, SIDE, 3), np.float32))["params"]


def save_matting(path: str | os.PathLike, weights: MattingWeights) -> None:
    """Write a matting network atomically, in half precision."""
    header = {"format": _FORMAT, "matting": dataclasses.asdict(weights.config), "about": weights.about}
    leaves = flatten_dict(weights.params, sep="/")
    stored = {name: np.asarray(leaf).astype(np.float16) for name, leaf in leaves.items()}
    write_arrays(path, {"header": np.array(json.dumps(header)), **stored})


def load_matting(path: str | os.PathLike) -> MattingWeights:
    """The inverse of `save_matting`, in float32.

    Raises OSError when the file does not exist, ValueError when it is not such a file.
    """
    with damaged(path, "file of a matting network"):
        arrays = read_arrays(path)
        header = json.loads(arrays.pop("header").item())
        if header["format"] != _FORMAT or "matting" not in header:
            raise ValueError(f"expected a matting network of format {_FORMAT}")
        config = MattingConfig(tuple(header["matting"]["widths"]))
        params = unflatten_dict({name: array.astype(np.float32) for name, array in arrays.items()}, sep="/")
        expected = jax.eval_shape(lambda: initial_params(config, jax.random.key(0)))
        if jax.tree.map(np.shape, params) != jax.tree.map(np.shape, expected):
            raise ValueError("its arrays do not match its network")
        return MattingWeights(config, params, header["about"])
