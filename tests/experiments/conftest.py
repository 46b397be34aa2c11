"""A tiny dataset, and a training run of a few updates per stage on it, made once for all tests and test workers."""

from __future__ import annotations

import fcntl
import itertools
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from imfield_jax.coordinates import LEVEL_SIZES
from imfield_jax.preparation.record import Record
from imfield_jax.preparation.sampling import sample_level, voxels64

ROOT = Path(__file__).resolve().parents[2]
SPLITS = {"train": 4, "validation": 1, "test": 1}
VIEWS = 3
SCHEDULE = (
    "--autoencoder_steps=4,0,0",
    "--autoencoder_batch=2",
    "--points=64",
    "--encoder_steps=4",
    "--encoder_batch=2",
    "--finetune_steps=3",
    "--finetune_batch=2",
    "--finetune_points=64",
    "--optimizer=muon",
    "--learning_rate=1e-5",
    "--save_every=2",
    "--validate_every=4",
    "--measure_every=1",
    "--image_resolution=16",
    "--view_size=64",
    "--voxel_size=32",
)


def _record(name: str, seed: int, view_count: int) -> Record:
    """A box and views of a rectangle, determined by the seed."""
    rng = np.random.default_rng(seed)
    low, high = rng.integers(30, 100, 3), rng.integers(150, 220, 3)
    solid = np.zeros((256,) * 3, bool)
    solid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    levels = {level: sample_level(solid, level, "exact", rng) for level in LEVEL_SIZES}
    views = np.zeros((view_count, 137, 137, 4), np.uint8)
    views[:, 30 + 5 * seed : 110, 20:115] = (90, 120, 150, 255)
    return Record(
        name=name,
        voxels=voxels64(solid),
        points={level: points for level, (points, _) in levels.items()},
        values={level: values for level, (_, values) in levels.items()},
        solid=solid,
        views=views,
        cameras=np.ones((view_count, 4), np.float32),
        center=np.zeros(3, np.float32),
        scale=np.float32(1),
        diagnostics={},
    )


@pytest.fixture(scope="session")
def make_dataset(write_dataset):
    """(folder, shapes per split, views per shape, seeds of the shapes): writes a dataset of boxes."""

    def made(folder: Path, splits: dict[str, int], views: int, seeds: Iterable[int]) -> None:
        seeds = iter(seeds)
        records = {
            split: [_record(f"box/{split}{number}", next(seeds), views) for number in range(count)]
            for split, count in splits.items()
        }
        write_dataset(folder, records, views=views, labels="exact", source="test")

    return made


@pytest.fixture(scope="session")
def command(shared):
    """(program, flags) -> the command line and the arguments for `subprocess` that run it as users do."""
    environment = {
        **os.environ,
        # Nearly all the time is spent compiling: do it quickly, and once. The run that is killed finds
        # all it needs in the cache of the uninterrupted run, so it leaves no partial entry there.
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "JAX_COMPILATION_CACHE_DIR": str(shared("compiled", Path.mkdir)),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }

    def made(program, *flags):
        command = [sys.executable, "-m", f"experiments.{program}", *map(str, flags)]
        return {"args": command, "cwd": ROOT, "env": environment}

    return made


@pytest.fixture(scope="session")
def program(command):
    """Runs (program, flags) to completion: a `CompletedProcess` with text output."""

    def run(*arguments):
        return subprocess.run(**command(*arguments), capture_output=True, text=True, timeout=600)

    return run


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """(name, make) -> a folder that one test worker makes and all use; the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "experiments"
    folder.mkdir(exist_ok=True)

    def once(name, make):
        with open(folder / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / f"{name}.done").exists():
                make(folder / name)
                (folder / f"{name}.done").touch()
        return folder / name

    return once


@pytest.fixture(scope="session")
def dataset(shared, make_dataset):
    """Four training shapes, one validation shape and one test shape."""
    return shared("data", lambda folder: make_dataset(folder, SPLITS, VIEWS, itertools.count()))


@pytest.fixture(scope="session")
def training_flags(dataset):
    """The flags of a run with a few updates per stage, without --run."""
    return ("--category=box", f"--data={dataset}", *SCHEDULE)


@pytest.fixture(scope="session")
def straight_run(shared, program, training_flags):
    """The folder of an uninterrupted run; its output is in log.txt there."""

    def train(folder):
        done = program("train", *training_flags, f"--run={folder}")
        assert done.returncode == 0, done.stderr
        (folder / "log.txt").write_text(done.stdout + done.stderr)

    return shared("run", train)
