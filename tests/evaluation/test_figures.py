"""Figures: where tiles land, what stands for an empty mesh, and that text stays inside its column."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from imfield_jax import coordinates
from imfield_jax.camera import Camera
from imfield_jax.evaluation import figures
from imfield_jax.evaluation.figures import Row
from imfield_jax.mesh.voxel_surface import true_surface
from imfield_jax.types import Mesh

CAMERA = Camera(azimuth_radians=0.6, elevation_radians=0.4, distance=1.6, fov_radians=0.8)
NOTHING = Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))


def ball(radius: float) -> Mesh:
    return true_surface(np.linalg.norm(coordinates.grid_points(32), axis=-1) < radius)


def flat(*color: int) -> np.ndarray:
    return np.full((20, 20, 3), color, np.uint8)


def boxes_of(figure: np.ndarray, color: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Bounding box (left, top, right, bottom) of all pixels of one colour."""
    y, x = np.nonzero((figure == color).all(axis=-1))
    return int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1


def test_tiles_stand_in_columns_groups_and_lines():
    colors = np.random.default_rng(0).integers(1, 200, (5, 2, 3))
    rows = [Row(tuple(flat(*cell) for cell in row)) for row in colors]
    figure = figures.table(rows, groups=2, tile=40)
    boxes = [[boxes_of(figure, tuple(cell)) for cell in row] for row in colors]
    for left, top, right, bottom in itertools.chain(*boxes):
        assert (right - left, bottom - top) == (40, 40)
    tops = [row[0][1] for row in boxes]
    assert tops[0] == tops[1] < tops[2] == tops[3] < tops[4]  # row i at line i // groups
    assert boxes[0][0][0] < boxes[0][1][0] < boxes[1][0][0] < boxes[1][1][0]
    assert boxes[0][0][0] == boxes[2][0][0] == boxes[4][0][0]
    assert figure.shape[1] >= boxes[1][1][2]


def test_empty_lines_and_missing_captions_take_no_room():
    plain = figures.table([Row((flat(0, 0, 0),))] * 2, groups=8, tile=40)
    captioned = figures.table([Row((flat(0, 0, 0),), caption="IoU 0.9")] * 2, groups=8, tile=40)
    assert plain.shape[1] < 2 * 70
    assert captioned.shape[0] > plain.shape[0] + 10


@pytest.mark.parametrize("shape", [(137, 137, 4), (64, 100), (30, 20, 3)])
def test_images_keep_their_proportions_over_white(shape):
    cell = np.zeros(shape, np.uint8)
    if shape[-1] == 4:
        cell[40:100, :, 3] = 255  # a black band, transparent around
    figure = figures.table([Row((cell,))], tile=80)
    left, top, right, bottom = boxes_of(figure, (0, 0, 0))
    expected = {4: 137 / 60, 100: 100 / 64, 3: 20 / 30}[shape[-1]]
    assert (right - left) / (bottom - top) == pytest.approx(expected, rel=0.07)
    assert (figure[0, 0] == 255).all()


def test_three_columns_show_input_reconstruction_and_truth():
    rows = [Row((np.full((128, 128), 90, np.uint8), ball(0.2), ball(0.4)), CAMERA, "car/1  IoU 0.93")] * 4
    figure = figures.three_columns(rows, groups=2, tile=96)
    assert figure.dtype == np.uint8
    # Both balls are there, the true one larger.
    first = figure[:, : figure.shape[1] // 2]
    third = first.shape[1] // 3
    small, large = (((part < 235).any(axis=-1)).sum() for part in (first[:, third : 2 * third], first[:, 2 * third :]))
    assert 0 < small < large


def test_without_a_camera_a_row_is_seen_at_the_scale_of_its_truth():
    def covered(*cells):
        figure = figures.table([Row(cells)], tile=96)
        width = figure.shape[1] // len(cells)
        parts = (figure[:, i * width : (i + 1) * width] for i in range(len(cells)))
        return [(part < 200).any(axis=-1).mean() for part in parts]

    alone, pair = covered(ball(0.2)), covered(ball(0.2), ball(0.4))
    assert pair[1] == pytest.approx(alone[0], rel=0.1)
    assert pair[0] < 0.5 * pair[1]
    assert covered(ball(0.4), NOTHING)[0] == pytest.approx(pair[1], rel=0.1)


def test_an_empty_mesh_is_marked():
    blank, marked = (figures.table([Row((cell,), CAMERA)], tile=80) for cell in (flat(255, 255, 255), NOTHING))
    assert (blank == 255).all()
    assert (marked < 100).any()


def test_text_that_is_too_long_is_shortened_and_stays_in_its_group():
    rows = [
        Row((flat(255, 255, 255),), caption="a very long name of a shape " * 3),
        Row((flat(255, 255, 255),)),
    ]
    figure = figures.table(rows, groups=2, tile=60)
    ink = (figure < 100).all(axis=-1).any(axis=0)
    assert ink[: figure.shape[1] // 2].any()
    assert not ink[figure.shape[1] // 2 :].any()


def test_bad_rows_are_refused():
    with pytest.raises(ValueError, match="at least one row"):
        figures.table([])
    with pytest.raises(ValueError, match="same 1 columns"):
        figures.table([Row((flat(0, 0, 0),))], headings=("a", "b"))
