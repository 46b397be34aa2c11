"""Solids from surface points: analytic shapes are recovered, including hollow and separate pieces."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.coordinates import grid_points
from imfield_jax.mesh.sampling import sample_surface
from imfield_jax.mesh.voxel_surface import true_surface
from imfield_jax.preparation.solidify.cloud import solid_of_cloud


def sphere(center, radius, count, rng, outward=1):
    directions = rng.standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.array(center) + radius * directions, outward * directions


def test_a_hollow_ball_and_a_small_one_next_to_it(rng):
    middle, beside = (-0.1, 0.05, 0.0), (0.36, -0.3, 0.2)
    surfaces = (
        sphere(middle, 0.3, 60_000, rng),
        sphere(middle, 0.15, 20_000, rng, outward=-1),  # the surface of a cavity faces inwards
        sphere(beside, 0.06, 5_000, rng),
    )
    points, normals = (np.concatenate(parts) for parts in zip(*surfaces, strict=True))
    found = solid_of_cloud(points.astype(np.float16), normals.astype(np.float16))
    centres = grid_points(256)
    from_middle = np.linalg.norm(centres - middle, axis=-1)
    expected = ((from_middle < 0.3) & (from_middle > 0.15)) | (np.linalg.norm(centres - beside, axis=-1) < 0.06)
    assert (found & expected).sum() / (found | expected).sum() > 0.99


def box(half, center=(0.0, 0.0, 0.0)):
    return (np.abs(grid_points(256) - np.array(center, np.float32)) < half).all(axis=-1)


BULKY = {  # surfaces so large that 100,000 points leave gaps
    "a box": lambda: box(0.45),
    "the whole cube": lambda: box(0.6),
    "a crate": lambda: box(0.45) & ~box((0.42, 0.45, 0.42), (0, 0.05, 0)),
    "a sofa": lambda: box((0.45, 0.15, 0.4), (0, -0.1, 0)) | box((0.45, 0.3, 0.1), (0, 0.05, 0.3)),
    "a narrow gap": lambda: box((0.45, 0.2, 0.4), (0, 0.204, 0)) | box((0.45, 0.2, 0.4), (0, -0.204, 0)),
    "a hollow ball": lambda: np.abs(np.linalg.norm(grid_points(256), axis=-1) - 0.44) < 0.01,
}


@pytest.mark.parametrize("name", BULKY)
def test_bulky_solids_do_not_leak(name, rng):
    solid = BULKY[name]()
    surface = sample_surface(true_surface(solid), 100_000, rng)
    found = solid_of_cloud(surface.points.astype(np.float16), surface.normals.astype(np.float16))
    assert (found & solid).sum() / (found | solid).sum() > 0.98
