"""Flag values that no command takes: empty ones, and paths of object stores, as files are local."""

from __future__ import annotations

import re

from absl import flags

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def refuse(arguments: list[str]) -> None:
    """Raises ValueError where an argument, or a flag that was given, is empty or a path with a scheme."""
    given: list[tuple[str, object]] = [("", argument) for argument in arguments]
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        if flag.present:
            given += [(f"--{name}=", value) for value in (flag.value if isinstance(flag.value, list) else [flag.value])]
    for name, value in given:
        if value == "":
            raise ValueError(f"{name or 'an argument'}: expected a value, found none")
        if isinstance(value, str) and _SCHEME.match(value):
            raise ValueError(f"{name}{value}: expected a local path; copy the files here first, or mount the bucket")
