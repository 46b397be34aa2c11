"""Solids from points of their surface: analytic shapes come back, hollows and separate pieces too."""

from __future__ import annotations

import numpy as np

from imfield_jax.coordinates import grid_points
from imfield_jax.preparation.solidify.cloud import solid_of_cloud


def sphere(center, radius, count, rng, outward=1):
    directions = rng.standard_normal((count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.array(center) + radius * directions, outward * directions


def test_a_hollow_ball_and_a_small_one_beside_it(rng):
    middle, beside = (-0.1, 0.05, 0.0), (0.36, -0.3, 0.2)
    surfaces = (
        sphere(middle, 0.3, 60_000, rng),
        sphere(middle, 0.15, 20_000, rng, outward=-1),  # a hollow's surface looks into it
        sphere(beside, 0.06, 5_000, rng),
    )
    points, normals = (np.concatenate(parts) for parts in zip(*surfaces, strict=True))
    found = solid_of_cloud(points.astype(np.float16), normals.astype(np.float16))
    centres = grid_points(256)
    from_middle = np.linalg.norm(centres - middle, axis=-1)
    expected = ((from_middle < 0.3) & (from_middle > 0.15)) | (np.linalg.norm(centres - beside, axis=-1) < 0.06)
    assert (found & expected).sum() / (found | expected).sum() > 0.99
