"""The matting network as a user trains it: from a dataset and a folder of photographs, in several runs if need be."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from PIL import Image

from imfield_jax.models.matting import load_matting

SCHEDULE = (
    "--steps=4",
    "--batch=2",
    "--save_every=2",
    "--measure_every=1",
    "--views=2",
    "--parts=2",
    "--widths=8,8,8,8,16",
    "--judged=2",
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    (folder / "more").mkdir()
    for name in ("a.jpg", "b.png", "more/c.png"):
        Image.fromarray(rng.integers(0, 256, (60, 90, 3)).astype(np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no photograph")
    return folder


def test_a_stopped_run_gives_the_same_network_when_restarted(program, dataset, photos, tmp_path):
    flags = (*SCHEDULE, f"--data={dataset}", f"--photos={photos}")
    done = program("train_matte", *flags, f"--run={tmp_path}/straight")
    assert done.returncode == 0, done.stderr
    assert "4/4  loss" in done.stderr and "IoU of mattes of held-out pictures" in done.stderr
    straight = tmp_path / "straight" / "matte.npz"
    about = load_matting(straight).about
    assert load_matting(straight).config.widths == (8, 8, 8, 8, 16)
    assert (about["shapes"], about["photographs"], about["steps"]) == (4, 3, 4) and 0 <= about["held_out_iou"] <= 1
    with Image.open(tmp_path / "straight" / "pictures.png") as sheet:
        assert sheet.size == (2 * 128, 3 * 128)

    # As if the disk had lost a part of the newest checkpoint.
    for file in (tmp_path / "straight" / "checkpoints" / "4").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    first = straight.read_bytes()
    straight.unlink()
    done = program("train_matte", *flags, f"--run={tmp_path}/straight")
    assert done.returncode == 0, done.stderr
    assert "checkpoint 4 cannot be read: " in done.stderr and "resuming after 2 of 4 updates" in done.stderr
    assert straight.read_bytes() == first

    done = program("train_matte", *flags, f"--run={tmp_path}/straight", "--views=1")
    assert done.returncode == 1 and "is a run with a different data" in done.stderr

    # From that network, at a rate of 0: the same one.
    flags = [flag for flag in flags if not flag.startswith(("--widths", "--steps"))]
    flags += [f"--init_from={straight}", "--learning_rate=0", "--steps=1"]
    done = program("train_matte", *flags, f"--run={tmp_path}/on")
    assert done.returncode == 0, done.stderr
    on = load_matting(tmp_path / "on" / "matte.npz")
    assert on.config == load_matting(straight).config and on.about["init_from"]["file"] == "matte.npz"
    jax.tree.map(np.testing.assert_array_equal, on.params, load_matting(straight).params)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--photos=EMPTY"], "expected photographs in it or its subfolders, found none"),
        (["--photos=ONE"], "--photos: expected two photographs or more in"),
        (["--views=9"], "expected at most 3, the views of each shape, found 9"),
        (["--data=/nowhere"], "/nowhere"),
        (["--widths=8,16,24,32"], "--widths: expected five multiples of 8, found '8,16,24,32'"),
        (["--init_from=shipped"], "--widths=8,8,8,8,16: expected 16,32,64,96,128, those of --init_from=shipped"),
        (["--init_from=EMPTY/x.npz"], "No such file"),
        (["--widths=8,16,24,32,36"], "--widths: expected five multiples of 8, found '8,16,24,32,36'"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(program, dataset, photos, tmp_path, flags, message):
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "ONE").mkdir()
    (tmp_path / "ONE" / "a.jpg").write_bytes((photos / "a.jpg").read_bytes())
    flags = [flag.replace("EMPTY", f"{tmp_path}/EMPTY").replace("ONE", f"{tmp_path}/ONE") for flag in flags]
    done = program("train_matte", *SCHEDULE, f"--data={dataset}", f"--photos={photos}", f"--run={tmp_path}/run", *flags)
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("reading ")]
    assert line.startswith("error: ") and message in line
