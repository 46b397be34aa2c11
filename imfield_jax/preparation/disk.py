"""Disk space: whether it suffices before hours of work, and a disk that is full all the same."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# No room, the user's quota, the largest file that `ulimit -f` or the file system has, and a disk that failed.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)

# Measured at 2 and 24 views of procedural shapes: a record and its packed example take 260 kB and 375 to 510 kB.
_PER_SHAPE, _PER_VIEW = 240_000, 8_000  # bytes
_MEGABYTE = 1_000_000


def check_space(out: Path, shapes: int, views: int) -> None:
    """Raises OSError or ValueError where `shapes` more shapes of so many views cannot be written below a folder."""
    if not os.access(out, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(out))
    needed, free = shapes * (_PER_SHAPE + views * _PER_VIEW), shutil.disk_usage(out).free
    if free < needed:
        raise ValueError(
            f"{out}: expected {needed / _MEGABYTE:.1f} MB of free disk space for {shapes} shapes of {views} views, "
            f"found {free / _MEGABYTE:.1f} MB: make room, prepare fewer (--count, --views) or choose another --out"
        )


@contextlib.contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """Raises the OSError of `path` for a full disk that is reported without a name, or by array_record as text."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = _full(error)
        if number is None or getattr(error, "filename", None) is not None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def _full(error: OSError | RuntimeError) -> int | None:
    """The number of the system's error where it is that of a full disk."""
    if isinstance(error, OSError):
        return error.errno if error.errno in FULL else None
    return next((number for number in FULL if os.strerror(number) in str(error)), None)
