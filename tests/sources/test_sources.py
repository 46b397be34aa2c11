"""The sources: what they list, how they split, and that what they load is y up, front -z."""

from __future__ import annotations

import csv
import hashlib
import os
import pickle
import shutil
import subprocess
import zipfile
from collections import Counter

import numpy as np
import pytest
import trimesh

from imfield_jax.sources import clusters, credits, flightgear, folder, package, shapenet, splits, sweethome3d, synsets
from imfield_jax.sources.axes import SIGNED_AXES, default_front, rotation
from imfield_jax.sources.listing import list_shapes
from imfield_jax.sources.scene import Part, Scene
from imfield_jax.sources.shape import Shape
from imfield_jax.sources.splits import SPLITS

# An arrow: a triangle in the plane of `up` and `front` whose tip is far to the front and a bit up.
ARROW = "v {0} {1} {2}\nv {3} {4} {5}\nv 0 0 0\nf 1 2 3\n"


def arrow(front, up):
    return ARROW.format(*(np.array(front) * 3), *up)


def assert_front_is_minus_z(scene):
    tip, top, _ = scene.soup()[0][np.argsort(-np.abs(scene.soup()[0]).max(axis=1))]
    np.testing.assert_allclose(tip, [0, 0, -3], atol=1e-6)
    np.testing.assert_allclose(top, [0, 1, 0], atol=1e-6)


def models(root, synset, names):
    for name in names:
        target = root / synset / name / "models"
        target.mkdir(parents=True)
        (target / "model_normalized.obj").write_text(arrow((0, 0, -1), (0, 1, 0)))


# --- splits


def test_dealing_is_even_and_covers_the_whole_order():
    split = splits.dealt([f"{i:03}" for i in range(100)])
    assert Counter(split.values()) == {"train": 80, "validation": 10, "test": 10}
    for start in range(0, 100, 10):
        assert {split[f"{i:03}"] for i in range(start, start + 10)} == set(SPLITS)
    assert splits.dealt(["only"]) == {"only": "train"}


def test_hashed_splits_ignore_order_and_other_names_and_always_train():
    names = [f"car/{i}.obj" for i in range(1000)]
    split = splits.split_hashed(names)
    sizes = Counter(split.values())
    assert 760 < sizes["train"] < 840 and 70 < sizes["validation"] < 130 and 70 < sizes["test"] < 130
    some = names[:100]
    assert splits.split_hashed(some[::-1]) == {name: split[name] for name in some}
    assert all(set(splits.split_hashed([name]).values()) == {"train"} for name in names)


# --- ShapeNet


def test_shapenet_has_55_categories_by_name_alias_or_synset():
    assert len({synset for synset, _ in synsets.CATEGORIES.values()}) == 55
    assert sum(models for _, models in synsets.CATEGORIES.values()) == 52_470
    assert synsets.synset_of("car") == synsets.synset_of("02958343") == "02958343"
    assert synsets.synset_of("couch") == synsets.synset_of("Sofa")
    assert synsets.synset_of("trash bin") == "02747177"
    with pytest.raises(ValueError, match="found 'dragon'"):
        synsets.synset_of("dragon")


def test_thirteen_are_the_categories_of_3d_r2n2_together(tmp_path):
    for category in synsets.THIRTEEN:
        models(tmp_path, synsets.synset_of(category), [f"m{i}" for i in range(5)])
    shapes = list_shapes("shapenet", "thirteen", tmp_path).shapes
    found = sorted(Counter(shape.name.split("/")[0] for shape in shapes).items())
    assert [number for _, number in found] == [5] * 13
    assert "-".join(synset for synset, _ in found) == (
        "02691156-02828884-02933112-02958343-03001627-03211117-03636649-"
        "03691459-04090263-04256520-04379243-04401088-04530566"
    )
    shutil.rmtree(tmp_path / "04090263")
    with pytest.raises(ValueError, match=r"expected a ShapeNetCore\.v2 root with 04090263"):
        list_shapes("shapenet", "thirteen", tmp_path)


