"""Checkpoints: saved states are restored, and failures to restore give the reason."""

from __future__ import annotations

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from imfield_jax.training.checkpoints import Checkpoints
from imfield_jax.training.state import TrainState

# Orbax abandons its pending reads when a file turns out to be corrupt.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def state_of(value, rows=3):
    params = {"decoder": {"kernel": jnp.full((rows, 2), value), "bias": jnp.arange(2.0) + value}}
    optimizer = optax.adam(optax.linear_schedule(0.0, 1.0, 3))
    opt_state = optimizer.update(params, optimizer.init(params), params)[1]
    return TrainState(jnp.int32(value), params, {"bn": {"mean": jnp.full(4, value / 3)}}, opt_state)


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y, strict=True)


@pytest.fixture
def folder(tmp_path):
    """A folder with checkpoints 4 and 9, saved by an earlier process."""
    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        for step in (2, 4, 9):
            checkpoints.save(step, state_of(step))
    return tmp_path / "checkpoints"


def test_the_newest_two_come_back_bit_for_bit(folder):
    with Checkpoints(folder) as checkpoints:
        assert checkpoints.steps() == [9, 4]
        for step in (9, 4):
            assert_same(checkpoints.restore(step, state_of(0)), state_of(step))


def test_a_state_may_be_donated_once_it_is_saved(tmp_path):
    grow = jax.jit(lambda state: jax.tree.map(lambda leaf: leaf + 1, state), donate_argnums=0)
    big = TrainState(jnp.int32(0), {"decoder": {"kernel": jnp.zeros((512, 1024))}}, {}, ())
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, big)
        for _ in range(20):
            big = grow(big)
    with Checkpoints(tmp_path) as checkpoints:
        restored = checkpoints.restore(1, big)
    assert int(restored.step) == 0 and not np.any(restored.params["decoder"]["kernel"])


def test_another_shape_names_its_leaf(folder):
    expected = r"checkpoint 9 .*leaf params/decoder/kernel has shape \(3, 2\), expected \(5, 2\)"
    with Checkpoints(folder) as checkpoints, pytest.raises(ValueError, match=expected):
        checkpoints.restore(9, state_of(0, rows=5))


def test_another_network_names_its_leaf(folder):
    like = state_of(0)
    like.params["decoder"]["scale"] = jnp.zeros(7)
    expected = r"checkpoint 9 .*leaf params/decoder/scale has shape None, expected \(7,\)"
    with Checkpoints(folder) as checkpoints, pytest.raises(ValueError, match=expected):
        checkpoints.restore(9, like)


DAMAGES = {
    "half deleted": lambda at: shutil.rmtree(at / "default" / "d"),
    "nothing left": lambda at: shutil.rmtree(at / "default"),
    "no metadata": lambda at: (at / "default" / "_METADATA").unlink(),
    "empty metadata": lambda at: (at / "default" / "_METADATA").write_bytes(b""),
    "no index": lambda at: (at / "default" / "manifest.ocdbt").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_reported_and_the_previous_one_is_usable(folder, damage):
    DAMAGES[damage](folder / "9")
    with Checkpoints(folder) as checkpoints:
        assert checkpoints.steps() == [9, 4]
        with pytest.raises(ValueError, match="checkpoint 9 cannot be read: "):
            checkpoints.restore(9, state_of(0))
        warned = {}
        step, state = checkpoints.newest(lambda step: state_of(0), warned.__setitem__)
        assert step == 4 and list(warned) == [9] and warned[9].startswith("checkpoint 9 cannot be read: ")
        assert_same(state, state_of(4))


def test_without_a_readable_checkpoint_nothing_starts_over(folder, tmp_path):
    for step in ("4", "9"):
        DAMAGES["no metadata"](folder / step)
    with (
        Checkpoints(folder) as checkpoints,
        pytest.raises(ValueError, match="; choose another --run, or move "),
    ):
        checkpoints.newest(lambda step: state_of(0), lambda step, problem: None)
    with Checkpoints(tmp_path / "new") as checkpoints:
        assert checkpoints.newest(lambda step: state_of(0), lambda step, problem: None) is None


def test_a_damaged_checkpoint_is_replaced(folder):
    DAMAGES["half deleted"](folder / "9")
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(9, state_of(9))
    with Checkpoints(folder) as checkpoints:
        assert checkpoints.steps() == [9, 4]
        assert_same(checkpoints.restore(9, state_of(0)), state_of(9))


def test_an_incomplete_save_is_ignored(folder):
    """Orbax writes to a temporary folder and renames it when complete."""
    shutil.copytree(folder / "9", folder / "12.orbax-checkpoint-tmp")
    shutil.rmtree(folder / "12.orbax-checkpoint-tmp" / "default" / "d")
    with Checkpoints(folder) as checkpoints:
        assert checkpoints.steps() == [9, 4]
        checkpoints.save(12, state_of(12))
    with Checkpoints(folder) as checkpoints:
        assert_same(checkpoints.restore(12, state_of(0)), state_of(12))
