"""The image encoder: PyTorch's padding, batch statistics in training only, white that is nothing."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from imfield_jax.models.image_encoder import ImageEncoder, ImageEncoderConfig


def convolved(image, kernel, stride, padding):
    """The definition: [B, H, W, C] and [k, k, C, out], zeros around on all four sides alike."""
    padded = np.pad(image, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], axis=(1, 2))
    return np.einsum("bhwcij,ijco->bhwo", windows[:, ::stride, ::stride], kernel)


@pytest.fixture(scope="module", params=[2, 4], ids=["stem 2", "stem 4"])
def encoder(request):
    return ImageEncoder(ImageEncoderConfig(8, width=2, stem_stride=request.param))


@pytest.fixture(scope="module")
def variables(encoder, fill):
    view = jax.ShapeDtypeStruct((1, 128, 128, 1), np.float32)
    return fill(jax.eval_shape(encoder.init, jax.random.key(0), view))


@pytest.fixture(scope="module")
def layers(encoder, variables):
    """views -> (z, outputs of every layer by name), in inference mode."""

    @jax.jit
    def run(views):
        z, state = encoder.apply(variables, views, capture_intermediates=True, mutable=["intermediates"])
        return z, state["intermediates"]

    return run


@pytest.fixture
def views(rng):
    return rng.uniform(size=(3, 128, 128, 1)).astype(np.float32)


def output(layers, *names):
    for name in names:
        layers = layers[name]
    return np.asarray(layers["__call__"][0])


def test_convolutions_pad_alike_on_all_sides(encoder, variables, layers, views):
    z, made = layers(views)
    params, stride = variables["params"], encoder.config.stem_stride
    first = convolved(1 - views, params["conv_0"]["kernel"], stride, padding=3)
    assert first.shape[1:3] == (128 // stride,) * 2
    np.testing.assert_allclose(output(made, "conv_0"), first, rtol=1e-4, atol=1e-5)
    before = output(made, "res_2")
    strided = convolved(before, params["res_3"]["conv_1"]["kernel"], 2, padding=1)
    np.testing.assert_allclose(output(made, "res_3", "conv_1"), strided, rtol=1e-4, atol=1e-5)
    shortcut = convolved(before, params["res_3"]["conv_s"]["kernel"], 2, padding=0)
    np.testing.assert_allclose(output(made, "res_3", "conv_s"), shortcut, rtol=1e-4, atol=1e-5)
    assert z.shape == (3, 8) and (np.asarray(z) > 0).all() and (np.asarray(z) < 1).all()


def test_white_is_nothing(layers):
    _, made = layers(np.ones((3, 128, 128, 1), np.float32))
    assert not output(made, "conv_0").any()


def test_a_view_ignores_its_neighbours_in_inference(layers, views):
    z, _ = layers(views)
    views[[0, 2]] = np.nan
    np.testing.assert_allclose(layers(views)[0][1], z[1], rtol=1e-5)


def test_training_normalises_over_the_batch_and_moves_the_running_statistics(networks, fill, views):
    params, stats = fill(jax.eval_shape(networks.init, jax.random.key(0)))
    encode = jax.jit(networks.encode_views_in_training)
    z, updated, _ = encode(params, stats, views)
    first = convolved(1 - views, params["image_encoder"]["conv_0"]["kernel"], 4, padding=3)
    mean, variance = first.mean(axis=(0, 1, 2)), first.var(axis=(0, 1, 2))
    np.testing.assert_allclose(updated["bn_0"]["mean"], 0.9 * stats["bn_0"]["mean"] + 0.1 * mean, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(updated["bn_0"]["var"], 0.9 * stats["bn_0"]["var"] + 0.1 * variance, rtol=1e-3)
    views[2] = 1 - views[2]
    assert np.abs(encode(params, stats, views)[0][0] - z[0]).max() > 1e-5  # it did see its neighbour
