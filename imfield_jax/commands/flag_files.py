"""--flagfile: flags from a text file, one per line, in place of the argument that names it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_NAMES = ("--flagfile", "-flagfile")


def expanded(arguments: Sequence[str]) -> list[str]:
    """The arguments with those of flag files in their place. Empty lines and comments (# or //) are skipped.

    Files may have a byte order mark and either kind of line ending, and may name further flag files. Raises OSError
    if a file cannot be read, and ValueError if it is not text, includes itself, or has a line that is not a flag.
    """
    return _expanded(list(arguments), ())


def _expanded(arguments: list[str], inside: tuple[Path, ...]) -> list[str]:
    result: list[str] = []
    while arguments:
        argument = arguments.pop(0)
        name, equals, value = argument.partition("=")
        if argument == "--":
            return [*result, argument, *arguments]
        if name not in _NAMES:
            result.append(argument)
            continue
        if not equals:
            if not arguments:
                raise ValueError("--flagfile: expected the name of a file")
            value = arguments.pop(0)
        path = Path(os.path.expanduser(value))
        result += _expanded(_lines(path, inside), (*inside, path.resolve()))
    return result


def _lines(path: Path, inside: tuple[Path, ...]) -> list[str]:
    if path.resolve() in inside:
        raise ValueError(f"--flagfile: {path} includes itself")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"--flagfile: {path} is not a UTF-8 text file") from None
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", "//"))]
    for line in lines:
        if not line.startswith("-"):
            raise ValueError(f"--flagfile: {path} has the line {line!r}: expected a --flag on each line")
    return lines