def test_shapenet_tells_models_that_never_had_a_mesh_from_those_this_copy_lacks(tmp_path):
    known = next(iter(synsets.WITHOUT_MESH)).split("/")[1]
    for model in (known, "m0"):
        (tmp_path / "02958343" / model / "images").mkdir(parents=True)
    errors = {}
    for shape in shapenet.shapes(tmp_path, "car"):
        with pytest.raises(FileNotFoundError) as caught:
            shape.load()
        errors[shape.name.split("/")[1]] = str(caught.value)
    assert errors[known].endswith("none in any copy: ShapeNetCore.v2 has no mesh of this model")
    assert errors["m0"].endswith("m0/models/model_normalized.obj: expected a triangle mesh, found no such file")


def test_shapenet_without_a_split_file_is_sorted_80_10_10_and_left_where_it_is(tmp_path):
    models(tmp_path, "02958343", [f"m{i}" for i in range(10)])
    shapes = shapenet.shapes(tmp_path, "car")
    assert [shape.name for shape in shapes] == [f"02958343/m{i}" for i in range(10)]
    assert [shape.split for shape in shapes] == ["train"] * 8 + ["validation", "test"]
    assert all(shape.longest_side is None for shape in shapes)
    assert_front_is_minus_z(pickle.loads(pickle.dumps(shapes[0])).load())


def test_shapenet_follows_its_split_file_of_the_same_synset(tmp_path):
    models(tmp_path, "02958343", ["a", "b", "c", "new"])
    (tmp_path / "all.csv").write_text(
        "id,synsetId,subSynsetId,modelId,split\n"
        "1,02958343,02958343,a,test\n2,2958343,02958343,b,val\n3,02958343,02958343,c,train\n"
        "4,02691156,02691156,c,test\n5,02958343,02958343,gone,test\n"
    )
    split = {shape.name[-1]: shape.split for shape in shapenet.shapes(tmp_path, "car")}
    assert split == {"a": "test", "b": "validation", "c": "train", "w": "train"}


def test_shapenet_lists_a_model_without_a_mesh_and_reports_it_on_loading(tmp_path):
    (tmp_path / "02958343" / "empty").mkdir(parents=True)
    (shape,) = shapenet.shapes(tmp_path, "car")
    with pytest.raises(OSError, match="found no such file"):
        shape.load()


def zipped(root, synset):
    """What is below a category's folder, in a zip file instead."""
    with zipfile.ZipFile(root / f"{synset}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((root / synset).rglob("*")):
            archive.write(path, path.relative_to(root))
    shutil.rmtree(root / synset)


def test_shapenet_reads_zip_files_as_it_reads_folders(tmp_path):
    models(tmp_path, "02958343", [f"m{i}" for i in range(10)])
    unpacked = shapenet.shapes(tmp_path, "car")
    vertices = unpacked[3].load().soup()[0]
    zipped(tmp_path, "02958343")
    packed = shapenet.shapes(tmp_path, "car")
    assert [(shape.name, shape.split) for shape in packed] == [(shape.name, shape.split) for shape in unpacked]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(packed[3])).load().soup()[0], vertices)
    with pytest.raises(ValueError, match="found the synsets 02958343"):
        shapenet.shapes(tmp_path, "chair")


def test_a_model_in_a_zip_file_has_its_own_materials(tmp_path):
    models(tmp_path, "02958343", ["a", "ab"])
    for name, red in (("a", "1 0 0"), ("ab", "0 1 0")):
        mesh = tmp_path / "02958343" / name / "models" / "model_normalized.obj"
        mesh.write_text("mtllib paint.mtl\nusemtl paint\n" + mesh.read_text())
        (mesh.parent / "paint.mtl").write_text(f"newmtl paint\nKd {red}\n")
    expected = [shape.load().parts[0].color for shape in shapenet.shapes(tmp_path, "car")]
    zipped(tmp_path, "02958343")
    assert [shape.load().parts[0].color for shape in shapenet.shapes(tmp_path, "car")] == expected
    assert expected[0] != expected[1]


