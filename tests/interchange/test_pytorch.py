"""IM-NET-pytorch's weights give the outputs that PyTorch computed; pytorch/make.py writes the fixture."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from imfield_jax.framing import to_unit
from imfield_jax.interchange.pytorch import from_pytorch, to_pytorch
from imfield_jax.interchange.torch_file import read_tensors
from imfield_jax.models.decoder import occupancy
from imfield_jax.models.networks import Networks
from imfield_jax.models.presets import PRESETS
from imfield_jax.models.weights import Weights, load_weights, save_weights

FIXTURE = Path(__file__).parent / "pytorch"
CLOSE = 1e-5


@pytest.fixture(scope="module")
def autoencoder():
    return read_tensors(FIXTURE / "IM_AE.model64-0.pth")


@pytest.fixture(scope="module")
def single_view():
    return read_tensors(FIXTURE / "IM_SVR.model-0.pth")


@pytest.fixture(scope="module")
def weights(autoencoder, single_view):
    return from_pytorch(autoencoder | single_view, {"category": "chair"})


@pytest.fixture(scope="module")
def outputs():
    with np.load(FIXTURE / "outputs.npz") as arrays:
        return dict(arrays)


def test_the_voxel_encoder_gives_pytorchs_output(weights, outputs):
    voxels = np.unpackbits(outputs["voxels"]).reshape(-1, 64, 64, 64)
    z = jax.jit(weights.networks.encode_voxels)(weights.params, voxels)
    np.testing.assert_allclose(z, outputs["z_voxels"], atol=CLOSE, strict=True)
    assert np.ptp(outputs["z_voxels"], axis=0).min() > 100 * CLOSE  # otherwise any output would pass


def test_the_image_encoder_gives_pytorchs_output(weights, outputs):
    views = to_unit(outputs["views"])[..., None]
    z = jax.jit(weights.networks.encode_views)(weights.params, weights.batch_stats, views)
    np.testing.assert_allclose(z, outputs["z_views"], atol=3 * CLOSE, strict=True)  # of 17 convolutions


def test_the_decoder_gives_pytorchs_output(weights, outputs):
    of_points = jax.vmap(occupancy, in_axes=(None, 0))
    field = [of_points(weights.networks.fold(weights.params, z), outputs["points"]) for z in outputs["z_voxels"]]
    np.testing.assert_allclose(field, outputs["field"], atol=CLOSE)
    assert outputs["field"].min() < 0.5 < outputs["field"].max()


def test_the_round_trip_is_bitwise_exact(weights, autoencoder, single_view):
    tensors = to_pytorch(weights)
    expected = autoencoder | single_view
    assert tensors.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(tensors[name], expected[name], strict=True)


def zeros(preset):
    networks = Networks(PRESETS[preset])
    shapes = jax.eval_shape(lambda: networks.init(jax.random.key(0)))
    return Weights(networks, *jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes), {})


def test_the_improved_networks_survive_the_round_trip():
    assert from_pytorch(to_pytorch(zeros("improved")), {}).networks == Networks(PRESETS["improved"])


def test_the_initialisation_of_training_does_not_matter():
    balanced = zeros("improved")
    decoder = dataclasses.replace(balanced.networks.preset.decoder, initial_std=None)
    preset = dataclasses.replace(balanced.networks.preset, decoder=decoder)
    assert to_pytorch(dataclasses.replace(balanced, networks=Networks(preset)))


@pytest.mark.parametrize("preset", ["paper", "compact"])
def test_networks_without_a_pytorch_counterpart_are_refused(preset):
    with pytest.raises(ValueError, match=f"networks of the preset improved, .*, found {preset}"):
        to_pytorch(zeros(preset))


def test_an_autoencoder_alone_has_no_image_encoder(autoencoder, tmp_path):
    save_weights(tmp_path / "weights.npz", from_pytorch(autoencoder, {}))
    alone = load_weights(tmp_path / "weights.npz")
    assert list(alone.params) == ["decoder", "voxel_encoder"] and not alone.batch_stats
    with pytest.raises(ValueError, match="these weights have no image encoder, only decoder, voxel_encoder"):
        alone.networks.encode_views(alone.params, alone.batch_stats, np.zeros((1, 128, 128, 1), np.float32))


def test_single_view_weights_alone_have_no_voxel_encoder(single_view):
    alone = from_pytorch(single_view, {})
    assert list(alone.params) == ["decoder", "image_encoder"]
    with pytest.raises(ValueError, match="no voxel encoder"):
        alone.networks.encode_voxels(alone.params, np.zeros((1, 64, 64, 64), np.uint8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("generator.linear_3.bias"), "generator.linear_3.bias is missing"),
        (lambda t: t.pop("generator.linear_1.weight"), "generator.linear_1.weight is missing"),
        (lambda t: t.update(extra=np.zeros(3)), "extra belongs to none"),
        (lambda t: t.update({"generator.linear_2.weight": np.zeros((11, 5))}), "linear_2.weight has the shape [11, 5]"),
        (lambda t: t.update({"generator.linear_2.weight": np.zeros(11)}), "expected 2 axes, found the shape [11]"),
        (lambda t: t.update({"encoder.conv_5.weight": np.zeros((6, 16, 2, 8, 4))}), "conv_5.weight has the shape"),
        (
            lambda t: t["generator.linear_4.bias"].fill(np.nan),
            "linear_4.bias has numbers that are not finite",
        ),
    ],
)
def test_mismatched_tensors_are_named(autoencoder, change, message):
    tensors = {name: tensor.copy() for name, tensor in autoencoder.items()}
    change(tensors)
    with pytest.raises(ValueError) as caught:
        from_pytorch(tensors, {})
    assert message in str(caught.value)
