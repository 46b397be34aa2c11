"""Atomic file writes, reads that verify checksums, and one-line errors for damaged files."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import json
import os
import pathlib
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from jaxtyping import Shaped
from numpy.lib import format as npy

_LONGEST = 200  # characters of a third-party message


def one_line(error: BaseException) -> str:
    """The message of a third-party exception as one short line; some quote the damaged file at any length."""
    text = " ".join(re.sub(r"np\.str_\(('.*?')\)", r"\1", str(error)).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


@contextlib.contextmanager
def damaged(path: str | os.PathLike, kind: str, remedy: str = "") -> Iterator[None]:
    """Turns whatever a third-party reader raises on a damaged file into one ValueError that names the file.

    kind: what the file should have been, "PNG file". remedy: what to do, "delete it and prepare again". An OSError of
    the system (no such file, a full disk) passes unchanged; one without a number, or for an invalid argument, is how
    some readers report bad contents.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        advice = f": {remedy}" if remedy else ""
        raise ValueError(f"{path}: expected a {kind}, found a damaged file ({one_line(error)}){advice}") from error


def read_json(path: str | os.PathLike, kind: str, remedy: str = "") -> dict:
    """The JSON object in a file, see `damaged`. Raises OSError if there is no file."""
    contents = pathlib.Path(path).read_bytes()
    with damaged(path, kind, remedy):
        found = json.loads(contents)
        if not isinstance(found, dict):
            raise ValueError("no JSON object")
    return found


def write_atomic(path: str | os.PathLike, contents: bytes | str) -> None:
    """Writes a file so that no reader ever finds half of it, even after a kill; text as UTF-8.

    Raises OSError when the folder does not exist or cannot be written to.
    """
    with atomic(path) as temporary:
        temporary.write_bytes(contents.encode() if isinstance(contents, str) else contents)


@contextlib.contextmanager
def atomic(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """A path to write to; what is there afterwards replaces `path`, unless an exception was raised."""
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # same folder, so that the move is atomic
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error  # a full disk is reported without a name
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: str | os.PathLike, busy: str) -> Iterator[None]:
    """Holds a lock file against other processes; it is released on exit, or when this process ends in any way.

    Raises ValueError with the message `busy` when another process holds it.
    """
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(busy) from error
        yield


def write_arrays(path: str | os.PathLike, arrays: Mapping[str, Shaped[np.ndarray, " ..."]]) -> None:
    """Write arrays atomically, for `read_arrays`. Raises as `write_atomic`."""
    contents = io.BytesIO()
    np.savez(contents, allow_pickle=False, **arrays)
    write_atomic(path, contents.getvalue())


def read_arrays(
    path: str | os.PathLike, wanted: Callable[[str], bool] = lambda name: True
) -> dict[str, Shaped[np.ndarray, " ..."]]:
    """The arrays of a file that `np.savez` wrote, those whose names are wanted.

    `np.load` reads as much of a member as its header says, and checksums cover whole members: it would accept a
    changed header.

    Raises OSError when the file cannot be opened, ValueError with the reason when it is damaged.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = {name.removesuffix(".npy"): name for name in archive.namelist()}
                return {name: _array(archive.read(member)) for name, member in members.items() if wanted(name)}
        except Exception as error:  # also OSError, for invalid offsets
            raise ValueError(one_line(error)) from error


def _array(member: bytes) -> np.ndarray:
    return npy.read_array(io.BytesIO(member), allow_pickle=False)
