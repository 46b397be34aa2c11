"""Corrections by hand: what a person says holds, spreads over what looks alike, and changes nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imfield_jax.inference.photo import read_image
from imfield_jax.inference.scribbles import corrected, read_scribbles, scaled

RED, GREEN, GREY = (200, 40, 30), (30, 160, 60), (120, 120, 130)
SIDE = 96


def disc(x: float, y: float, radius: float, side: int = SIDE) -> np.ndarray:
    rows, columns = np.mgrid[:side, :side]
    return np.hypot(columns - x, rows - y) < radius


@pytest.fixture
def picture(rng):
    """A red disc, which a matte shows without its upper half, and a green one beside it, which the matte includes."""
    rgb = np.tile(np.array(GREY), (SIDE, SIDE, 1))
    wanted, other = disc(34, 48, 22), disc(74, 48, 12)
    rgb[wanted], rgb[other] = RED, GREEN
    rgb = np.clip(rgb + rng.normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)
    matte = ((wanted & (np.arange(SIDE)[:, None] > 44)) | other).astype(np.float32)
    return rgb, matte, wanted, other


def test_a_stroke_takes_what_looks_like_it_along_and_leaves_the_rest(picture):
    rgb, matte, wanted, other = picture
    said = np.zeros((SIDE, SIDE), np.int8)
    said[46:50, 70:78] = -1
    without = corrected(rgb, matte, said)
    assert (without[other] < 0.5).all()
    far = ~disc(74, 48, 18)
    np.testing.assert_array_equal(without[far], matte[far])
    said[34:38, 30:38] = 1
    both = corrected(rgb, matte, said)
    assert ((both > 0.5) != wanted).mean() < 0.01


def test_what_was_said_holds_and_nothing_said_changes_nothing(rng):
    for _ in range(5):
        rgb = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
        matte = rng.random((40, 60)).astype(np.float32)
        said = rng.choice(np.array([-1, 0, 0, 0, 1], np.int8), (40, 60))
        found = corrected(rgb, matte, said)
        np.testing.assert_array_equal(found[said != 0], said[said != 0] > 0)
        np.testing.assert_array_equal(corrected(rgb, matte, np.zeros_like(said)), matte)


def test_a_rectangle_takes_away_what_is_beyond_it_and_says_nothing_about_the_rest(picture):
    rgb, matte, _, _ = picture
    said = np.full((SIDE, SIDE), -1, np.int8)
    said[20:80, 8:60] = 0
    np.testing.assert_array_equal(corrected(rgb, matte, said), np.where(said == 0, matte, 0))


@pytest.mark.parametrize("side", [96, 3000])
def test_the_object_in_the_rectangle_is_the_one_that_is_seen(side):
    """Of two before a plain background; in a large image with the pixels that it has there."""
    unit = side / 96
    rgb = np.full((side, side, 3), 235, np.uint8)
    one, other = disc(30 * unit, 48 * unit, 12 * unit, side), disc(74 * unit, 48 * unit, 12 * unit, side)
    rgb[one], rgb[other] = RED, GREEN
    assert any(note.startswith("several separate objects") for note in read_image(rgb).notes)
    marks = np.zeros((192, 192, 4), np.uint8)
    marks[..., 3] = 255
    marks[60:132, 28:92, 3] = 0
    photo = read_image(rgb, scribbles=marks)
    opaque = photo.rgba[..., 3] > 127
    assert not any(note.startswith(("several", "the object reaches")) for note in photo.notes)
    assert "the cut-out was corrected by hand" in photo.notes and photo.cut_out
    np.testing.assert_allclose(photo.rgba[opaque][:, :3].mean(axis=0), RED, atol=6)
    assert opaque.sum() > 0.6 * one.sum()


def test_an_object_that_nothing_finds_can_be_painted(rng):
    rgb = rng.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    with pytest.raises(ValueError, match="background"):
        read_image(rgb, matte="border")
    wanted = disc(40, 40, 20)
    marks = np.where(wanted[..., None], 255, np.uint8([0, 0, 0, 255])).astype(np.uint8)
    photo = read_image(rgb, matte="border", crop=False, scribbles=marks)
    np.testing.assert_array_equal(photo.rgba[..., 3] > 127, wanted)


def test_scribbles_are_read_by_brightness_and_thin_ones_outlast_scaling(tmp_path):
    marks = np.zeros((400, 800, 4), np.uint8)
    marks[100, :, :] = 255
    marks[:, 300, 3] = 255
    Image.fromarray(marks).save(tmp_path / "marks.png")
    said = read_scribbles(tmp_path / "marks.png", (1601, 800))
    assert (said[100] == 1).all() and said.sum() == 800 - 399
    small = scaled(said, 160, 80)
    assert (small[20] == 1).all() and (np.delete(small[:, 60], 20) == -1).all() and (small != 0).sum() == 160 + 79


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        (np.zeros((50, 50, 4), np.uint8), "found only transparency"),
        (np.full((50, 90, 4), 255, np.uint8), "expected the proportions of the picture, 96 x 96, found 90 x 50"),
        (np.full((50, 50, 4), np.uint8([0, 0, 0, 255])), "the whole picture is background"),
        (b"no image", "expected"),
    ],
)
def test_scribbles_that_say_nothing_are_refused(picture, marks, message):
    with pytest.raises(ValueError, match=message):
        read_image(picture[0], scribbles=marks)