def test_what_is_wrong_in_a_zip_file_names_the_zip_file(tmp_path):
    models(tmp_path, "02958343", ["a", "b"])
    (tmp_path / "02958343" / "a" / "models" / "model_normalized.obj").rename(tmp_path / "02958343" / "a" / "other.obj")
    zipped(tmp_path, "02958343")
    archive = tmp_path / "02958343.zip"
    missing, sound = shapenet.shapes(tmp_path, "car")
    with pytest.raises(OSError, match=r"02958343\.zip/02958343/a/models/model_normalized\.obj: .*found no such file"):
        missing.load()
    damaged = bytearray(archive.read_bytes())
    damaged[damaged.index(b"model_normalized.obj") + 30] ^= 255
    archive.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"02958343\.zip: expected a zip file, found a damaged file"):
        sound.load()
    archive.write_bytes(bytes(damaged[:40]))
    with pytest.raises(ValueError, match=r"02958343\.zip: expected a zip file, found a damaged file"):
        shapenet.shapes(tmp_path, "car")


def test_shapenet_reports_what_it_found_instead(tmp_path):
    with pytest.raises(ValueError, match="found no synset folder"):
        shapenet.shapes(tmp_path, "car")
    models(tmp_path, "03001627", ["a"])
    with pytest.raises(ValueError, match=r"02958343 \(car\), found the synsets 03001627"):
        shapenet.shapes(tmp_path, "car")
    for content, found in (
        ("model,part\n", "found no modelId"),
        ("synsetId,modelId,split\n3001627,a,dev\n", "'dev'"),
    ):
        (tmp_path / "all.csv").write_text(content)
        with pytest.raises(ValueError, match=found):
            shapenet.shapes(tmp_path, "chair")


# --- a folder


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
def test_axes_of_a_folder_become_ours(tmp_path, up, front):
    vectors = {axis: np.eye(3)["xyz".index(axis[-1])] * (-1 if axis[0] == "-" else 1) for axis in SIGNED_AXES}
    (tmp_path / "arrow.obj").write_text(arrow(vectors[front], vectors[up]))
    assert_front_is_minus_z(folder.shapes(tmp_path, "arrows", up, front)[0].load())
    assert np.linalg.det(rotation(up, front)) == pytest.approx(1.0)  # a rotation, not a mirror


def test_the_axes_of_most_files_need_one_flag():
    np.testing.assert_array_equal(rotation(), np.eye(3))
    assert (default_front("y"), default_front("z"), default_front("x")) == ("-z", "-y", "-z")


@pytest.mark.parametrize(("up", "front", "why"), [("y", "-y", "perpendicular axes, found y and -y"), ("w", "x", "'w'")])
def test_axes_that_are_none_are_refused(up, front, why):
    with pytest.raises(ValueError, match=why):
        rotation(up, front)


def test_every_entry_of_a_folder_that_is_not_read_has_a_line(tmp_path, monkeypatch):
    box, root = trimesh.creation.box(), tmp_path / "meshes"
    for below in ("closed", "deep", "out/work"):
        (root / below).mkdir(parents=True)
    for name in ("a.obj", "deep/b.gltf.zip", "c.fbx", "d.ply.gz", "notes.txt", "out/x.npz", "out/work/lock", ".hidden"):
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
        ("name,split\na,train\nb,dev\n", "expected the splits train, validation, test, found 'dev'"),
        ("mesh,split\na,train\n", "expected the columns name, split, found no name"),
        ("", "expected the columns name, split"),
    ],
)
def test_bad_split_files_are_refused(tmp_path, text, why):
    boxes(tmp_path, "a.obj", "b.obj")
    (tmp_path / "split.csv").write_text(text)
    with pytest.raises(ValueError, match=why):
        folder.listing(tmp_path, "box")


