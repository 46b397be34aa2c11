"""Training as a user runs it: what it leaves behind and says, and that a kill at any moment changes no bit of it."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

from imfield_jax.models.weights import load_weights

STAGES = {"autoencoder_16": 4, "encoder": 4, "finetune": 3}
OF_LIBRARIES = re.compile(r"[IWEF]\d{4} |warning: |.*\.py:\d+")  # our own lines are plain messages


def test_a_run_folder_holds_what_the_documentation_says(straight_run):
    assert {path.name for path in straight_run.iterdir()} == {
        "checkpoints",
        "config.json",
        "events",
        "log.txt",
        "pictures",
        "weights.npz",
    }
    weights = load_weights(straight_run / "weights.npz")
    assert weights.about["category"] == "box"
    assert weights.about["stage"] == "finetune"
    assert weights.about["shapes"] == 4
    assert {"validation_iou_from_voxels", "validation_iou_from_views"} <= set(weights.about)
    config = json.loads((straight_run / "config.json").read_text())
    assert config["preset"]["name"] == weights.networks.preset.name == "compact"
    assert [stage["steps"] for stage in config["schedule"]["stages"]] == list(STAGES.values())
    for stage in STAGES:
        with Image.open(straight_run / "pictures" / f"{stage}.png") as picture:
            assert np.asarray(picture.convert("L")).std() > 5


def test_a_run_says_every_stage_and_nothing_of_its_libraries(straight_run):
    lines = (straight_run / "log.txt").read_text().splitlines()
    assert [line for line in lines if OF_LIBRARIES.match(line)] == []
    for stage, steps in STAGES.items():
        for step in range(1, steps + 1):
            assert any(re.search(rf"{stage} {step}/{steps}  .*loss 0\.", line) for line in lines)


def test_a_killed_run_makes_the_same_weights_when_started_again(
    straight_run, command, program, training_flags, tmp_path
):
    """Killed at a random moment: after so many lines, and a little."""
    flags = ("train", *training_flags, f"--run={tmp_path}")
    said = len((straight_run / "log.txt").read_text().splitlines())
    lines, seconds = random.randrange(said), random.random() ** 3
    moment = f"killed {seconds:.3f} s after line {lines} of {said}"
    with subprocess.Popen(**command(*flags), stderr=subprocess.PIPE, text=True) as run:
        for _ in range(lines):
            run.stderr.readline()
        time.sleep(seconds)
        run.send_signal(signal.SIGKILL)
    done = program(*flags)
    assert done.returncode == 0, (moment, done.stderr)
    straight = (straight_run / "weights.npz").read_bytes()
    assert (tmp_path / "weights.npz").read_bytes() == straight, moment
    if (tmp_path / "checkpoints").exists():
        assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == sorted(f"{s}.png" for s in STAGES)


def test_a_complete_run_goes_on_to_its_end_at_once(straight_run, program, training_flags):
    before = (straight_run / "weights.npz").read_bytes()
    done = program("train", *training_flags, f"--run={straight_run}")
    assert done.returncode == 0, done.stderr
    assert "going on after 11 of 11 updates" in done.stderr
    assert "loss" not in done.stderr
    assert (straight_run / "weights.npz").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--points=63"], r"is a run with another schedule \(see config.json there\)"),
        (["--autoencoder_steps=4,3"], "--autoencoder_steps: expected three numbers, found '4,3'"),
        (["--preset=improved", "--loss=bce"], "loss bce is of logits"),
        (["--labels=pooled"], "has exact labels, not --labels=pooled: give --labels=exact, or another --data"),
        (["--data=/nowhere", "--category=boat"], "no prepared dataset in /nowhere, and only .* can be made"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(straight_run, program, training_flags, flags, message):
    done = program("train", *training_flags, f"--run={straight_run}", *flags)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert re.match(f"error: .*{message}", line)


def test_a_run_goes_on_with_no_other_data(straight_run, program, training_flags, tmp_path):
    config = json.loads((straight_run / "config.json").read_text())
    assert config["data"]["shapes"] == 4 and config["data"]["settings"]["source"] == "test"
    config["data"]["shapes"] = 3
    (tmp_path / "config.json").write_text(json.dumps(config))
    done = program("train", *training_flags, f"--run={tmp_path}")
    assert done.returncode == 1
    assert re.fullmatch("error: .* is a run with another data .*\n", done.stderr)


def test_help_says_how_to_use_it(program):
    done = program("train", "--help")
    assert done.returncode == 0
    assert "python -m experiments.train --category=teapot" in done.stdout
    assert "--learning_rate=X\n      Of each update" in done.stdout
