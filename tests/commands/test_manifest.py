"""What an output folder holds already: only a result of the same image, weights and settings counts."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from imfield_jax.camera import Camera, view_camera
from imfield_jax.commands import manifest
from imfield_jax.commands.inputs import sha256
from imfield_jax.commands.manifest import Manifest
from imfield_jax.extraction.sparse import extract
from imfield_jax.fields import sphere
from imfield_jax.inference.batch import Failure, Reconstruction
from imfield_jax.mesh.check import check
from imfield_jax.mesh.floaters import LeftOut

WEIGHTS, SETTINGS = {"file": "car.npz", "sha256": "w"}, {"resolution": 32, "formats": ["stl"]}


def made(name, **changes):
    mesh = extract(sphere(0.3), 16).mesh
    facts = {
        "view": np.zeros((128, 128, 1), np.uint8),
        "notes": ["a note"],
        "latent": np.zeros(8, np.float32),
        "mesh": mesh,
        "report": check(mesh),
        "cavities": 0,
        "points": 7,
        "bridges": 0,
        "left_out": LeftOut(),
        "certificate": None,
        "seconds": {"march": 1.0},
    }
    return Reconstruction(name, **{**facts, **changes})


@pytest.fixture
def folder(tmp_path):
    """With the result of one image."""
    (tmp_path / "a.stl").write_bytes(b"mesh")
    Manifest(tmp_path, WEIGHTS, SETTINGS).add(
        made("a"), "a.png", "image", {"a.stl": sha256(b"mesh")}, {"march": 1.0, "write": 0.5}
    )
    return tmp_path


def test_the_same_again_is_done(folder):
    assert Manifest(folder, WEIGHTS, SETTINGS).done("a", "image")


@pytest.mark.parametrize("change", ["name", "image", "weights", "settings", "file", "contents", "manifest"])
def test_anything_else_is_not(folder, change):
    weights = {**WEIGHTS, "sha256": "others"} if change == "weights" else WEIGHTS
    settings = {**SETTINGS, "resolution": 64} if change == "settings" else SETTINGS
    if change == "file":
        (folder / "a.stl").unlink()
    elif change == "contents":
        (folder / "a.stl").write_bytes(b"")
    elif change == "manifest":
        (folder / "manifest.json").write_text("{}")
    name, image = ("b" if change == "name" else "a"), ("other" if change == "image" else "image")
    assert not Manifest(folder, weights, settings).done(name, image)


def test_only_files_of_the_manifest_are_replaced(folder):
    (folder / "b.stl").write_bytes(b"mine")
    book = Manifest(folder, WEIGHTS, SETTINGS)
    book.check_writable("a", ["a.stl"])
    book.check_writable("c", ["c.stl"])
    with pytest.raises(ValueError, match=r"b\.stl exists and is not in manifest\.json"):
        book.check_writable("b", ["b.stl"])


def test_a_mesh_that_was_edited_is_not_replaced(folder):
    (folder / "a.stl").write_bytes(b"sculpted")
    with pytest.raises(ValueError, match=r"a\.stl was changed after it was written: choose another --out"):
        Manifest(folder, WEIGHTS, SETTINGS).check_writable("a", ["a.stl"])


def test_files_of_other_settings_that_stay_get_a_line(folder):
    book = Manifest(folder, WEIGHTS, {**SETTINGS, "formats": ["glb"]})
    book.add(made("a"), "a.png", "image", {"a.glb": ""}, {})
    assert "a.stl is from an earlier run" in book.results["a"]["notes"]


@pytest.mark.parametrize("name", ["a", "b"])
def test_files_of_a_killed_run_are_replaced(name, folder):
    Manifest(folder, WEIGHTS, SETTINGS).begin(name)
    (folder / f"{name}.stl").write_bytes(b"a kill came before the entry")
    Manifest(folder, WEIGHTS, SETTINGS).check_writable(name, [f"{name}.stl"])


def test_thousands_of_results_are_written_a_few_times_and_none_is_lost_by_a_kill(tmp_path, monkeypatch):
    writes, write = [], manifest.write_atomic
    monkeypatch.setattr(manifest, "write_atomic", lambda path, text: (writes.append(len(text)), write(path, text)))
    book, one = Manifest(tmp_path, WEIGHTS, SETTINGS), made("x")
    for number in range(500):
        book.begin(f"{number}")
        book.add(dataclasses.replace(one, name=f"{number}"), "a.png", f"sha {number}", {}, {})
        if number % 100 == 50:
            assert Manifest(tmp_path, WEIGHTS, SETTINGS).results == book.results
    assert len(writes) < 100 and sum(writes) < 25 * writes[-1]
    book.begin("unfinished")
    whole = (tmp_path / manifest.JOURNAL).read_bytes()
    finished = json.loads((tmp_path / "manifest.json").read_text())["results"]
    for cut in range(0, len(whole), 1997):
        (tmp_path / manifest.JOURNAL).write_bytes(whole[:cut])
        found = list(Manifest(tmp_path, WEIGHTS, SETTINGS).results)
        assert found == list(book.results)[: len(found)] and len(found) >= len(finished)
    for other in (b"{}\n", b"[1]\n", b'{"x": 1}\n', b"\xff\n"):
        (tmp_path / manifest.JOURNAL).write_bytes(other)
        assert len(Manifest(tmp_path, WEIGHTS, SETTINGS).results) == len(finished)
    (tmp_path / manifest.JOURNAL).write_bytes(whole)
    again = Manifest(tmp_path, WEIGHTS, SETTINGS)
    again.write()
    assert json.loads((tmp_path / "manifest.json").read_text())["results"] == list(book.results.values())
    (tmp_path / "unfinished.stl").write_bytes(b"half")
    Manifest(tmp_path, WEIGHTS, SETTINGS).check_writable("unfinished", ["unfinished.stl"])
    again.add(dataclasses.replace(one, name="unfinished"), "a.png", "sha", {}, {})
    again.write()
    assert not (tmp_path / manifest.JOURNAL).exists()


def test_results_of_other_images_stay_and_those_of_the_same_name_are_replaced(folder):
    book = Manifest(folder, WEIGHTS, SETTINGS)
    book.add(made("b"), "b.png", "second", {}, {})
    book.add(made("a"), "a.png", "changed", {}, {})
    book.skip(Failure("c", "c.png is damaged"))
    written = json.loads((folder / "manifest.json").read_text())
    assert [(result["name"], result["image_sha256"]) for result in written["results"]] == [
        ("b", "second"),
        ("a", "changed"),
    ]
    assert written["skipped"] == ["c.png is damaged"]


def test_a_predicted_camera_is_that_of_the_view(folder):
    camera = Camera(np.radians(300), np.radians(12), 2.5, np.radians(40))
    book = Manifest(folder, WEIGHTS, SETTINGS)
    book.add(made("a", view_camera=view_camera(camera, 137, (0.0, 0.0, 137.0))), "a.png", "image", {}, {})
    assert book.results["a"]["camera"] == {
        "azimuth": pytest.approx(300, abs=0.01),
        "elevation": pytest.approx(12, abs=0.01),
        "distance": pytest.approx(2.5, abs=1e-3),
        "field_of_view": pytest.approx(40, abs=0.01),
        "principal_point": [0, 0],
    }


def test_a_line_tells_what_was_done_to_the_pieces(folder):
    report = check(made("a").mesh)
    several = {"bridges": 2, "left_out": LeftOut(3, 0.0004, 0.03), "report": report}
    book = Manifest(folder, WEIGHTS, SETTINGS)
    book.add(made("a", **several), "a.png", "image", {"a.stl": "", "a.obj": ""}, {"march": 1.25})
    size = f"{report.vertices:,} vertices, {report.faces:,} faces"
    assert manifest.line(book.results["a"], folder).splitlines() == [
        f"a: {size}, watertight, 1.25 s: {folder}/a.stl, {folder}/a.obj",
        "  a note",
        "  joined 2 loose pieces across a narrow gap",
        "  left out 3 floaters: 0.04 % of the volume, at most 0.030 long",
    ]
