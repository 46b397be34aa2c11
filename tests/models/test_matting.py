"""The matting network: sizes, what its file keeps, and files that are something else."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from imfield_jax.models.matting import MattingConfig, MattingWeights, initial_params, load_matting, save_matting

CONFIG = MattingConfig(widths=(8, 8, 16))


@pytest.fixture(scope="module")
def weights():
    return MattingWeights(CONFIG, initial_params(CONFIG, jax.random.key(0, impl="rbg")), {"seed": 3})


@pytest.mark.parametrize("size", [(16, 16), (32, 64)])
def test_the_matte_is_as_large_as_the_image(weights, size, rng):
    images = rng.random((2, *size, 3), dtype=np.float32)
    logits = np.asarray(weights.logits(images))
    assert logits.shape == (2, *size) and np.isfinite(logits).all()
    np.testing.assert_allclose(weights.logits(images[1:])[0], logits[1], rtol=1e-4, atol=1e-5)  # each on its own


def test_a_file_keeps_the_network_to_half_precision(weights, tmp_path, rng):
    save_matting(tmp_path / "a.npz", weights)
    read = load_matting(tmp_path / "a.npz")
    assert (read.config, read.about) == (weights.config, weights.about)
    images = rng.random((1, 32, 32, 3), dtype=np.float32)
    np.testing.assert_allclose(read.logits(images), weights.logits(images), rtol=0.05, atol=0.02)


def test_other_files_are_one_line(weights, tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    save_matting(tmp_path / "short.npz", weights)
    arrays = dict(np.load(tmp_path / "short.npz"))
    del arrays["out/bias"]
    np.savez(tmp_path / "short.npz", **arrays)
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("other", "short", "text"):
        with pytest.raises(ValueError, match=rf"{name}\.npz: expected a file of a matting network") as error:
            load_matting(tmp_path / f"{name}.npz")
        assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError):
        load_matting(tmp_path / "none.npz")
