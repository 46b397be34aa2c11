"""Converting weights as users do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imfield_jax.inference.model import SHIPPED
from imfield_jax.interchange.torch_file import read_tensors, tensors_file
from imfield_jax.models.weights import load_weights

FIXTURE = Path(__file__).parents[1] / "interchange" / "pytorch"
FILES = FIXTURE / "IM_AE.model64-0.pth", FIXTURE / "IM_SVR.model-0.pth"


@pytest.fixture
def converted(program, tmp_path):
    done = program("convert", f"--from_pytorch={FILES[0]},{FILES[1]}", f"--run={tmp_path / 'theirs'}")
    assert done.returncode == 0, done.stderr
    return tmp_path / "theirs"


def test_weights_convert_back_to_the_original_layout(converted, program, tmp_path):
    folder = tmp_path / "checkpoint"
    done = program("convert", f"--weights={converted / 'weights.npz'}", f"--to_pytorch={folder}", "--category=chair")
    assert done.returncode == 0, done.stderr
    for kind, original in zip(("ae_64", "svr_128"), FILES, strict=True):
        (named,) = (folder / f"chair_{kind}" / "checkpoint").read_text().splitlines()
        found, expected = read_tensors(tmp_path / named), read_tensors(original)
        assert found.keys() == expected.keys()
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name], strict=True)


def test_converted_weights_make_meshes(converted, program, tmp_path):
    out = tmp_path / "out"
    done = program("extract", f"--run={converted}", f"--image={SHIPPED / 'car.png'}", "--resolution=16", f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert list(out.glob("*.glb"))


def test_an_existing_file_is_not_overwritten(converted, program):
    before = (converted / "weights.npz").read_bytes()
    done = program("convert", f"--from_pytorch={FILES[0]}", f"--run={converted}")
    assert done.returncode == 1 and "exists and would be overwritten: choose another --run" in done.stderr
    assert (converted / "weights.npz").read_bytes() == before


def test_unconvertible_weights_are_one_line_that_names_the_file(program, tmp_path, converted):
    tensors = read_tensors(FILES[1])
    tensors["generator.linear_7.bias"] = tensors["generator.linear_7.bias"] + 1
    (tmp_path / "other.pth").write_bytes(tensors_file(tensors))
    (tmp_path / "cut.pth").write_bytes(FILES[0].read_bytes()[:5000])
    (tmp_path / "half.pth").write_bytes(tensors_file({"generator.linear_1.weight": np.zeros((4, 9), np.float32)}))
    for files, expected in (
        (f"{FILES[0]},{tmp_path / 'other.pth'}", "differ in generator.linear_7.bias: they are not from one model"),
        (tmp_path / "cut.pth", "cut.pth: expected named tensors of PyTorch, found none"),
        (tmp_path / "half.pth", "half.pth: generator.linear_2.weight is missing"),
        (tmp_path / "none.pth", "none.pth"),
    ):
        done = program("convert", f"--from_pytorch={files}", f"--run={tmp_path / 'out'}")
        assert done.returncode == 1
        assert done.stderr.startswith("error: ") and expected in done.stderr and done.stderr.count("\n") == 1
        assert not (tmp_path / "out").exists()
    done = program("convert", f"--from_pytorch={FILES[0]}")
    assert done.returncode == 1 and "--run: expected a run folder" in done.stderr
    done = program("convert", f"--run={converted}")
    assert done.returncode == 1 and "expected one of the two" in done.stderr
    assert load_weights(converted / "weights.npz").about["category"] == "all_vox256_img"
