"""Tiny networks, synthetic batches, and as little compilation as possible.

Stages, steps and the loop do not care what the encoders are, so most tests have encoders of one dense
layer in place of the convolutions, which take XLA's CPU compiler ten times as long.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
from flax import linen as nn

from imfield_jax.batches import PointBatch, ViewBatch
from imfield_jax.models.networks import Networks
from imfield_jax.training import loop, state, steps

SHAPES = 5


@pytest.fixture(autouse=True, scope="module")
def quickly(quick_compilation):
    """These tests spend nearly all their time compiling."""


class DenseVoxelEncoder(nn.Module):
    """Voxels [B, 64, 64, 64] -> z [B, Z]."""

    latent: int

    @nn.compact
    def __call__(self, voxels):
        blocks = voxels.astype(np.float32).reshape(-1, 4, 16, 4, 16, 4, 16).mean(axis=(2, 4, 6))
        return nn.sigmoid(nn.Dense(self.latent)(blocks.reshape(-1, 64)))


class DenseImageEncoder(nn.Module):
    """Views [B, 128, 128, 1] -> z [B, Z], with batch normalisation like the real one."""

    latent: int

    @nn.compact
    def __call__(self, view, *, train=False):
        blocks = view.reshape(-1, 8, 16, 8, 16).mean(axis=(2, 4))
        out = nn.Dense(self.latent, use_bias=False)(1.0 - blocks.reshape(-1, 64))
        return nn.sigmoid(nn.BatchNorm(use_running_average=not train, momentum=0.9)(out))


class DenseNetworks(Networks):
    """The decoder of the preset, encoders of one layer."""

    @property
    def _voxel_encoder(self):
        return DenseVoxelEncoder(self.preset.decoder.latent)

    @property
    def _image_encoder(self):
        return DenseImageEncoder(self.preset.decoder.latent)


@pytest.fixture(scope="session")
def networks(tiny_preset) -> Networks:
    return DenseNetworks(tiny_preset)


@pytest.fixture(scope="session")
def full_networks(tiny_preset) -> Networks:
    return Networks(tiny_preset)


@pytest.fixture(scope="session")
def variables(networks, filled):
    """(params, batch_stats) of `networks`: steps donate only copies of them."""
    return filled(networks)


@pytest.fixture(scope="session")
def full_variables(full_networks, filled):
    """(params, batch_stats) of `full_networks`."""
    return filled(full_networks)


@dataclasses.dataclass(frozen=True)
class NumpyFeed:
    """A `data.feed.Feed`: slabs of different heights, and views whose grey level is the height."""

    batch: int
    count: int
    seed: int = 0
    names: tuple[str, ...] = tuple(f"slab/{row}" for row in range(SHAPES))

    def points(self, level, step):
        index, points, occupancy = self._draw(step, self.count)
        return PointBatch(index, self.voxels(index), points, occupancy)

    def views(self, level, step):
        index, points, occupancy = self._draw(step, self.count if level else 0)
        rng = np.random.default_rng([self.seed, step, 1])
        grey = np.float32(self._heights(index)) + rng.uniform(-0.1, 0.1, (128, 128, self.batch)).astype(np.float32)
        view = np.ascontiguousarray(np.clip(grey, 0, 1).T[..., None])
        return ViewBatch(index, view, np.full((self.batch, 7), np.nan, np.float32), points, occupancy)

    def voxels(self, index):
        below = np.arange(64)[None, :] < 64 * self._heights(np.asarray(index))[:, None]
        return np.broadcast_to(below[:, None, :, None], (len(index), 64, 64, 64)).astype(np.uint8)

    def _draw(self, step, count):
        rng = np.random.default_rng([self.seed, step])
        index = rng.integers(SHAPES, size=self.batch).astype(np.int32)
        points = rng.uniform(-0.5, 0.5, (self.batch, count, 3)).astype(np.float32)
        return index, points, (points[..., 1] + 0.5 < self._heights(index)[:, None]).astype(np.float32)

    def _heights(self, index):
        return (index + 1) / (SHAPES + 1)


@pytest.fixture(scope="session")
def numpy_feed():
    return NumpyFeed


@pytest.fixture(scope="session")
def make_step():
    """`steps.make_step` cached by stage, so that JAX compiles each once for all tests."""
    return functools.cache(steps.make_step)


@pytest.fixture
def remembered(monkeypatch, make_step, variables):
    """Lets `loop.train` start from `variables` and reuse compiled steps."""
    monkeypatch.setattr("imfield_jax.training.run.make_step", make_step)
    monkeypatch.setattr(
        loop,
        "first_state",
        lambda networks, schedule, key: state.begin_stage(schedule, schedule.stages[0], *variables),
    )
