"""Strictness for every test, set before JAX starts.

Four CPU devices, so data parallelism is tested on any machine, set through the configuration of this
process and not the environment, which the programs that tests start would inherit. Rank promotion
raises: a [3] that silently meets a [P, 3] is how points and shapes get mixed up. There is no persistent
compilation cache on purpose: JAX writes its entries in place, so two test workers, or a test that
kills a training run, could leave half of one for the next run to read.

Warnings that point at our own code are errors; see `filterwarnings` in setup.cfg.
"""

from __future__ import annotations

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
import pytest

from imfield_jax.models.decoder import DecoderConfig
from imfield_jax.models.image_encoder import ImageEncoderConfig
from imfield_jax.models.presets import Preset
from imfield_jax.models.voxel_encoder import VoxelEncoderConfig

jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def rng():
    """A numpy generator that draws the same numbers in every run."""
    return np.random.default_rng(20190616)


@pytest.fixture(scope="module")
def quick_compilation():
    """For modules that spend nearly all their time compiling, and run what is compiled once or twice."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="session")
def tiny_preset() -> Preset:
    """Networks small enough to compile in a second."""
    return Preset(
        name="tiny",
        decoder=DecoderConfig(8, (16, 8), skips=True, output="sigmoid", initial_std=None),
        voxel_encoder=VoxelEncoderConfig(8, width=4, affine=True, stem_stride=4),
        image_encoder=ImageEncoderConfig(8, width=4, stem_stride=4),
        framing="fit",
    )


@pytest.fixture(scope="session")
def fill():
    """Fills a tree of shapes with numbers of the size that training would give them, without JAX's random numbers."""

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
def filled(fill):
    """Networks -> (params, batch_stats), as numpy arrays."""
    return lambda networks: fill(jax.eval_shape(networks.init, jax.random.key(0)))


@pytest.fixture(scope="session")
def write_dataset():
    """(folder, records by split, settings): writes a dataset of the category box as preparation leaves it."""
    from imfield_jax.data.dataset import build_dataset
    from imfield_jax.data.record_file import write_record
    from imfield_jax.data.scene import Scene
    from imfield_jax.data.sources import Shape
    from imfield_jax.data.work_folder import WorkFolder

    def written(folder, records, **settings):
        work, shapes = WorkFolder(folder / "work", {"category": "box", **settings}), []
        for split, made in records.items():
            for record in made:
                shapes.append(Shape(record.name, split, load=lambda: Scene(())))
                write_record(work.record(shapes[-1]), record, {"status": "ok"})
        work.write_index(shapes, "CC0 1.0")
        build_dataset(work.path, folder)

    return written
