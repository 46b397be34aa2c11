"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator


def write_whole(path: str | os.PathLike, contents: bytes | str) -> None:
    """Writes a file so that neither a reader nor a kill ever finds half of it; text as UTF-8.

    Raises OSError when the folder does not exist or cannot be written to.
    """
    with whole(path) as temporary:
        temporary.write_bytes(contents.encode() if isinstance(contents, str) else contents)


@contextlib.contextmanager
def whole(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """A path to write to; what is there afterwards takes the place of `path`, unless an exception came."""
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # same folder, so that the move is atomic
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
