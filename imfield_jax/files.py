"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import pathlib


def write_whole(path: str | os.PathLike, contents: bytes | str) -> None:
    """Writes a file so that neither a reader nor a kill ever finds half of it; text as UTF-8.

    Raises OSError when the folder does not exist or cannot be written to.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # same folder, so that the move is atomic
    try:
        temporary.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
