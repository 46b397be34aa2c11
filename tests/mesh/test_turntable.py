"""A turntable shows every side once, at one scale, and ends where it began."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imfield_jax import fields
from imfield_jax.extraction.sparse import extract
from imfield_jax.mesh.turntable import FORMATS, encode_turntable, turntable


@pytest.fixture(scope="module")
def images():
    """Of a ball with a block on one side, so that no two sides look the same."""
    mesh = extract(fields.union(fields.sphere(0.2), fields.box((0.25, 0.05, 0.05), (0.2, 0, 0))), 48).mesh
    return turntable(mesh, frames=8, size=96)


def test_each_frame_shows_another_side_at_the_same_scale(images):
    assert images.shape == (8, 96, 96, 3)
    shares = [(image.std(axis=-1) > 2).mean() for image in images]  # clay is brownish, the background grey
    assert min(shares) > 0.02
    for one in range(8):
        for other in range(one):
            assert np.abs(images[one].astype(int) - images[other]).mean() > 0.5
    assert not np.array_equal(images[0], images[4])


@pytest.mark.parametrize("kind", FORMATS)
def test_the_animation_has_all_frames_and_no_end(images, kind):
    contents = encode_turntable(images, kind)
    assert contents == encode_turntable(images, kind)
    with Image.open(io.BytesIO(contents)) as animation:
        assert animation.n_frames == 8 and animation.info["loop"] == 0
        for number in (0, 5):
            animation.seek(number)
            assert np.abs(np.asarray(animation.convert("RGB")).astype(int) - images[number]).mean() < 4


def test_other_formats_are_refused(images):
    with pytest.raises(ValueError, match="expected one of gif, webp"):
        encode_turntable(images, "mp4")
