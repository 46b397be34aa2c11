"""Publishing a run as a user does: the published weights are the trained ones, and the card describes them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from imfield_jax.models.weights import averaged, load_weights, save_weights

WORDS = ("--command=the command", "--time=a second", "--limits=Boxes only.")


@pytest.fixture(scope="module")
def scores(straight_run, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    summary = {
        "weights": {"file": "weights.npz", **load_weights(straight_run / "weights.npz").about},
        "data": str(dataset),
        "split": "test",
        "limit": 1,
        "shapes": 1,
        "views": [0],
        "resolution": 32,
        "methods": {"single view": {"iou": {"mean": 0.25}}},
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "summary.md").write_text("| the table |\n")
    return folder


def changed(scores, change, tmp_path):
    """A folder of scores with other values."""
    shutil.copytree(scores, tmp_path / "scores")
    summary = json.loads((scores / "summary.json").read_text())
    (tmp_path / "scores" / "summary.json").write_text(json.dumps(summary | change))
    return tmp_path / "scores"


@pytest.fixture(scope="module")
def published_run(straight_run, scores, program, tmp_path_factory):
    out = tmp_path_factory.mktemp("published")
    done = program("publish", f"--run={straight_run}", f"--scores={scores}", f"--out={out}", *WORDS)
    assert done.returncode == 0, done.stderr
    return out


def test_published_files_are_the_weights_a_model_card_and_a_test_image(published_run, straight_run):
    published, trained = load_weights(published_run / "box.npz"), load_weights(straight_run / "weights.npz")
    kernel, original = (w.params["decoder"]["layer_1_kernel"] for w in (published, trained))
    np.testing.assert_allclose(kernel, original, rtol=1e-3, atol=1e-6)
    assert published.about["test_iou_single_view"] == 0.25
    assert published.familiarity is not None and trained.familiarity is None
    assert (published_run / "box.png").read_bytes().startswith(b"\x89PNG")
    card = (published_run / "box.md").read_text()
    for expected in ("4 shapes, source test", "`the command`", "a second", "| the table |", "Boxes only.", "box/test0"):
        assert expected in card
    assert "averaged" not in card
    assert f"`imfield evaluate --weights={published_run}/box.npz --data=" in card and " --limit=1 " in card
    assert " --view=0 --resolution=32`" in card
    # The curve ends with the scores of the weights.
    last = card.split("## Training")[1].rstrip().splitlines()[-1].strip("| ").split(" | ")
    for cell, kind in zip(last[-2:], ("voxels", "views"), strict=True):
        assert float(cell) == pytest.approx(published.about[f"validation_iou_from_{kind}"], abs=6e-4)


def test_the_card_says_what_was_averaged_and_credits_the_meshes(straight_run, scores, dataset, program, tmp_path):
    mean = averaged(*[load_weights(straight_run / "weights.npz")] * 2)
    save_weights(tmp_path / "averaged.npz", mean)
    shutil.copytree(straight_run / "events", tmp_path / "events")
    shutil.copytree(dataset, tmp_path / "data")
    rows = ("box/train0,Ann,CC-BY 4.0,her shelf", "box/train1,Bo,CC0,", "box/test0,Cy,GPL,not trained on")
    (tmp_path / "data" / "CREDITS.csv").write_text("\n".join(("name,author,licence,origin", *rows)))
    change = {"weights": mean.about, "trained_on": [str(dataset), str(tmp_path / "data")]}
    flags = (f"--weights={tmp_path / 'averaged.npz'}", f"--scores={changed(scores, change, tmp_path)}")
    done = program("publish", *flags, f"--out={tmp_path / 'out'}", *WORDS)
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "out" / "box.md").read_text()
    assert "the mean with the weights that training started from, of 4 shapes |" in card
    assert "before they were averaged" in card
    assert card.endswith("- CC-BY 4.0, Ann: train0\n- CC0, Bo: train1\n") and "GPL" not in card


def test_a_weights_file_is_published_like_its_run(published_run, straight_run, scores, program, tmp_path):
    flag = f"--weights={straight_run / 'weights.npz'}"
    done = program("publish", flag, f"--scores={scores}", f"--out={tmp_path}", *WORDS)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "box.npz").read_bytes() == (published_run / "box.npz").read_bytes()
    done = program("publish", f"--scores={scores}", f"--out={tmp_path / 'c'}", *WORDS)
    assert done.returncode == 1 and "--run, --weights: expected one of the two" in done.stderr


@pytest.mark.parametrize(
    ("change", "flag", "expected"),
    [
        ({"split": "train"}, "--view=0", "does not hold this run's scores on test shapes"),
        ({"weights": {"file": "weights.npz"}}, "--view=0", "does not hold this run's scores on test shapes"),
        ({}, "--sample=1", "expected a test shape below 1"),
    ],
)
def test_mismatched_inputs_are_not_published(straight_run, scores, program, tmp_path, change, flag, expected):
    scores, out = changed(scores, change, tmp_path), tmp_path / "out"
    done = program("publish", f"--run={straight_run}", f"--scores={scores}", f"--out={out}", flag, *WORDS)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and expected in done.stderr
    assert not out.exists()


def test_help_shows_the_usage(program):
    done = program("publish", "--help")
    assert done.returncode == 0
    assert "imfield publish --run=runs/car" in done.stdout
