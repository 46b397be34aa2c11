"""HSP's voxels and 3D-R2N2's images: axes and order against slow references, damage in one line."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from imfield_jax.preparation.record import Settings, cameras_of, make_record
from imfield_jax.sources import hsp
from imfield_jax.sources.formats import renderings
from imfield_jax.sources.listing import list_shapes

CAR = "02958343"
MODELS = ("a", "b", "c", "d", "e")


def blocked(solid):
    """A solid as HSP stores it, one block per position."""
    blocks = solid.reshape(16, 16, 16, 16, 16, 16).transpose(0, 2, 4, 1, 3, 5).reshape(-1, 16, 16, 16)
    unique, numbers = np.unique(blocks, axis=0, return_inverse=True)
    return {"b": unique.astype(np.uint8), "bi": numbers.reshape(16, 16, 16).astype(np.uint16) + 1}


@pytest.fixture(scope="module")
def solid():
    """In the axes of v1: a body, and a bonnet at the front, +x."""
    made = np.zeros((256,) * 3, bool)
    made[60:200, 100:150, 90:160] = True
    made[200:230, 100:120, 95:155] = True
    return made


@pytest.fixture(scope="module")
def written(solid, tmp_path_factory):
    root = tmp_path_factory.mktemp("paper")
    first = root / hsp.RENDERINGS / CAR / MODELS[0] / "rendering"
    first.mkdir(parents=True)
    for number in range(24):
        Image.new("RGBA", (137, 137), (number, 0, 0, 255)).save(first / f"{number:02d}.png")
    lines = [f"{15 * number} 27.5 0 0.8 25" for number in range(24)]
    (first / "rendering_metadata.txt").write_text("\n".join(lines))
    (root / hsp.VOXELS / CAR).mkdir(parents=True)
    savemat(root / hsp.VOXELS / CAR / f"{MODELS[0]}.mat", blocked(solid), do_compression=True)
    for model in MODELS[1:]:
        shutil.copytree(first, root / hsp.RENDERINGS / CAR / model / "rendering")
        shutil.copy(root / hsp.VOXELS / CAR / f"{MODELS[0]}.mat", root / hsp.VOXELS / CAR / f"{model}.mat")
    return root


@pytest.fixture
def root(written, tmp_path):
    return shutil.copytree(written, tmp_path / "root")


def test_blocks_are_placed_by_their_indices(rng):
    blocks, numbers = rng.random((7, 16, 16, 16)) < 0.5, rng.integers(7, size=(16, 16, 16))
    expected = np.zeros((256,) * 3, bool)
    for i, j, k in np.ndindex(16, 16, 16):
        expected[16 * i : 16 * i + 16, 16 * j : 16 * j + 16, 16 * k : 16 * k + 16] = blocks[numbers[i, j, k]]
    np.testing.assert_array_equal(hsp.unblocked(blocks, numbers), expected)


def test_the_front_goes_from_x_to_minus_z_and_up_stays(root, solid):
    found = hsp.read_solid(root / hsp.VOXELS / CAR / "a.mat")
    for x, y, z in [(215, 110, 100), (70, 140, 95), (10, 10, 10), (215, 130, 100)]:
        assert found[z, y, 255 - x] == solid[x, y, z]
    assert found.sum() == solid.sum()
    heights = found.any(axis=0).sum(axis=0)  # by z: the bonnet is low and in front
    assert heights[30] == 20 and heights[100] == 50


def slow_fill(solid):
    result = solid.copy()
    for x, z in np.ndindex(solid.shape[0], solid.shape[2]):
        met = False
        for y in reversed(range(solid.shape[1])):
            if solid[x, y, z]:
                met = True
            else:
                inside_x = solid[:x, y, z].any() and solid[x + 1 :, y, z].any()
                inside_z = solid[x, y, :z].any() and solid[x, y, z + 1 :].any()
                met = met and inside_x and inside_z
                result[x, y, z] = met
    return result


def test_hollows_are_filled_as_by_the_slow_reference(rng):
    for density in (0.05, 0.2, 0.5):
        solid = rng.random((12, 13, 11)) < density
        np.testing.assert_array_equal(hsp.filled(solid), slow_fill(solid))


def test_a_shell_becomes_solid_and_a_bowl_open_at_the_top_is_unchanged():
    shell = np.zeros((20,) * 3, bool)
    shell[3:17, 3:17, 3:17] = True
    shell[5:15, 5:15, 5:15] = False
    assert hsp.filled(shell)[5:15, 5:15, 5:15].all()
    bowl = shell.copy()
    bowl[5:15, 15:, 5:15] = False
    np.testing.assert_array_equal(hsp.filled(bowl), bowl)


def test_the_split_is_atlasnets_and_the_bad_rifle_is_left_out(root):
    folder = root / hsp.VOXELS / "04090263"
    folder.mkdir()
    for model in ("1", "2", "4a32519f44dc84aabafe26e2eb69ebf4"):
        (folder / f"{model}.mat").touch()
    assert [shape.split for shape in hsp.shapes(root, "car")] == ["train"] * 4 + ["test"]
    assert [shape.name for shape in hsp.shapes(root, "rifle")] == ["04090263/1", "04090263/2"]


def test_a_record_has_these_voxels_and_these_images(root):
    (shape, *_), settings = list_shapes("hsp", "car", root).shapes, Settings(labels="exact")
    record = make_record(shape, settings)
    assert record.name == f"{CAR}/e"  # the first of the test split
    np.testing.assert_array_equal(record.solid, hsp.read_solid(root / hsp.VOXELS / CAR / "e.mat"))
    np.testing.assert_array_equal(record.views[:, 0, 0, 0], range(24))
    for level in record.points:
        np.testing.assert_array_equal(record.solid[tuple(record.points[level].T)], record.values[level])
    azimuth, elevation, distance, fov = record.cameras[6]
    assert np.degrees([azimuth, elevation]) == pytest.approx([90, 27.5], abs=1e-4)
    assert (distance, fov) == pytest.approx((1.4, 2 * np.arctan(16 / 35)))


def test_cameras_are_where_blender_placed_them(root):
    """The script parents a camera at x to an empty object, rotates that, and imports models with z = up, y = -z."""
    cameras = cameras_of(renderings.read_cameras(root / hsp.RENDERINGS / CAR / "a" / "rendering"))
    for number, camera in enumerate(cameras):
        turned = Rotation.from_euler("xyz", [0, -27.5, -15 * number], degrees=True)
        x, y, z = turned.apply([0.8 * 1.75, 0, 0])
        v1 = (x, z, -y)
        np.testing.assert_allclose(camera.eye(), (v1[2], v1[1], -v1[0]), atol=1e-6)


def test_filled_is_another_source(root):
    (shape, *_) = list_shapes("hsp_filled", "car", root).shapes
    assert (shape.load().fields["solid"] >= hsp.shapes(root, "car")[0].load().fields["solid"]).all()


@pytest.mark.parametrize(
    ("file", "contents", "message"),
    [
        ("a.mat", b"no", "a.mat: expected a MATLAB file, found a damaged file"),
        ("a.mat", {"b": np.zeros((3, 16, 16, 16))}, "a.mat: b: expected whole numbers"),
        ("a.mat", {"b": np.zeros((3, 16, 16, 16), np.uint8)}, "a.mat: bi: expected whole numbers, found none"),
        ("a.mat", {"b": np.zeros((3, 8, 8, 8), np.uint8), "bi": np.ones((16, 16, 16), int)}, "a.mat: b, bi: expected"),
        (
            "a.mat",
            {"b": np.ones((1, 16, 16, 16), int), "bi": np.zeros((16, 16, 16), int)},
            "bi: expected numbers from 1",
        ),
        ("07.png", b"no", "07.png: expected a PNG file, found a damaged file"),
        ("07.png", Image.new("RGB", (137, 137)), "07.png: expected 137 x 137 RGBA, found 137 x 137 RGB"),
        ("07.png", Image.new("RGBA", (64, 64)), "07.png: expected 137 x 137 RGBA, found 64 x 64 RGBA"),
        ("07.png", None, "07.png: expected one of 24 images, found none"),
        ("rendering_metadata.txt", b"1 2 3\n", "rendering_metadata.txt: expected 24 lines of five numbers"),
        ("rendering_metadata.txt", b"one two\n", "rendering_metadata.txt: expected 24 lines of five numbers"),
    ],
)
def test_damage_is_reported_in_one_line_that_names_the_file(root, file, contents, message):
    (path,) = [path for path in root.rglob(file) if file == "a.mat" or "/a/" in str(path)]
    path.unlink()
    if isinstance(contents, Image.Image):
        contents.save(path)
    elif isinstance(contents, dict):
        savemat(path, contents)
    elif contents is not None:
        path.write_bytes(contents)
    with pytest.raises((ValueError, OSError)) as caught:
        hsp.shapes(root, "car")[0].load()
    assert message in str(caught.value)


def test_images_without_metadata_have_no_cameras(root):
    folder = root / hsp.RENDERINGS / CAR / "b" / "rendering"
    (folder / "rendering_metadata.txt").unlink()
    assert np.isnan(renderings.read_cameras(folder)).all()


def test_damaged_files_are_refused_or_read(root, rng):
    path = root / hsp.VOXELS / CAR / "a.mat"
    whole = path.read_bytes()
    for round_ in range(100):
        damaged = bytearray(whole)
        if round_ % 3 == 0:
            del damaged[rng.integers(len(whole)) :]
        else:
            damaged[rng.integers(len(whole) if round_ % 2 else 400)] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            assert hsp.read_solid(path).shape == (256,) * 3
        except ValueError as error:
            assert "a.mat" in str(error)


def test_missing_voxels_name_the_expected_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"modelBlockedVoxels256/02958343: expected a \.mat file for each"):
        hsp.shapes(tmp_path, "car")
