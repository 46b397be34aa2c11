"""Contact sheets are made of the images of the results, page by page."""

from __future__ import annotations

import numpy as np
from PIL import Image

from imfield_jax.commands.contact import write_contact_sheets
from imfield_jax.images import encode_png


def add(folder, name, grey):
    (folder / f"{name}.input.png").write_bytes(encode_png(np.full((128, 128), grey, np.uint8)))
    sides = np.concatenate([np.full((64, 64, 3), value, np.uint8) for value in (20, 40, 60, 80)], axis=1)
    (folder / f"{name}.preview.png").write_bytes(encode_png(sides))


def test_a_page_shows_the_view_the_front_and_the_back(tmp_path):
    add(tmp_path, "a", 100)
    [page] = write_contact_sheets(tmp_path, ["a"])
    assert page.name == "meshes.contact.png"
    with Image.open(page) as image:
        found = np.asarray(image.convert("L"))
    assert all((found == value).sum() > 10_000 for value in (100, 20, 60)) and (found == 40).sum() < 100


def test_many_results_are_on_several_pages(tmp_path):
    names = [f"a rather long name of an image, number {number}" for number in range(61)]
    for number, name in enumerate(names):
        add(tmp_path, name, 100 + number)
    first, second = write_contact_sheets(tmp_path, names)
    assert [first.name, second.name] == ["meshes.contact.png", "meshes-2.contact.png"]
    with Image.open(first) as one, Image.open(second) as other:
        assert (np.asarray(one.convert("L")) == 159).any() and (np.asarray(other.convert("L")) == 160).any()
