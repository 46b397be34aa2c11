"""The author and licence of each mesh: the CREDITS.csv beside prepared data."""

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
_ALSO = {"licence": ("license",), "origin": ("source", "url")}  # alternative column names


def credit(author: str, licence: str, origin: str) -> str:
    """The text for `Shape.credit`: author, licence, and the package or library it came from."""
    return _SEPARATOR.join(field.replace("|", "/").strip() for field in (author, licence, origin))


def joined(first: str, second: str) -> str:
    """The credit of a shape that is made of two; "" if neither has one."""
    if first == second or not (first and second):
        return first or second
    both = zip(first.split(_SEPARATOR), second.split(_SEPARATOR), strict=True)
    return _SEPARATOR.join("; ".join(dict.fromkeys(field for field in fields if field)) for fields in both)


def read(path: Path, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The credits in a file by shape name, and a line for each column and each mesh that is missing.

    The file is one from `write` or any other with a column "name". Names match as in `mesh_table.read`, which also
    lists the errors.
    """
    rows, unknown = mesh_table.read(path, _COLUMNS[:1], names)
    header = next(iter(rows.values()), dict.fromkeys(_COLUMNS, ""))
    columns = {column: (column, *_ALSO.get(column, ())) for column in _COLUMNS[1:]}
    found = {column: next((name for name in any_of if name in header), None) for column, any_of in columns.items()}
    lines = [
        f"{path.name}: expected a column {' or '.join(columns[column])}, found none: left empty"
        for column, name in found.items()
        if name is None
    ]
    return {
        shape: credit(*(row[name] if name else "" for name in found.values())) for shape, row in rows.items()
    }, lines + unknown


def columns(path: Path, names: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Author, licence and origin by shape name, of those of these shapes that the file names. Raises as `read`."""
    found, _ = read(path, names)
    parts = {name: text.split(_SEPARATOR) for name, text in found.items()}
    return {name: (author, licence, origin) for name, (author, licence, origin) in parts.items()}


def write(shapes: Iterable[Shape], folder: str | Path) -> Path | None:
    """Write `folder`/CREDITS.csv (name, author, licence, origin) for the shapes that carry a credit.

    Returns its path; without credits, writes nothing and returns None. The write is atomic.
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
