"""Latents fitted to outlines: the outline is that of the field, and the fit finds the object it was made of."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from imfield_jax.camera import Camera, image_camera, view_camera
from imfield_jax.inference import refinement
from imfield_jax.inference.batch import Item, Settings, check_possible, reconstruct
from imfield_jax.inference.model import Model
from imfield_jax.inference.photo import Photo
from imfield_jax.inference.refinement import outline, refined
from imfield_jax.models.networks import Networks
from imfield_jax.models.weights import Weights

pytestmark = pytest.mark.usefixtures("quick_compilation")
RAYS = 24
VIEW = view_camera(Camera(0.6, 0.4, 1.7, 0.7), 128, (0.0, 0.0, 128.0))


@pytest.fixture(scope="module")
def model(tiny_planes, filled):
    networks = Networks(tiny_planes)
    return Model(Weights(networks, *filled(networks), {"category": "box"}))


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Few rays."""
    monkeypatch.setattr(refinement, "RAYS", RAYS)
    monkeypatch.setattr(refinement, "SAMPLES", 32)
    refinement._step.clear_cache()
    yield
    refinement._step.clear_cache()


@pytest.fixture(scope="module")
def latents(model):
    """Of two objects."""
    rng = np.random.default_rng(1)
    size = model.weights.networks.preset.decoder.latent
    return rng.normal(0, 1, (2, size)).astype(np.float32)


def outline_of(model, z):
    weights = model.weights
    return np.asarray(jax.jit(outline, static_argnums=0)(weights.networks, weights.params, z, VIEW))


def test_the_outline_is_where_a_ray_through_the_pixel_meets_the_object(model, latents):
    found = outline_of(model, latents[0])
    camera = image_camera(VIEW)
    columns, rows = np.meshgrid(np.arange(RAYS) + 0.5, np.arange(RAYS) + 0.5)
    directions = camera.pixel_directions(columns, rows, RAYS).astype(np.float32)
    points = (camera.eye() + np.linspace(0.7, 2.7, 150)[:, None, None, None] * directions).astype(np.float32)
    inside = (np.abs(points) <= 0.5).all(axis=-1)
    values = np.asarray(model.field(latents[0])(points.reshape(-1, 3))).reshape(inside.shape)
    values = np.where(inside, values, -10)
    assert 0.1 < (found > 0).mean() < 0.9
    assert ((found > 0) != (values.max(axis=0) > 0)).mean() < 0.05


def test_the_fit_comes_nearer_to_what_the_outline_is_of(model, latents):
    """From a camera that is a bit off."""
    opacity = (outline_of(model, latents[0]) > 0).astype(np.float32)
    off = view_camera(Camera(0.7, 0.3, 1.6, 0.7), 128, (9.0, 0.0, 128.0))
    found = refined(model, opacity, latents[0], off)
    assert found.after > found.before + 0.02
    assert not np.array_equal(found.z, latents[0])


def test_a_strong_prior_keeps_the_prediction(model, latents, monkeypatch):
    opacity = (outline_of(model, latents[1]) > 0).astype(np.float32)
    monkeypatch.setattr(refinement, "PRIOR", 1e4)
    found = refined(model, opacity, latents[0], VIEW)
    scale = np.asarray(model.weights.networks.latent_scale(model.weights.batch_stats))
    assert np.abs((found.z - latents[0]) / scale).max() < 1e-2


def test_outlines_are_part_of_the_result(model):
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[10:50, 20:40] = (120, 60, 20, 255)
    settings = Settings(resolution=16, refine_to_picture=True, floaters="keep", bridge_gap=0)
    [made] = reconstruct(model, [Item("box", lambda: Photo(rgba, []))], settings)
    [plain] = reconstruct(model, [Item("box", lambda: Photo(rgba, []))], Settings(resolution=16))
    assert plain.outlines is None and all(0 <= overlap <= 1 for overlap in made.outlines)
    assert made.notes[-1].startswith(f"fitted to the picture: the outlines overlap by {made.outlines[0]:.0%} before")


def test_what_cannot_be_refined_is_refused(tiny_preset, filled):
    clipped = dataclasses.replace(tiny_preset.decoder, output="leaky_clip")
    for change, message in (
        ({"framing": "centre"}, "nothing is refined: the framing"),
        ({"decoder": clipped}, "output"),
    ):
        networks = Networks(dataclasses.replace(tiny_preset, **change))
        with pytest.raises(ValueError, match=message):
            check_possible(Model(Weights(networks, *filled(networks), {})), Settings(refine_to_picture=True))
