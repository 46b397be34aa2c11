"""A user's CSV tables about the meshes of a folder: split.csv and CREDITS.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path, PurePosixPath


def read(path: Path, columns: tuple[str, ...], names: Iterable[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """The rows by shape name, for those `names` that have one, and a line for each name in the file without a shape.

    columns: required in the file, in any order, separated by commas, semicolons or tabs; "name" is one of them. Names
    match with or without their suffix and category: "car/red/a.obj", "red/a.obj" and "red/a" are the same. Of several
    rows that agree on `columns`, the last is used.

    Raises OSError when the file cannot be read, ValueError when it is not a CSV file with these columns or its
    rows contradict each other.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        separator = max(",;\t", key=text.partition("\n")[0].count)  # spreadsheets of many countries write semicolons
        reader = csv.DictReader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
        header = [column.strip().lower() for column in reader.fieldnames or ()]
        reader.fieldnames = header
        rows = [{key: (value or "").strip() for key, value in row.items() if isinstance(key, str)} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: expected a CSV file in UTF-8 ({error})") from error
    if missing := [column for column in columns if column not in header]:
        raise ValueError(f"{path}: expected the columns {', '.join(columns)}, found no {', '.join(missing)}")
    spellings: dict[str, list[str]] = {}
    for name in names:
        for spelling in _spellings(name):
            spellings.setdefault(spelling, []).append(name)
    row_of: dict[str, dict[str, str]] = {}
    for row in rows:
        for name in spellings.get(row["name"], ()):
            before = row_of.get(name, row)
            if differ := [column for column in columns if column != "name" and before[column] != row[column]]:
                both = f"'{before[differ[0]]}' and '{row[differ[0]]}'"
                raise ValueError(f"{path}: expected one {differ[0]} for {name}, found {both}")
            row_of[name] = row
    return row_of, [f"{path.name}: no mesh is called '{row['name']}'" for row in rows if row["name"] not in spellings]


def _spellings(name: str) -> set[str]:
    inside = PurePosixPath(*PurePosixPath(name).parts[1:])
    return {spelling for path in (PurePosixPath(name), inside) for spelling in (str(path), str(path.with_suffix("")))}
