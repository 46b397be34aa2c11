"""Weights files: nothing is lost, nothing is half written, nothing else is taken for one."""

from __future__ import annotations

import dataclasses
import os

import jax
import numpy as np
import pytest

from imfield_jax.models.familiarity import familiarity
from imfield_jax.models.weights import Weights, averaged, load_weights, save_weights

ABOUT = {"category": "car", "validation_iou_from_views": 0.75, "shapes": 800}


@pytest.fixture
def weights(networks, variables):
    return Weights(networks, *variables, ABOUT)


@pytest.fixture
def saved(weights, tmp_path):
    save_weights(tmp_path / "weights.npz", weights)
    return tmp_path / "weights.npz"


def arrays_of(weights):
    return jax.tree.leaves_with_path((weights.params, weights.batch_stats))


def assert_same(ours, theirs):
    for (path, a), (path_too, b) in zip(arrays_of(ours), arrays_of(theirs), strict=True):
        assert path == path_too
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_array_equal(a, b, strict=True)


def test_float32_comes_back_bit_for_bit(weights, saved):
    again = load_weights(saved)
    assert_same(again, weights)
    assert (again.networks, again.about) == (weights.networks, ABOUT)
    assert os.listdir(saved.parent) == [saved.name]


def test_what_is_familiar_comes_back_and_must_fit_together(weights, tmp_path, rng):
    known = familiarity(rng.normal(size=(7, 5)).astype(np.float32), rng.normal(size=(3, 5)).astype(np.float32))
    save_weights(tmp_path / "known.npz", dataclasses.replace(weights, familiarity=known))
    again = load_weights(tmp_path / "known.npz").familiarity
    for mine, theirs in zip(dataclasses.astuple(known), dataclasses.astuple(again), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)
    with np.load(tmp_path / "known.npz") as arrays:
        arrays = dict(arrays)
    np.savez(tmp_path / "known.npz", **{**arrays, "familiarity/middle": arrays["familiarity/middle"][1:]})
    with pytest.raises(ValueError, match="codes of views do not fit"):
        load_weights(tmp_path / "known.npz")


def test_the_same_weights_make_the_same_file(weights, saved, tmp_path):
    save_weights(tmp_path / "again.npz", weights)
    assert saved.read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_float16_comes_back_rounded_and_in_half_the_space(weights, saved, tmp_path):
    save_weights(tmp_path / "half.npz", weights, "float16")
    again = load_weights(tmp_path / "half.npz")
    for (_, a), (_, b) in zip(arrays_of(again), arrays_of(weights), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=2.0**-11, atol=2.0**-25)
    values = sum(leaf.size for _, leaf in arrays_of(weights))
    assert saved.stat().st_size - (tmp_path / "half.npz").stat().st_size == pytest.approx(2 * values, rel=0.01)


def test_the_mean_of_two_weights_is_halfway_and_has_no_scores(weights, saved):
    """Of numbers that change by t and by -t it is the middle; of equal weights, the same."""
    moved = [
        dataclasses.replace(weights, params=jax.tree.map(lambda a, t=t: np.asarray(a + t), weights.params))
        for t in (np.float32(0.25), np.float32(-0.25))
    ]
    for (_, a), (_, b) in zip(arrays_of(averaged(*moved)), arrays_of(weights), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert_same(averaged(load_weights(saved), load_weights(saved)), weights)
    assert averaged(*moved).about == {"category": "car", "shapes": 800, "averaged_with": ABOUT}


def test_a_save_that_fails_leaves_the_file_that_was_there(weights, saved):
    before = saved.read_bytes()
    with pytest.raises(TypeError):
        save_weights(saved, Weights(weights.networks, weights.params, weights.batch_stats, {"not JSON": {1, 2}}))
    broken = {"decoder": {"kernel": np.array(["not a number"])}}
    with pytest.raises(ValueError):
        save_weights(saved, Weights(weights.networks, broken, {}, {}))
    assert saved.read_bytes() == before


def test_a_file_that_is_cut_short_is_refused(saved):
    whole = saved.read_bytes()
    for length in (0, 1, 30, 1000, len(whole) // 2, len(whole) - 1000, len(whole) - 1):
        saved.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"weights\.npz: expected a file of imfield_jax weights"):
            load_weights(saved)


def test_a_damaged_file_is_refused_or_harmless(weights, saved, rng):
    """Some bytes of an archive, like the hour of its files, say nothing about what is in it."""
    whole = np.frombuffer(saved.read_bytes(), np.uint8)
    refused = 0
    # The directory at the end, and heads of members at the beginning, are what confuses readers.
    places = [*rng.integers(len(whole), size=10), *rng.integers(300, size=20), *rng.integers(-300, 0, size=20)]
    for place in places:
        damaged = whole.copy()
        damaged[place] ^= rng.integers(1, 256, dtype=np.uint8)
        saved.write_bytes(damaged.tobytes())
        try:
            again = load_weights(saved)
        except ValueError as error:
            refused += 1
            assert str(error).startswith(f"{saved}: expected a file of imfield_jax weights, found a damaged file (")
        else:
            assert_same(again, weights)
    assert refused > 15


@pytest.mark.parametrize("kind", ["text", "npy", "other npz", "other header", "no params", "lost array", "other shape"])
def test_another_file_is_refused(tmp_path, saved, kind):
    path = tmp_path / "other.npz"
    with np.load(saved) as arrays:
        arrays = dict(arrays)
    if kind == "text":
        path.write_text("weights")
    elif kind == "npy":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif kind == "other npz":
        np.savez(path, a=np.zeros(3))
    elif kind == "other header":
        np.savez(path, **{**arrays, "header": np.array("[1, 2]")})
    elif kind == "no params":
        np.savez(path, header=arrays["header"])
    else:
        lost = arrays.pop("params/decoder/layer_2_bias")
        np.savez(path, **arrays, **({"params/decoder/layer_2_bias": lost[1:]} if kind == "other shape" else {}))
    with pytest.raises(ValueError, match=r"other\.npz: expected a file of imfield_jax weights"):
        load_weights(path)


def test_a_newer_format_is_refused(tmp_path, saved):
    with np.load(saved) as arrays:
        arrays = dict(arrays)
    arrays["header"] = np.array(arrays["header"].item().replace('"format": 1', '"format": 9'))
    np.savez(tmp_path / "newer.npz", **arrays)
    with pytest.raises(ValueError, match="expected format 1, found 9"):
        load_weights(tmp_path / "newer.npz")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_weights(tmp_path / "nothing.npz")
