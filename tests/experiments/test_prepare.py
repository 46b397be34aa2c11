"""Preparation as a user runs it: a corrupt mesh, a SIGKILL, and changed settings."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from imfield_jax.dataset.storage import open_split, split_names

ROOT = Path(__file__).resolve().parents[2]


def command(*flags):
    return [sys.executable, "-m", "experiments.prepare", *flags]


def prepare(*flags):
    return subprocess.run(command(*flags), cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    """A folder with three good meshes and a corrupt one, and the flags to prepare it."""
    folder = tmp_path_factory.mktemp("meshes")
    trimesh.creation.box((1, 2, 3)).export(folder / "a_box.obj")
    (folder / "b_corrupt.obj").write_text("v 0 0 zero\nf 1 2 3\n")
    trimesh.creation.cylinder(0.5, 2).export(folder / "c_cylinder.stl")
    trimesh.creation.icosphere(2).export(folder / "d_ball.ply")
    (folder / "e_scene.fbx").write_text("not read")
    (folder / "CREDITS.csv").write_text("name,author,licence,origin\na_box,Ann,CC0 1.0,my shelf\n")
    return ("--source=folder", f"--source_dir={folder}", "--category=solid", "--views=2", "--processes=1")


@pytest.fixture(scope="module")
def straight(flags, tmp_path_factory):
    """The output folder of an uninterrupted run."""
    out = tmp_path_factory.mktemp("straight")
    done = prepare(*flags, f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert "warning: e_scene.fbx: Autodesk FBX" in done.stderr
    assert "3 of 4 shapes prepared (0 with warnings, 1 failed, entries of the folder not read: 1)" in done.stderr
    return out


@pytest.fixture(scope="module")
def resumed(flags, tmp_path_factory):
    """The output folder of a run that was killed after its first shape and restarted."""
    out = tmp_path_factory.mktemp("resumed")
    with subprocess.Popen(command(*flags, f"--out={out}"), cwd=ROOT, stderr=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 200
        while not list(out.glob("work/*.npz")) and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
    first = {path: path.stat().st_mtime_ns for path in out.glob("work/*.npz")}
    assert first and not (out / "imfield_shapes").exists()
    done = prepare(*flags, f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert "shapes were already prepared" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in first} == first
    return out


def test_the_corrupt_mesh_is_reported_and_the_others_are_prepared(straight):
    report = json.loads((straight / "report.json").read_text())
    assert {name: shape["status"] for name, shape in report["shapes"].items()} == {
        "solid/a_box.obj": "ok",
        "solid/b_corrupt.obj": "failed",
        "solid/c_cylinder.stl": "ok",
        "solid/d_ball.ply": "ok",
    }
    assert "b_corrupt.obj" in report["shapes"]["solid/b_corrupt.obj"]["error"]
    assert report["totals"]["failed"] == 1 and report["totals"]["left_out"] == 1
    assert report["left_out"] == ["e_scene.fbx: Autodesk FBX, an unsupported format: convert it to GLB or OBJ"]
    assert (straight / "CREDITS.csv").read_text().splitlines()[1:] == ["solid/a_box.obj,Ann,CC0 1.0,my shelf"]
    assert all(report["totals"]["seconds"][phase]["total"] > 0 for phase in ("load", "solidify", "sample", "render"))


def test_the_dataset_holds_the_meshes(straight):
    rows = {row.name: row for split in split_names(straight) for row in open_split(straight, split)}
    assert set(rows) == {"solid/a_box.obj", "solid/c_cylinder.stl", "solid/d_ball.ply"}
    side = 0.9
    volumes = {"solid/a_box.obj": side**3 * 2 / 9, "solid/d_ball.ply": side**3 * np.pi / 6}
    for name, volume in volumes.items():
        assert rows[name].solid.mean() == pytest.approx(volume, rel=0.04)
        assert (rows[name].view(1)[..., 3] > 0).mean() > 0.02


def test_the_contact_sheet_shows_every_shape(straight):
    with Image.open(straight / "contact.png") as sheet:
        assert np.asarray(sheet.convert("L")).std() > 5
        assert sheet.width > 3 * 3 * 137


def test_a_killed_and_resumed_run_gives_the_same_dataset(straight, resumed):
    for split in split_names(straight):
        for ours, theirs in zip(open_split(straight, split), open_split(resumed, split), strict=True):
            assert ours.name == theirs.name and ours.cameras == theirs.cameras
            np.testing.assert_array_equal(ours.solid, theirs.solid)
            for level in (16, 32, 64):
                np.testing.assert_array_equal(ours.points(level), theirs.points(level))
                np.testing.assert_array_equal(ours.values(level), theirs.values(level))
            for view in range(ours.view_count):
                np.testing.assert_array_equal(ours.view(view), theirs.view(view))


def test_a_mesh_that_was_repaired_is_prepared_anew(tmp_path):
    trimesh.creation.box((1, 2, 3)).export(tmp_path / "a.obj")
    trimesh.creation.box((3, 2, 1)).export(tmp_path / "b.obj")
    flags = ("--source=folder", f"--source_dir={tmp_path}", "--category=solid", "--views=1", f"--out={tmp_path}/out")
    flags += ("--views_like=photos",)
    assert prepare(*flags).returncode == 0
    trimesh.creation.icosphere(2).export(tmp_path / "b.obj")
    again = prepare(*flags)
    assert again.returncode == 0 and "1 of 2 shapes were already prepared" in again.stderr, again.stderr
    splits = [open_split(tmp_path / "out", split) for split in split_names(tmp_path / "out")]
    shapes = [row for split in splits for row in split]
    [ball] = [row for row in shapes if row.name.endswith("b.obj")]
    assert 0.5 < ball.solid.mean() / (np.pi / 6 * 0.9**3) < 1.1
    assert splits[0].metadata["settings"]["views_like"] == "photos"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--labels=pooled"], "expected labels=exact, with which it was started, found labels=pooled: choose"),
        (["--source_dir=/nowhere", "--out={fresh}"], "/nowhere"),
        (["--up=z"], "expected up=default, front=default, with which it was started, found up=z, front=-y: choose"),
        (["--up=z", "--front=z"], "expected perpendicular axes, found z and z"),
        (["--source=sweethome3d", "--category=chair", "--front=x"], "--up and --front apply to --source=folder"),
    ],
)
def test_bad_input_is_one_line(flags, straight, tmp_path, change, message):
    change = [text.format(fresh=tmp_path) for text in change]
    done = prepare(*flags, f"--out={straight}", *change)
    assert done.returncode == 1
    line = [line for line in done.stderr.splitlines() if not line.startswith(("I", "W"))]
    assert len(line) == 1 and line[0].startswith("error: ") and message in line[0], done.stderr


def test_a_missing_source_does_not_fix_the_settings(flags, tmp_path):
    wrong = prepare(*flags, f"--out={tmp_path}", "--source_dir=/nowhere")
    assert wrong.returncode == 1
    assert not (tmp_path / "work" / "settings.json").exists()


def test_a_mesh_that_faces_another_way_gets_a_warning(tmp_path):
    """Chairs of slightly different sizes; the third faces sideways, which a single flag for all cannot correct."""
    for i in range(6):
        seat, back = trimesh.creation.box((1, 0.2, 1)), trimesh.creation.box((1, 1 + 0.05 * i, 0.15))
        back.apply_translation((0, 0.5, 0.45))
        chair = trimesh.util.concatenate([seat, back])
        if i == 2:
            chair.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (0, 1, 0)))
        chair.export(tmp_path / f"{i}.stl")
    flags = ("--source=folder", f"--source_dir={tmp_path}", "--category=chair", "--views=1", f"--out={tmp_path}/out")
    done = prepare(*flags, "--processes=2")
    assert done.returncode == 0 and "warning: chair/2.stl: it seems to face another way" in done.stderr, done.stderr
    shapes = json.loads((tmp_path / "out" / "report.json").read_text())["shapes"]
    warned = {name for name, shape in shapes.items() if any("another way" in line for line in shape["warnings"])}
    assert warned == {"chair/2.stl"}
    assert "rotated by 270 degrees" in shapes["chair/2.stl"]["warnings"][-1]


def test_help_is_no_error():
    done = prepare("--help")
    assert done.returncode == 0
    assert "--source_dir" in done.stdout


def test_a_second_run_in_the_same_folder_is_refused(flags, straight):
    import fcntl

    with open(straight / "work" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = prepare(*flags, f"--out={straight}")
    assert done.returncode == 1 and "another preparation is running" in done.stderr
