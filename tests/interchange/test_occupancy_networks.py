"""Occupancy Networks' files hold the dataset's shapes with their own position and scale."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from imfield_jax.coordinates import containing_cell, grid_points, occupancy_of_solid
from imfield_jax.dataset.rows import Row, Split
from imfield_jax.dataset.storage import open_split
from imfield_jax.framing import on_white
from imfield_jax.interchange import occupancy_networks
from imfield_jax.preparation.record import Settings, cameras_of, make_record
from imfield_jax.sources import occupancy_networks as sources
from imfield_jax.sources.formats import binvox, renderings
from imfield_jax.sources.shape import Shape


@pytest.fixture(scope="module")
def splits(data_dir):
    return {name: open_split(data_dir, name) for name in ("validation", "test")}


@pytest.fixture(scope="module")
def root(splits, tmp_path_factory):
    root = tmp_path_factory.mktemp("onet")
    occupancy_networks.write(splits, root)
    return root


@pytest.fixture(scope="module")
def row(splits):
    return splits["validation"][1]


@pytest.fixture(scope="module")
def folder(root, row):
    return root / row.name


class Rows(Split):
    """A split with given rows."""

    def __init__(self, rows):
        self._rows = list(rows)
        self.names = tuple(row.name for row in self._rows)

    def __getitem__(self, row):
        return self._rows[row]


class Named(Row):
    """A shape with another name."""

    name = None

    def __init__(self, row, name):
        vars(self).update(vars(row))
        self.name = name


def ours(points, file):
    """The points of a file in our cube: front +x becomes front -z."""
    x, y, z = np.moveaxis(points.astype(np.float32) * file["scale"] + file["loc"], -1, 0)
    return np.stack([z, y, -x], axis=-1)


def test_the_split_files_list_the_models(root):
    # As read by the original.
    assert (root / "box" / "val.lst").read_text().split("\n") == ["validation0", "validation1"]
    assert (root / "box" / "test.lst").read_text().split("\n") == ["test0"]
    assert (root / "box" / "train.lst").read_text() == ""
    assert (root / "metadata.yaml").read_text() == "'box':\n  id: 'box'\n  name: 'box'\n"
    assert sorted(path.name for path in (root / "box").iterdir() if path.is_dir()) == [
        "test0",
        "validation0",
        "validation1",
    ]


def test_points_are_labelled_by_the_solid(folder, row):
    with np.load(folder / "points.npz") as file:
        points, inside = file["points"], np.unpackbits(file["occupancies"])[:100_000].astype(bool)
        assert points.dtype == np.float16 and points.shape == (100_000, 3)
        assert 0.54 < np.abs(points).max() <= 0.55
        place = ours(points, file)
    within = np.abs(place).max(axis=1) < 0.5
    assert not inside[~within].any()
    np.testing.assert_array_equal(inside[within], row.solid[tuple(containing_cell(place[within], 256).T)])


def test_the_shape_fills_the_unit_cube(folder):
    with np.load(folder / "pointcloud.npz") as file:
        low, high = file["points"].min(axis=0), file["points"].max(axis=0)
    assert (high - low).max() == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(low + high, 0, atol=0.02)


def test_the_cloud_lies_on_the_surface(folder, row):
    with np.load(folder / "pointcloud.npz") as file:
        cells = containing_cell(ours(file["points"], file), 256)
        lengths = np.linalg.norm(file["normals"].astype(np.float32), axis=1)
    near = ndimage.maximum_filter(row.solid, 3) != ndimage.minimum_filter(row.solid, 3)
    assert near[tuple(cells.T)].all()
    np.testing.assert_allclose(lengths, 1, atol=2e-3)


def test_cameras_project_points_to_their_position_in_the_images(folder, row, rng):
    points = rng.uniform(-0.3, 0.3, (50, 3))
    with np.load(folder / "img_choy2016" / "cameras.npz") as file:
        for number, camera in enumerate(row.cameras):
            theirs = points[:, [2, 1, 0]] * (-1, 1, 1)
            world, to_pixels = file[f"world_mat_{number}"], file[f"camera_mat_{number}"]
            assert world.shape == (3, 4) and to_pixels.shape == (3, 3)
            seen = (theirs @ world[:, :3].T + world[:, 3]) @ to_pixels.T
            pixels, depth = camera.project(points, 137)
            np.testing.assert_allclose(seen[:, 2], depth)
            np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], pixels)


def test_cameras_of_3d_r2n2_equal_those_of_the_original(folder, tmp_path):
    """The original scripts/dataset_shapenet/get_r2n2_cameras.py for azimuth 40, elevation 27.5, distance 0.8."""
    (tmp_path / "rendering_metadata.txt").write_text("40 27.5 0 0.8 25\n" * 24)
    theirs = renderings.read_cameras(tmp_path)[:1]
    shutil.copytree(folder, tmp_path / "model")
    world = [[0.642788, 0, -0.766044, 0], [0.35372, -0.887011, 0.296806, 0], [-0.67949, -0.461749, -0.57016, 1.4]]
    to_pixels = [[149.84375, 0, 68.5], [0, 149.84375, 68.5], [0, 0, 1]]
    made = {f"world_mat_{k}": world for k in range(3)} | {f"camera_mat_{k}": to_pixels for k in range(3)}
    np.savez(tmp_path / "model" / "img_choy2016" / "cameras.npz", **made)
    found = sources.read(tmp_path / "model").fields["cameras"]
    np.testing.assert_allclose(found, theirs.repeat(3, axis=0), atol=1e-5)


def test_images_are_on_white(folder, row):
    assert len(list((folder / "img_choy2016").glob("*.jpg"))) == row.view_count
    with Image.open(folder / "img_choy2016" / "002.jpg") as image:
        assert (image.mode, image.size) == ("RGB", (137, 137))
        clear = np.asarray(image)[:12].astype(int)  # the object does not extend so high
    assert np.abs(clear - 255).mean() < 3


def test_the_voxels_sample_the_unit_cube(folder, row):
    grid = binvox.read(folder / "model.binvox")
    with np.load(folder / "points.npz") as file:
        inside = occupancy_of_solid(row.solid, ours(grid_points(32), file).reshape(-1, 3))
    np.testing.assert_array_equal(grid.full.ravel(), inside)
    assert (grid.low.tolist(), grid.side) == ([-0.5] * 3, 1.0)


def test_exported_shapes_read_back(root, splits):
    """The solid from its surface points, images up to JPEG's loss, cameras, names and split."""
    shapes = sources.shapes(root, "box")
    rows = {row.name: (name, row) for name, split in splits.items() for row in split}
    assert {shape.name: shape.split for shape in shapes} == {name: split for name, (split, _) in rows.items()}
    for shape in shapes:
        record, (_, row) = make_record(shape, Settings(views=3)), rows[shape.name]
        assert (record.solid & row.solid).sum() / (record.solid | row.solid).sum() > 0.99
        assert record.diagnostics["agreement"] > 0.999 and "warnings" not in record.diagnostics
        known = [dataclasses.astuple(camera) for camera in row.cameras]
        found = [dataclasses.astuple(camera) for camera in cameras_of(record.cameras)]
        np.testing.assert_allclose(found, known, atol=1e-5)
        for number, view in enumerate(record.views):
            clear = on_white(row.view(number))[:20].mean()
            assert on_white(view)[:20].mean() == pytest.approx(clear, abs=2)


