"""Prepare a dataset from meshes: solid voxels, labelled points and rendered views of every shape.

    python -m experiments.prepare --source=procedural --category=car --labels=exact
    python -m experiments.prepare --source=shapenet --source_dir=ShapeNetCore.v2 --category=chair
    python -m experiments.prepare --source=folder --source_dir=my_meshes --category=teapot --labels=exact

A killed run goes on where it was when started again. Afterwards look at report.json and contact.png
in the output folder.
"""

from __future__ import annotations

import json
from pathlib import Path

from absl import flags, logging

from imfield_jax.commands.progress import Progress
from imfield_jax.dataset.prepare import prepare
from imfield_jax.preparation.record import Settings
from imfield_jax.preparation.records import DEFAULT_COUNT, Preparation
from imfield_jax.preparation.sampling import LABELS
from imfield_jax.preparation.workers import usable_processors
from imfield_jax.sources.listing import SOURCES

_SOURCE = flags.DEFINE_enum("source", "procedural", SOURCES, "Where the shapes come from.")
_CATEGORY = flags.DEFINE_string("category", "car", "Which of the source's categories; for a folder, its name.")
_SOURCE_DIR = flags.DEFINE_string(
    "source_dir",
    None,
    "Folder of the meshes. Not needed for procedural ones nor for packages, which are fetched.",
)
_OUT = flags.DEFINE_string("out", None, "Output folder; data/<category> by default.")
_COUNT = flags.DEFINE_integer("count", None, f"How many shapes; {DEFAULT_COUNT} procedural ones or all by default.")
_SEED = flags.DEFINE_integer("seed", 0, "Of procedural shapes, sampled points and cameras.", lower_bound=0)
_LABELS = flags.DEFINE_enum(
    "labels", "pooled", LABELS, "Labels of points: of the cell around, as IM-NET, or of the point."
)
_VIEWS = flags.DEFINE_integer("views", 24, "Pictures per shape.", lower_bound=1)
_PROCESSES = flags.DEFINE_integer("processes", 0, "Worker processes; 0 for one per processor.", lower_bound=0)
_SECONDS = flags.DEFINE_float("seconds_per_shape", 900.0, "A shape that takes longer is given up.", lower_bound=1.0)
_MEBIBYTES = flags.DEFINE_integer(
    "mebibytes_per_process", 2048, "A shape that needs more memory is given up.", lower_bound=512
)


def main() -> None:
    count = _COUNT.value
    if count is None:
        count = DEFAULT_COUNT if _SOURCE.value == "procedural" else 0
    preparation = Preparation(
        source=_SOURCE.value,
        category=_CATEGORY.value,
        out=_OUT.value or f"data/{_CATEGORY.value}",
        source_dir=_SOURCE_DIR.value,
        count=count,
        settings=Settings(_LABELS.value, _VIEWS.value, _SEED.value),
        processes=_PROCESSES.value or usable_processors(),
        seconds=_SECONDS.value,
        mebibytes=_MEBIBYTES.value,
    )
    dataset = prepare(preparation, Progress())
    totals = json.loads((Path(preparation.out) / "report.json").read_text())["totals"]
    logging.info(
        "%d of %d shapes prepared (%d with warnings, %d failed): %s",
        totals["ok"] + totals["warned"],
        totals["shapes"],
        totals["warned"],
        totals["failed"],
        dataset,
    )
    logging.info("the report: %s/report.json; what it looks like: %s/contact.png", preparation.out, preparation.out)
