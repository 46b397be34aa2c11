"""Lists of images: natural order, and a line for every entry that is left out."""

from __future__ import annotations

import os

import pytest

from imfield_jax.inference import image_list
from imfield_jax.inference.image_list import list_images


def test_folders_are_listed_in_natural_order_and_files_as_given(tmp_path):
    for name in ["10.png", "9.JPG", "a2.webp", "a10.avif", ".hidden.png", "odd.ext"]:
        (tmp_path / name).touch()
    listed, _ = list_images([tmp_path / "odd.ext", tmp_path])
    assert [path.name for path in listed] == ["odd.ext", "9.JPG", "10.png", "a2.webp", "a10.avif"]


def test_every_entry_is_an_image_or_has_a_line(tmp_path, monkeypatch):
    (tmp_path / "a.png").touch()
    (tmp_path / "1.png").mkdir()
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "linked.png").symlink_to("a.png")
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("notes.txt", "no suffix", "b.svg", "phone.HEIC", "locked.png"):
        (tmp_path / name).touch()
    monkeypatch.setattr(image_list, "missing_reader", lambda kind: "a reader" if kind == "HEIF" else None)
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "locked.png")
    images, left_out = list_images([tmp_path])
    assert [path.name for path in images] == ["a.png", "linked.png"]
    reasons = dict(line.split(": ", 1) for line in left_out)
    assert set(reasons) | {path.name for path in images} == {entry.name for entry in tmp_path.iterdir()}
    for name, words in {
        "1.png": "a folder",
        "gone.png": "broken link to nowhere",
        "pipe.png": "not a regular file",
        "notes.txt": "'.txt'",
        "no suffix": "known kind",
        "b.svg": "'.svg'",
        "phone.HEIC": "HEIF needs a reader",
        "locked.png": "permission",
    }.items():
        assert words in reasons[name]


def test_lists_without_images_are_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no images"):
        list_images([tmp_path])
    (tmp_path / "a.svg").touch()
    with pytest.raises(ValueError, match="1 other entries, the first: a"):
        list_images([tmp_path])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list_images([tmp_path / "nowhere"])
    with pytest.raises(ValueError, match="no images were given"):
        list_images([])
