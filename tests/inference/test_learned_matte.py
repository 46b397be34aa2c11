"""Our own matting network on images of any size: what it says of 128 pixels is put back where it was seen."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from imfield_jax.inference.learned_matte import LearnedMatte
from imfield_jax.models.matting import MattingConfig, MattingWeights, initial_params, save_matting


@pytest.fixture
def red(tmp_path, monkeypatch, fill):
    """A matte whose network takes red for the object, and the sizes of the images that it was asked about."""
    config = MattingConfig(widths=(8, 8))
    shapes = jax.eval_shape(lambda: initial_params(config, jax.random.key(0)))
    save_matting(tmp_path / "a.npz", MattingWeights(config, fill(shapes), {}))
    matte = LearnedMatte(tmp_path / "a.npz")
    seen = []

    def logits(images):
        seen.append(images.shape)
        return 20 * (jnp.asarray(images)[..., 0] - jnp.asarray(images)[..., 1] - 0.5)

    monkeypatch.setattr(matte, "_logits", logits)
    return matte, seen


@pytest.mark.parametrize("size", [(128, 128), (300, 500), (900, 400), (40, 30)])
def test_the_object_is_found_where_it_is(red, size):
    matte, seen = red
    height, width = size
    image = np.full((height, width, 3), 90, np.uint8)
    mask = np.zeros(size, bool)
    mask[height // 2 : height * 9 // 10, width // 10 : width // 3] = True
    image[mask] = (250, 20, 20)
    found = matte(image)
    assert found.shape == size and found.min() >= 0 and found.max() <= 1
    inside = found > 0.5
    assert (inside & mask).sum() / (inside | mask).sum() > 0.9
    assert seen == [(1, 128, 128, 3)] * 2  # the whole image, and what surrounds the object


def test_an_object_that_reaches_beyond_the_image_is_kept_to_its_edge(red):
    matte, _ = red
    image = np.full((200, 300, 3), 90, np.uint8)
    image[120:, :150] = (250, 20, 20)
    found = matte(image) > 0.5
    assert found[-1, :140].all() and found[130:, 0].all() and not found[:, 160:].any()


def test_small_parts_beside_the_object_are_left_out(red):
    matte, _ = red
    image = np.full((200, 200, 3), 90, np.uint8)
    image[50:150, 50:150] = image[20:28, 160:168] = (250, 20, 20)
    found = matte(image)
    assert found[100, 100] > 0.9 and found[15:33, 155:173].max() < 0.3


def test_nothing_is_found_where_nothing_is(red):
    matte, seen = red
    assert matte(np.full((60, 90, 3), 90, np.uint8)).max() < 0.5
    assert len(seen) == 1