def test_subfolders_decide_where_all_meshes_are_in_one(tmp_path):
    boxes(tmp_path, "train/a.obj", "validation/b.obj", "test/deep/c.obj")
    splits = {shape.name: shape.split for shape in folder.shapes(tmp_path, "box")}
    assert splits == {"box/train/a.obj": "train", "box/validation/b.obj": "validation", "box/test/deep/c.obj": "test"}
    boxes(tmp_path, "beside.obj")
    with pytest.raises(ValueError, match=r"beside\.obj: expected all meshes below"):
        folder.shapes(tmp_path, "box")


def test_credits_of_a_folder_are_read_and_written(tmp_path):
    boxes(tmp_path, "a.obj", "b.obj")
    (tmp_path / "CREDITS.csv").write_text("origin,licence,author,name\nMy shelf,CC0,Ann,a\nElsewhere,MIT,Bob,z.obj\n")
    listing = folder.listing(tmp_path, "box")
    assert [shape.credit for shape in listing.shapes] == [credits.credit("Ann", "CC0", "My shelf"), ""]
    assert listing.left_out == ("CREDITS.csv: no mesh is called 'z.obj'",)
    (tmp_path / "out").mkdir()
    written = credits.write(listing.shapes, tmp_path / "out")
    assert credits.read(written, ["box/a.obj"]) == ({"box/a.obj": listing.shapes[0].credit}, [])


def test_credits_with_other_columns_are_read_and_what_is_missing_is_named(tmp_path):
    boxes(tmp_path, "a.obj")
    (tmp_path / "CREDITS.csv").write_text("name,source,license,style\na,My shelf,CC0,low poly\n")
    listing = folder.listing(tmp_path, "box")
    assert listing.shapes[0].credit == credits.credit("", "CC0", "My shelf")
    assert listing.left_out == ("CREDITS.csv: expected a column author, found none: left empty",)


def test_copies_are_found_among_shapes_of_one_outline():
    sides = ((1, 2, 3), (2, 4, 6), (3, 2, 1), (1, 2.02, 3), (1, 1, 1))
    clouds = [clusters.surface_points(box(extents)) for extents in sides]
    expected = clusters.single_linkage(clusters.chamfer_distances(clouds), clusters.COPY_DISTANCE)
    assert clusters.copies(clouds) == [[0, 1, 3]]
    assert [list(np.flatnonzero(expected == label)) for label in np.unique(expected)] == [[0, 1, 3], [2], [4]]


def box(extents):
    mesh = trimesh.creation.box(extents)
    return Scene((Part(np.array(mesh.vertices), np.array(mesh.faces)),))


def test_groups_share_a_split_and_something_trains():
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


# --- Sweet Home 3D


def library(root, name, rows):
    """A .sh3f with an arrow per row (title, room, front, modelRotation or "")."""
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


SOUTH = ((0, 0, 1), (0, 1, 0))  # their front, +z
LYING = ((0, -1, 0), (0, 0, 1))  # z up, front -y: needs the rotation below
STAND_UP = "1 0 0 0 0 1 0 -1 0"  # y' = z, z' = -y


def test_sweethome_names_make_kinds_and_models_face_minus_z(tmp_path):
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


def test_sweethome_splits_mix_libraries_and_agree_between_categories(tmp_path):
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


def test_sweethome_reports_what_is_wrong(tmp_path):
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


# --- FlightGear


