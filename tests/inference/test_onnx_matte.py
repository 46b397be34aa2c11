"""Matting networks in ONNX files: the matte of a small one is what its arithmetic says, and others are refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from imfield_jax.inference.onnx_matte import IMAGENET_MEAN, IMAGENET_STD, OnnxMatte

WEIGHTS = np.array([3.0, -2.0, 0.5], np.float32)  # of `matting_network`


@pytest.fixture
def rgb(rng):
    return rng.integers(0, 256, (40, 24, 3)).astype(np.uint8)


def expected(rgb, mean, std):
    logits = ((rgb / 255 - mean) / std) @ WEIGHTS
    return 1 / (1 + np.exp(-logits))


@pytest.mark.parametrize("logistic", [True, False], ids=["matte", "logits"])
@pytest.mark.parametrize(("mean", "std"), [(IMAGENET_MEAN, IMAGENET_STD), ((0.5, 0.5, 0.5), (1, 1, 1))])
def test_the_matte_is_the_networks(matting_network, rgb, tmp_path, mean, std, logistic):
    matte = OnnxMatte(matting_network(tmp_path / "a.onnx", rgb.shape[:2], logistic=logistic), mean, std)
    np.testing.assert_allclose(matte(rgb), expected(rgb, np.array(mean), np.array(std)), atol=1e-5)


def test_a_network_of_any_size_gives_a_matte_of_the_images_size(matting_network, tmp_path):
    step = np.zeros((90, 130, 3), np.uint8)
    step[:, 65:] = (255, 0, 255)
    for size in (("h", "w"), (32, 32)):
        found = OnnxMatte(matting_network(tmp_path / "a.onnx", size))(step)
        assert found.shape == (90, 130)
        np.testing.assert_allclose(
            found[:, [0, -1]], expected(step, IMAGENET_MEAN, IMAGENET_STD)[:, [0, -1]], atol=1e-5
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": 4}, "expected a network with one input, an image"),
        ({"inputs": 2}, "expected a network with one input, an image"),
        ({"outputs": 2, "size": (8, 8)}, "expected one matte"),
    ],
)
def test_a_network_that_gives_no_matte_is_one_line(matting_network, rgb, tmp_path, settings, message):
    with pytest.raises(ValueError, match=message) as error:
        OnnxMatte(matting_network(tmp_path / "a.onnx", **settings))(rgb)
    assert str(tmp_path / "a.onnx") in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_is_no_network_is_one_line(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"not a network")
    with pytest.raises(ValueError, match=r"a\.onnx: expected a file in ONNX format, found a damaged file") as error:
        OnnxMatte(tmp_path / "a.onnx")
    assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError, match="expected an ONNX file"):
        OnnxMatte(tmp_path / "b.onnx")


def test_a_missing_onnxruntime_is_named(matting_network, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ValueError, match=r"pip install -e '\.\[onnx\]'"):
        OnnxMatte(matting_network(tmp_path / "a.onnx"))
