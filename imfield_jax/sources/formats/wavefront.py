"""The text of OBJ and MTL files in a form that trimesh reads as it is meant: any encoding, absolute indices."""

from __future__ import annotations

import re

_COUNTED = ("v", "vt", "vn")  # in the order in which a corner of a face refers to them
_RELATIVE_OR_ZERO = re.compile(r"^f.*[ /](?:-|0\b)", re.MULTILINE)


def decoded(contents: bytes) -> str:
    """The text of a file in any encoding. What is not UTF-8 becomes what Python makes of it in names of files.

    trimesh guesses an encoding from the first thousand bytes, for an OBJ and its MTL apart: a material's name may
    then differ between the two.
    """
    return contents.decode("utf-8", "surrogateescape")


def absolute(text: str) -> str:
    """OBJ text whose faces count from the first vertex of the file, as positive indices do.

    Negative ones count back from the last vertex before the face; trimesh counts back from the last of the file.

    Raises ValueError for a face that refers to vertex 0 or to one before the first.
    """
    if not _RELATIVE_OR_ZERO.search(text):
        return text
    counts, lines = dict.fromkeys(_COUNTED, 0), text.split("\n")
    for number, line in enumerate(lines):
        keyword, *corners = line.split() or [""]
        if keyword in counts:
            counts[keyword] += 1
        elif keyword == "f":
            try:
                lines[number] = " ".join(["f", *(_corner(corner, counts) for corner in corners)])
            except ValueError as error:
                raise ValueError(f"line {number + 1}: {error}") from error
    return "\n".join(lines)


def _corner(corner: str, counts: dict[str, int]) -> str:
    """One corner of a face, "v/vt/vn", of which the latter two may be missing."""
    return "/".join(_index(written, counts[kind]) for kind, written in zip(_COUNTED, corner.split("/"), strict=False))


def _index(written: str, count: int) -> str:
    if not written:
        return ""
    index = int(written)
    if index < -count or index == 0:
        raise ValueError(f"a face refers to number {index} of {count}")
    return str(index if index > 0 else count + 1 + index)