def aircraft(root, name, size, nose=(-1, 0, 0)):
    """An AC3D arrow of the wanted proportions with an effect, padded to the size of a real file."""
    folder = root / "usr" / "AI" / "Aircraft" / name / "Models"
    folder.mkdir(parents=True)
    triangle = "SURF 0x20\nmat {}\nrefs 3\n0 0 0\n1 0 0\n2 0 0\nkids 0\n"
    corners = f"numvert 3\n{nose[0] * 3} {nose[1] * 3} {nose[2] * 3}\n0 {size} 0\n0 0 0\nnumsurf 1\n"
    text = 'AC3Db\nMATERIAL "m" rgb 1 1 1 trans 0\nMATERIAL "blur" rgb 1 1 1 trans 0.9\nOBJECT world\nkids 3\n'
    for part, material in (("fuselage", 0), ("PropDisc", 0), ("canopy", 1)):
        text += f'OBJECT poly\nname "{part}"\n{corners if part == "fuselage" else corners.replace("3 ", "9 ")}'
        text += triangle.format(material)
    (folder / f"{name}.ac").write_text(text + "\n" * flightgear.SMALLEST_FILE)
    (folder / "nav-light.ac").write_text(text + "\n" * flightgear.SMALLEST_FILE)
    (folder / "small.ac").write_text(text)


def test_flightgear_lists_airplanes_nose_first_without_effects(tmp_path):
    aircraft(tmp_path, "jet", 1)
    (shape,) = flightgear.shapes(tmp_path)
    assert shape.name == "airplane/jet-jet"
    assert "GPL-2+" in shape.credit
    scene = pickle.loads(pickle.dumps(shape)).load()
    assert len(scene.soup()[1]) == 1
    assert_front_is_minus_z(scene)


def test_flightgear_holds_out_whole_clusters_and_remembers_them(tmp_path, monkeypatch):
    for i in range(12):
        aircraft(tmp_path, f"jet{i:02}", size=(0.2, 0.7, 1.4, 2.5, 5, 12)[i // 2])  # six pairs of exact copies
    shapes = flightgear.shapes(tmp_path)
    split = [shape.split for shape in shapes]
    assert split[0::2] == split[1::2]
    assert Counter(split) == {"train": 8, "validation": 2, "test": 2}, split
    monkeypatch.setattr(clusters, "chamfer_distances", None)  # the second time nothing is measured
    assert [shape.split for shape in flightgear.shapes(tmp_path)] == split


def test_flightgear_reports_what_is_wrong(tmp_path):
    with pytest.raises(ValueError, match="AI/Aircraft"):
        flightgear.shapes(tmp_path)
    with pytest.raises(ValueError, match="found 'boat'"):
        flightgear.shapes(tmp_path, "boat")


# --- clusters


def box_scene(extents, shift=0.0):
    box = trimesh.creation.box(extents=extents)
    return Scene((Part(np.asarray(box.vertices) + shift, np.asarray(box.faces)),))


def test_surface_points_lie_on_the_surface_evenly_and_ignore_place_and_size():
    points = clusters.surface_points(box_scene((1, 1, 1)), count=600)
    half = 0.5 / np.sqrt(3)
    np.testing.assert_allclose(np.abs(points).max(axis=1), half)
    sides = Counter((int(np.abs(p).argmax()), bool(p[np.abs(p).argmax()] > 0)) for p in points)
    assert all(abs(count - 100) <= 2 for count in sides.values())
    moved = clusters.surface_points(box_scene((7, 7, 7), shift=3.0), count=600)
    np.testing.assert_allclose(moved, points, atol=1e-9)


def test_chamfer_distances_are_those_of_brute_force():
    rng = np.random.default_rng(0)
    clouds = [rng.random((40, 3)) for _ in range(3)]
    found = clusters.chamfer_distances(clouds)
    for i in range(3):
        for j in range(3):
            pairs = np.linalg.norm(clouds[i][:, None] - clouds[j][None], axis=-1)
            assert found[i, j] == pytest.approx((pairs.min(axis=0).mean() + pairs.min(axis=1).mean()) / 2)


def test_single_linkage_chains():
    places = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 30.0])
    labels = clusters.single_linkage(np.abs(places[:, None] - places[None]), threshold=1.5)
    assert [list(labels).index(label) for label in labels] == [0, 0, 0, 3, 3, 5]


