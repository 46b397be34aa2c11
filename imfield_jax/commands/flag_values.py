"""Checks for flag values that no command accepts, and for flags that have no effect beside others."""

from __future__ import annotations

import math
import re

from absl import flags

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def refuse(arguments: list[str]) -> None:
    """Raises ValueError if an argument or a flag is empty, not finite or a URL: only local files are read."""
    given: list[tuple[str, object]] = [("", argument) for argument in arguments]
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        if flag.present:
            given += [(f"--{name}=", value) for value in (flag.value if isinstance(flag.value, list) else [flag.value])]
    for name, value in given:
        if value == "":
            raise ValueError(f"{name or 'an argument'}: expected a value, found none")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name}{value}: expected a finite number")
        if isinstance(value, str) and _SCHEME.match(value):
            raise ValueError(f"{name}{value}: expected a local path; copy the files here first, or mount the bucket")


def refuse_unused(reason: str, *unused: flags.FlagHolder) -> None:
    """Raises ValueError if one of these flags was given. reason: why they have no effect."""
    for holder in unused:
        if flags.FLAGS[holder.name].present:
            raise ValueError(f"--{holder.name}: it has no effect {reason}: leave it out")
