"""Pictures as users have them: every storage form gives the same object, every bad file one clear line."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from skimage import data

from imfield_jax.framing import frame
from imfield_jax.inference import photo
from imfield_jax.inference.backdrop import object_mask

SIZE = 128


def disc(height=SIZE, width=SIZE, radius=0.3, hole=0.0):
    """A round object, darker to the right: its [H, W] mask and [H, W, 3] uint8 colours."""
    y, x = np.mgrid[:height, :width] + 0.5
    distance = np.hypot(y / height - 0.5, x / width - 0.5)
    shade = np.round(160 - 100 * x / width).astype(np.uint8)
    return (distance < radius) & (distance >= hole), np.dstack([shade, shade // 2, shade // 3])


def cut_out(mask, rgb):
    return np.dstack([rgb, np.where(mask, 255, 0).astype(np.uint8)])


def before(backdrop, mask, rgb):
    return np.where(mask[..., None], rgb, np.clip(backdrop, 0, 255)).astype(np.uint8)


def saved(path, pixels, mode=None, **options):
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def encoded(pixels, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width, height):
    """A PNG that claims to be width x height and holds next to nothing."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    size = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def overlap(mask, other):
    return (mask & other).sum() / (mask | other).sum()


def refusal(path):
    """The one line with which a picture is refused; it names the file."""
    with pytest.raises(ValueError) as caught:
        photo.read_picture(path)
    message = str(caught.value)
    assert path.name in message and "\n" not in message
    return message


# What a picture with transparency holds, however it is stored.


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_pixels_and_alpha_come_back_as_they_were_saved(tmp_path, suffix):
    rgba = cut_out(*disc())
    picture = photo.read_picture(
        saved(tmp_path / f"a.{suffix}", rgba, **{"lossless": True} if suffix == "webp" else {})
    )
    np.testing.assert_array_equal(picture.rgba[..., 3], rgba[..., 3])
    visible = rgba[..., 3] > 0  # WebP may drop the colour of what cannot be seen
    np.testing.assert_array_equal(picture.rgba[visible], rgba[visible])
    assert picture.notes == []


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_a_palette_with_a_transparent_colour_is_transparent_there(tmp_path, suffix):
    mask, _ = disc()
    image = Image.fromarray(np.where(mask, 1, 0).astype(np.uint8), "L").convert("P")
    image.putpalette([255, 0, 0, 10, 20, 30])
    picture = photo.read_picture(saved(tmp_path / f"a.{suffix}", image, transparency=0))
    np.testing.assert_array_equal(picture.rgba[..., 3] == 255, mask)
    np.testing.assert_array_equal(picture.rgba[mask][:, :3], np.tile([10, 20, 30], (mask.sum(), 1)))


def test_grey_with_alpha_is_read_as_grey(tmp_path):
    mask, rgb = disc()
    image = Image.merge("LA", [Image.fromarray(rgb[..., 0]), Image.fromarray(np.uint8(255) * mask)])
    picture = photo.read_picture(saved(tmp_path / "a.png", image))
    for channel in range(3):
        np.testing.assert_array_equal(picture.rgba[..., channel], rgb[..., 0])


def test_the_camera_orientation_is_applied(tmp_path):
    rgba = cut_out(*disc(64, 96))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    picture = photo.read_picture(saved(tmp_path / "a.png", rgba, exif=exif))
    np.testing.assert_array_equal(picture.rgba, np.rot90(rgba, -1))


def test_large_pictures_are_reduced_and_hidden_colours_do_not_bleed(tmp_path):
    rgba = cut_out(*disc(3000, 1500))
    rgba[rgba[..., 3] == 0, :3] = (0, 255, 0)
    picture = photo.read_picture(saved(tmp_path / "a.png", rgba, compress_level=1))
    assert picture.rgba.shape == (1024, 512, 4)
    solid = picture.rgba[..., 3] > 200
    assert (picture.rgba[solid][:, 1] <= picture.rgba[solid][:, 0]).all()
    assert "reduced from 3000 to 1024" in picture.notes[0]


