"""ShapeNetCore.v2 as distributed, unpacked or in zip files."""

from __future__ import annotations

import pickle
import shutil
import zipfile
from collections import Counter

import numpy as np
import pytest

from imfield_jax.sources import shapenet, synsets
from imfield_jax.sources.listing import list_shapes


@pytest.fixture
def models(arrow):
    def made(root, synset, names):
        for name in names:
            target = root / synset / name / "models"
            target.mkdir(parents=True)
            (target / "model_normalized.obj").write_text(arrow((0, 0, -1), (0, 1, 0)))

    return made


def test_shapenet_has_55_categories_by_name_alias_or_synset():
    assert len({synset for synset, _ in synsets.CATEGORIES.values()}) == 55
    assert sum(models for _, models in synsets.CATEGORIES.values()) == 52_470
    assert synsets.synset_of("car") == synsets.synset_of("02958343") == "02958343"
    assert synsets.synset_of("couch") == synsets.synset_of("Sofa")
    assert synsets.synset_of("trash bin") == "02747177"
    with pytest.raises(ValueError, match="found 'dragon'"):
        synsets.synset_of("dragon")


def test_thirteen_are_the_categories_of_3d_r2n2_together(tmp_path, models):
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


def test_shapenet_distinguishes_models_without_a_mesh_from_those_missing_in_this_copy(tmp_path):
    known = next(iter(synsets.WITHOUT_MESH)).split("/")[1]
    for model in (known, "m0"):
        (tmp_path / "02958343" / model / "images").mkdir(parents=True)
    errors = {}
    for shape in shapenet.shapes(tmp_path, "car"):
        with pytest.raises(FileNotFoundError) as caught:
            shape.load()
        errors[shape.name.split("/")[1]] = str(caught.value)
    assert errors[known].endswith("missing in every copy: ShapeNetCore.v2 has no mesh of this model")
    assert errors["m0"].endswith("m0/models/model_normalized.obj: expected a triangle mesh, found no such file")


def test_shapenet_without_a_split_file_is_sorted_80_10_10_and_left_where_it_is(
    tmp_path, assert_front_is_minus_z, models
):
    models(tmp_path, "02958343", [f"m{i}" for i in range(10)])
    shapes = shapenet.shapes(tmp_path, "car")
    assert [shape.name for shape in shapes] == [f"02958343/m{i}" for i in range(10)]
    assert [shape.split for shape in shapes] == ["train"] * 8 + ["validation", "test"]
    assert all(shape.longest_side is None for shape in shapes)
    assert_front_is_minus_z(pickle.loads(pickle.dumps(shapes[0])).load())


def test_shapenet_uses_the_rows_of_its_synset_in_the_split_file(tmp_path, models):
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
    """The contents of a category's folder in a zip file instead."""
    with zipfile.ZipFile(root / f"{synset}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((root / synset).rglob("*")):
            archive.write(path, path.relative_to(root))
    shutil.rmtree(root / synset)


def test_shapenet_reads_zip_files_as_it_reads_folders(tmp_path, models):
    models(tmp_path, "02958343", [f"m{i}" for i in range(10)])
    unpacked = shapenet.shapes(tmp_path, "car")
    vertices = unpacked[3].load().soup()[0]
    zipped(tmp_path, "02958343")
    packed = shapenet.shapes(tmp_path, "car")
    assert [(shape.name, shape.split) for shape in packed] == [(shape.name, shape.split) for shape in unpacked]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(packed[3])).load().soup()[0], vertices)
    with pytest.raises(ValueError, match="found the synsets 02958343"):
        shapenet.shapes(tmp_path, "chair")


def test_a_model_in_a_zip_file_has_its_own_materials(tmp_path, models):
    models(tmp_path, "02958343", ["a", "ab"])
    for name, red in (("a", "1 0 0"), ("ab", "0 1 0")):
        mesh = tmp_path / "02958343" / name / "models" / "model_normalized.obj"
        mesh.write_text("mtllib paint.mtl\nusemtl paint\n" + mesh.read_text())
        (mesh.parent / "paint.mtl").write_text(f"newmtl paint\nKd {red}\n")
    expected = [shape.load().parts[0].color for shape in shapenet.shapes(tmp_path, "car")]
    zipped(tmp_path, "02958343")
    assert [shape.load().parts[0].color for shape in shapenet.shapes(tmp_path, "car")] == expected
    assert expected[0] != expected[1]


def test_errors_in_a_zip_file_name_the_zip_file(tmp_path, models):
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


def test_shapenet_errors_name_what_was_found_instead(tmp_path, models):
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
