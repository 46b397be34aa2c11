"""Framing: the reference crop, a fixed position and size, and a white background."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import imfield_jax
from imfield_jax.framing import FAINTEST, FRAMINGS, composite, frame, object_pixels

SHIPPED = Path(imfield_jax.__file__).parent / "weights"


def reference_centre(rgba):
    """The rule, one pixel at a time."""
    view = np.zeros((128, 128), np.uint8)
    for i in range(128):
        for j in range(128):
            red, green, blue, alpha = (float(c) for c in rgba[i + 4, j + 4])
            grey = round(0.299 * red + 0.587 * green + 0.114 * blue)
            view[i, j] = round(grey * alpha / 255 + 255 * (1 - alpha / 255))
    return view


def rectangle(height, width, box=None, color=(90, 90, 90), alpha=255):
    """A rectangle (top, left, height, width) of one colour in a transparent image."""
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., :3] = (255, 0, 255)  # values under transparent pixels must not matter
    if box:
        top, left, tall, wide = box
        rgba[top : top + tall, left : left + wide] = (*color, alpha)
    return rgba


def test_centre_is_the_reference_crop():
    rgba = np.random.default_rng(0).integers(0, 256, (137, 137, 4), dtype=np.uint8)
    difference = frame(rgba, "centre")[..., 0].astype(int) - reference_centre(rgba)
    assert np.abs(difference).max() <= 1  # fixed point against floating point luminance
    assert (difference != 0).mean() < 0.01


def test_grey_levels_black_and_white_survive_compositing():
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    opaque = np.concatenate([levels, np.full((1, 256, 1), 255, np.uint8)], axis=2)
    np.testing.assert_array_equal(composite(opaque)[0], np.arange(256))
    transparent = np.concatenate([levels, np.zeros((1, 256, 1), np.uint8)], axis=2)
    assert (composite(transparent) == 255).all()
    half_black = np.array([[[0, 0, 0, 128]]], np.uint8)
    assert composite(half_black)[0, 0] == 127


@pytest.mark.parametrize("framing", FRAMINGS)
def test_colour_under_transparent_pixels_does_not_matter(framing):
    rgba = rectangle(137, 137, (40, 30, 50, 80))
    other = rgba.copy()
    other[other[..., 3] == 0, :3] = (0, 255, 0)
    view = frame(rgba, framing)[..., 0]
    np.testing.assert_array_equal(view, frame(other, framing)[..., 0])
    assert view.min() == 90 and view.max() == 255 and view.dtype == np.uint8 and view.shape == (128, 128)


def test_fit_is_bitwise_independent_of_the_position():
    rng = np.random.default_rng(1)
    patch = rng.integers(0, 256, (41, 67, 4), dtype=np.uint8)
    patch[..., 3] |= 16
    views = []
    for height, width, top, left in [(137, 137, 0, 0), (137, 137, 96, 70), (60, 200, 10, 99), (41, 67, 0, 0)]:
        rgba = rectangle(height, width)
        rgba[top : top + 41, left : left + 67] = patch
        views.append(frame(rgba, "fit")[..., 0])
    for view in views[1:]:
        np.testing.assert_array_equal(view, views[0])


def test_fit_centres_the_object_and_fills_seven_eighths():
    for top, left, tall, wide in [(3, 5, 90, 40), (60, 20, 33, 100), (10, 10, 700, 700)]:
        view = frame(rectangle(720, 720, (top, left, tall, wide)), "fit")[..., 0] < 172
        rows, columns = np.flatnonzero(view.any(axis=1)), np.flatnonzero(view.any(axis=0))
        sides = np.array([rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]])
        np.testing.assert_allclose(sides, 112 * np.array([tall, wide]) / max(tall, wide), atol=1.01)
        np.testing.assert_allclose([rows.mean(), columns.mean()], 63.5, atol=0.51)


def disc(size, radius, center):
    """A shaded disc drawn at any scale, antialiased by 4x4 samples."""
    axis = (np.arange(size * 4) + 0.5) / 4
    x, y = np.meshgrid(axis - center[0], axis - center[1])
    inside = np.hypot(x, y) < radius
    shade = np.where(inside, 120 + 80 * x / radius, 0)
    samples = np.stack([shade, inside]).reshape(2, size, 4, size, 4).mean(axis=(2, 4))
    grey = samples[0] / np.maximum(samples[1], 1e-9)
    return np.stack([grey, grey, grey, 255 * samples[1]], axis=2).round().astype(np.uint8)


def test_fit_is_nearly_independent_of_the_scale():
    small = frame(disc(137, 40.3, (61.2, 70.7)), "fit")[..., 0].astype(float)
    large = frame(disc(512, 201.7, (260.1, 255.0)), "fit")[..., 0].astype(float)
    # The bounding box is whole pixels, up to one too many on each side of the small disc.
    assert np.abs(small - large).mean() < 4


def test_centre_treats_other_sizes_as_the_whole_rendering():
    """A rendering twice as large, or one without its transparent sides, gives nearly the same view."""
    rgba = disc(274, 90, (137, 120))
    half = frame(disc(137, 45, (68.5, 60)), "centre")[..., 0].astype(float)
    assert np.abs(frame(rgba, "centre")[..., 0] - half).mean() < 1.0
    narrow = disc(137, 45, (68.5, 60))
    np.testing.assert_array_equal(frame(narrow[:, 20:117], "centre")[..., 0], frame(narrow, "centre")[..., 0])


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("alpha", [8, 9, 60, 127])
def test_faint_pixels_apart_from_the_object_are_not_the_object(framing, alpha):
    rgba = rectangle(137, 137, (50, 50, 30, 30))
    dusty = rgba.copy()
    dusty[0, 0] = dusty[-9:, -9:] = (0, 0, 0, alpha)
    if alpha > FAINTEST:
        np.testing.assert_array_equal(frame(rgba, framing)[..., 0], frame(dusty, framing)[..., 0])
    np.testing.assert_array_equal(object_pixels(rgba[..., 3]), object_pixels(dusty[..., 3]))


def test_thin_and_transparent_parts_that_touch_the_object_belong_to_it():
    alpha = np.zeros((60, 60), np.uint8)
    alpha[20:40, 20:40] = 255
    alpha[25:30, 25:35] = 150  # a window
    alpha[np.arange(20), np.arange(20)] = 40  # a diagonal spoke, thinner than a pixel
    np.testing.assert_array_equal(object_pixels(alpha), alpha > 0)
    np.testing.assert_array_equal(object_pixels(alpha // 3), alpha // 3 > FAINTEST)  # nothing is opaque


def reference_object_pixels(alpha):
    """Flood fill from each opaque pixel, one neighbour at a time."""
    mask, front = np.zeros(alpha.shape, bool), list(zip(*np.nonzero(alpha >= 128), strict=True))
    while front:
        i, j = front.pop()
        if 0 <= i < len(alpha) and 0 <= j < len(alpha[0]) and alpha[i, j] > 8 and not mask[i, j]:
            mask[i, j] = True
            front += [(i + a, j + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return mask


def test_object_pixels_are_those_connected_to_opaque_ones(rng):
    for _ in range(20):
        alpha = np.where(rng.random((30, 40)) < 0.35, rng.integers(0, 256, (30, 40)), 0).astype(np.uint8)
        np.testing.assert_array_equal(object_pixels(alpha), reference_object_pixels(alpha))


@pytest.mark.parametrize("category", ["airplane", "car", "chair"])
def test_clean_renderings_are_framed_as_the_shipped_weights_were_trained(category):
    """Bit for bit: the bounding box of alpha > 8, and nothing changed within it."""
    rgba = np.asarray(Image.open(SHIPPED / f"{category}.png").convert("RGBA"))
    visible = rgba[..., 3] > FAINTEST
    np.testing.assert_array_equal(object_pixels(rgba[..., 3]), visible)
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    tight = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = max(tight.shape) / 0.875
    canvas = np.full((3 * max(tight.shape),) * 2, 255, np.uint8)
    middle = max(tight.shape)
    canvas[middle : middle + len(tight), middle : middle + len(tight[0])] = composite(tight)
    left, top = middle + (len(tight[0]) - side) / 2, middle + (len(tight) - side) / 2
    box = (left, top, left + side, top + side)
    expected = np.asarray(Image.fromarray(canvas).resize((128, 128), Image.Resampling.BILINEAR, box=box))
    assert np.abs(frame(rgba, "fit")[..., 0].astype(int) - expected).max() <= 1  # the window starts elsewhere: rounding


def test_input_is_not_changed():
    rgba = rectangle(137, 137, (50, 50, 30, 30))
    before = rgba.copy()
    for framing in FRAMINGS:
        frame(rgba, framing)[..., 0]
    np.testing.assert_array_equal(rgba, before)


@pytest.mark.parametrize(
    "rgba, framing, message",
    [
        (rectangle(20, 20), "fit", "empty"),
        (rectangle(20, 20, (2, 2, 9, 9), alpha=8), "centre", "empty"),
        (np.zeros((20, 20, 3), np.uint8), "fit", "expected uint8"),
        (np.ones((20, 20, 4), np.float32), "fit", "expected uint8"),
        (rectangle(20, 20, (2, 2, 9, 9)), "center", "fit, centre"),
        (np.zeros((0, 0, 4), np.uint8), "fit", "empty"),
    ],
)
def test_bad_input_is_one_clear_line(rgba, framing, message):
    with pytest.raises(ValueError, match=message) as error:
        frame(rgba, framing)[..., 0]
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_views_of_other_sizes_show_the_same_square(framing):
    rgba = disc(512, 150.3, (240.1, 265.0))
    views = [frame(rgba, framing, size).astype(float) for size in (128, 256, 64)]
    assert [view.shape[:2] for view in views] == [(128, 128), (256, 256), (64, 64)]
    halved = views[1].reshape(128, 2, 128, 2, -1).mean(axis=(1, 3))
    assert np.abs(halved - views[0]).mean() < 1
    assert np.abs(views[0].reshape(64, 2, 64, 2, -1).mean(axis=(1, 3)) - views[2]).mean() < 1


def test_the_second_channel_of_matte_is_the_transparency_framed_as_the_object():
    rng = np.random.default_rng(5)
    rgba = rectangle(90, 120, (20, 30, 40, 70))
    rgba[20:60, 30:100, 3] = rng.integers(9, 256, (40, 70))
    rgba[0, 0, 3] = 60  # dust
    matte = frame(rgba, "matte")
    assert matte.shape == (128, 128, 2)
    np.testing.assert_array_equal(matte[..., :1], frame(rgba, "fit"))
    silhouette = rgba.copy()
    silhouette[..., :3] = 0  # black on white: what is not white is the object
    np.testing.assert_array_equal(matte[..., 1:], frame(silhouette, "fit"))


def test_white_on_white_is_seen_in_the_second_channel_only():
    view = frame(rectangle(60, 60, (10, 10, 30, 40), color=(255, 255, 255)), "matte")
    assert (view[..., 0] == 255).all() and view[64, 64, 1] == 0 and view[0, 0, 1] == 255


def test_colours_of_a_grey_image_are_its_luminance(rng):
    grey = np.repeat(rng.integers(0, 256, (40, 30, 1), np.uint8), 3, axis=-1)
    rgba = np.concatenate([grey, rng.integers(0, 256, (40, 30, 1), np.uint8)], axis=-1)
    in_colour, matte = frame(rgba, "colour", 64), frame(rgba, "matte", 64)
    np.testing.assert_array_equal(in_colour[..., 3], matte[..., 1])
    for channel in range(3):  # blended on white in another order of rounding
        assert np.abs(in_colour[..., channel].astype(int) - matte[..., 0]).max() <= 1
    red = rgba * np.array([1, 0, 0, 1], np.uint8)
    assert frame(red, "colour", 64)[..., 0].astype(int).sum() > frame(red, "colour", 64)[..., 1].astype(int).sum()
