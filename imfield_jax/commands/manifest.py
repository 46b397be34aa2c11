"""manifest.json: the result of each image with its weights and settings, so that `extract` can resume.

Of thousands of results, writing the file for each would take longer than the meshes. So each result is a line that is
appended to a journal, and the file is written, and the journal emptied, when it has grown by a share, and at the end.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from imfield_jax.camera import image_camera
from imfield_jax.commands.inputs import CUTOUT, sha256
from imfield_jax.files import write_atomic
from imfield_jax.inference.batch import Failure, Reconstruction
from imfield_jax.mesh.print_check import PrintCheck

NAME, JOURNAL = "manifest.json", ".manifest.jsonl"
_GROWTH = 0.05  # of the number of results, after which the file is written again


class Manifest:
    """The results in an output folder, those of earlier runs included.

    weights:  name, sha256 and description of the weights.   settings: all else that a result depends on.
    left_out: a line for each entry of a folder that is not read.
    """

    def __init__(self, folder: Path, weights: dict, settings: dict, left_out: Sequence[str] = ()):
        earlier = _read(folder / NAME)
        self.results: dict[str, dict] = _by_name(earlier)
        self._partial: dict[str, None] = {}  # images whose files may have been written in part
        self._changes = 0  # since the file was written
        self.skipped: list[str] = []
        self._folder, self._weights, self._settings = folder, weights, json.loads(json.dumps(settings))
        self._left_out = list(left_out)
        for event in _events(folder / JOURNAL):
            self._apply(event)

    def done(self, name: str, image_sha256: str) -> bool:
        """Whether the folder already holds the result of this image with these weights and settings."""
        result = self.results.get(name, {})
        wanted = (image_sha256, self._weights["sha256"], self._settings)
        made = (result.get("image_sha256"), result.get("weights_sha256"), result.get("settings"))
        return made == wanted and all(map(self._is_whole, result["files"]))

    def _is_whole(self, file: str) -> bool:
        path = self._folder / file
        return path.is_file() and path.stat().st_size > 0

    def check_writable(self, name: str, files: list[str]) -> None:
        """Raises ValueError if a file of an image exists that no earlier run wrote, or that was changed since."""
        written = self.results.get(name, {}).get("files", {})
        if name in self._partial:
            return
        for path in (self._folder / file for file in files if self._is_whole(file)):
            reason = ""
            if name not in self.results:
                reason = f"exists and is not in {NAME}"
            elif path.name in written and sha256(path.read_bytes()) != written[path.name]:
                reason = "was changed after it was written"
            if reason:
                raise ValueError(f"{path} {reason}: choose another --out, or give --overwrite")

    def begin(self, name: str) -> None:
        """Record the image whose files are written next, so that the next run recognises them after a kill."""
        self._log({"writing": name})

    def has_faults(self, name: str) -> bool:
        """Whether the print check of a result found a fault."""
        return not (self.results.get(name, {}).get("print_check") or {"passed": True})["passed"]

    def add(
        self,
        made: Reconstruction,
        image: str,
        image_sha256: str,
        files: dict[str, str],
        seconds: dict[str, float],
        checked: PrintCheck | None = None,
    ) -> None:
        """Write the entry of a mesh in place of an earlier one of the same name.

        files: name -> sha256.   checked: its print check, if there was one.
        """
        earlier = self.results.get(made.name, {}).get("files", {})
        older = [file for file in earlier if file not in files and (self._folder / file).exists()]
        entry = {
            "name": made.name,
            "image": image,
            "image_sha256": image_sha256,
            "weights": self._weights["file"],
            "weights_sha256": self._weights["sha256"],
            "settings": self._settings,
            "notes": made.notes + _remarks(made) + [f"{file} is from an earlier run" for file in older],
            "files": files,
            "seconds": {phase: round(spent, 3) for phase, spent in {**seconds, "total": sum(seconds.values())}.items()},
            **_facts(made),
            "print_check": None if checked is None else _checked(checked),
        }
        self._log({"result": entry})
        self._changed()

    def skip(self, failure: Failure) -> None:
        """Record that an image has no mesh."""
        self.skipped.append(failure.reason)
        self._changed()

    def write(self) -> None:
        """Write the file, and empty the journal but for images that are not finished."""
        contents = {
            "version": _version(),
            "weights": self._weights,
            "results": list(self.results.values()),
            "skipped": self.skipped,
            "left_out": self._left_out,
        }
        write_atomic(self._folder / NAME, json.dumps(contents, indent=1))
        (self._folder / JOURNAL).unlink(missing_ok=True)
        self._changes = 0
        for name in list(self._partial):
            self._log({"writing": name})

    def _changed(self) -> None:
        self._changes += 1
        if self._changes >= _GROWTH * (len(self.results) + len(self.skipped)):
            self.write()

    def _log(self, event: dict) -> None:
        self._apply(event)
        with (self._folder / JOURNAL).open("a") as journal:
            journal.write(json.dumps(event) + "\n")

    def _apply(self, event: dict) -> None:
        """A line of the journal: an image whose files are written next, or its result, in place of an earlier one."""
        if "writing" in event:
            self._partial[event["writing"]] = None
        else:
            result = event["result"]
            self._partial.pop(result["name"], None)
            self.results.pop(result["name"], None)
            self.results[result["name"]] = result


def _remarks(made: Reconstruction) -> list[str]:
    """Notes on bridges, cavities and floaters."""
    remarks = []
    if made.bridges:
        remarks.append(f"joined {made.bridges} loose piece{'s' * (made.bridges > 1)} across a narrow gap")
    if made.cavities:
        remarks.append("the solid is hollow: the mesh has a second surface inside")
    if made.left_out.pieces:
        remarks.append(str(made.left_out))
    return remarks


def _facts(made: Reconstruction) -> dict:
    """Measurements of a mesh."""
    report = made.report
    return {
        "field_evaluations": made.points,
        "certificate": made.certificate and dataclasses.asdict(made.certificate),
        "vertices": report.vertices,
        "faces": report.faces,
        "pieces": report.components - made.cavities,
        "cavities": made.cavities,
        "bridges": made.bridges,
        "left_out": dataclasses.asdict(made.left_out),
        "volume": round(report.signed_volume, 6),
        "watertight": report.watertight,
        "outward": report.signed_volume > 0,
        "cutout": None if made.cutout is None else made.name + CUTOUT,
        "camera": None if made.view_camera is None else _camera(made.view_camera),
        "silhouette_iou": None if made.outlines is None else dict(zip(("before", "after"), made.outlines, strict=True)),
    }


def _checked(checked: PrintCheck) -> dict:
    """A print check; lengths in mm."""
    return {
        "passed": checked.passed,
        "lines": [f"{verdict}: {text}" for verdict, text in checked.lines()],
        **dataclasses.asdict(checked),
    }


def _camera(view: Float32[np.ndarray, " 7"]) -> dict:
    """The predicted camera of the view, <name>.input.png; angles in degrees, lengths in cube units.

    principal_point: in half widths of the view, from its middle to the right and down.
    """
    camera = image_camera(view)
    return {
        "azimuth": round(float(np.degrees(camera.azimuth_radians)), 2),
        "elevation": round(float(np.degrees(camera.elevation_radians)), 2),
        "distance": round(camera.distance, 4),
        "field_of_view": round(float(np.degrees(camera.fov_radians)), 2),
        "principal_point": [round(float(value), 4) for value in view[5:]],
    }


def line(result: dict, folder: Path) -> str:
    """The log of a result: its mesh and files on one line, each note on its own."""
    closed = "watertight" if result["watertight"] else "NOT watertight"
    pieces = "" if result["pieces"] == 1 else f", {result['pieces']} separate pieces"
    checks = (result["print_check"] or {"lines": []})["lines"]
    notes = "".join(f"\n  {note}" for note in [*result["notes"], *checks])
    size = f"{result['vertices']:,} vertices, {result['faces']:,} faces"
    files = ", ".join(str(folder / file) for file in result["files"])
    return f"{result['name']}: {size}, {closed}{pieces}, {result['seconds']['total']} s: {files}{notes}"


def _read(path: Path) -> dict:
    """The contents of a manifest; empty if there is none or it cannot be read."""
    try:
        contents = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return contents if isinstance(contents, dict) else {}


def _events(path: Path) -> list[dict]:
    """The lines of a journal; what follows a line that a kill cut off is not there."""
    events: list[dict] = []
    try:
        for line in path.read_text().splitlines():
            event = json.loads(line)
            if event.keys() & {"writing", "result"}:
                events.append(event)
    except (OSError, ValueError, AttributeError):
        pass
    return events


def _by_name(contents: dict) -> dict[str, dict]:
    try:
        return {result["name"]: result for result in contents["results"] if isinstance(result["files"], dict)}
    except (KeyError, TypeError):
        return {}


def _version() -> str:
    try:
        return metadata.version("imfield_jax")
    except metadata.PackageNotFoundError:  # run from a checkout
        return "not installed"
