"""From meshes to records: many processes, one record file per shape, and a report on all of them.

Everything is written below one output folder:

    work/          one record file per finished shape, from which an interrupted run resumes
    meshes/        meshes written by the generated sources
    imfield_shapes/<category>/<version>/    the dataset
    report.json    every shape: outcome, seconds per phase, diagnostics, warnings; unread files
    contact.png    some shapes for inspection
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
from imfield_jax.preparation.recombination import recombined
from imfield_jax.preparation.record import PHASES, Settings, make_record
from imfield_jax.preparation.record_file import write_record
from imfield_jax.preparation.report import summary
from imfield_jax.preparation.work_folder import WorkFolder
from imfield_jax.preparation.workers import run_jobs
from imfield_jax.sources import axes, credits
from imfield_jax.sources.deformation import deformed
from imfield_jax.sources.derived import originals
from imfield_jax.sources.listing import GENERATED, LICENCES, NEED_NO_FOLDER, WITH_MESHES, list_shapes
from imfield_jax.sources.shape import Listing, Shape

Progress = Callable[[str, int, int, str], None]
"""Called as progress(activity, done, total, note); `note` is "" or a line to show."""

FORMAT = 1  # of the records; a change invalidates older work folders, as their identity differs
DEFAULT_COUNT = 1000
_SHOWN = 5  # lines of one kind in the log; the report has all


@dataclasses.dataclass(frozen=True)
class Preparation:
    """Settings of a preparation, see the flags of `experiments/prepare.py`.

    source_dir: folder of the meshes; None for the generated sources, which write to <out>/meshes, and
                for sources that are packages, which are downloaded to "packages" next to <out>.
    count:      number of shapes; 0 for all of the source.
    seconds:    time limit per shape.
    mebibytes:  memory limit per process; a shape that needs more fails.
    up, front:  axes of the meshes of a folder, see `axes.rotation`; front "" for `axes.default_front`.
    deformed:   deformations to add of each training shape, see `sources.deformation`.
    recombined: combinations with others to add of each training shape, see `preparation.recombination`.
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
    deformed: int = 0
    recombined: int = 0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+", self.category):
            raise ValueError(f"category: expected a name of a-z, 0-9 and _, found {self.category!r}")
        if not self.source_dir and self.source not in NEED_NO_FOLDER:
            raise ValueError(f"source {self.source} needs --source_dir, the folder of its meshes")
        if self.source_dir and self.source in GENERATED:
            raise ValueError(
                f"source {self.source} generates its meshes, found --source_dir={self.source_dir}: leave it out"
            )
        if self.source != "folder" and (self.up, self.front) != (axes.UP, ""):
            raise ValueError(f"--up and --front apply to --source=folder only, found --source={self.source}")
        axes.rotation(*self.axes)
        if self.processes < 1:
            raise ValueError(f"processes: expected 1 or more, found {self.processes}")
        for flag in ("deformed", "recombined"):
            if getattr(self, flag) and self.source not in WITH_MESHES:
                raise ValueError(f"--{flag} needs meshes ({', '.join(WITH_MESHES)}), found --source={self.source}")

    @property
    def axes(self) -> tuple[str, str]:
        """The up and front axes."""
        return self.up, self.front or axes.default_front(self.up)

    @property
    def limits(self) -> tuple[int, float, int]:
        """The limits of `workers.run_jobs`."""
        return self.processes, self.seconds, self.mebibytes


def quiet(activity: str, done: int, total: int, note: str) -> None:
    """A no-op `Progress`."""


@contextlib.contextmanager
def make_records(
    preparation: Preparation, progress: Progress = quiet, run: Callable[..., Iterator] = run_jobs
) -> Iterator[Path]:
    """Make, complete or extend the records of a dataset, and write the report; see `prepare`.

    Yields the folder of the records, with an index (see `dataset.build_dataset`), which is locked until the block
    ends. run: `workers.run_jobs` or a replacement with the same interface.
    """
    out = Path(preparation.out)
    identity = _identity(preparation)
    work = WorkFolder(out / "work", identity)
    with work.held():
        listing = _list(preparation, progress)
        work.bind()  # only after the source was found
        _warn(progress, listing.left_out)
        more = _derived(listing.shapes, preparation)
        reports = _run(preparation, [*listing.shapes, *more], work, progress, run)
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
        # Of shapes whose copies moved them to a held-out split, nothing that is made of them is kept.
        final = {shape.name: shape for shape in [*listing.shapes, *made]}
        of_training = [shape for shape in more if all(final[name].split == "train" for name in originals(shape.name))]
        final |= {shape.name: shape for shape in of_training}
        made += [shape for shape in of_training if reports[shape.name]["status"] != "failed"]
        reports = {name: {"split": s.split, "credit": s.credit} | reports[name] for name, s in final.items()}
        write_atomic(out / "report.json", json.dumps(summary(identity, reports, listing.left_out, warnings), indent=1))
        _refuse_empty(reports)
        credits.write(made, out)
        work.write_index(made, LICENCES[preparation.source])
        yield work.path


