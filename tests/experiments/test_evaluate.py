"""Evaluation as a user runs it, on identical shapes, with untrained networks.

The nearest training shape is then the true shape whatever the networks predict, and the mean shape nearly so.
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
import json
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from imfield_jax.evaluation.protocols import METRICS
from imfield_jax.models.networks import Networks
from imfield_jax.models.presets import PRESETS
from imfield_jax.models.weights import Weights, load_weights, save_weights

SPLITS = {"train": 3, "test": 3}
VIEWS = 4


def make_weights(folder: Path) -> None:
    compact = PRESETS["compact"]
    preset = dataclasses.replace(
        compact,
        decoder=dataclasses.replace(compact.decoder, widths=(16, 16)),
        voxel_encoder=dataclasses.replace(compact.voxel_encoder, width=4),
        image_encoder=dataclasses.replace(compact.image_encoder, width=4),
    )
    networks = Networks(preset)
    rng = np.random.default_rng(0)
    # Any positive numbers of the right shapes will do; the real initialisers are slow to compile.
    shapes = jax.eval_shape(networks.init, jax.random.key(0))
    params, batch_stats = jax.tree.map(lambda leaf: rng.uniform(0.01, 0.1, leaf.shape), shapes)
    save_weights(folder / "weights.npz", Weights(networks, params, batch_stats, {"category": "box"}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_dataset):
    """A run folder that is also a data folder."""
    folder = tmp_path_factory.mktemp("box")
    make_dataset(folder, SPLITS, VIEWS, itertools.repeat(0))
    make_weights(folder)
    return folder


@pytest.fixture(scope="module")
def results(folder, program):
    """The output folder of an evaluation, and its standard output."""
    flags = ("--limit=1", "--views=2", "--resolution=32", "--pictured=1")
    done = program("evaluate", f"--run={folder}", f"--data={folder}", f"--out={folder}/results", *flags)
    assert done.returncode == 0, done.stderr
    return folder / "results", done.stdout


def test_there_is_a_line_per_shape_method_and_view(results):
    rows = list(csv.DictReader((results[0] / "scores.csv").read_text().splitlines()))
    views = ("0", "2")  # two of four, evenly spread
    per_shape = [
        ("autoencoder", ""),
        *(("single view", view) for view in views),
        *(("retrieval", view) for view in views),
        ("mean shape", ""),
    ]
    expected = [("box/test0", *rest) for rest in per_shape]
    assert [(row["name"], row["method"], row["view"]) for row in rows] == expected
    assert all(np.isfinite(float(row[metric])) for row in rows for metric in METRICS)


def test_baselines_reconstruct_identical_shapes(results):
    report = json.loads((results[0] / "summary.json").read_text())
    assert report["methods"]["retrieval"]["iou"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert report["methods"]["retrieval"]["f_score"]["mean"] > 0.99
    assert report["methods"]["mean shape"]["iou"]["mean"] > 0.97
    assert report["methods"]["mean shape"]["f_score"]["mean"] > 0.8  # a resolution of 32 bevels its edges
    assert report["shapes"] == 1
    assert report["views"] == [0, 2]


def test_the_summary_is_printed_and_drawn(results):
    folder, printed = results
    assert printed == (folder / "summary.md").read_text()
    for words in ("autoencoder", "single view, gain over retrieval", "chamfer_l1"):
        assert words in printed
    with Image.open(folder / "shapes.png") as figure:
        assert figure.size[0] > 3 * 160


def test_the_errors_of_predicted_cameras_are_part_of_the_summary(folder, program, tiny_planes, filled, tmp_path):
    networks = Networks(tiny_planes)
    save_weights(tmp_path / "planes.npz", Weights(networks, *filled(networks), {"category": "box"}))
    flags = (f"--weights={tmp_path}/planes.npz", f"--data={folder}", "--limit=1", "--views=2", "--resolution=16")
    done = program("evaluate", *flags, f"--out={tmp_path}/out")
    assert done.returncode == 0, done.stderr
    errors = json.loads((tmp_path / "out" / "summary.json").read_text())["predicted_cameras"]
    assert 0 <= errors["azimuth_median"] <= errors["azimuth_90th_percentile"] <= 180
    assert "Predicted cameras: azimuth off by" in done.stdout


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--view=4", "--view: expected 0 to 3"),
        ("--split=validation", "no shapes in split"),
    ],
)
def test_shapes_that_cannot_be_scored_are_refused_in_one_line(folder, program, flag, message):
    done = program("evaluate", f"--run={folder}", f"--data={folder}", f"--out={folder}/none", flag)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "none").exists()


def test_shapes_that_may_have_been_trained_on_are_not_scored(folder, program, tmp_path):
    weights = load_weights(folder / "weights.npz")
    about = {**weights.about, "training_names_sha256": "of another split"}
    save_weights(tmp_path / "weights.npz", dataclasses.replace(weights, about=about))
    done = program("evaluate", f"--run={tmp_path}", f"--data={folder}", f"--out={tmp_path}/none")
    assert done.returncode == 1
    assert "the weights were not trained on the training split of" in done.stderr
    assert not (tmp_path / "none").exists()


def test_shapes_of_another_category_are_not_scored(folder, program, tmp_path):
    weights = load_weights(folder / "weights.npz")
    about = {**weights.about, "category": "boat", "training_names_sha256": "of another split"}
    save_weights(tmp_path / "boat.npz", dataclasses.replace(weights, about=about))
    done = program("evaluate", f"--weights={tmp_path / 'boat.npz'}", f"--data={folder}", f"--out={tmp_path}/none")
    assert done.returncode == 1
    assert "error: the weights are of category boat and the dataset in" in done.stderr
    assert done.stderr.count("\n") == 1 and not (tmp_path / "none").exists()


def test_shapes_of_a_dataset_that_was_not_trained_on_are_scored_and_training_shapes_are_not(
    folder, program, tmp_path, write_dataset, random_record
):
    other = tmp_path / "other"
    records = [random_record(f"scan/{number}", number) for number in range(2)]
    write_dataset(other, {"train": records}, views=len(records[0].views), source="folder")
    flags = ("--view=0", "--resolution=32", "--pictured=1")
    done = program(
        "evaluate",
        f"--run={folder}",
        f"--trained_on={folder}",
        f"--data={other}",
        "--split=all",
        f"--out={tmp_path}/scores",
        *flags,
    )
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "scores" / "scores.csv").read_text().splitlines()))
    assert {row["name"] for row in rows} == {"scan/0", "scan/1"}
    done = program("evaluate", f"--run={folder}", f"--data={folder}", "--split=all", f"--out={tmp_path}/none", *flags)
    assert done.returncode == 1
    assert "3 of the 6 shapes of" in done.stderr and "were trained on, box/train0 is one" in done.stderr
    assert not (tmp_path / "none").exists()


def test_help_shows_the_usage(program):
    done = program("evaluate", "--help")
    assert done.returncode == 0
    assert "imfield evaluate --category=car" in done.stdout
