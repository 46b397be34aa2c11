"""Deformed copies of a folder's meshes: of training meshes only, in the training split, also when splits change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trimesh

from imfield_jax.preparation.record import Settings
from imfield_jax.preparation.records import Preparation, make_records
from imfield_jax.sources.credits import FILE_NAME
from imfield_jax.sources.splits import split_hashed

SPLITS = {"a": "train", "b": "validation", "c": "test"}


def directly(function, jobs, *limits):
    return ((number, function(job), None) for number, job in enumerate(jobs))


def prepared(out: Path, meshes: Path, deformed: int) -> dict[str, str]:
    """Split of each prepared shape, by name."""
    settings = Settings(views=1)
    preparation = Preparation("folder", "box", str(out), source_dir=str(meshes), settings=settings, deformed=deformed)
    with make_records(preparation, run=directly) as records:
        index = json.loads((records / "index.json").read_text())
    return {shape["name"]: shape["split"] for shape in index["shapes"]}


@pytest.fixture
def meshes(tmp_path):
    folder = tmp_path / "meshes"
    folder.mkdir()
    for number, name in enumerate(SPLITS):
        trimesh.creation.box((1, 2, 3 + number)).export(folder / f"{name}.stl")
    return folder


def test_training_meshes_are_deformed_and_more_can_be_added_later(meshes, tmp_path):
    (meshes / "split.csv").write_text("name,split\n" + "".join(f"{n}.stl,{s}\n" for n, s in SPLITS.items()))
    (meshes / FILE_NAME).write_text("name,author,licence,origin\na,Ada,CC0,here\nb,Bo,CC0,\nc,Cy,CC0,\n")
    plain = {f"box/{name}.stl": split for name, split in SPLITS.items()}
    assert prepared(tmp_path / "out", meshes, 1) == {**plain, "box/a.stl~1": "train"}
    assert prepared(tmp_path / "out", meshes, 2) == {**plain, "box/a.stl~1": "train", "box/a.stl~2": "train"}
    assert "box/a.stl~2,Ada,CC0,here" in (tmp_path / "out" / FILE_NAME).read_text()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["totals"]["shapes"] == 5


def test_a_training_mesh_that_joins_its_copies_in_another_split_takes_no_deformations_along(tmp_path):
    folder = tmp_path / "meshes"
    folder.mkdir()
    names = [f"m{number}" for number in range(40)]
    split = split_hashed([f"box/{name}.stl" for name in names])
    held_out = next(name for name in names if split[f"box/{name}.stl"] == "test")
    moved = next(name for name in names if split[f"box/{name}.stl"] == "train" and name > held_out)
    kept = next(name for name in names if split[f"box/{name}.stl"] == "train" and name != moved)
    for name in (held_out, moved):
        trimesh.creation.box((1, 2, 3)).export(folder / f"{name}.stl")
    trimesh.creation.icosphere(2).export(folder / f"{kept}.stl")
    found = prepared(tmp_path / "out", folder, 1)
    assert found == {
        f"box/{held_out}.stl": "test",
        f"box/{moved}.stl": "test",
        f"box/{kept}.stl": "train",
        f"box/{kept}.stl~1": "train",
    }


def test_sources_without_meshes_are_refused():
    with pytest.raises(ValueError, match=r"--deformed needs meshes .*, found --source=hsp"):
        Preparation("hsp", "car", "out", source_dir="hsp", deformed=2)
