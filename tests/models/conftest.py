"""Networks small enough to compile in a second, and parameters for them without JAX's random numbers."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from imfield_jax.models.decoder import DecoderConfig
from imfield_jax.models.image_encoder import ImageEncoderConfig
from imfield_jax.models.networks import Networks
from imfield_jax.models.presets import Preset
from imfield_jax.models.voxel_encoder import VoxelEncoderConfig


@pytest.fixture(autouse=True, scope="module")
def quick_compilation():
    """Compiling is nearly all that these tests do, and what is compiled runs once."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="session")
def networks() -> Networks:
    return Networks(
        Preset(
            name="tiny",
            decoder=DecoderConfig(8, (16, 8), skips=True, output="sigmoid", initial_std=None),
            voxel_encoder=VoxelEncoderConfig(8, width=4, affine=True, stem_stride=4),
            image_encoder=ImageEncoderConfig(8, width=4, stem_stride=4),
            framing="fit",
        )
    )


@pytest.fixture(scope="session")
def fill():
    """Fills a tree of shapes with numbers of the size that training would give them."""

    def filled(shapes, seed: int = 0):
        rng = np.random.default_rng(seed)

        def leaf(path, shape):
            name = path[-1].key
            if "kernel" in name:
                return rng.normal(0, np.prod(shape.shape[:-1]) ** -0.5, shape.shape).astype(np.float32)
            around = 1.0 if name in ("scale", "var") else 0.0
            return (around + rng.uniform(-0.3, 0.3, shape.shape)).astype(np.float32)

        return jax.tree.map_with_path(leaf, shapes)

    return filled


@pytest.fixture(scope="session")
def variables(networks, fill):
    """(params, batch_stats) of `networks`."""
    return fill(jax.eval_shape(networks.init, jax.random.key(0)))
