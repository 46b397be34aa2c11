"""From meshes to records: many processes, one record file per shape, and a report on all of them.

Everything lives below one output folder:

    work/          one record file per finished shape; what a killed run goes on from
    meshes/        what the procedural source wrote
    imfield_shapes/<category>/<version>/    the dataset
    report.json    every shape: outcome, seconds per phase, diagnostics, warnings; what was not read
    contact.png    some shapes to look at
    CREDITS.csv    authors and licences of the meshes
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from imfield_jax.files import read_arrays, write_atomic
from imfield_jax.preparation import copies, facing, memory
from imfield_jax.preparation.disk import check_space
from imfield_jax.preparation.record import PHASES, Settings, make_record
from imfield_jax.preparation.record_file import write_record
from imfield_jax.preparation.report import summary
from imfield_jax.preparation.work_folder import WorkFolder
from imfield_jax.preparation.workers import run_jobs
from imfield_jax.sources import axes, credits
from imfield_jax.sources.listing import LICENCES, NEED_NO_FOLDER, list_shapes
from imfield_jax.sources.shape import Listing, Shape

Progress = Callable[[str, int, int, str], None]
"""Called as progress(activity, done, total, note); `note` is "" or a line worth showing."""

FORMAT = 1  # of the records; a change makes work folders of before unusable, as their identity differs
DEFAULT_COUNT = 1000
_SHOWN = 5  # lines of a kind in the log; the report has all


@dataclasses.dataclass(frozen=True)
class Preparation:
    """What to prepare, see the flags of `experiments/prepare.py`.

    source_dir: where the meshes are; None for the procedural source, which writes to <out>/meshes, and
                for sources that are packages, which are fetched to "packages" beside <out>.
    count:      shapes; 0 for all the source has.
    seconds:    a shape that takes longer is given up.
    mebibytes:  memory of one process; a shape that needs more is given up.
    up, front:  axes of the meshes of a folder, see `axes.rotation`; front "" for `axes.default_front`.
    """

    source: str
    category: str
    out: str
    source_dir: str | None = None
    count: int = 0
    settings: Settings = dataclasses.field(default_factory=Settings)
    processes: int = 1
    seconds: float = 900.0
    mebibytes: int = 2048
    up: str = axes.UP
    front: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+", self.category):
            raise ValueError(f"category {self.category!r} is not usable as a name: use a-z, 0-9 and _")
        if not self.source_dir and self.source not in NEED_NO_FOLDER:
            raise ValueError(f"source {self.source} needs --source_dir, the folder of its meshes")
        if self.source_dir and self.source == "procedural":
            raise ValueError(f"source procedural makes its meshes, found --source_dir={self.source_dir}: leave it out")
        if self.source != "folder" and (self.up, self.front) != (axes.UP, ""):
            raise ValueError(f"--up and --front are for --source=folder, found --source={self.source}")
        axes.rotation(*self.axes)
        if self.processes < 1:
            raise ValueError(f"at least one process is needed, found {self.processes}")

    @property
    def axes(self) -> tuple[str, str]:
        """up and front."""
        return self.up, self.front or axes.default_front(self.up)

    @property
    def limits(self) -> tuple[int, float, int]:
        """Of `workers.run_jobs`."""
        return self.processes, self.seconds, self.mebibytes


def quiet(activity: str, done: int, total: int, note: str) -> None:
    """The `Progress` of nobody watching."""


@contextlib.contextmanager
def make_records(
    preparation: Preparation, progress: Progress = quiet, run: Callable[..., Iterator] = run_jobs
) -> Iterator[Path]:
    """Make the records of a dataset, or finish or extend them, and write the report; see `prepare`.

    The block is given the folder of the records, with an index (see `dataset.build_dataset`), and holds it until the
    end. run: `workers.run_jobs`, or what does the same elsewhere.
    """
    out = Path(preparation.out)
    identity = _identity(preparation)
    work = WorkFolder(out / "work", identity)
    with work.held():
        listing = _list(preparation, progress)
        work.bind()  # not before the source was found
        _warn(progress, listing.left_out)
        reports = _run(preparation, listing.shapes, work, progress, run)
        made = [shape for shape in listing.shapes if reports[shape.name]["status"] != "failed"]
        made, warnings = copies.settle_splits(
            listing,
            made,
            work.path / copies.CACHE,
            preparation.limits,
            lambda activity, number, total: progress(activity, number, total, ""),
        )
        _warn(progress, warnings)
        if preparation.source == "folder":  # all other sources face one way
            _warn(progress, _check_facing(made, work, reports))
        final = {shape.name: shape for shape in [*listing.shapes, *made]}
        reports = {name: {"split": s.split, "credit": s.credit} | reports[name] for name, s in final.items()}
        write_atomic(out / "report.json", json.dumps(summary(identity, reports, listing.left_out, warnings), indent=1))
        _refuse_nothing(reports)
        credits.write(made, out)
        work.write_index(made, LICENCES[preparation.source])
        yield work.path


def _identity(preparation: Preparation) -> dict:
    """What must not change between runs that share a work folder. Count and processes may."""
    identity = {
        "format": FORMAT,
        "source": preparation.source,
        "category": preparation.category,
        **dataclasses.asdict(preparation.settings),
        "renderer": "ray",  # work folders of before may hold views that OpenGL drew
    }
    if preparation.source_dir:
        identity["source_dir"] = str(Path(preparation.source_dir).resolve())
    if preparation.axes != (axes.UP, axes.FRONT):
        identity |= dict(zip(("up", "front"), preparation.axes, strict=True))
    return identity


def _list(preparation: Preparation, progress: Progress) -> Listing:
    out = Path(preparation.out)
    written = out / "meshes" if preparation.source == "procedural" else None
    up, front = preparation.axes
    listing = list_shapes(
        preparation.source,
        preparation.category,
        preparation.source_dir or written,
        count=preparation.count,
        seed=preparation.settings.seed,
        cache_dir=out.parent / "packages",
        progress=lambda done, total: progress("writing meshes", done, total, ""),
        up=up,
        front=front,
    )
    names = [shape.name for shape in listing.shapes]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"two shapes of the source have the same name: {twice[0]}")
    return listing


def _run(
    preparation: Preparation,
    shapes: list[Shape],
    work: WorkFolder,
    progress: Progress,
    run: Callable[..., Iterator],
) -> dict[str, dict]:
    """Make the records that are missing; the report on every shape, by name, in the order of `shapes`."""
    reports = {shape.name: work.report(shape) for shape in shapes}
    jobs = [(shape, preparation.settings, work.record(shape)) for shape in shapes if not reports[shape.name]]
    check_space(Path(preparation.out), len(jobs), preparation.settings.views)
    done = len(shapes) - len(jobs)
    progress(
        "preparing shapes",
        done,
        len(shapes),
        f"{done} of {len(shapes)} shapes were done before" if done else "",
    )
    for number, report, why in run(prepare_one, jobs, *preparation.limits):
        name = jobs[number][0].name
        reports[name] = report or {"status": "failed", "error": why}
        done += 1
        progress("preparing shapes", done, len(shapes), f"{name} failed: {why}" if why else "")
    return {name: report for name, report in reports.items() if report}


def _check_facing(shapes: list[Shape], work: WorkFolder, reports: dict[str, dict]) -> list[str]:
    """One line for each shape that faces another way than the others, which its report gets too."""
    voxels = (read_arrays(work.record(shape), {"voxels"}.__contains__)["voxels"] for shape in shapes)
    grids = [facing.coarse(np.unpackbits(packed).reshape(64, 64, 64)) for packed in voxels]
    lines = []
    for number, angle in facing.turned(grids).items():
        name = shapes[number].name
        line = f"it seems to face another way than the others: turned by {angle} degrees about y it fits them better"
        reports[name] |= {"status": "warned", "warnings": [*reports[name]["warnings"], line]}
        lines.append(f"{name}: {line}")
    return lines


def _warn(progress: Progress, lines: Sequence[str]) -> None:
    """Show the first few lines and how many there are."""
    for line in lines[:_SHOWN]:
        progress("checking", 1, 1, f"warning: {line}")
    if len(lines) > _SHOWN:
        progress("checking", 1, 1, f"warning: {len(lines) - _SHOWN} more of these are in report.json")


def prepare_one(job: tuple[Shape, Settings, Path]) -> dict:
    """Make and write one record; returns its report. What a worker process does."""
    shape, settings, path = job
    seconds = dict.fromkeys(PHASES, 0.0)

    @contextlib.contextmanager
    def timed(phase: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        seconds[phase] = round(seconds[phase] + time.perf_counter() - start, 4)

    memory.forget_peak()
    record = make_record(shape, settings, timed)
    diagnostics = dict(record.diagnostics)
    warnings = diagnostics.pop("warnings", [])
    report = {
        "status": "warned" if warnings else "ok",
        "stamp": shape.stamp,
        "warnings": warnings,
        "seconds": seconds,
        "mebibytes": memory.peak_mebibytes(),
        "diagnostics": diagnostics,
    }
    write_record(path, record, report)
    return report


def _refuse_nothing(reports: dict[str, dict]) -> None:
    failures = [(name, report["error"]) for name, report in reports.items() if report["status"] == "failed"]
    if len(failures) == len(reports):
        name, error = failures[0]
        raise ValueError(f"none of the {len(reports)} meshes could be prepared; the first, {name}: {error}")
