"""Memory limit and peak memory of this process (Linux)."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

_MEBIBYTE = 2**20
_PROCESS = Path("/proc/self")


def limit(mebibytes: int) -> None:
    """Make allocations fail that take this process beyond `mebibytes` of data."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = mebibytes * _MEBIBYTE
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def forget_peak() -> None:
    """Restart the measurement of `peak_mebibytes`."""
    with contextlib.suppress(OSError):
        (_PROCESS / "clear_refs").write_text("5")


def peak_mebibytes() -> int | None:
    """Peak resident memory of this process since `forget_peak`; None where the system does not report it."""
    try:
        lines = (_PROCESS / "status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), None)
