"""The output folder of a command, checked before the work starts."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def output_folder(path: str | os.PathLike, flag: str = "--out") -> Path:
    """The folder at `path`, created if it is missing, after a trial write.

    Raises OSError if it is a file or cannot be written to.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{flag}: {folder} is a file, expected a folder to write to")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(b"trial")
    except OSError as error:
        raise OSError(f"{flag}: cannot write to {folder}: {error.strerror or error}") from error
    return folder
