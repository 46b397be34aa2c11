"""The matting network that comes with the package: it finds a shipped object before a background that is not plain."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage import data

from imfield_jax.inference.model import SHIPPED, shipped_categories
from imfield_jax.inference.photo import read_image


@pytest.mark.parametrize("name", ["any", "chair"])
def test_an_object_before_bricks_is_cut_out(name, tmp_path):
    with Image.open(SHIPPED / f"{name}.png") as image:
        shown = image.convert("RGBA").resize((400, 400), Image.Resampling.BICUBIC)
    wall = Image.fromarray(data.brick()).convert("RGBA").resize((640, 480))
    wall.alpha_composite(shown, (120, 40))
    wall.convert("RGB").save(tmp_path / "photo.jpg")
    photo = read_image(tmp_path / "photo.jpg")
    truth = np.zeros((480, 640), bool)
    truth[40:440, 120:520] = np.asarray(shown)[..., 3] >= 128
    found = photo.rgba[..., 3] >= 128
    assert (found & truth).sum() / (found | truth).sum() > 0.8
    assert photo.cut_out and photo.notes[0] == "the background was removed by the matting network"


def test_it_is_no_category():
    assert "matte" not in shipped_categories()
