"""Extraction's slow and obvious reference."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.coordinates import grid_points
from imfield_jax.extraction.lattice import CORNERS, Lattice
from imfield_jax.extraction.marching import march


def _dense(field, resolution):
    """The reference: the field everywhere, every cell looked at."""
    padded = np.pad(np.asarray(field(grid_points(resolution)), np.float32), 1, constant_values=-np.inf)
    last = len(padded) - 1
    values = np.stack([padded[tuple(slice(c, last + c) for c in corner)] for corner in CORNERS], axis=-1)
    inside = values > 0
    active = inside.any(axis=-1) & ~inside.all(axis=-1)
    lattice = Lattice(resolution)
    (mesh,) = march(lattice, lattice.keys(np.argwhere(active) - 1), values[active])
    return mesh


def _assert_same_mesh(mesh, reference):
    """The same vertices and triangles, bit for bit, up to order and the corner a triangle starts from."""
    canonical = []
    for one in (mesh, reference):
        order = np.lexsort(one.vertices.T)
        faces = np.argsort(order)[one.faces]
        faces = np.take_along_axis(faces, (faces.argmin(axis=1)[:, None] + np.arange(3)) % 3, axis=1)
        canonical.append((one.vertices[order], faces[np.lexsort(faces.T)]))
    for ours, theirs in zip(*canonical, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(scope="session")
def dense():
    return _dense


@pytest.fixture(scope="session")
def assert_same_mesh():
    return _assert_same_mesh
