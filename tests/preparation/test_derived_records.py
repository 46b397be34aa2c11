"""What is made of a folder's meshes: of training meshes only, in the training split, also when splits change."""

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


def prepared(out: Path, meshes: Path, deformed: int, recombined: int = 0) -> dict[str, str]:
    """Split of each prepared shape, by name."""
    more = {"settings": Settings(views=1), "deformed": deformed, "recombined": recombined}
    preparation = Preparation("folder", "box", str(out), source_dir=str(meshes), **more)
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


def test_a_training_mesh_that_joins_its_copies_in_another_split_takes_nothing_that_is_made_of_it_along(tmp_path):
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
    found = prepared(tmp_path / "out", folder, deformed=1, recombined=1)
    assert found == {
        f"box/{held_out}.stl": "test",
        f"box/{moved}.stl": "test",
        f"box/{kept}.stl": "train",
        f"box/{kept}.stl~1": "train",
    }


def test_training_meshes_are_combined(tmp_path):
    folder = tmp_path / "meshes"
    (folder / "train").mkdir(parents=True)
    for number in range(3):
        trimesh.creation.box((1, 2, 3 + number)).export(folder / "train" / f"{number}.stl")
    assert set(prepared(tmp_path / "out", folder, 0, recombined=1).values()) == {"train"}
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["totals"]["shapes"] == report["totals"]["ok"] == 6


@pytest.mark.parametrize("flag", ["deformed", "recombined"])
def test_sources_without_meshes_are_refused(flag):
    with pytest.raises(ValueError, match=rf"--{flag} needs meshes .*, found --source=hsp"):
        Preparation("hsp", "car", "out", source_dir="hsp", **{flag: 2})


def test_combinations_need_two_training_meshes(tmp_path):
    trimesh.creation.box((1, 2, 3)).export(tmp_path / "one.stl")
    (tmp_path / "split.csv").write_text("name,split\none,train\n")
    with pytest.raises(ValueError, match="--recombined needs 2 training meshes or more, found 1"):
        prepared(tmp_path / "out", tmp_path, 0, recombined=1)
