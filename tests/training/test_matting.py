"""Pictures for the matting network: the matte is where the object is; and the network learns from them."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from imfield_jax.models.matting import SIDE, MattingConfig, initial_params
from imfield_jax.training.composites import composite
from imfield_jax.training.matting import (
    Material,
    first_matting_state,
    make_matting_update,
    matte_iou,
    matting_schedule,
    pictures,
)

CONFIG = MattingConfig(widths=(8, 8, 8))


def key_of(number):
    return jax.random.key(number, impl="rbg")


@pytest.fixture(scope="module")
def material():
    """Discs of random colours, and photographs of coarse noise."""
    rng = np.random.default_rng(0)
    axis = np.arange(64) - 31.5
    disc = (np.hypot(*np.meshgrid(axis, axis)) < 25)[None, :, :, None]
    colors = np.broadcast_to(rng.integers(0, 256, (12, 1, 1, 3)), (12, 64, 64, 3))
    objects = np.concatenate([colors, np.broadcast_to(255 * disc, (12, 64, 64, 1))], axis=-1).astype(np.uint8)
    photos = rng.integers(0, 256, (6, 8, 8, 3)).repeat(8, axis=1).repeat(8, axis=2).astype(np.uint8)
    return Material(objects, photos)


@pytest.fixture(scope="module")
def make(material):
    """Pictures and mattes of a key."""
    compiled = jax.jit(pictures, static_argnums=1)
    return lambda key: [np.asarray(part) for part in compiled(material, 12, key)]


@pytest.fixture(scope="module")
def made(make):
    return make(key_of(1))


def test_pictures_and_mattes_are_in_range_and_differ(made):
    image, matte = made
    assert image.shape == (12, SIDE, SIDE, 3) and matte.shape == (12, SIDE, SIDE)
    for part in made:
        assert part.min() >= 0 and part.max() <= 1
    assert len({each.tobytes() for each in image}) == 12
    sizes = (matte > 0.5).mean(axis=(1, 2))
    assert sizes.min() > 0.02 and sizes.max() > 3 * sizes.min()


def test_the_matte_is_where_the_objects_colour_shows(material):
    """With another colour, the picture is another one inside the matte, and the same beyond what a camera blurs."""
    objects, photos = material.objects[:3] / np.float32(255), material.photos[:3] / np.float32(255)
    other = objects.copy()
    other[0, ..., :3] = 1 - other[0, ..., :3]
    make = jax.jit(composite)
    for number in range(6):
        one, matte = map(np.asarray, make(objects, photos, key_of(number)))
        two, same = map(np.asarray, make(other, photos, key_of(number)))
        np.testing.assert_array_equal(matte, same)
        difference = np.abs(one - two).max(axis=-1)
        near = np.asarray(jax.lax.reduce_window(matte, 0.0, jax.lax.max, (5, 5), (1, 1), "SAME"))
        assert difference[near == 0].max(initial=0) < 1e-6
        assert difference[matte > 0.5].mean() > 0.01


def test_a_batch_is_a_function_of_its_key(make, made):
    for one, two, other in zip(make(key_of(1)), made, make(key_of(2)), strict=True):
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, other)


def test_an_update_is_a_function_of_the_step_and_reduces_the_loss_of_its_pictures(material):
    schedule = matting_schedule(12, batch=2, learning_rate=3e-3)
    update, losses = make_matting_update(CONFIG, schedule, material), []
    first = state = first_matting_state(schedule, initial_params(CONFIG, key_of(0)))
    for _ in range(12):
        state, metrics = update(dataclasses.replace(state, step=first.step), key_of(0))  # the same pictures again
        losses.append(float(metrics["loss"]))
    assert int(state.step) == 1 and losses[-1] < 0.9 * losses[0]
    assert float(update(state, key_of(0))[1]["loss"]) > losses[-1]  # others are new to it
    for one, two in zip(*(jax.tree.leaves(update(state, key_of(0))) for _ in range(2)), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_iou_of_masks():
    found = np.array([[True, True, False, False], [False] * 4])
    truth = np.array([[True, False, True, False], [False] * 4])
    np.testing.assert_allclose(matte_iou(found, truth), [1 / 3, 0], rtol=1e-6)
