"""Faint, padded and shadowed alpha of every kind: the network sees the same object, or the user gets a note."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from imfield_jax.framing import frame
from imfield_jax.inference.cutout import find_object
from imfield_jax.inference.photo import read_image

CASES = Path(__file__).parent.parent / "cases"
CAR = np.asarray(Image.open(CASES / "reference.png"))  # [200, 240, 4], clean
HEIGHT, WIDTH = CAR.shape[:2]
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def view(rgba):
    return frame(rgba, "fit")[..., 0].astype(float)


def difference(one, other):
    """Mean absolute difference of two views, in grey levels."""
    return np.abs(view(one) - view(other)).mean()


def on(colour, rgba=CAR):
    alpha = rgba[..., 3:] / 255
    return np.uint8(rgba[..., :3] * alpha + np.asarray(colour) * (1 - alpha))


def opaque(rgb):
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def under(alpha, colour=(0, 0, 0)):
    """The car over a layer of one colour and some alpha [H, W]."""
    layer = Image.fromarray(np.dstack([np.full((HEIGHT, WIDTH, 3), colour, np.uint8), np.uint8(alpha)]))
    return np.asarray(Image.alpha_composite(layer, Image.fromarray(CAR)))


def ellipse(centre, radii):
    return 1 - ((X - centre[0]) / radii[0]) ** 2 - ((Y - centre[1]) / radii[1]) ** 2


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("two_faint_pixels.png", None),
        ("small_in_large.png", None),
        ("with_avif/two.avif", None),
        ("soft_shadow_in_alpha.png", "soft shadow"),
        ("transparent_frame.png", "background was removed"),
        ("two_cars.png", "several separate objects"),
    ],
)
def test_reported_images(name, note):
    found = read_image(CASES / name)
    assert len(found.notes) == (1 if note else 0) and all(note in line for line in found.notes)
    if name != "two_cars.png":
        assert difference(found.rgba, CAR) < 6


ALPHA = {
    "clean": CAR,
    "faint pixels": np.where((Y + X)[..., None] % 37 == 0, np.maximum(CAR, np.uint8([0, 0, 0, 30])), CAR),
    "haze": under(np.full((HEIGHT, WIDTH), 20)),
    "noise": under(np.random.default_rng(0).integers(0, 25, (HEIGHT, WIDTH))),
    "shadow below": under(90 * np.clip(1.2 * ellipse((120, 172), (118, 27)), 0, 1)),
    "deep shadow": under(170 * np.clip(1.5 * ellipse((120, 165), (110, 30)), 0, 1)),
    "cut off shadow": under(160 * ndimage.gaussian_filter((ellipse((190, 170), (120, 60)) > 0) * 1.0, 8)),
    "hard shadow": under(100 * (ellipse((120, 160), (110, 35)) > 0)),
    "drop shadow": under(120 * ndimage.gaussian_filter(np.roll(CAR[..., 3] / 255, (12, 14), (0, 1)), 6)),
    "grey shadow": under(80 * np.clip(ellipse((120, 170), (115, 28)), 0, 1), (120, 120, 120)),
    "halo": under(200 * ndimage.gaussian_filter(CAR[..., 3] / 255, 7), (255, 255, 255)),
}


@pytest.mark.parametrize("kind", ALPHA)
def test_what_is_faint_or_soft_in_alpha_is_not_the_object(kind):
    found, notes = find_object(ALPHA[kind])
    assert difference(found, CAR) < (0.01 if kind == "clean" else 6)
    assert all("soft shadow or halo" in note or "faint pixels" in note for note in notes)
    assert notes or kind == "clean"


def test_a_faint_floor_with_a_hard_edge_is_kept_with_a_note():
    _, notes = find_object(under(np.where(Y > 110, 70, 0), (90, 90, 90)))
    assert any("if it is a floor" in note for note in notes)


def test_a_layer_of_less_opacity_keeps_its_black_parts():
    faded = np.dstack([CAR[..., :3], np.uint8(CAR[..., 3] * 0.6)])
    found, _ = find_object(faded)
    assert difference(found, faded) < 1


def test_thin_and_glass_parts_stay():
    rgba = np.zeros((200, 200, 4), np.uint8)
    rgba[60:140, 50:150] = (90, 60, 40, 255)
    rgba[70:110, 60:100, 3] = 120  # a window within
    rgba[30:60, 80:120] = (40, 60, 60, 110)  # a windscreen at the outline
    rgba[139:180, 60] = rgba[139:180, 140] = (90, 60, 40, 60)  # legs thinner than a pixel
    found, _ = find_object(rgba)
    np.testing.assert_array_equal(found[..., 3], rgba[..., 3])


def rounded(rgba, radius):
    mask = Image.new("L", rgba.shape[1::-1])
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, WIDTH - 1, HEIGHT - 1), radius, fill=255)
    return np.dstack([rgba[..., :3], np.asarray(mask)])


def padded(rgba, *pads):
    return np.pad(rgba, (*pads, (0, 0)))


GREY = opaque(on((215, 215, 215)))
FRAMES = {
    "none": GREY,
    "all sides": padded(GREY, (9, 9), (9, 9)),
    "letterbox": padded(GREY, (40, 40), (0, 0)),
    "one side": padded(GREY, (0, 0), (0, 80)),
    "rounded corners": rounded(GREY, 30),
    "circle": np.dstack([GREY[..., :3], np.uint8(255 * (ellipse((119.5, 99.5), (120, 100)) > 0))]),
    "translucent": np.dstack([GREY[..., :3], np.full((HEIGHT, WIDTH), 200, np.uint8)]),
    "faint frame": np.maximum(padded(GREY, (9, 9), (9, 9)), np.uint8([0, 0, 0, 20])),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_photograph_in_a_transparent_frame_is_cut_out_as_without_it(kind):
    found, notes = find_object(FRAMES[kind])
    assert difference(found, CAR) < 6
    assert "the image has no transparency: its plain background was removed" in notes


def test_a_busy_photograph_in_a_transparent_frame_is_refused(rng):
    with pytest.raises(ValueError, match="border is not plain"):
        find_object(padded(opaque(rng.integers(0, 255, (90, 120, 3), np.uint8)), (5, 5), (5, 5)))


def test_inverted_transparency_is_refused():
    with pytest.raises(ValueError, match="inverted"):
        find_object(np.dstack([CAR[..., :3], 255 - CAR[..., 3]]))


def test_a_rectangle_in_a_larger_image_is_an_object_with_a_note(rng):
    for rgb in np.full((40, 60, 3), (90, 120, 150), np.uint8), rng.integers(0, 255, (40, 60, 3), np.uint8):
        rgba = padded(opaque(rgb), (20, 20), (30, 30))
        found, notes = find_object(rgba)
        np.testing.assert_array_equal(found, rgba)
        assert any("rectangle" in note for note in notes)


@pytest.mark.parametrize("pads", [((9, 9), (9, 9)), ((25, 25), (25, 25)), ((5, 30), (5, 5))])
@pytest.mark.parametrize("colour", [0, 255])
def test_a_photograph_in_an_opaque_frame_has_a_note(colour, pads):
    framed = np.pad(GREY, (*pads, (0, 0)), constant_values=colour)
    framed[..., 3] = 255
    _, notes = find_object(framed)
    assert any("a photograph in a frame, crop" in note for note in notes)
    assert not any("in a frame" in note for note in find_object(GREY)[1])


def test_a_ball_is_no_photograph():
    inside = ellipse((120, 100), (80, 80)) > 0
    ball = np.dstack([np.uint8(200 - X), np.uint8(100 + Y // 2), np.uint8(X // 2), 255 * np.uint8(inside)])
    found, notes = find_object(ball)
    np.testing.assert_array_equal(found[..., 3], ball[..., 3])
    assert notes == []


def test_parts_of_one_object_are_not_several():
    """A seat and legs that are apart where the camera sees no joint, and small things beside a large one."""
    rgba = np.zeros((200, 200, 4), np.uint8)
    rgba[20:90, 60:140] = rgba[100:170, 50:150] = (90, 60, 40, 255)
    assert any("several" in note for note in find_object(rgba)[1])
    rgba[90:100, 70] = (90, 60, 40, 128)
    assert find_object(rgba)[1] == []


def test_a_small_object_keeps_its_pixels_in_a_large_image(tmp_path):
    """Opaque or not, 172 pixels in 4,000 are 172 pixels for the network."""
    for number, layer in enumerate([(0, 0, 0, 0), (215, 215, 215, 255)]):
        large = Image.new("RGBA", (4000, 3000), layer)
        large.alpha_composite(Image.fromarray(CAR), (3000, 500))
        large.save(tmp_path / f"{number}.png", compress_level=1)
        assert difference(read_image(tmp_path / f"{number}.png").rgba, CAR) < 6
    whole = read_image(tmp_path / "0.png", crop=False)
    assert whole.rgba.shape == (768, 1024, 4) and "pixels large" in whole.notes[0]


def test_a_soft_shadow_on_a_plain_background_is_removed():
    for colour in [(255, 255, 255), (200, 205, 215)]:
        shadow = 1 - 0.4 * ndimage.gaussian_filter((ellipse((120, 160), (105, 22)) > 0).astype(float), 8)
        found, notes = find_object(opaque(on(np.uint8(np.asarray(colour) * shadow[..., None]))))
        assert difference(found, CAR) < 8
        assert "soft shadow below" in notes[0]


def test_doubtful_masks_have_other_notes_than_good_ones():
    """A floor that ends within the image, and a bright object whose outline is lost."""
    floor = np.where(ellipse((120, 160), (110, 36))[..., None] > 0, [170, 150, 130], [240, 240, 240])
    assert any("floor" in note for note in find_object(opaque(on(floor)))[1])
    blurred = ndimage.gaussian_filter(np.where(ellipse((120, 100), (60, 60)) > 0, 120.0, 240.0), 14)
    assert any("not an edge" in note for note in find_object(opaque(np.repeat(np.uint8(blurred)[..., None], 3, 2)))[1])
    assert len(find_object(GREY)[1]) == 1


def clutter():
    """A background that is not plain."""
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def test_the_matte_of_a_network_isolates_the_object_from_any_background():
    alpha = CAR[..., 3] / 255
    photo = opaque(np.uint8(CAR[..., :3] * alpha[..., None] + clutter() * (1 - alpha[..., None])))
    with pytest.raises(ValueError, match="border is not plain"):
        find_object(photo)
    found, notes = find_object(photo, lambda rgb: alpha)
    assert difference(found, CAR) < 1 and len(notes) == 1
    _, notes = find_object(photo, lambda rgb: np.where((X > WIDTH / 2) & (alpha > 0.5), 0.6, alpha))
    assert "unsure about an area of" in notes[1]
    with pytest.raises(ValueError, match="the matting network sees no object"):
        find_object(photo, lambda rgb: 0.3 * alpha)
    with pytest.raises(ValueError, match=r"the matting network sees no object .only 3 pixels of one, 8 are needed"):
        find_object(photo, lambda rgb: np.where((X < 3) & (Y < 2), 1.0, 0.0))
    found, notes = find_object(photo, lambda rgb: np.where(Y < 20, 0.4, alpha))
    assert difference(found, CAR) < 1 and len(notes) <= 2  # what is likelier background is left out


def test_our_matting_network_is_asked_where_nothing_else_helps():
    """For a photograph whose background is not plain, or when it is chosen, also against the transparency."""
    alpha, asked = CAR[..., 3] / 255, []

    def model(rgb):
        asked.append(rgb.shape)
        return alpha

    for image in (CAR, opaque(on((255, 255, 255)))):
        for matte in ("auto", "border"):
            find_object(image, matte, model)
    assert not asked
    photo = opaque(np.uint8(CAR[..., :3] * alpha[..., None] + clutter() * (1 - alpha[..., None])))
    found, notes = find_object(photo, "auto", model)
    assert difference(found, CAR) < 1 and notes[0] == "the background was removed by the matting network"
    masked = np.dstack([photo[..., :3], np.uint8(np.where(X < WIDTH / 2, 255, 0))])
    np.testing.assert_array_equal(find_object(masked, "model", model)[0], found)
    with pytest.raises(ValueError, match=r"border is not plain: .*; the matting network sees no object"):
        find_object(photo, "auto", lambda rgb: 0.3 * alpha)


def test_a_matte_that_was_chosen_is_used():
    """`border` whatever the transparency says, `alpha` only where there is any."""
    plain = np.dstack([on((255, 255, 255)), np.uint8(np.where(X < 3, 0, 255))])
    found, notes = find_object(plain, "border")
    assert difference(found, CAR) < 4 and "plain background was removed" in notes[0]
    np.testing.assert_array_equal(find_object(CAR, "alpha")[0], find_object(CAR)[0])
    with pytest.raises(ValueError, match="the image has no transparency; cut the object out"):
        find_object(opaque(on((255, 255, 255))), "alpha")
    with pytest.raises(ValueError, match="matte: expected auto, alpha, border, model or a network"):
        find_object(CAR, "magic")
