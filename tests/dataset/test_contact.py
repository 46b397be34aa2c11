"""The contact sheet: one camera for all shapes, and a visible front."""

from __future__ import annotations

import time

import numpy as np
import pytest

from imfield_jax.coordinates import grid_points
from imfield_jax.dataset.contact import HEADINGS, contact_sheet, label_slice, three_quarter
from imfield_jax.dataset.storage import open_split

TRIANGLE = (225, 95, 20)


def box(*half):
    return (np.abs(grid_points(64)) < half).all(axis=-1)


def covered(image):
    """Columns and rows of the pixels of the shape, which are neither the grey ground nor the triangle."""
    warm = image[..., 0].astype(int) - image[..., 2]
    return np.nonzero((warm > 4) & ~(image == TRIANGLE).all(axis=-1))


def test_every_shape_has_the_same_camera():
    small, large = (len(covered(three_quarter(box(*(half,) * 3)))[0]) for half in (0.15, 0.3))
    assert large / small == pytest.approx(4, rel=0.35)  # shapes are not framed individually


def test_the_longest_solid_of_preparation_fits_the_tile():
    image = three_quarter(box(0.45, 0.45, 0.45))
    lines, columns = covered(image)
    assert min(lines.min(), columns.min()) > 0 and max(lines.max(), columns.max()) < len(image) - 1


@pytest.mark.parametrize("turns", range(4))
def test_a_shape_that_faces_another_way_looks_different(turns):
    """A wedge, high at the back, with its front at -z, to the lower right; a rotation about y moves the high end."""
    points = grid_points(64)
    wedge = (np.abs(points) < 0.3).all(axis=-1) & (points[..., 1] < points[..., 2])
    straight, turned = (three_quarter(np.rot90(wedge, k, (0, 2)).copy()).astype(float) for k in (0, turns))
    difference = np.abs(straight - turned).mean()
    assert difference == 0 if turns == 0 else difference > 5


def test_the_triangle_is_in_front_of_the_shape():
    image = three_quarter(box(0.2, 0.1, 0.4))
    lines, columns = np.nonzero((image == TRIANGLE).all(axis=-1))
    shape_lines, shape_columns = covered(image)
    assert len(lines) > 20
    assert columns.mean() > np.percentile(shape_columns, 80) and lines.mean() > np.percentile(shape_lines, 80)


def test_labels_are_drawn_at_their_positions():
    solid = box(0.25, 0.25, 0.25)
    points = np.array([[32, 20, 30], [32, 50, 60], [5, 32, 32]])  # the last is far from the slice
    image = label_slice(solid, points, np.array([1, 0, 1], np.uint8))
    assert tuple(image[63 - 20, 30]) == TRIANGLE
    assert tuple(image[63 - 50, 60]) == (40, 100, 210)
    assert (image == TRIANGLE).all(axis=-1).sum() == 4


def test_a_sheet_has_a_tile_of_each_kind_for_each_row_and_is_quick(data_dir):
    split = open_split(data_dir, "train")
    start = time.perf_counter()
    sheet = contact_sheet(list(split), split.grid(64))
    assert (time.perf_counter() - start) / len(split) < 2  # 0.15 s on a quiet machine
    assert sheet.shape[1] > 3 * len(HEADINGS) * 200 and sheet.shape[0] > -(-len(split) // 3) * 200
