"""Who made a mesh and under which licence it may be shown: the CREDITS.csv beside prepared data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from imfield_jax.files import write_atomic
from imfield_jax.sources import mesh_table
from imfield_jax.sources.shape import Shape

FILE_NAME = "CREDITS.csv"
_COLUMNS = ("name", "author", "licence", "origin")
_SEPARATOR = " | "


def credit(author: str, licence: str, origin: str) -> str:
    """The text for `Shape.credit`: author, licence, and the package or library it came from."""
    return _SEPARATOR.join(field.replace("|", "/").strip() for field in (author, licence, origin))


def read(path: Path, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The credits in a file as `write` makes them, by shape name, and the names in it that are no shape's.

    Names match as in `mesh_table.read`, which also says what is raised.
    """
    rows, unknown = mesh_table.read(path, _COLUMNS, names)
    return {name: credit(*(row[column] for column in _COLUMNS[1:])) for name, row in rows.items()}, unknown


def write(shapes: Iterable[Shape], folder: str | Path) -> Path | None:
    """Write `folder`/CREDITS.csv (name, author, licence, origin) for the shapes that carry a credit.

    Returns its path, or None, and writes nothing, when none does. The file appears whole or not at all.
    """
    rows = [(shape.name, *shape.credit.split(_SEPARATOR)) for shape in shapes if shape.credit]
    if not rows:
        return None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(sorted(rows))
    path = Path(folder) / FILE_NAME
    write_atomic(path, text.getvalue())
    return path