def test_a_cloud_that_contradicts_the_labels_is_a_warning(folder, row, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    with np.load(folder / "points.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "model" / "points.npz", **{**arrays, "occupancies": ~arrays["occupancies"]})
    shape = Shape("box/model", "test", lambda: sources.read(tmp_path / "model"))
    diagnostics = make_record(shape, Settings(views=len(row.cameras))).diagnostics
    assert diagnostics["warnings"] == [
        f"{1 - diagnostics['agreement']:.1%} of the labelled points contradict the solid"
    ]


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        ("pointcloud.npz", {"normals": None}, "normals: expected numbers .None, 3., found none"),
        ("pointcloud.npz", {"points": np.zeros((5, 2))}, "points: expected numbers .None, 3., found float64 .5, 2."),
        ("pointcloud.npz", {"points": np.full((9, 3), np.nan)}, "points: expected finite numbers"),
        ("pointcloud.npz", {"scale": np.float32(40)}, "expected points in the cube of side 1"),
        ("points.npz", {"occupancies": np.zeros(7, np.uint8)}, "occupancies: expected one for each of 100000 points"),
        ("points.npz", {"points": np.array(["a"])}, "points: expected numbers"),
        ("img_choy2016/cameras.npz", {"world_mat_1": np.zeros((3, 4))}, "expected matrices of cameras"),
        ("img_choy2016/cameras.npz", {"world_mat_2": None}, "world_mat_2: expected numbers .3, 4., found none"),
    ],
)
def test_damage_is_reported_in_one_line(file, change, expected, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    with np.load(folder / file) as known:
        arrays = {**known, **change}
    np.savez(tmp_path / "model" / file, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(ValueError, match=f"{file}: {expected}"):
        sources.read(tmp_path / "model")


@pytest.mark.parametrize("file", ["points.npz", "pointcloud.npz", "img_choy2016/001.jpg", "img_choy2016/cameras.npz"])
def test_a_truncated_or_missing_file_is_reported_in_one_line(file, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    path = tmp_path / "model" / file
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=rf"{file}: expected a .* file, found a damaged file"):
        sources.read(tmp_path / "model")
    path.unlink()
    if file.startswith("point"):
        with pytest.raises(FileNotFoundError, match=file):
            sources.read(tmp_path / "model")


def test_a_shape_does_not_depend_on_the_others(folder, row, tmp_path):
    occupancy_networks.write({"validation": Rows([row])}, tmp_path)
    for file in ("points.npz", "pointcloud.npz"):
        assert (tmp_path / row.name / file).read_bytes() == (folder / file).read_bytes()


ODD_NAMES = ("my chair.obj", " two  spaces ", "deep/er/K\u00fcche.stl", "tab\there", "a\u2028b", "#1, 'quoted'.off")


def test_unusual_names_read_back(row, tmp_path):
    rows = Rows(Named(row, f"box/{model}") for model in ODD_NAMES)
    occupancy_networks.write({"train": rows}, tmp_path)
    shapes = sources.shapes(tmp_path, "box")
    assert [shape.name for shape in shapes] == [f"box/{model}" for model in ODD_NAMES]
    assert all(len(shape.load().cloud.points) == 100_000 for shape in shapes)


def test_a_line_break_in_a_name_is_replaced_or_refused(row, tmp_path):
    occupancy_networks.write({"train": Rows([Named(row, "box/a\nb")])}, tmp_path)
    assert [shape.name for shape in sources.shapes(tmp_path, "box")] == ["box/a_b"]
    with pytest.raises(ValueError, match="box/a_b: two shapes have this name"):
        occupancy_networks.write({"train": Rows([Named(row, "box/a\nb"), Named(row, "box/a_b")])}, tmp_path / "other")
    assert not (tmp_path / "other").exists()
