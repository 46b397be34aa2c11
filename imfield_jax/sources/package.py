"""Mesh collections from Debian packages: fetched, verified and unpacked, not installed.

The package is unpacked as plain files into a cache folder; nothing is installed and root is not
needed. A machine without the package client, or without a network, can use a copy of the file.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path


def obtain(package: str, sha256: str, cache_dir: str | Path) -> Path:
    """The folder with the unpacked files of a Debian package, `cache_dir`/`package`.

    An existing folder is reused. Otherwise the package file is taken from `cache_dir`
    (`package`_*.deb) or fetched with `apt-get download`, its sha256 is checked, and it is unpacked.
    The folder is created atomically.

    Raises OSError, with advice, when the package cannot be fetched or unpacked, and
    ValueError when the file is not the one expected.
    """
    cache_dir = Path(cache_dir)
    unpacked = cache_dir / package
    if unpacked.is_dir():
        return unpacked
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{package}-", dir=cache_dir) as scratch:
        given = sorted(cache_dir.glob(f"{package}_*.deb"))
        archive = given[0] if given else _download(package, sha256, cache_dir, Path(scratch))
        _check(archive, sha256)
        files = Path(scratch) / "files"
        _run(["dpkg-deb", "-x", str(archive), str(files)], _by_hand(package, sha256, cache_dir))
        try:
            files.rename(unpacked)
        except OSError:
            if not unpacked.is_dir():  # otherwise another process was faster, with the same files
                raise
    return unpacked


def _download(package: str, sha256: str, cache_dir: Path, scratch: Path) -> Path:
    advice = _by_hand(package, sha256, cache_dir)
    _run(["apt-get", "download", package], f"run 'apt-get update' as root and try again, or {advice}", scratch)
    archives = sorted(scratch.glob("*.deb"))
    if not archives:
        raise OSError(f"{package}: 'apt-get download' downloaded no file; {advice}")
    return archives[0]


def _by_hand(package: str, sha256: str, cache_dir: Path) -> str:
    return (
        f"put the Debian package file {package}_*.deb (sha256 {sha256}) into {cache_dir}, "
        f"or its unpacked files into {cache_dir / package}"
    )


def _run(command: list[str], advice: str, folder: Path | None = None) -> None:
    if shutil.which(command[0]) is None:
        raise OSError(f"expected the program {command[0]}, found none on this machine; {advice}")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise OSError(f"'{' '.join(command)}' failed ({lines[-1].strip()}); {advice}")


def _check(archive: Path, sha256: str) -> None:
    with open(archive, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(
            f"{archive.name}: expected sha256 {sha256}, found {found}: another version or a damaged file; "
            "its models may differ from those that the splits were made for"
        )
