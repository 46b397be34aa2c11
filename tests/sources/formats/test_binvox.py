"""Voxels of binvox: written and read again, in the order and the coordinates of the format."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imfield_jax.coordinates import grid_points
from imfield_jax.preparation.record import Settings, make_record
from imfield_jax.sources import folder, hsp, r2n2
from imfield_jax.sources.formats import binvox

HEADER = b"#binvox 1\ndim 4 4 4\ntranslate -0.5 -0.5 -0.5\nscale 1\ndata\n"  # as IM-NET's authors have it


def ball(resolution, center, radius, low, side):
    """A ball given in the coordinates of its grid."""
    points = (grid_points(resolution) + 0.5) * side + low
    return binvox.Grid(np.linalg.norm(points - center, axis=-1) < radius, np.array(low), side)


@pytest.mark.parametrize("density", [0.0, 0.02, 0.5, 1.0])
def test_written_voxels_are_read_back(density, rng, tmp_path):
    grid = binvox.Grid(rng.random((20, 20, 20)) < density, np.array([-1.5, 0.25, 3e-7]), 1.7)
    binvox.write(tmp_path / "a.binvox", grid)
    found = binvox.read(tmp_path / "a.binvox")
    np.testing.assert_array_equal(found.full, grid.full, strict=True)
    np.testing.assert_array_equal(found.low, grid.low)
    assert found.side == grid.side


def test_y_runs_fastest_and_x_slowest(tmp_path):
    x, y, z = 3, 1, 2
    before = x * 16 + z * 4 + y
    (tmp_path / "a.binvox").write_bytes(HEADER + bytes([0, before, 1, 1, 0, 63 - before]))
    assert np.argwhere(binvox.read(tmp_path / "a.binvox").full).tolist() == [[x, y, z]]


def test_the_surface_of_a_ball_has_its_position_and_volume():
    center, radius = np.array([0.3, -0.2, 1.0]), 0.4
    mesh = binvox.surface(ball(64, center, radius, [-0.5, -1.0, 0.2], 1.6))
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    np.testing.assert_allclose(mesh.vertices.mean(axis=0), center, atol=1e-3)
    assert volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.01)


def test_a_solid_is_where_its_voxels_are_and_a_shell_is_filled():
    grid = ball(40, np.array([0.1, 0.0, -0.1]), 0.18, [-0.4, -0.3, -0.45], 0.7)
    shell = grid.full & ~ball(40, np.array([0.1, 0.0, -0.1]), 0.12, [-0.4, -0.3, -0.45], 0.7).full
    centres = grid_points(256)
    cells = np.floor((centres - grid.low) / grid.side * 40).astype(int)
    within = ((cells >= 0) & (cells < 40)).all(axis=-1)
    expected = np.zeros((256,) * 3, bool)
    expected[within] = grid.full[tuple(cells[within].T)]
    np.testing.assert_array_equal(binvox.solid(binvox.Grid(shell, grid.low, grid.side)), expected)


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (b"", "expected a binvox file"),
        (b"#binvox 1\ndim 4 4 4\n", "expected a binvox file"),
        (HEADER.replace(b"4 4 4", b"4 4 5") + bytes([0, 64]), "dim: expected three equal numbers"),
        (HEADER.replace(b"4 4 4", b"400000 400000 400000") + bytes([0, 64]), "dim: expected three equal numbers"),
        (HEADER.replace(b"scale 1", b"scale nan") + bytes([0, 64]), "translate, scale: expected"),
        (HEADER.replace(b"scale 1", b"scale one") + bytes([0, 64]), "lines of dim, translate and scale"),
        (HEADER.replace(b"scale 1\n", b"") + bytes([0, 64]), "lines of dim, translate and scale"),
        (HEADER + bytes([0, 63]), r"data: expected runs of 0 and 1 for 4\^3 voxels, found 63"),
        (HEADER + bytes([0, 63, 7, 1]), "data: expected runs of 0 and 1"),
        (HEADER + bytes([0, 64, 1]), "data: expected runs of 0 and 1"),
        (HEADER, r"data: expected runs of 0 and 1 for 4\^3 voxels, found 0"),
    ],
)
def test_damage_is_reported_in_one_line(contents, expected, tmp_path):
    path = tmp_path / "a.binvox"
    path.write_bytes(contents)
    with pytest.raises(ValueError, match=rf"a\.binvox: .*{expected}|a\.binvox: {expected}"):
        binvox.read(path)


def test_a_folder_of_voxels_is_prepared_like_one_of_meshes(tmp_path):
    binvox.write(tmp_path / "ball.binvox", ball(64, np.array([5.0, 3.0, 1.0]), 2.0, [2.5, 0.5, -1.5], 5.0))
    (shape,) = folder.shapes(tmp_path, "ball")
    record = make_record(shape, Settings(labels="exact", views=1))
    inside = np.linalg.norm(grid_points(256), axis=-1) < 2.0 * record.scale
    assert (record.solid & inside).sum() / (record.solid | inside).sum() > 0.98


def test_r2n2_has_voxels_and_images(tmp_path):
    front = np.zeros((32, 32, 32), bool)
    front[20:30, 4:20, 10:22] = True  # towards +x, which is the front in the axes of v1
    for model in "abcde":
        voxels = tmp_path / r2n2.VOXELS / "02958343" / model / r2n2.FILE
        images = tmp_path / "ShapeNetRendering" / "02958343" / model / "rendering"
        voxels.parent.mkdir(parents=True)
        images.mkdir(parents=True)
        binvox.write(voxels, binvox.Grid(front, np.full(3, -0.5), 1.0))
        for number in range(24):
            Image.new("RGBA", (137, 137), (number, 0, 0, 255)).save(images / f"{number:02d}.png")
    shapes = r2n2.shapes(tmp_path, "car")
    assert [shape.split for shape in shapes] == ["train"] * 4 + ["test"]
    record = make_record(shapes[0], Settings())
    expected = hsp.to_v2(front.repeat(8, 0).repeat(8, 1).repeat(8, 2))
    np.testing.assert_array_equal(record.solid, expected)
    assert np.argwhere(record.solid)[:, 2].mean() < 128  # -z
    assert record.views[7, 0, 0, 0] == 7
