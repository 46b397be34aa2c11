"""Disk space: a check before hours of work, and clear errors for a disk that is full nevertheless."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# Disk full, quota exceeded, file size limit (`ulimit -f` or file system), and a disk that failed and became read-only.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)

# Measured on procedural shapes with 2 and 24 views: a record and its packed example take 260 kB and 375 to 510 kB.
_PER_SHAPE, _PER_VIEW = 240_000, 8_000  # bytes
_MEGABYTE = 1_000_000


def check_space(out: Path, shapes: int, views: int) -> None:
    """Raises OSError or ValueError when a folder cannot take `shapes` more shapes with this number of views."""
    if not os.access(out, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(out))
    needed, free = shapes * (_PER_SHAPE + views * _PER_VIEW), shutil.disk_usage(out).free
    if free < needed:
        raise ValueError(
            f"{out}: expected {needed / _MEGABYTE:.1f} MB of free disk space for {shapes} shapes of {views} views, "
            f"found {free / _MEGABYTE:.1f} MB: free some, prepare fewer (--count, --views) or choose another --out"
        )


@contextlib.contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """Adds `path` to the OSError of a full disk that lacks a file name, or that array_record reports as text."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = _full(error)
        if number is None or getattr(error, "filename", None) is not None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def _full(error: OSError | RuntimeError) -> int | None:
    """The errno of a full disk, or None for other errors."""
    if isinstance(error, OSError):
        return error.errno if error.errno in FULL else None
    return next((number for number in FULL if os.strerror(number) in str(error)), None)
