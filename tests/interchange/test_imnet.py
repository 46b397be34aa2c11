"""IM-NET's files: they read back, have the layout that IM-NET-pytorch expects, and damage is reported in one line."""

from __future__ import annotations

import dataclasses

import h5py
import numpy as np
import pytest
import tensorflow_datasets as tfds

from imfield_jax.batches import Inputs
from imfield_jax.coordinates import LEVEL_SIZES, index_to_point, max_pool, point_to_index
from imfield_jax.dataset.builder import ImfieldShapes, ShapesConfig
from imfield_jax.dataset.contact import contact_sheet
from imfield_jax.dataset.feed import FeedConfig
from imfield_jax.dataset.resident import ResidentFeed, pack
from imfield_jax.dataset.storage import open_split
from imfield_jax.framing import composite
from imfield_jax.interchange import imnet as files
from imfield_jax.preparation.record import Settings, cameras_of, make_record
from imfield_jax.sources import imnet

SPLITS = {"train": 3, "validation": 1, "test": 1}


@pytest.fixture(scope="module")
def prepared(random_record):
    rng = np.random.default_rng(5)

    def made(name, seed):
        views = rng.integers(256, size=(imnet.VIEWS, 137, 137, 4), dtype=np.uint8)
        return dataclasses.replace(
            random_record(name, seed), views=views, cameras=np.zeros((imnet.VIEWS, 4), np.float32)
        )

    groups = ("02958343", "03001627")  # cars and chairs
    return {
        split: [made(f"{groups[number // 2]}/{split}{number}", number) for number in range(count)]
        for split, count in SPLITS.items()
    }


@pytest.fixture(scope="module")
def data(prepared, write_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes")
    write_dataset(folder, prepared, views=imnet.VIEWS)
    return folder


@pytest.fixture
def exported(data, tmp_path):
    for split in SPLITS:
        files.write(open_split(data, split), tmp_path / f"all_vox256_img_{split}.hdf5")
    return tmp_path


def test_exported_files_read_back(exported, prepared):
    shapes = imnet.shapes(exported, "all")
    assert [(shape.split, shape.name) for shape in shapes] == [
        (split, record.name) for split, made in prepared.items() for record in made
    ]
    for shape, record in zip(shapes, (record for made in prepared.values() for record in made), strict=True):
        found = make_record(shape, Settings(views=imnet.VIEWS))
        assert found.name == record.name
        np.testing.assert_array_equal(found.voxels, record.voxels, strict=True)
        for level in LEVEL_SIZES:
            np.testing.assert_array_equal(found.points[level], record.points[level], strict=True)
            np.testing.assert_array_equal(found.values[level], record.values[level], strict=True)
        for ours, original in zip(found.views, record.views, strict=True):
            np.testing.assert_array_equal(composite(ours), composite(original), strict=True)
        np.testing.assert_array_equal(max_pool(found.solid, 4), record.voxels.astype(bool))


def test_a_category_is_the_rows_of_its_synset(exported, prepared):
    chairs = imnet.shapes(exported, "chair")
    assert [shape.name for shape in chairs] == ["03001627/train2"]
    np.testing.assert_array_equal(chairs[0].load().fields["voxels"], prepared["train"][2].voxels)


def test_the_original_reads_what_it_expects(exported, prepared):
    """The shapes and dtypes that IM-NET-pytorch's loaders index, row by row in the order of the names."""
    with h5py.File(exported / "all_vox256_img_train.hdf5") as file:
        assert {name: (data.shape, data.dtype) for name, data in file.items()} == {
            name: ((3, *shape), np.uint8)
            for name, shape in {
                "pixels": (24, 137, 137),
                "voxels": (64, 64, 64, 1),
                "points_16": (4096, 3),
                "values_16": (4096, 1),
                "points_32": (4096, 3),
                "values_32": (4096, 1),
                "points_64": (16384, 3),
                "values_64": (16384, 1),
            }.items()
        }
        assert all((data.compression, data.compression_opts) == ("gzip", 9) for data in file.values())
        record = prepared["train"][2]
        np.testing.assert_array_equal(file["pixels"][2, 23], composite(record.views[23]))
        point, value = file["points_64"][2, 77], file["values_64"][2, 77, 0]
        assert record.solid[tuple(point)] == value
    names = (exported / "all_vox256_img_train.txt").read_text().splitlines()
    assert names == [record.name for record in prepared["train"]]


def test_other_view_counts_are_refused_without_leaving_a_file(data_dir, tmp_path):
    with pytest.raises(ValueError, match=r"box/test0: pixels: expected IM-NET's shape \[24, 137, 137\], found \[3,"):
        files.write(open_split(data_dir, "test"), tmp_path / "few.hdf5")
    assert not list(tmp_path.iterdir())


def test_settings_with_another_view_count_are_refused(exported):
    with pytest.raises(ValueError, match="expected 5 views, found 24"):
        make_record(imnet.shapes(exported, "chair")[0], Settings(views=5))


def spoil(change):
    def spoiled(path):
        with h5py.File(path, "r+") as file:
            change(file)

    return spoiled


def replace(name, array):
    def replaced(file):
        del file[name]
        if array is not None:
            file[name] = array

    return spoil(replaced)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:3000]), "is damaged or no HDF5 file"),
        (lambda path: path.write_bytes(b"nothing of the kind"), "is damaged or no HDF5 file"),
        (lambda path: path.with_suffix(".txt").write_text("one/two\n"), r"row per name in .*_train.txt \(1\), found 3"),
        (lambda path: path.with_suffix(".txt").unlink(), "all_vox256_img_train.txt"),
        (replace("values_32", None), r"values_32: expected uint8 \[N, 4096, 1\], found none"),
        (replace("voxels", np.zeros((3, 64, 64, 64), np.uint8)), r"voxels: expected .*, found uint8 \[3, 64, 64, 64\]"),
        (replace("points_16", np.zeros((3, 4096, 3), np.float32)), "points_16: expected .*, found float32"),
    ],
)
def test_damage_is_reported_in_one_line_that_names_the_file(exported, harm, message):
    harm(exported / "all_vox256_img_train.hdf5")
    with pytest.raises((ValueError, OSError), match=message) as caught:
        imnet.shapes(exported, "all")
    assert "all_vox256_img_train" in str(caught.value)


