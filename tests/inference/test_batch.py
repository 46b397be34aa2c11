"""Batches against one image at a time, and bad images among good ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from imfield_jax.framing import to_unit
from imfield_jax.inference.batch import Failure, Item, Reconstruction, Settings, check_possible, reconstruct
from imfield_jax.inference.model import OBJECTS
from imfield_jax.inference.photo import Photo
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.models.familiarity import Familiarity
from imfield_jax.models.networks import Networks
from imfield_jax.models.weights import Weights

pytestmark = pytest.mark.usefixtures("quick_compilation")
SETTINGS = Settings(resolution=16, refinement_iterations=1)


@pytest.fixture(scope="module")
def model(tiny_preset, filled):
    networks = Networks(tiny_preset)
    return Reconstructor(Weights(networks, *filled(networks), {"category": "box"}))


def photo(seed):
    rng = np.random.default_rng(seed)
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[10:50, 20:40] = [*rng.integers(200, size=3), 255]
    return Photo(rgba, [f"note {seed}"])


def broken():
    raise ValueError("broken.png is damaged")


def test_results_come_in_order_and_are_those_of_each_image_alone(model):
    items = [Item(f"image {seed}", lambda seed=seed: photo(seed)) for seed in range(3)]
    items.insert(1, Item("broken", broken))
    results = list(reconstruct(model, items, SETTINGS))
    assert [result.name for result in results] == [item.name for item in items]
    assert results[1] == Failure("broken", "broken.png is damaged")
    for seed, result in zip(range(3), results[:1] + results[2:], strict=True):
        alone = model.mesh(photo(seed), 16, refinement_iterations=1)
        assert isinstance(result, Reconstruction) and result.notes == [f"note {seed}"]
        np.testing.assert_allclose(result.mesh.vertices, alone.vertices, atol=1e-5)


@pytest.mark.parametrize(("sign", "more"), [(1, 0), (-1, 1)])
def test_an_image_unlike_all_that_was_trained_on_is_noted(model, sign, more):
    """The only view that was trained on has the code of the image, or the opposite one."""
    image = photo(0)
    [code] = model.encode_views(to_unit(model.view(image.rgba))[None])
    direction = sign * code / np.linalg.norm(code)
    known = Familiarity(np.zeros_like(code), direction[None], 0.5)
    weights = dataclasses.replace(model.weights, familiarity=known)
    [result] = reconstruct(Reconstructor(weights), [Item("image", lambda: image)], SETTINGS)
    assert len(result.notes) == len(image.notes) + more
    assert all("unlike all that the network was trained on" in note for note in result.notes[len(image.notes) :])


def test_batches_are_read_as_they_are_needed(model):
    """A long folder shows its first mesh before its last image is read."""
    read = []
    items = [Item(str(n), lambda n=n: read.append(n) or photo(n)) for n in range(OBJECTS + 1)]
    next(reconstruct(model, items, SETTINGS))
    assert len(read) == OBJECTS


def test_bad_images_alone_need_no_field(model):
    assert [result.reason for result in reconstruct(model, [Item("a", broken)] * 2, SETTINGS)] == [
        "broken.png is damaged"
    ] * 2


@pytest.mark.parametrize(
    ("settings", "batch"), [((16, False), 16), ((256, False), 4), ((2048, False), 1), ((16, True), 1)]
)
def test_large_surfaces_are_made_one_by_one(settings, batch):
    resolution, certify = settings
    assert Settings(resolution=resolution, certify=certify).batch == batch


def test_textures_that_cannot_be_made_are_refused(tiny_planes, filled):
    networks = Networks(tiny_planes)
    framed = Reconstructor(Weights(networks, *filled(networks), {}))
    for settings, message in (
        (Settings(texture=256), "ask for color, too"),
        (Settings(color=True, texture=8), "texture: expected 64 to 8192 pixels per side, found 8"),
    ):
        with pytest.raises(ValueError, match=message):
            check_possible(framed, settings)
    check_possible(framed, Settings(color=True, texture=256))
