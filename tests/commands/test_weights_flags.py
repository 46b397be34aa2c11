"""One of --weights, --run and --category chooses the weights; two are refused."""

from __future__ import annotations

import itertools

import pytest

from imfield_jax.commands.weights_flags import chosen_weights
from imfield_jax.inference.model import shipped_weights


def test_each_flag_chooses_its_file(tmp_path):
    file = tmp_path / "weights.npz"
    file.touch()
    assert chosen_weights(str(file), None, None) == file
    assert chosen_weights(None, str(tmp_path), None) == file
    assert chosen_weights(None, None, "chair") == shipped_weights("chair")
    assert chosen_weights(None, None) == shipped_weights("any")
    assert chosen_weights(None, None, default="car") == shipped_weights("car")


@pytest.mark.parametrize("pair", list(itertools.combinations(range(3), 2)))
def test_two_are_refused_by_name(pair):
    values = ["car" if number in pair else None for number in range(3)]
    first, second = (("--weights", "--run", "--category")[number] for number in pair)
    with pytest.raises(ValueError, match=f"^{first} and {second} each choose the weights"):
        chosen_weights(*values)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--weights: .*none\.npz does not exist"):
        chosen_weights(str(tmp_path / "none.npz"), None, None)
    with pytest.raises(IsADirectoryError, match=r"--weights: .* is a folder, .*; a run's folder is --run"):
        chosen_weights(str(tmp_path), None, None)
