"""Near copies of a user's meshes share a split; if the user chose the splits, separated copies are named."""

from __future__ import annotations

import dataclasses

import pytest
import trimesh

from imfield_jax.preparation import copies
from imfield_jax.sources import folder

LIMITS = (1, 60.0, 2048)


def silent(activity, number, total):
    pass


@pytest.fixture(scope="module")
def meshes(tmp_path_factory):
    """Ten copies of a box, one of them in another scale and format, a ball, and a file that cannot be read."""
    root = tmp_path_factory.mktemp("meshes")
    for i in range(9):
        trimesh.creation.box((1, 2, 3)).export(root / f"box{i}.obj")
    trimesh.creation.box((10, 20, 30)).export(root / "box9.ply")
    trimesh.creation.icosphere(2).export(root / "ball.off")
    (root / "broken.obj").write_text("f 1 2 3")
    return root


def test_ten_copies_are_in_one_split_and_are_read_once(meshes, tmp_path, monkeypatch):
    listing = folder.listing(meshes, "solid")
    groups = copies.near_copies(listing.shapes, tmp_path / "cache", LIMITS, silent)
    assert groups == [[f"solid/box{i}.{'ply' if i == 9 else 'obj'}" for i in range(10)]]
    sampled = []
    monkeypatch.setattr(copies, "run_jobs", lambda work, jobs, *limits: sampled.extend(jobs) or iter(()))
    shapes, lines = copies.settle_splits(listing, listing.shapes, tmp_path / "cache", LIMITS, silent)
    assert [shape.name for shape in sampled] == ["solid/broken.obj"]
    assert len({shape.split for shape in shapes if "box" in shape.name}) == 1
    assert not any("several splits" in line for line in lines)
    (touched, *others) = [dataclasses.replace(listing.shapes[1], stamp="newer"), *listing.shapes[2:]]
    sampled.clear()
    copies.near_copies([touched, *others], tmp_path / "cache", LIMITS, silent)
    assert touched in sampled


def test_copies_in_several_chosen_splits_are_named(meshes, tmp_path):
    listing = folder.listing(meshes, "solid")
    given = [dataclasses.replace(s, split="test" if "box1" in s.name else "train") for s in listing.shapes]
    chosen = dataclasses.replace(listing, shapes=given, copies="reported")
    shapes, (apart, empty) = copies.settle_splits(chosen, given, tmp_path / "cache", LIMITS, silent)
    assert shapes == given
    assert "several splits" in apart and "solid/box1.obj (test)" in apart and "solid/box9.ply (train)" in apart
    assert "none in validation" in empty and "none in test" not in empty


def test_other_sources_keep_their_splits_unread(tmp_path, meshes):
    listing = dataclasses.replace(folder.listing(meshes, "solid"), copies="ignored")
    assert copies.settle_splits(listing, listing.shapes, tmp_path / "cache", LIMITS, silent) == (listing.shapes, [])
    assert not (tmp_path / "cache").exists()


def test_a_single_mesh_is_in_the_training_split(meshes, tmp_path):
    listing = folder.listing(meshes, "solid")
    (ball, *_) = listing.shapes
    (settled,), (line,) = copies.settle_splits(listing, [ball], tmp_path / "cache", LIMITS, silent)
    assert settled.split == "train" and "none in validation" in line and "none in test" in line
