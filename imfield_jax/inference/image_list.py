"""The image files that a user named, and the entries of folders that are left out, with the reasons."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from imfield_jax.inference.image_file import SUFFIXES_OF, missing_reader

KIND_OF = {suffix: kind for kind, suffixes in SUFFIXES_OF.items() for suffix in suffixes}


def list_images(paths: Iterable[str | os.PathLike]) -> tuple[list[Path], list[str]]:
    """Image files, and a line "NAME: reason" for each entry of a folder that is left out.

    Files in `paths` are taken as they are, those in folders by their suffix, sorted with 2 before 10. Subfolders are
    not searched. Hidden entries (a leading dot) are left out without a line. Raises OSError for a path that does not
    exist or cannot be listed, and ValueError for a folder without images, or for no paths at all.
    """
    images, left_out = [], []
    for path in map(Path, paths):
        if path.is_dir():
            found, others = _in_folder(path)
            images += found
            left_out += others
        elif path.exists():
            images.append(path)
        else:
            raise FileNotFoundError(f"{path} does not exist: expected an image file or a folder of images")
    if not images:
        raise ValueError("no images were given: expected image files, or folders that hold some")
    return images, left_out


def _in_folder(folder: Path) -> tuple[list[Path], list[str]]:
    images, left_out = [], []
    for entry in sorted(folder.iterdir(), key=lambda entry: (_natural(entry.name), entry.name)):
        if entry.name.startswith("."):
            continue
        reason = _unreadable(entry)
        if reason:
            left_out.append(f"{entry.name}: {reason}")
        else:
            images.append(entry)
    if not images:
        others = f"; found {len(left_out)} other entries, the first: {left_out[0]}" if left_out else ""
        raise ValueError(f"{folder} holds no images: expected files that end in {', '.join(KIND_OF)}{others}")
    return images, left_out


def _unreadable(entry: Path) -> str | None:
    """Why an entry of a folder is not read; None when it is."""
    if entry.is_symlink() and not entry.exists():
        return f"a broken link to {os.readlink(entry)}"
    if entry.is_dir():
        return "a folder; subfolders are not searched, name it as well"
    if not entry.is_file():
        return "not a regular file"
    kind = KIND_OF.get(entry.suffix.lower())
    if kind is None:
        return f"not an image of a known kind (suffix {entry.suffix!r})"
    if missing_reader(kind):
        return f"{kind} needs {missing_reader(kind)}"
    return None if os.access(entry, os.R_OK) else "no permission to read it"


def _natural(name: str) -> list[tuple[int, str]]:
    """A sort key in which runs of digits count as numbers: 2.png comes before 10.png."""
    return [(int(run), "") if run.isdecimal() else (-1, run.lower()) for run in re.split(r"(\d+)", name)]
