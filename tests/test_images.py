"""Encoded images keep their pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imfield_jax.images import encode_png


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_a_png_has_the_original_pixels(channels, rng):
    pixels = rng.integers(0, 256, (5, 7, *channels), np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encode_png(pixels)))), pixels)