# --- credits


def test_credits_are_written_for_the_shapes_that_have_one(tmp_path):
    credited = Shape("chair/b", "train", lambda: None, credit=credits.credit("Ann, B | C", "CC0", "lib"))
    plain = Shape("chair/a", "train", lambda: None)
    assert credits.write([plain], tmp_path) is None
    assert not any(tmp_path.iterdir())
    path = credits.write([credited, plain], tmp_path)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{"name": "chair/b", "author": "Ann, B / C", "licence": "CC0", "origin": "lib"}]
    assert [item.name for item in tmp_path.iterdir()] == [credits.FILE_NAME]


# --- packages


class Client:
    """Stands in for apt-get and dpkg-deb: records commands, brings a file, unpacks it as a folder."""

    def __init__(self, monkeypatch, content=b"a package", fails=(), missing=()):
        self.commands, self.content, self.fails = [], content, fails
        monkeypatch.setattr(package.subprocess, "run", self.run)
        monkeypatch.setattr(package.shutil, "which", lambda name: None if name in missing else f"/usr/bin/{name}")

    def run(self, command, cwd=None, **_):
        self.commands.append(command[0])
        if command[0] in self.fails:
            return subprocess.CompletedProcess(command, 100, "", "W: slow\nE: Could not resolve the host\n")
        if command[0] == "apt-get":
            (cwd / "meshes_1.0_all.deb").write_bytes(self.content)
        else:
            target = package.Path(command[3])
            target.mkdir()
            (target / "mesh.obj").write_text("v 0 0 0")
        return subprocess.CompletedProcess(command, 0, "", "")


SUM = hashlib.sha256(b"a package").hexdigest()


def test_a_package_is_fetched_checked_and_unpacked_once(tmp_path, monkeypatch):
    client = Client(monkeypatch)
    cache = tmp_path / "new" / "cache"
    for _ in range(2):
        unpacked = package.obtain("meshes", SUM, cache)
        assert (unpacked / "mesh.obj").is_file()
    assert client.commands == ["apt-get", "dpkg-deb"]
    assert list(cache.iterdir()) == [unpacked]  # the temporary folder is gone


def test_a_package_file_or_folder_given_by_the_user_is_used(tmp_path, monkeypatch):
    client = Client(monkeypatch, missing=("apt-get",))
    (tmp_path / "meshes_1.0_all.deb").write_bytes(b"a package")
    assert (package.obtain("meshes", SUM, tmp_path) / "mesh.obj").is_file()
    (tmp_path / "other").mkdir()
    assert package.obtain("other", SUM, tmp_path) == tmp_path / "other"
    assert client.commands == ["dpkg-deb"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"missing": ("apt-get",)}, "apt-get is needed and not on this machine"),
        ({"fails": ("apt-get",)}, "Could not resolve the host"),
        ({"missing": ("dpkg-deb",)}, "dpkg-deb is needed"),
        ({"fails": ("dpkg-deb",)}, "dpkg-deb -x"),
    ],
)
def test_without_a_client_or_a_network_the_error_names_the_file_to_provide(tmp_path, monkeypatch, options, message):
    Client(monkeypatch, **options)
    with pytest.raises(OSError, match=message) as caught:
        package.obtain("meshes", SUM, tmp_path)
    text = str(caught.value)
    assert f"meshes_*.deb (sha256 {SUM})" in text and str(tmp_path) in text and "\n" not in text
    assert not any(tmp_path.iterdir())


def test_another_file_than_the_expected_one_is_refused(tmp_path, monkeypatch):
    Client(monkeypatch, content=b"tampered")
    with pytest.raises(ValueError, match=f"expected sha256 {SUM}"):
        package.obtain("meshes", SUM, tmp_path)
    assert not any(tmp_path.iterdir())
