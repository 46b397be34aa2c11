"""Training as a user runs it: its files and log, and that a kill at any moment does not change the weights."""

from __future__ import annotations

import collections
import json
import random
import re
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event

from imfield_jax.files import locked
from imfield_jax.inference.model import SHIPPED
from imfield_jax.models.weights import load_weights

ROOT = Path(__file__).resolve().parents[2]
STAGES = {"autoencoder_16": 4, "encoder": 4, "finetune": 3}
OF_LIBRARIES = re.compile(r"[IWEF]\d{4} |warning: |.*\.py:\d+")  # our own lines are plain messages


def test_a_run_folder_holds_the_documented_files(straight_run):
    assert {path.name for path in straight_run.iterdir()} == {
        "checkpoints",
        "config.json",
        "events",
        "lock",
        "log.txt",
        "validation_images",
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
        with Image.open(straight_run / "validation_images" / f"{stage}.png") as image:
            assert np.asarray(image.convert("L")).std() > 5


def test_a_run_logs_every_stage_and_nothing_from_libraries(straight_run):
    lines = (straight_run / "log.txt").read_text().splitlines()
    assert [line for line in lines if OF_LIBRARIES.match(line)] == []
    for stage, steps in STAGES.items():
        for step in range(1, steps + 1):
            assert any(re.search(rf"{stage} {step}/{steps}  .*loss \d\.", line) for line in lines)


def test_a_killed_run_gives_the_same_weights_when_restarted(straight_run, command, program, training_flags, tmp_path):
    """Told to stop after the first update, and then killed a random time after a random line of output."""
    flags = ("train", *training_flags, f"--run={tmp_path}")
    with subprocess.Popen(**command(*flags), stderr=subprocess.PIPE, text=True) as run:
        while "/4  " not in run.stderr.readline():  # an update of the first stage
            assert run.poll() is None
        run.send_signal(signal.SIGTERM)
        log = run.stderr.read()
    assert run.returncode == 0 and "SIGTERM: saving a checkpoint" in log, log
    assert re.search(r"stopped after \d+ of 11 updates: rerun the same command to resume\n$", log), log
    count = len((straight_run / "log.txt").read_text().splitlines())
    lines, seconds = random.randrange(count), random.random() ** 3
    moment = f"killed {seconds:.3f} s after line {lines} of {count}"
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
        images = sorted(path.stem for path in (tmp_path / "validation_images").iterdir())
        assert images == sorted(STAGES)


def test_rerunning_a_complete_run_ends_at_once(straight_run, program, training_flags):
    before = (straight_run / "weights.npz").read_bytes()
    done = program("train", *training_flags, f"--run={straight_run}")
    assert done.returncode == 0, done.stderr
    assert "resuming after 11 of 11 updates" in done.stderr
    assert "loss" not in done.stderr
    assert (straight_run / "weights.npz").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--points=63"], r"is a run with a different schedule \(see config.json there\)"),
        (["--autoencoder_steps=4,3"], "--autoencoder_steps: expected three numbers, found '4,3'"),
        (["--preset=improved", "--loss=bce"], "loss bce needs a decoder with output sigmoid"),
        (["--labels=pooled"], "has exact labels, not --labels=pooled: give --labels=exact, or another --data"),
        (["--category=boat"], "is of category box, not boat: give --category=box, or another --data"),
        (["--view_size=100"], "--view_size: expected a multiple of 32 pixels, found 100"),
        (["--voxel_size=60"], "--voxel_size: expected 16, 32, 64, 128 or 256 voxels, found 60"),
        (["--run=gs://bucket/run"], "--run=gs://bucket/run: expected a local path"),
        (["--average"], "--average: expected --init_from as well, the weights to average with"),
        (
            ["--init_from=nothing"],
            "--init_from=nothing: expected a weights file, a run folder or one of any, airplane, car",
        ),
        (["--visits=2,1"], "--visits: expected 1 whole numbers above 0, one for each dataset of --data, found 2,1"),
        (["--visits=0"], "--visits: expected 1 whole numbers above 0"),
        (["--visits=2"], r"is a run with a different data \(see config.json there\)"),
        (["--loss=iou", "--preset=improved"], "loss iou needs a decoder with output sigmoid"),
        (["--extend=0"], "--extend: expected numbers of updates, found '0'"),
        (["--data=/nowhere", "--category=boat"], "no prepared dataset in /nowhere, and only .* can be generated"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(straight_run, program, training_flags, flags, message):
    done = program("train", *training_flags, f"--run={straight_run}", *flags)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert re.match(f"error: .*{message}", line)


def test_pictures_and_voxels_of_other_sizes_train_end_to_end(dataset, program, training_flags, tmp_path):
    sizes = ("--view_size=96", "--voxel_size=16", "--preset=compact")
    done = program(
        "train",
        "--flagfile=experiments/flags/large.flags",
        *training_flags,
        *sizes,
        "--encoder_steps=0",
        f"--run={tmp_path}",
        "--finetune_whole",
        "--nofinetune_decoder",
        "--loss=iou",
        "--visits=2",
    )
    assert done.returncode == 0, done.stderr
    weights = load_weights(tmp_path / "weights.npz")
    assert (weights.networks.preset.view_size, weights.networks.preset.voxel_size) == (96, 16)
    done = program(
        "extract", f"--run={tmp_path}", f"--data={dataset}", "--split=test", "--resolution=16", f"--out={tmp_path}/out"
    )
    assert done.returncode == 0 or "field is empty" in done.stderr, done.stderr


def test_a_dataset_that_is_named_twice_is_refused(dataset, program, training_flags, tmp_path):
    done = program("train", *training_flags, f"--data={dataset},{dataset}", f"--run={tmp_path}")
    assert done.returncode == 1
    assert done.stderr == "error: box/train0 is in two of the datasets to mix: name each dataset once\n"


def test_a_second_run_in_a_folder_is_refused(straight_run, program, training_flags):
    before = (straight_run / "weights.npz").read_bytes()
    with locked(straight_run / "lock", "busy"):
        done = program("train", *training_flags, f"--run={straight_run}")
    assert done.returncode == 1
    assert re.fullmatch("error: another process is training in .*: wait for it, or choose another --run\n", done.stderr)
    assert (straight_run / "weights.npz").read_bytes() == before


def test_one_of_several_processes_is_refused(command, training_flags, tmp_path):
    prepared = command("train", *training_flags, f"--run={tmp_path}")
    prepared["env"] = {**prepared["env"], "OMPI_COMM_WORLD_SIZE": "2"}
    done = subprocess.run(**prepared, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1
    assert re.fullmatch("error: training runs in one process.*OMPI_COMM_WORLD_SIZE is 2.*\n", done.stderr)


def test_shipped_weights_are_a_start(program, training_flags, tmp_path):
    """With a learning rate of 0 the weights stay as they were."""
    stages = ("--autoencoder_steps=0,0,0", "--encoder_steps=0", "--finetune_steps=1", "--finetune_learning_rate=0")
    sizes = ("--view_size=128", "--voxel_size=64")
    done = program("train", *training_flags, *stages, *sizes, "--init_from=car", "--average", f"--run={tmp_path}")
    assert done.returncode == 0, done.stderr
    found, expected = load_weights(tmp_path / "weights.npz"), load_weights(SHIPPED / "car.npz")
    for a, b in zip(jax.tree.leaves(found.params), jax.tree.leaves(expected.params), strict=True):
        np.testing.assert_array_equal(a, b)
    mean = load_weights(tmp_path / "averaged.npz")
    for a, b in zip(jax.tree.leaves(mean.params), jax.tree.leaves(expected.params), strict=True):
        np.testing.assert_array_equal(a, b)
    assert mean.about["averaged_with"] == expected.about
    assert json.loads((tmp_path / "config.json").read_text())["init_from"]["category"] == "car"


def test_a_finished_run_can_be_extended(straight_run, program, training_flags, tmp_path):
    shutil.copytree(straight_run, tmp_path / "run")
    flags = ("train", *training_flags, f"--run={tmp_path}/run")
    done = program(*flags, "--extend=2")
    assert done.returncode == 0, done.stderr
    assert "finetune_round2 2/2" in done.stderr and "encoder 4/4  latent" not in done.stderr
    assert load_weights(tmp_path / "run" / "weights.npz").about["stage"] == "finetune_round2"
    done = program(*flags)
    assert done.returncode == 1 and "is a run with a different schedule" in done.stderr


def test_the_expected_duration_is_logged_before_the_first_update(straight_run):
    log = (straight_run / "log.txt").read_text()
    found = re.search(
        r"about \d+ (s|min) on this machine \(1 x cpu\): autoencoder_16 \d+ s, encoder \d+ s, finetune", log
    )
    assert found and found.start() < log.index("autoencoder_16 1/4")


def _events(contents: bytes):
    """The events of a TFRecord file: length, its checksum, contents, their checksum."""
    while contents:
        (length,) = struct.unpack("<Q", contents[:8])
        yield Event.FromString(contents[12 : 12 + length])
        contents = contents[16 + length :]


def test_tensorboard_has_curves_and_images(straight_run):
    found = collections.defaultdict(list)
    for path in (straight_run / "events").iterdir():
        for event in _events(path.read_bytes()):
            for value in event.summary.value:
                found[value.tag].append((event.step, value))
    assert [step for step, _ in found["train/loss"]] == list(range(1, 12))
    assert {step for step, _ in found["validation/iou_from_voxels"]} == {4, 8, 11}
    assert {step for step, _ in found["validation/iou_from_views"]} == {8, 11}
    assert "train/steps_per_second" in found
    images = {step: value.image.encoded_image_string for step, value in found["validation/images"]}
    assert images[11] == (straight_run / "validation_images" / "finetune.png").read_bytes()
    assert set(images) == {4, 8, 11}


def test_car_flags_are_the_defaults(program):
    """The defaults of train equal the documented example."""
    flags = [line for line in (ROOT / "car.flags").read_text().splitlines() if line.startswith("--")]
    help_text = program("train", "--help").stdout
    for flag in flags:
        name, _, value = flag.removeprefix("--").partition("=")
        entry = re.search(rf"  --(\[no\])?{name}(=\S+)?\n((?:      .*\n)+)", help_text)[3]
        shown = re.search(r"Default: (\S+)\.\s*$", " ".join(entry.split()))[1]
        assert shown == (value or "True") or float(shown) == float(value), flag


def test_a_run_does_not_resume_with_other_data(straight_run, program, training_flags, tmp_path):
    config = json.loads((straight_run / "config.json").read_text())
    assert config["data"]["shapes"] == 4 and config["data"]["settings"]["source"] == "test"
    config["data"]["shapes"] = 3
    (tmp_path / "config.json").write_text(json.dumps(config))
    done = program("train", *training_flags, f"--run={tmp_path}")
    assert done.returncode == 1
    assert re.fullmatch("error: .* is a run with a different data .*\n", done.stderr)


def test_help_shows_the_usage(program):
    done = program("train", "--help")
    assert done.returncode == 0
    assert "imfield train --category=teapot" in done.stdout
    assert "--learning_rate=X\n      Learning rate after warm-up" in done.stdout