# Pictures without transparency.


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.png", "RGB"),
        ("a.png", "RGBA"),
        ("a.jpg", "RGB"),
        ("a.jpg", "CMYK"),
        ("a.jpg", "L"),
        ("a.bmp", "RGB"),
        ("a.webp", "RGB"),
        ("a.tif", "CMYK"),
        ("a.gif", "P"),
        ("a.png", "P"),
        ("a.png", "L"),
    ],
)
def test_a_plain_background_is_removed_whatever_the_storage(tmp_path, name, mode):
    mask, rgb = disc()
    picture = photo.read_picture(saved(tmp_path / name, before([250, 250, 250], mask, rgb), mode))
    assert overlap(picture.rgba[..., 3] > 0, mask) > 0.95
    assert picture.notes == ["the picture has no transparency: its plain background was removed"]


def test_sixteen_bits_keep_their_brightness(tmp_path):
    mask, rgb = disc()
    grey = np.where(mask, rgb[..., 0], 250).astype(np.uint8)
    deep = saved(tmp_path / "deep.png", grey.astype(np.uint16) * 257)
    shallow = saved(tmp_path / "shallow.png", grey)
    np.testing.assert_array_equal(photo.read_picture(deep).rgba, photo.read_picture(shallow).rgba)


BACKDROPS = {
    "white": lambda y, x, noise: np.full((*y.shape, 3), 255.0),
    "green": lambda y, x, noise: np.ones((*y.shape, 3)) * [60, 180, 80],
    "gradient": lambda y, x, noise: (170 + 80 * y)[..., None] * np.ones(3),
    "vignette": lambda y, x, noise: (240 - 100 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))[..., None] * [1, 0.97, 0.9],
    "noisy": lambda y, x, noise: 220 + 5 * noise,
}


@pytest.mark.parametrize("quality", [95, 75])
@pytest.mark.parametrize("backdrop", BACKDROPS)
def test_the_object_is_found_before_plain_backdrops_in_jpeg_photos(tmp_path, backdrop, quality, rng):
    mask, rgb = disc(256, 256, hole=0.15)
    y, x = np.mgrid[:256, :256] / 256
    pixels = before(BACKDROPS[backdrop](y, x, rng.normal(size=(256, 256, 3))), mask, rgb)
    picture = photo.read_picture(saved(tmp_path / "a.jpg", pixels, quality=quality))
    found = picture.rgba[..., 3] > 0
    assert overlap(found, mask) > 0.93
    assert not found[118:138, 118:138].any(), "the hole of the ring shows the backdrop"


def test_highlights_in_the_colour_of_the_backdrop_do_not_pierce_the_object():
    mask, rgb = disc(256, 256)
    rgb[126:130, 126:130] = 255
    assert object_mask(before([255, 255, 255], mask, rgb))[126:130, 126:130].all()


def test_specks_are_left_out_and_an_object_may_touch_one_side():
    mask, rgb = disc(128, 128)
    pixels = before([255, 255, 255], mask, rgb)
    pixels[5:7, 5:7] = 0
    assert overlap(object_mask(pixels), mask) > 0.95
    lowered = np.roll(mask, 40, axis=0)
    assert lowered[-1].any()
    assert overlap(object_mask(before([255, 255, 255], lowered, rgb)), lowered) > 0.95


def test_turning_and_mirroring_the_picture_turns_and_mirrors_the_mask(rng):
    mask, rgb = disc(120, 160, hole=0.1)
    pixels = before(230 + 4 * rng.normal(size=(120, 160, 3)), mask, rgb)
    expected = object_mask(pixels)
    assert overlap(object_mask(pixels[:, ::-1])[:, ::-1], expected) > 0.999
    assert overlap(np.rot90(object_mask(np.rot90(pixels)), -1), expected) > 0.999


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut", "rocket"])
def test_photos_before_busy_backgrounds_are_refused_with_advice(tmp_path, name):
    message = refusal(saved(tmp_path / "photo.jpg", getattr(data, name)()))
    assert "no transparency" in message and "save it as PNG" in message


def test_what_runs_through_the_picture_is_refused():
    _, rgb = disc(100, 100)
    tee = np.zeros((100, 100), bool)
    tee[45:55] = tee[50:, 45:55] = True
    with pytest.raises(ValueError, match="reaches 3 sides"):
        object_mask(before([255, 255, 255], tee, rgb))


def test_a_picture_of_nothing_is_refused(tmp_path):
    assert "nothing in it stands out" in refusal(saved(tmp_path / "a.png", np.full((64, 64, 3), 200, np.uint8)))


# Warnings that go to the user.


