"""The work folder of a preparation: the records made so far, and their settings.

settings.json     the settings of all records here
<shape>.npz       a record and its report, see `record_file`
surfaces.cache    points of a user's meshes, see `copies`
index.json        the records that form the dataset, see `dataset.build_dataset`
lock              held by the running process
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from imfield_jax.files import locked, read_json, write_atomic
from imfield_jax.preparation.record_file import read_levels, read_report
from imfield_jax.sources.shape import Shape

INDEX = "index.json"


class WorkFolder:
    """path: the folder, created if missing. identity: the settings of its records, as in JSON."""

    def __init__(self, path: Path, identity: dict):
        self.path, self._identity = path, identity
        path.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Lock the folder against other processes; the lock ends with this one, however it ends.

        Raises ValueError when another process holds the lock, or when the records have other settings.
        """
        busy = f"another preparation is running in {self.path.parent}: wait for it or choose another --out"
        with locked(self.path / "lock", busy):
            self._refuse_others()
            for leftover in self.path.glob(".*.tmp"):
                leftover.unlink()
            yield

    def bind(self) -> None:
        """Allow only these settings to add records from now on."""
        write_atomic(self._settings, json.dumps(self._identity, indent=1))

    def record(self, shape: Shape) -> Path:
        """The file of a shape: readable, safe on any file system and unique."""
        readable = re.sub(r"[^A-Za-z0-9.-]+", "_", shape.name)[:80]
        return self.path / f"{readable}-{hashlib.sha256(shape.name.encode()).hexdigest()[:8]}.npz"

    def report(self, shape: Shape) -> dict | None:
        """The report on a shape, if there is a record of its current mesh."""
        report = read_report(self.record(shape))
        return report if report and report.get("stamp", "") == shape.stamp else None

    def write_index(self, shapes: Sequence[Shape], licence: str) -> None:
        """Write the list of records that form the dataset."""
        index = {
            "category": self._identity["category"],
            "license": licence,
            "settings": self._identity,
            "levels": read_levels(self.record(shapes[0])),  # equal for all records of one source
            "shapes": [
                {"name": shape.name, "split": shape.split, "file": self.record(shape).name}
                for shape in sorted(shapes, key=lambda shape: shape.name)
            ],
        }
        write_atomic(self.path / INDEX, json.dumps(index, indent=1))

    @property
    def _settings(self) -> Path:
        return self.path / "settings.json"

    def _refuse_others(self) -> None:
        wanted = self._identity
        again = f"choose another --out, or delete {self.path} to start again"
        found = read_json(self._settings, "file of settings", again) if self._settings.exists() else wanted
        changed = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
        if changed:
            before = ", ".join(f"{key}={found.get(key, 'default')}" for key in changed)
            now = ", ".join(f"{key}={wanted.get(key, 'default')}" for key in changed)
            raise ValueError(f"{self.path.parent}: expected {before}, with which it was started, found {now}: {again}")
