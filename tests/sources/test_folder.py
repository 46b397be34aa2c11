"""A folder of a user's own meshes."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import trimesh

from imfield_jax.sources import clusters, credits, folder, splits
from imfield_jax.sources.axes import SIGNED_AXES, default_front, rotation
from imfield_jax.sources.listing import list_shapes
from imfield_jax.sources.scene import Part, Scene


def test_a_folder_is_searched_recursively_for_every_format(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    box = trimesh.creation.box()
    for name in ("a.obj", "a.glb", "deep/b.ply", "deep/er/c.stl", "deep/er/d.off"):
        box.export(tmp_path / name)
    (tmp_path / "deep" / "er" / "d.off").rename(tmp_path / "deep" / "er" / "D.OFF")
    (tmp_path / "readme.txt").write_text("not a mesh")
    shapes = folder.shapes(tmp_path, "boxes")
    assert [shape.name for shape in shapes] == [
        f"boxes/{name}" for name in ("a.glb", "a.obj", "deep/b.ply", "deep/er/D.OFF", "deep/er/c.stl")
    ]
    assert all(len(shape.load().soup()[1]) == 12 for shape in shapes)


def test_names_that_are_not_utf8_are_readable_and_load(tmp_path):
    trimesh.creation.box().export(tmp_path / "a.obj")
    os.rename(tmp_path / "a.obj", os.fsencode(tmp_path) + b"/x\xfc.obj")
    (shape,) = folder.shapes(tmp_path, "boxes")
    assert shape.name == r"boxes/x\xfc.obj"
    assert len(pickle.loads(pickle.dumps(shape)).load().soup()[1]) == 12


def test_linked_folders_are_followed_once(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "meshes").mkdir()
    trimesh.creation.box().export(tmp_path / "elsewhere" / "a.obj")
    (tmp_path / "meshes" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "meshes" / "again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "meshes" / "loop").symlink_to(tmp_path / "meshes")
    assert [shape.name for shape in folder.shapes(tmp_path / "meshes", "boxes")] == ["boxes/again/a.obj"]


@pytest.mark.parametrize(("up", "front"), [(u, f) for u in SIGNED_AXES for f in SIGNED_AXES if u[-1] != f[-1]])
def test_axes_of_a_folder_become_ours(tmp_path, up, front, arrow, assert_front_is_minus_z):
    vectors = {axis: np.eye(3)["xyz".index(axis[-1])] * (-1 if axis[0] == "-" else 1) for axis in SIGNED_AXES}
    (tmp_path / "arrow.obj").write_text(arrow(vectors[front], vectors[up]))
    assert_front_is_minus_z(folder.shapes(tmp_path, "arrows", up, front)[0].load())
    assert np.linalg.det(rotation(up, front)) == pytest.approx(1.0)  # a rotation, not a reflection


def test_the_axes_of_most_files_need_one_flag():
    np.testing.assert_array_equal(rotation(), np.eye(3))
    assert (default_front("y"), default_front("z"), default_front("x")) == ("-z", "-y", "-z")


@pytest.mark.parametrize(("up", "front", "why"), [("y", "-y", "perpendicular axes, found y and -y"), ("w", "x", "'w'")])
def test_invalid_axes_are_refused(up, front, why):
    with pytest.raises(ValueError, match=why):
        rotation(up, front)


def test_every_entry_of_a_folder_that_is_not_read_has_a_line(tmp_path, monkeypatch):
    box, root = trimesh.creation.box(), tmp_path / "meshes"
    for below in ("closed", "deep", "out"):
        (root / below).mkdir(parents=True)
    (root / "out" / "work").mkdir()  # that of a prepared dataset
    (root / "out" / "work" / "lock").touch()
    for name in ("a.obj", "deep/b.gltf.zip", "c.fbx", "d.ply.gz", "notes.txt", "out/x.npz", ".hidden"):
        (root / name).write_text("")
    for name in ("a.mtl", "a.png", "split.csv.bak"):
        (root / name).write_text("")
    box.export(root / "a.obj")
    (root / "gone.obj").symlink_to(tmp_path / "nothing")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe.obj")
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    listing = list_shapes("folder", "box", root)
    assert [shape.name for shape in listing.shapes] == ["box/a.obj"]
    why = dict(line.split(": ", 1) for line in listing.left_out)
    assert set(why) == {
        *("closed", "deep/b.gltf.zip", "c.fbx", "d.ply.gz", "notes.txt", "out", "gone.obj", "loop", "pipe.obj"),
        "split.csv.bak",
    }
    words = {"closed": "Permission", "c.fbx": "Autodesk FBX", "d.ply.gz": "compressed PLY", "gone.obj": "broken link"}
    assert all(word in why[name] for name, word in words.items())


def boxes(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        trimesh.creation.box().export(root / name)


def test_a_split_file_decides_and_its_names_may_be_short(tmp_path):
    boxes(tmp_path, "a.obj", "b.obj", "in/c.ply")
    rows = ("Split, name", "test,a", "val,box/b.obj", "train,in/c", "train,nobody")
    (tmp_path / "split.csv").write_text("\ufeff" + "\n".join(rows), encoding="utf-8")
    listing = list_shapes("folder", "box", tmp_path)
    assert {shape.name: shape.split for shape in listing.shapes} == {
        **{"box/a.obj": "test", "box/b.obj": "validation", "box/in/c.ply": "train"}
    }
    assert listing.copies == "reported" and listing.left_out == ("split.csv: no mesh is called 'nobody'",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name,split\na,train\n", r"b\.obj: expected a row in .*split\.csv, found none \(1 of 2"),
        ("name,split\na,train\nb,dev\n", r"expected the splits train, validation, test, found 'dev' for box/b\.obj"),
        ("name,split\na,train\nb\n", r"found '' for box/b\.obj"),
        ("name,split\na,train\nb,test\na.obj,test\n", r"expected one split for box/a\.obj, found 'train' and 'test'"),
        ("mesh,split\na,train\n", "expected the columns name, split, found no name"),
        ("", "expected the columns name, split"),
    ],
)
def test_bad_split_files_are_refused(tmp_path, text, why):
    boxes(tmp_path, "a.obj", "b.obj")
    (tmp_path / "split.csv").write_text(text)
    with pytest.raises(ValueError, match=why):
        folder.listing(tmp_path, "box")


def test_subfolders_decide_if_all_meshes_are_in_one(tmp_path):
    boxes(tmp_path, "train/a.obj", "validation/b.obj", "test/deep/c.obj")
    splits = {shape.name: shape.split for shape in folder.shapes(tmp_path, "box")}
    assert splits == {"box/train/a.obj": "train", "box/validation/b.obj": "validation", "box/test/deep/c.obj": "test"}
    boxes(tmp_path, "beside.obj")
    with pytest.raises(ValueError, match=r"beside\.obj: expected all meshes below"):
        folder.shapes(tmp_path, "box")


def test_consistent_rows_may_be_repeated(tmp_path):
    boxes(tmp_path, "a.obj", "b.obj")
    (tmp_path / "split.csv").write_text("name,split\na,train\nb,test\na.obj,train\n")
    assert [shape.split for shape in folder.shapes(tmp_path, "box")] == ["train", "test"]


@pytest.mark.parametrize("text", ["Name;Split\na;test\nb;train\n", "name\tsplit\r\na\ttest\r\nb\ttrain\r\n"])
def test_semicolons_and_tabs_separate_columns_too(tmp_path, text):
    boxes(tmp_path, "a.obj", "b.obj")
    (tmp_path / "split.csv").write_text(text)
    splits = {shape.name: shape.split for shape in folder.shapes(tmp_path, "box")}
    assert splits == {"box/a.obj": "test", "box/b.obj": "train"}


def test_names_of_split_folders_are_case_insensitive(tmp_path):
    boxes(tmp_path, "Train/a.obj", "Val/b.obj", "TEST/c.obj")
    splits = {shape.name: shape.split for shape in folder.shapes(tmp_path, "box")}
    assert splits == {"box/Train/a.obj": "train", "box/Val/b.obj": "validation", "box/TEST/c.obj": "test"}


def test_credits_of_a_folder_are_read_and_written(tmp_path):
    boxes(tmp_path, "a.obj", "b.obj")
    (tmp_path / "CREDITS.csv").write_text("origin,licence,author,name\nMy shelf,CC0,Ann,a\nElsewhere,MIT,Bob,z.obj\n")
    listing = folder.listing(tmp_path, "box")
    assert [shape.credit for shape in listing.shapes] == [credits.credit("Ann", "CC0", "My shelf"), ""]
    assert listing.left_out == ("CREDITS.csv: no mesh is called 'z.obj'",)
    (tmp_path / "out").mkdir()
    written = credits.write(listing.shapes, tmp_path / "out")
    assert credits.read(written, ["box/a.obj"]) == ({"box/a.obj": listing.shapes[0].credit}, [])


def test_credits_with_other_columns_are_read_and_missing_ones_are_named(tmp_path):
    boxes(tmp_path, "a.obj")
    (tmp_path / "CREDITS.csv").write_text("name,source,license,style\na,My shelf,CC0,low poly\n")
    listing = folder.listing(tmp_path, "box")
    assert listing.shapes[0].credit == credits.credit("", "CC0", "My shelf")
    assert listing.left_out == ("CREDITS.csv: expected a column author, found none: left empty",)


def test_copies_are_found_among_shapes_with_the_same_outline():
    sides = ((1, 2, 3), (2, 4, 6), (3, 2, 1), (1, 2.02, 3), (1, 1, 1))
    clouds = [clusters.surface_points(box(extents)) for extents in sides]
    expected = clusters.single_linkage(clusters.chamfer_distances(clouds), clusters.COPY_DISTANCE)
    assert clusters.copies(clouds) == [[0, 1, 3]]
    assert [list(np.flatnonzero(expected == label)) for label in np.unique(expected)] == [[0, 1, 3], [2], [4]]


def box(extents):
    mesh = trimesh.creation.box(extents)
    return Scene((Part(np.array(mesh.vertices), np.array(mesh.faces)),))


def test_groups_share_a_split_and_the_training_split_is_not_empty():
    names = [f"car/{i}.obj" for i in range(100)]
    groups = [names[i : i + 5] for i in range(0, 50, 5)]
    split = splits.split_groups(names, groups)
    assert all(len({split[name] for name in group}) == 1 for group in groups)
    alone = splits.split_hashed(names)
    assert all(split[name] == alone[name] for name in [*names[50:], *(group[0] for group in groups)])
    for name in names:
        assert set(splits.split_groups([name, "car/copy.obj"], [[name, "car/copy.obj"]]).values()) == {"train"}


def test_a_folder_without_meshes_is_refused(tmp_path):
    with pytest.raises(ValueError, match="found none"):
        folder.shapes(tmp_path, "boxes")
    with pytest.raises(ValueError, match="found no folder"):
        folder.shapes(tmp_path / "missing", "boxes")