def test_what_may_spoil_the_result_is_noted(tmp_path):
    mask, rgb = disc(64, 64, radius=0.2)
    assert "only 26 pixels" in photo.read_picture(saved(tmp_path / "a.png", cut_out(mask, rgb))).notes[0]
    mask, rgb = disc(200, 200)
    at_the_edge = cut_out(np.roll(mask, -80, axis=1), rgb)
    at_the_edge[:, 120:, 3] = 0
    assert "(left)" in photo.read_picture(saved(tmp_path / "b.png", at_the_edge)).notes[0]
    white = cut_out(mask, np.full_like(rgb, 250))
    assert "almost white" in photo.read_picture(saved(tmp_path / "c.png", white)).notes[0]


def test_the_view_shows_what_the_picture_shows(tmp_path):
    mask, rgb = disc(256, 256)
    transparent = photo.read_picture(saved(tmp_path / "a.png", cut_out(mask, rgb)))
    keyed = photo.read_picture(saved(tmp_path / "b.png", before([255, 255, 255], mask, rgb)))
    one, other = frame(transparent.rgba, "fit"), frame(keyed.rgba, "fit")
    assert one.shape == (128, 128) and one.dtype == np.uint8
    assert np.abs(one.astype(float) - other).mean() < 2


# Files that are no such picture.


def test_files_that_cannot_be_pictures_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        photo.read_picture(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="is not a file"):
        photo.read_picture(tmp_path)
    for name, content, words in [
        ("empty.png", b"", "is empty"),
        ("text.png", b"not a picture at all", "not a picture"),
        ("vector.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        ("header.png", b"\x89PNG\r\n\x1a\n", "not a picture|damaged"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=words):
            photo.read_picture(tmp_path / name)


def test_sizes_out_of_bounds_are_refused_before_anything_is_decoded(tmp_path):
    for size, words in [
        ((60_000, 60_000), "at most"),
        ((10_000, 9_000), "at most"),
        ((2000, 20), "strip"),
        ((300, 15), "16"),
    ]:
        bomb = tmp_path / "bomb.png"
        bomb.write_bytes(png_header(*size))
        assert words in refusal(bomb)


def test_invisible_and_tiny_objects_are_refused(tmp_path):
    mask, rgb = disc()
    assert "transparent" in refusal(saved(tmp_path / "a.png", cut_out(mask & False, rgb)))
    dot = np.zeros_like(mask)
    dot[40:47, 40:44] = True
    assert "7 pixels" in refusal(saved(tmp_path / "b.png", cut_out(dot, rgb)))
    assert "'F'" in refusal(saved(tmp_path / "c.tif", np.ones((64, 64), np.float32)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_damaged_files_never_end_in_anything_but_a_value_error(tmp_path, kind, rng):
    mask, rgb = disc(48, 48)
    whole = encoded(before([250, 250, 250], mask, rgb), kind)
    path, refused = tmp_path / "a.bin", 0
    cuts = [whole[: int(cut)] for cut in np.linspace(1, len(whole) - 1, 25)]
    flips = []
    for _ in range(60):
        flipped = bytearray(whole)
        # Half of the damage hits the header, where the lengths and sizes are.
        for place in rng.integers(0, min(len(whole), rng.choice([64, len(whole)])), rng.integers(1, 4)):
            flipped[place] ^= 1 << rng.integers(8)
        flips.append(bytes(flipped))
    for damaged in cuts + flips:
        path.write_bytes(damaged)
        try:
            picture = photo.read_picture(path)
        except ValueError as error:
            refused += 1
            assert "a.bin" in str(error)
        else:
            assert picture.rgba.dtype == np.uint8 and picture.rgba.shape[2] == 4
    assert refused >= 20, "cutting a file short should be noticed"


# Lists of pictures.


def test_folders_are_listed_in_natural_order_and_files_as_given(tmp_path):
    for name in ["10.png", "9.JPG", "a2.webp", "a10.webp", ".hidden.png", "notes.txt"]:
        (tmp_path / name).touch()
    (tmp_path / "1.png").mkdir()
    (tmp_path / "odd.ext").touch()
    listed = photo.list_pictures([tmp_path / "odd.ext", tmp_path])
    assert [path.name for path in listed] == ["odd.ext", "9.JPG", "10.png", "a2.webp", "a10.webp"]


def test_lists_without_pictures_are_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no pictures"):
        photo.list_pictures([tmp_path])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        photo.list_pictures([tmp_path / "nowhere"])
    with pytest.raises(ValueError, match="no pictures were named"):
        photo.list_pictures([])
