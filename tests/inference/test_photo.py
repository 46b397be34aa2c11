"""Images as users have them: every storage form gives the same object, every bad file one clear line."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from skimage import data

from imfield_jax.framing import frame
from imfield_jax.inference import image_file, photo
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


def refusal(path, **options):
    """The one line with which an image is refused; it names the file."""
    with pytest.raises(ValueError) as caught:
        photo.read_image(path, **options)
    message = str(caught.value)
    assert path.name in message and "\n" not in message
    return message


# Images with transparency, however they are stored.


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_pixels_and_alpha_come_back_as_they_were_saved(tmp_path, suffix):
    rgba = cut_out(*disc())
    found = photo.read_image(saved(tmp_path / f"a.{suffix}", rgba, **{"lossless": True} if suffix == "webp" else {}))
    np.testing.assert_array_equal(found.rgba[..., 3], rgba[..., 3])
    visible = rgba[..., 3] > 0  # WebP may drop the colour of what cannot be seen
    np.testing.assert_array_equal(found.rgba[visible], rgba[visible])
    assert found.notes == []


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_a_palette_with_a_transparent_colour_is_transparent_there(tmp_path, suffix):
    mask, _ = disc()
    image = Image.fromarray(np.where(mask, 1, 0).astype(np.uint8), "L").convert("P")
    image.putpalette([255, 0, 0, 10, 20, 30])
    found = photo.read_image(saved(tmp_path / f"a.{suffix}", image, transparency=0))
    np.testing.assert_array_equal(found.rgba[..., 3] == 255, mask)
    np.testing.assert_array_equal(found.rgba[mask][:, :3], np.tile([10, 20, 30], (mask.sum(), 1)))


def test_grey_with_alpha_is_read_as_grey(tmp_path):
    mask, rgb = disc()
    image = Image.merge("LA", [Image.fromarray(rgb[..., 0]), Image.fromarray(np.uint8(255) * mask)])
    found = photo.read_image(saved(tmp_path / "a.png", image))
    for channel in range(3):
        np.testing.assert_array_equal(found.rgba[..., channel], rgb[..., 0])


def test_the_camera_orientation_is_applied(tmp_path):
    rgba = cut_out(*disc(64, 96))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    found = photo.read_image(saved(tmp_path / "a.png", rgba, exif=exif))
    np.testing.assert_array_equal(found.rgba, np.rot90(rgba, -1))


SIDEWAYS = np.float32([0, 1, 0, 0.5, 0.4, 0, 0])  # a camera whose axis meets the middle of the view


@pytest.mark.parametrize("backdrop", [None, 255])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize(("height", "width"), [(128, 160), (1500, 2400)])
def test_the_camera_of_a_view_is_known_in_the_whole_picture(backdrop, orientation, height, width, tmp_path):
    """Whether the picture was turned, cropped to the object or reduced: the disc is where it is in the upright one."""
    mask, rgb = np.zeros((height, width), bool), np.full((height, width, 3), 90, np.uint8)
    top, left, side = height // 8, width // 2, height // 4
    mask[top : top + side, left : left + side], _ = disc(side, side, radius=0.5)
    stored = cut_out(mask, rgb) if backdrop is None else before(backdrop, mask, rgb)
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = {1: mask, 3: np.rot90(mask, 2), 6: np.rot90(mask, -1), 8: np.rot90(mask)}[orientation]
    found = photo.read_image(saved(tmp_path / "a.png", stored, exif=exif, compress_level=1))
    camera = found.camera(SIDEWAYS, "fit")
    rows, columns = (np.flatnonzero(turned.any(axis=axis)) for axis in (1, 0))
    middle = [(columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2]
    pixel = max(1.0, max(height, width) / photo.MAX_SIDE)
    np.testing.assert_allclose(camera.principal, middle, atol=1.5 * pixel)
    assert camera.size == turned.shape[::-1] and camera.orientation == orientation
    # In the view, half of its width is 0.5 units at the origin; the disc fills 7/8 of it.
    ends = camera.project(np.array([[0.875 * end, 0, 0] for end in (-2, 2)]))
    assert np.ptp(ends[:, 0]) == pytest.approx(side, rel=0.05)


def test_large_images_are_reduced_and_hidden_colours_do_not_bleed(tmp_path):
    rgba = cut_out(*disc(3000, 1500, radius=0.49))
    rgba[rgba[..., 3] == 0, :3] = (0, 255, 0)
    found = photo.read_image(saved(tmp_path / "a.png", rgba, compress_level=1))
    assert max(found.rgba.shape) == 1024
    solid = found.rgba[..., 3] > 200
    assert (found.rgba[solid][:, 1] <= found.rgba[solid][:, 0]).all()
    assert found.notes == []


@pytest.mark.parametrize("suffix", ["heic", "heif", "avif"])
def test_photographs_of_phones_are_read_by_their_contents(tmp_path, suffix):
    mask, rgb = disc()
    pillow_heif.register_heif_opener()
    saved(tmp_path / f"a.{suffix}", before([250, 250, 250], mask, rgb), quality=95).rename(tmp_path / "a.jpg")
    found = photo.read_image(tmp_path / "a.jpg")
    assert overlap(found.rgba[..., 3] > 0, mask) > 0.95
    assert found.notes == ["the image has no transparency: its plain background was removed"]


@pytest.mark.parametrize(
    ("suffix", "words"), [("heic", "is HEIF, which needs.*pillow-heif"), ("avif", "is AVIF, which needs")]
)
def test_a_format_without_its_reader_names_the_package_to_install(tmp_path, monkeypatch, suffix, words):
    pillow_heif.register_heif_opener()
    path = saved(tmp_path / f"a.{suffix}", before([250, 250, 250], *disc()))
    real = image_file.missing_reader
    monkeypatch.setattr(image_file, "missing_reader", lambda kind: image_file._NEEDED.get(kind) or real(kind))
    with pytest.raises(ValueError, match=words):
        photo.read_image(path)


# Images without transparency.


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
def test_a_plain_background_is_removed_in_every_storage_format(tmp_path, name, mode):
    mask, rgb = disc()
    found = photo.read_image(saved(tmp_path / name, before([250, 250, 250], mask, rgb), mode))
    assert overlap(found.rgba[..., 3] > 0, mask) > 0.95
    assert found.notes == ["the image has no transparency: its plain background was removed"]


def test_sixteen_bits_keep_their_brightness(tmp_path):
    mask, rgb = disc()
    grey = np.where(mask, rgb[..., 0], 250).astype(np.uint8)
    deep = saved(tmp_path / "deep.png", grey.astype(np.uint16) * 257)
    shallow = saved(tmp_path / "shallow.png", grey)
    np.testing.assert_array_equal(photo.read_image(deep).rgba, photo.read_image(shallow).rgba)


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
    found = photo.read_image(saved(tmp_path / "a.jpg", pixels, quality=quality))
    mask_found = found.rgba[..., 3] > 0
    assert overlap(mask_found, mask) > 0.93
    assert not mask_found[118:138, 118:138].any(), "the hole of the ring shows the backdrop"


def test_highlights_in_the_colour_of_the_backdrop_do_not_pierce_the_object():
    mask, rgb = disc(256, 256)
    rgb[126:130, 126:130] = 255
    assert object_mask(before([255, 255, 255], mask, rgb))[0][126:130, 126:130].all()


def test_specks_are_left_out_and_an_object_may_touch_one_side():
    mask, rgb = disc(128, 128)
    pixels = before([255, 255, 255], mask, rgb)
    pixels[5:7, 5:7] = 0
    assert overlap(object_mask(pixels)[0], mask) > 0.95
    lowered = np.roll(mask, 40, axis=0)
    assert lowered[-1].any()
    assert overlap(object_mask(before([255, 255, 255], lowered, rgb))[0], lowered) > 0.95


def test_turning_and_mirroring_the_image_turns_and_mirrors_the_mask(rng):
    mask, rgb = disc(120, 160, hole=0.1)
    pixels = before(230 + 4 * rng.normal(size=(120, 160, 3)), mask, rgb)
    expected = object_mask(pixels)[0]
    assert overlap(object_mask(pixels[:, ::-1])[0][:, ::-1], expected) > 0.999
    assert overlap(np.rot90(object_mask(np.rot90(pixels))[0], -1), expected) > 0.999


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut", "rocket"])
def test_photos_before_busy_backgrounds_are_refused_with_advice(tmp_path, name):
    """Where no network may be asked, which would find some object in each of them."""
    message = refusal(saved(tmp_path / "photo.jpg", getattr(data, name)()), matte="border")
    assert "no transparency" in message and "save it as PNG" in message


def test_what_runs_through_the_image_is_refused():
    _, rgb = disc(100, 100)
    tee = np.zeros((100, 100), bool)
    tee[45:55] = tee[50:, 45:55] = True
    with pytest.raises(ValueError, match="reaches 3 sides"):
        object_mask(before([255, 255, 255], tee, rgb))


@pytest.mark.parametrize("value", [0, 30, 100, 128, 200, 255])
def test_an_image_of_nothing_is_refused(tmp_path, value):
    """In plain images of some colours, matting networks see objects."""
    reason = refusal(saved(tmp_path / "a.png", np.full((64, 64, 3), value, np.uint8)))
    assert "nothing in it stands out" in reason and "the matting network sees no object" in reason


# Warnings that go to the user.


def test_what_may_spoil_the_result_is_noted(tmp_path):
    mask, rgb = disc(64, 64, radius=0.2)
    assert "only 26 pixels" in photo.read_image(saved(tmp_path / "a.png", cut_out(mask, rgb))).notes[0]
    mask, rgb = disc(200, 200)
    at_the_edge = cut_out(np.roll(mask, -80, axis=1), rgb)
    at_the_edge[:, 120:, 3] = 0
    assert "(left)" in photo.read_image(saved(tmp_path / "b.png", at_the_edge)).notes[0]
    white = cut_out(mask, np.full_like(rgb, 250))
    assert "almost white" in photo.read_image(saved(tmp_path / "c.png", white)).notes[0]


def test_the_view_shows_what_the_image_shows(tmp_path):
    mask, rgb = disc(256, 256)
    transparent = photo.read_image(saved(tmp_path / "a.png", cut_out(mask, rgb)))
    keyed = photo.read_image(saved(tmp_path / "b.png", before([255, 255, 255], mask, rgb)))
    one, other = frame(transparent.rgba, "fit")[..., 0], frame(keyed.rgba, "fit")[..., 0]
    assert one.shape == (128, 128) and one.dtype == np.uint8
    assert np.abs(one.astype(float) - other).mean() < 2


# Files that are no such found.


def test_files_that_cannot_be_images_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        photo.read_image(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="is not a file"):
        photo.read_image(tmp_path)
    for name, content, words in [
        ("empty.png", b"", "is empty"),
        ("text.png", b"not an image at all", "not an image"),
        ("vector.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        ("header.png", b"\x89PNG\r\n\x1a\n", "not an image|damaged"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=words):
            photo.read_image(tmp_path / name)


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


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
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
            found = photo.read_image(path)
        except ValueError as error:
            refused += 1
            assert "a.bin" in str(error)
        else:
            assert found.rgba.dtype == np.uint8 and found.rgba.shape[2] == 4
    assert refused >= 20, "cutting a file short should be noticed"
