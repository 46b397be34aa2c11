"""What Occupancy Networks reads is the shape that the dataset holds, in its own place and scale."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from imfield_jax import pinhole
from imfield_jax.coordinates import containing_cell
from imfield_jax.data.dataset import open_split
from imfield_jax.data.exchange import occupancy_networks


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


def ours(points, file):
    return points.astype(np.float32) * file["scale"] + file["loc"]


def test_the_lists_name_the_models(root):
    assert (root / "box" / "val.lst").read_text().split() == ["validation0", "validation1"]
    assert (root / "box" / "test.lst").read_text().split() == ["test0"]
    assert (root / "box" / "train.lst").read_text() == ""
    assert (root / "metadata.yaml").read_text() == "'box':\n  id: 'box'\n  name: 'box'\n"
    assert sorted(path.name for path in (root / "box").iterdir() if path.is_dir()) == [
        "test0",
        "validation0",
        "validation1",
    ]


def test_points_say_whether_they_are_in_the_solid(folder, row):
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


def test_cameras_put_points_where_the_pictures_have_them(folder, row, rng):
    points = rng.uniform(-0.3, 0.3, (50, 3))
    with np.load(folder / "img_choy2016" / "cameras.npz") as file:
        for number, camera in enumerate(row.cameras):
            world, to_pixels = file[f"world_mat_{number}"], file[f"camera_mat_{number}"]
            assert world.shape == (3, 4) and to_pixels.shape == (3, 3)
            seen = (points @ world[:, :3].T + world[:, 3]) @ to_pixels.T
            pixels, depth = pinhole.project(camera, points, 137)
            np.testing.assert_allclose(seen[:, 2], depth)
            np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], pixels)


def test_pictures_are_on_white(folder, row):
    assert len(list((folder / "img_choy2016").glob("*.jpg"))) == row.view_count
    with Image.open(folder / "img_choy2016" / "002.jpg") as picture:
        assert (picture.mode, picture.size) == ("RGB", (137, 137))
        clear = np.asarray(picture)[:12].astype(int)  # nothing of the object so high up
    assert np.abs(clear - 255).mean() < 3


def test_a_shape_does_not_depend_on_the_others(folder, row, tmp_path):
    occupancy_networks.write({"validation": [row]}, tmp_path)
    for file in ("points.npz", "pointcloud.npz"):
        assert (tmp_path / row.name / file).read_bytes() == (folder / file).read_bytes()