def test_invalid_occupancies_are_reported_on_reading(exported):
    harm = spoil(lambda file: file["values_16"].__setitem__((1, 5), 7))
    harm(exported / "all_vox256_img_train.hdf5")
    first, second, *_ = imnet.shapes(exported, "all")
    first.load()
    with pytest.raises(ValueError, match=r"row 1 \(02958343/train1\): values_16: expected 0 to 1, found 7"):
        second.load()


def test_truncated_files_are_refused_and_flipped_bits_do_no_harm(exported, rng):
    """Rows have a checksum, but the index of an HDF5 file has none: a flipped bit in it may lead to other rows."""
    path = exported / "all_vox256_img_test.hdf5"
    whole = path.read_bytes()
    for _ in range(20):
        path.write_bytes(whole[: rng.integers(len(whole))])
        with pytest.raises(ValueError, match=r"all_vox256_img_test\.hdf5 is damaged"):
            imnet.layout_of(path)
    refused = 0
    for round_ in range(40):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole) if round_ % 2 else 8000)] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            fields = imnet.read(path, 0, imnet.names_of(path)[0], imnet.layout_of(path)).fields
            assert fields["views"].shape == (24, 137, 137, 4)
        except ValueError:
            refused += 1
    assert refused >= 20  # every flip in a row


def test_rows_are_read_correctly_from_chunks_of_several(exported, prepared, monkeypatch):
    """As in the authors' files, whose chunk sizes HDF5 chose."""
    monkeypatch.setattr(imnet, "_MAX_BLOCK", 2)
    path = exported / "all_vox256_img_train.hdf5"
    with h5py.File(path, "r+") as file:
        for name in list(file):
            array = file[name][:]
            del file[name]
            file.create_dataset(name, data=array, chunks=(3, *array.shape[1:]), compression=9)
    shapes = imnet.shapes(exported, "all")
    for number in (2, 0, 1, 2):
        fields, record = shapes[number].load().fields, prepared["train"][number]
        np.testing.assert_array_equal(fields["voxels"], record.voxels)
        np.testing.assert_array_equal(fields["points"][64], record.points[64])
        np.testing.assert_array_equal(fields["views"][5, ..., 0], composite(record.views[5]))


