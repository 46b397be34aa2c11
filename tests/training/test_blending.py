"""Blurring against a loop over pixels, and the two ends of a mixture."""

from __future__ import annotations

import numpy as np

from imfield_jax.training.blending import blurred, mixed


def test_a_blurred_pixel_is_the_mean_of_its_neighbours(rng):
    image = rng.random((5, 7, 2), dtype=np.float32)
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="edge")
    expected = [
        [padded[row : row + 3, column : column + 3].mean(axis=(0, 1)) for column in range(7)] for row in range(5)
    ]
    np.testing.assert_allclose(blurred(image, (0, 1)), expected, rtol=1e-5)
    np.testing.assert_allclose(blurred(np.moveaxis(image, 2, 0), (1, 2)), np.moveaxis(expected, 2, 0), rtol=1e-5)


def test_a_mixture_goes_from_one_to_the_other(rng):
    one, other = rng.random((2, 4, 4), dtype=np.float32)
    for share, expected in ((0.0, one), (1.0, other), (0.5, (one + other) / 2)):
        np.testing.assert_allclose(mixed(one, other, share), expected, rtol=1e-5, atol=1e-6)