def _derived(shapes: Sequence[Shape], preparation: Preparation) -> list[Shape]:
    """The training shapes that are made of others."""
    seed, count = preparation.settings.seed, sum(shape.split == "train" for shape in shapes)
    if preparation.recombined and count < 2:
        raise ValueError(f"--recombined needs 2 training meshes or more, found {count}")
    return [*deformed(shapes, preparation.deformed, seed), *recombined(shapes, preparation.recombined, seed)]


def _identity(preparation: Preparation) -> dict:
    """The settings that must be equal in all runs on one work folder. Count and processes may differ."""
    identity = {
        "format": FORMAT,
        "source": preparation.source,
        "category": preparation.category,
        **dataclasses.asdict(preparation.settings),
        "renderer": "ray",  # older work folders may hold views rendered with OpenGL
    }
    for later in ("views_like", "image_size"):  # which older work folders do not name
        if identity[later] == getattr(Settings, later):
            del identity[later]
    if preparation.source_dir:
        identity["source_dir"] = str(Path(preparation.source_dir).resolve())
    if preparation.axes != (axes.UP, axes.FRONT):
        identity |= dict(zip(("up", "front"), preparation.axes, strict=True))
    return identity


def _list(preparation: Preparation, progress: Progress) -> Listing:
    out = Path(preparation.out)
    written = out / "meshes" if preparation.source in GENERATED else None
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
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"two shapes of the source have the same name: {repeated[0]}")
    return listing


def _run(
    preparation: Preparation,
    shapes: list[Shape],
    work: WorkFolder,
    progress: Progress,
    run: Callable[..., Iterator],
) -> dict[str, dict]:
    """Make the missing records; returns the reports on all shapes by name, in the order of `shapes`."""
    reports = {shape.name: work.report(shape) for shape in shapes}
    jobs = [(shape, preparation.settings, work.record(shape)) for shape in shapes if not reports[shape.name]]
    check_space(Path(preparation.out), len(jobs), preparation.settings.views)
    done = len(shapes) - len(jobs)
    progress(
        "preparing shapes",
        done,
        len(shapes),
        f"{done} of {len(shapes)} shapes were already prepared" if done else "",
    )
    for number, report, why in run(prepare_one, jobs, *preparation.limits):
        name = jobs[number][0].name
        reports[name] = report or {"status": "failed", "error": why}
        done += 1
        progress("preparing shapes", done, len(shapes), f"{name} failed: {why}" if why else "")
    return {name: report for name, report in reports.items() if report}


def _check_facing(shapes: list[Shape], work: WorkFolder, reports: dict[str, dict]) -> list[str]:
    """One line for each shape that faces another way than the others, also added to its report."""
    voxels = (read_arrays(work.record(shape), {"voxels"}.__contains__)["voxels"] for shape in shapes)
    grids = [facing.coarse(np.unpackbits(packed).reshape(64, 64, 64)) for packed in voxels]
    lines = []
    for number, angle in facing.turned(grids).items():
        name = shapes[number].name
        line = f"it seems to face another way than the others: rotated by {angle} degrees about y, it fits them better"
        reports[name] |= {"status": "warned", "warnings": [*reports[name]["warnings"], line]}
        lines.append(f"{name}: {line}")
    return lines


def _warn(progress: Progress, lines: Sequence[str]) -> None:
    """Show the first few lines and the number of the others."""
    for line in lines[:_SHOWN]:
        progress("checking", 1, 1, f"warning: {line}")
    if len(lines) > _SHOWN:
        progress("checking", 1, 1, f"warning: {len(lines) - _SHOWN} more like these are in report.json")


def prepare_one(job: tuple[Shape, Settings, Path]) -> dict:
    """Make and write one record; returns its report. Runs in a worker process."""
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


def _refuse_empty(reports: dict[str, dict]) -> None:
    failures = [(name, report["error"]) for name, report in reports.items() if report["status"] == "failed"]
    if len(failures) == len(reports):
        name, error = failures[0]
        raise ValueError(f"none of the {len(reports)} meshes could be prepared; the first, {name}: {error}")