@pytest.fixture
def first_files(prepared, rng, tmp_path):
    """A category in IM-NET's first layout: other points, in grids of their level, and no images."""
    records = prepared["train"]
    arrays = {"voxels": np.stack([record.voxels for record in records])[..., None]}
    for level, count in ((16, 4096), (32, 8192), (64, 32768)):
        points = rng.integers(level, size=(len(records), count, 3), dtype=np.uint8)
        arrays[f"points_{level}"] = points
        pooled = [max_pool(record.voxels, 64 // level) for record in records]
        arrays[f"values_{level}"] = np.stack(
            [grid[tuple(of_row.T)][:, None] for grid, of_row in zip(pooled, points, strict=True)]
        )
    with h5py.File(tmp_path / "03001627_vox.hdf5", "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, compression="gzip", compression_opts=9)
    (tmp_path / "03001627_vox.txt").write_text("a\nb\nc\n")
    return tmp_path, arrays


def test_the_first_files_keep_their_points_and_get_views(first_files):
    folder, arrays = first_files
    shapes = imnet.shapes(folder, "chair")
    assert [(shape.name, shape.split) for shape in shapes] == [
        ("03001627/a", "train"),
        ("03001627/b", "train"),
        ("03001627/c", "test"),
    ]
    record = make_record(shapes[1], Settings(views=2))
    np.testing.assert_array_equal(record.voxels, arrays["voxels"][1, ..., 0], strict=True)
    for level in LEVEL_SIZES:
        np.testing.assert_array_equal(record.points[level], arrays[f"points_{level}"][1], strict=True)
        np.testing.assert_array_equal(record.values[level], arrays[f"values_{level}"][1, :, 0], strict=True)
    assert record.views.shape == (2, 137, 137, 4)
    camera = cameras_of(record.cameras)[0]
    pixels, _ = camera.project(index_to_point(np.argwhere(record.voxels), 64), 137)
    column, line = np.floor(pixels).astype(int).T
    assert (record.views[0, line, column, 3] > 0).mean() > 0.99  # the voxels are where they appear in the view


def test_networks_get_the_points_that_the_original_decodes(first_files, write_dataset, tmp_path):
    """(index + 0.5) / R - 0.5 at level R, labelled as the voxels pooled to R^3."""
    folder, arrays = first_files
    made = [make_record(shape, Settings(views=1)) for shape in imnet.shapes(folder, "chair")]
    write_dataset(tmp_path / "data", {"train": made}, views=1)
    packed = pack(open_split(tmp_path / "data", "train"), Inputs(), views=False)
    for level, count in ((16, 4096), (32, 8192), (64, 32768)):
        batch = ResidentFeed(packed, FeedConfig(batch=3, points=count)).points(level, 0)
        cells = point_to_index(np.asarray(batch.points), level)
        np.testing.assert_array_equal(cells, np.rint(cells))
        for row, found, inside in zip(batch.index, cells.astype(int), batch.occupancy, strict=True):
            np.testing.assert_array_equal(max_pool(arrays["voxels"][row, ..., 0], 64 // level)[tuple(found.T)], inside)
    sheet = contact_sheet([open_split(tmp_path / "data", "train")[0]], packed.grids[64])
    assert np.asarray(sheet).std() > 0


def test_a_build_by_tfds_refuses_points_that_do_not_match_its_features(first_files, tmp_path):
    folder, _ = first_files
    config = ShapesConfig(name="first", source="imnet", category="chair", views=1)
    builder = ImfieldShapes(config=config, data_dir=tmp_path / "built")
    with pytest.raises(ValueError, match=r"found those of source imnet, .*: prepare it with imfield prepare"):
        builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=folder))


def test_a_mix_of_both_layouts_is_refused(exported, first_files):
    folder, _ = first_files
    (folder / "03001627_vox.hdf5").rename(exported / "03001627_vox_test.hdf5")
    (folder / "03001627_vox.txt").rename(exported / "03001627_vox_test.txt")
    with pytest.raises(ValueError, match="expected files of one layout"):
        imnet.shapes(exported, "chair")


def test_a_point_outside_its_grid_is_reported(first_files):
    folder, _ = first_files
    spoil(lambda file: file["points_16"].__setitem__((0, 5, 1), 16))(folder / "03001627_vox.hdf5")
    with pytest.raises(ValueError, match=r"row 0 \(03001627/a\): points_16: expected 0 to 15, found 16"):
        imnet.shapes(folder, "all")[0].load()


def test_a_folder_without_such_files_names_the_expected_ones(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected files such as all_vox256_img_train\.hdf5 or "):
        imnet.shapes(tmp_path, "all")
