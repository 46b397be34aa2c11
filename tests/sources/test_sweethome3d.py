"""Furniture of Sweet Home 3D."""

from __future__ import annotations

import errno
import pickle
import zipfile
from collections import Counter

import pytest

from imfield_jax.sources import sweethome3d
from imfield_jax.sources.splits import SPLITS


@pytest.fixture
def library(arrow):
    """A .sh3f with one arrow per row (title, room, front, modelRotation or "")."""

    def made(root, name, rows):
        text = ["name=Test library"]
        path = root / "usr" / "share" / f"{name}.sh3f"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for i, (title, room, front, rotation) in enumerate(rows, start=1):
                text += [f"name#{i}={title}", f"category#{i}={room}", f"model#{i}=/lib/m{i}/m{i}.obj"]
                text += [f"creator#{i}=Jos\\u00e9"] + ([f"modelRotation#{i}={rotation}"] if rotation else [])
                archive.writestr(f"lib/m{i}/m{i}.obj", "mtllib m.mtl\nusemtl x\n" + arrow(*front))
                archive.writestr(f"lib/m{i}/m.mtl", "newmtl x\nKd 0 1 0\n")
            archive.writestr(sweethome3d.CATALOGUE, "\n".join(text).encode("latin-1"))
        return path

    return made


SOUTH = ((0, 0, 1), (0, 1, 0))  # their front, +z
LYING = ((0, -1, 0), (0, 0, 1))  # z up, front -y: needs the rotation below
STAND_UP = "1 0 0 0 0 1 0 -1 0"  # y' = z, z' = -y


def test_sweethome_kinds_come_from_names_and_models_face_minus_z(tmp_path, assert_front_is_minus_z, library):
    rows = [
        ("Bar stool", "Kitchen", SOUTH, ""),
        ("Armchair", "Living room", LYING, STAND_UP),
        ("Wheelchair", "Miscellaneous", SOUTH, ""),
        ("Corner sofa", "Living room", SOUTH, ""),
        ("Workbench", "Exterior", SOUTH, ""),
        ("Park bench", "Exterior", SOUTH, ""),
        ("Desk lamp", "Office", SOUTH, ""),
        ("Pool table", "Miscellaneous", SOUTH, ""),
        ("Desk", "Office", SOUTH, ""),
        ("VW new beetle", "Vehicles", SOUTH, ""),
        ("City bus", "Vehicles", SOUTH, ""),
    ]
    library(tmp_path, "Scopia", rows)
    names = {c: [s.name for s in sweethome3d.shapes(tmp_path, c)] for c in sweethome3d.CATEGORIES}
    assert names == {
        "seating": ["chair/Scopia-m2", "chair/Scopia-m1", "sofa/Scopia-m4", "bench/Scopia-m6"],
        "chair": ["chair/Scopia-m2", "chair/Scopia-m1"],
        "sofa": ["sofa/Scopia-m4"],
        "table": ["table/Scopia-m9"],
        "lamp": ["lamp/Scopia-m7"],
        "vehicle": ["car/Scopia-m10", "vehicle/Scopia-m11"],
        "car": ["car/Scopia-m10"],
        "furniture": [
            *("chair/Scopia-m2", "chair/Scopia-m1", "sofa/Scopia-m4", "bench/Scopia-m6"),
            *("table/Scopia-m9", "lamp/Scopia-m7", "car/Scopia-m10", "vehicle/Scopia-m11"),
            *("other/Scopia-m8", "other/Scopia-m3", "other/Scopia-m5"),
        ],
    }
    for shape in sweethome3d.shapes(tmp_path, "seating"):
        scene = pickle.loads(pickle.dumps(shape)).load()
        assert_front_is_minus_z(scene)
        assert scene.parts[0].color == (0.0, 1.0, 0.0, 1.0)
        assert shape.credit.startswith("José | CC-BY 3.0 | ")


def test_sweethome_splits_mix_libraries_and_agree_between_categories(tmp_path, library):
    for name in ("First", "Second"):
        library(tmp_path, name, [(f"Chair {i:02}", "Office", SOUTH, "") for i in range(20)])
        library(tmp_path, f"{name}-sofas", [(f"Sofa {i:02}", "Office", SOUTH, "") for i in range(10)])
    library(tmp_path, "Third", [("Park bench", "Exterior", SOUTH, "")])
    seating = {shape.name: shape.split for shape in sweethome3d.shapes(tmp_path, "seating")}
    assert Counter(seating.values()) == {"train": 49, "validation": 6, "test": 6}
    for kind in ("chair/", "sofa/"):
        assert {split for name, split in seating.items() if name.startswith(kind)} == set(SPLITS)
    for name in ("First", "Second"):
        assert "train" in {split for shape, split in seating.items() if f"/{name}-" in shape}
        assert {split for shape, split in seating.items() if f"/{name}-" in shape} - {"train"}
    for category in ("chair", "sofa"):
        assert all(seating[shape.name] == shape.split for shape in sweethome3d.shapes(tmp_path, category))


def test_sweethome_errors_name_what_was_expected(tmp_path, library):
    with pytest.raises(ValueError, match="found none"):
        sweethome3d.shapes(tmp_path, "seating")
    with pytest.raises(ValueError, match="found 'bathtub'"):
        sweethome3d.shapes(tmp_path, "bathtub")
    path = library(tmp_path, "Scopia", [("Chair", "Office", SOUTH, "")])
    (shape,) = sweethome3d.shapes(tmp_path, "chair")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lib/m1/m1.obj", "v 0 0 0\n")
    with pytest.raises(ValueError, match=r"Scopia\.sh3f/lib/m1/m1\.obj: expected a triangle mesh"):
        shape.load()
    with pytest.raises(ValueError, match="expected a zip with"):
        sweethome3d.shapes(tmp_path, "chair")


def test_a_disk_that_is_full_while_unpacking_is_no_bad_mesh(tmp_path, library, monkeypatch):
    def full(archive, path, members):
        raise OSError(errno.ENOSPC, "No space left on device")

    library(tmp_path, "Scopia", [("Chair", "Office", SOUTH, "")])
    (shape,) = sweethome3d.shapes(tmp_path, "chair")
    monkeypatch.setattr(zipfile.ZipFile, "extractall", full)
    with pytest.raises(OSError) as caught:
        shape.load()
    assert caught.value.errno == errno.ENOSPC
