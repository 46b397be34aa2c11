"""config.json of a run folder: all that determines the weights, so that a run resumes with the same settings only."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from imfield_jax.files import locked, read_json, write_atomic

_DEFAULTS = {"whole": False, "decoder": True}  # of stages, which older runs do not name


def initial_weights(path: Path, category: str) -> dict:
    """The entry for the weights that a run starts from."""
    return {"category": category, "file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@contextlib.contextmanager
def claimed(folder: Path, config: dict) -> Iterator[None]:
    """Locks a run folder against other processes, and saves the configuration of a new or an extended run.

    Raises ValueError if another process is training there, or if the run's configuration differs by more than stages
    appended to its schedule.
    """
    busy = f"another process is training in {folder}: wait for it, or choose another --run"
    with locked(folder / "lock", busy):
        path, config = folder / "config.json", json.loads(json.dumps(config))
        found = read_json(path, "configuration of a run", "choose another --run") if path.exists() else None
        if found is not None:
            for stage in found["schedule"]["stages"]:
                for name, value in _DEFAULTS.items():
                    stage.setdefault(name, value)
            _check(folder, found, config)
        if found != config:
            write_atomic(path, json.dumps(config, indent=1))
        yield


def _check(folder: Path, found: dict, config: dict) -> None:
    changed = [key for key in {**config, **found} if found.get(key) != config.get(key)]
    if changed == ["schedule"] and _extends(config["schedule"], found["schedule"]):
        return
    if changed:
        raise ValueError(
            f"{folder} is a run with a different {', '.join(changed)} (see config.json there): give the flags it was "
            "started with, add --extend=N to continue its last stage, or choose another --run"
        )


def _extends(schedule: dict, found: dict) -> bool:
    """Whether `schedule` is `found` with more stages after it."""
    before = found["stages"]
    return {**schedule, "stages": before} == found and schedule["stages"][: len(before)] == before
