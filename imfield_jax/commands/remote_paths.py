"""Paths of object stores, such as gs://bucket/folder, are refused: files are read and written locally."""

from __future__ import annotations

import re

from absl import flags

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def refuse() -> None:
    """Raises ValueError where a flag names a path with a scheme."""
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        values = flag.value if isinstance(flag.value, list) else [flag.value]
        for value in values:
            if flag.present and isinstance(value, str) and _SCHEME.match(value):
                raise ValueError(
                    f"--{name}={value}: expected a local path; copy the files here first, or mount the bucket"
                )
