"""Reconstruction with spatial latents: the same calls as with global ones."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from imfield_jax.framing import to_unit
from imfield_jax.inference.batch import Item, Settings, reconstruct
from imfield_jax.inference.photo import Photo
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.interchange.pytorch import to_pytorch
from imfield_jax.mesh.check import check
from imfield_jax.models.networks import Networks
from imfield_jax.models.weights import Weights, load_weights, save_weights

pytestmark = pytest.mark.usefixtures("quick_compilation")


@pytest.fixture(scope="module")
def weights(tiny_planes, filled):
    networks = Networks(tiny_planes)
    return Weights(networks, *filled(networks), {"category": "box"})


@pytest.fixture(scope="module")
def model(weights):
    return Reconstructor(weights)


@pytest.fixture
def z(model, rng):
    return model.encode_voxels(rng.integers(2, size=(3, 64, 64, 64), dtype=np.uint8))


def test_the_fields_of_a_batch_are_those_of_training(model, weights, z, rng):
    points = rng.uniform(-0.5, 0.5, (3, 50, 3)).astype(np.float32)
    expected = jax.jit(weights.networks.logits)(weights.params, z, points)
    owners = np.repeat(np.arange(3), 50)
    found = model.field(z)(points.reshape(-1, 3), owners).reshape(3, 50)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    slopes = model.gradient(z[:1])(points[0])
    step = np.float32([1e-3, 0, 0])
    along = (model.field(z[:1])(points[0] + step) - model.field(z[:1])(points[0] - step)) / 2e-3
    assert np.median(np.abs(along - slopes[:, 0])) < 0.02 * np.abs(slopes).max()


def test_meshes_are_closed_at_any_resolution(model, z):
    for resolution in (24, 40):
        for mesh in model.extract(z, resolution, floaters="keep").meshes:
            assert check(mesh).watertight or not len(mesh.faces)
    report = check(model.mesh(Photo(np.full((60, 90, 4), 255, np.uint8), []), 24, floaters="keep"))
    assert report.watertight or not report.faces


def test_the_predicted_camera_is_part_of_the_result(weights, rng):
    rgba = rng.integers(256, size=(90, 70, 4), dtype=np.uint8)
    full = weights.params["decoder"] | {"layer_3_bias": np.float32([1e3])}  # whatever the latent
    model = Reconstructor(dataclasses.replace(weights, params=weights.params | {"decoder": full}))
    item = Item("a", lambda: Photo(rgba, []))
    [made] = reconstruct(model, [item], Settings(resolution=24, floaters="keep"))
    view = to_unit(model.view(rgba))[None]
    np.testing.assert_allclose(
        made.view_camera,
        weights.networks.encode_views_in_full(weights.params, weights.batch_stats, view).camera[0],
        rtol=1e-3,
        atol=1e-4,
    )


def test_weights_survive_their_file(model, weights, z, tmp_path):
    save_weights(tmp_path / "box.npz", weights)
    again = Reconstructor(load_weights(tmp_path / "box.npz"))
    points = np.zeros((1, 3), np.float32)
    np.testing.assert_array_equal(again.field(z[0])(points), model.field(z[0])(points))


def test_what_only_global_latents_have_is_refused_in_one_line(model, weights, z):
    with pytest.raises(ValueError, match="no bounds are known for the decoder of preset tiny_planes"):
        model.extract(z[:1], 32, certify=True)
    with pytest.raises(ValueError, match=r"expected the networks of the preset improved, .* found tiny_planes"):
        to_pytorch(weights)
