"""A small prepared dataset of random records: what everything after preparation reads."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.data.record import Record
from imfield_jax.data.sampling import LEVEL_SIZES, voxels64

SPLIT_SIZES = {"train": 7, "validation": 2, "test": 1}
VIEWS = 3


def _random_record(name: str, seed: int) -> Record:
    rng = np.random.default_rng(seed)
    solid = np.zeros((256,) * 3, bool)
    for low in rng.integers(0, 200, (5, 3)):
        solid[tuple(slice(a, a + 50) for a in low)] = True
    points = {level: rng.integers(256, size=(size, 3), dtype=np.uint8) for level, size in LEVEL_SIZES.items()}
    views = rng.integers(256, size=(VIEWS, 137, 137, 4), dtype=np.uint8)
    views[:, : 20 + seed, :, 3] = 0  # something to crop
    return Record(
        name=name,
        voxels=voxels64(solid),
        points=points,
        values={level: solid[tuple(chosen.T)].astype(np.uint8) for level, chosen in points.items()},
        solid=solid,
        views=views,
        cameras=rng.random((VIEWS, 4), dtype=np.float32),
        center=rng.random(3, dtype=np.float32),
        scale=np.float32(1.5),
        diagnostics={},
    )


@pytest.fixture(scope="session")
def random_record():
    """(name, seed) -> a record of boxes, with random pictures and points."""
    return _random_record


@pytest.fixture(scope="session")
def records() -> dict[str, dict[str, Record]]:
    """By split and name."""
    return {
        split: {f"box/{split}{i}": _random_record(f"box/{split}{i}", i) for i in range(size)}
        for split, size in SPLIT_SIZES.items()
    }


@pytest.fixture(scope="session")
def data_dir(records, write_dataset, tmp_path_factory):
    """A data directory as preparation leaves it."""
    root = tmp_path_factory.mktemp("box")
    write_dataset(root, {split: named.values() for split, named in records.items()}, views=VIEWS)
    return root
