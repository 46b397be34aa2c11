"""Prepare a dataset from meshes: solid voxels, labelled points and rendered views of every shape.

    imfield prepare --source=procedural --category=car
    imfield prepare --source=shapenet --source_dir=ShapeNetCore.v2 --category=chair
    imfield prepare --source=folder --source_dir=my_meshes --category=teapot
    imfield prepare --source=folder --source_dir=from_cad --category=bracket --up=z --front=-y

A folder of your own meshes is searched with its subfolders. About 80 % of the meshes are for training, 10 % for
validation and 10 % for the test, near copies in the same split; a split.csv (name,split) or subfolders train/,
validation/ and test/ override this. A CREDITS.csv (name,author,licence,origin) is kept with the dataset.

A killed run resumes when it is started again. Afterwards check contact.png and report.json in the output folder; the
report also lists the entries that were not read.
"""

from __future__ import annotations

import json
from pathlib import Path

from absl import flags, logging

from imfield_jax.commands.output import output_folder
from imfield_jax.commands.progress import Progress
from imfield_jax.preparation.record import VIEWS_LIKE, Settings
from imfield_jax.preparation.records import DEFAULT_COUNT, Preparation
from imfield_jax.preparation.sampling import LABELS
from imfield_jax.preparation.workers import usable_processors
from imfield_jax.sources.axes import SIGNED_AXES, UP
from imfield_jax.sources.listing import GENERATED, SOURCES

_SOURCE = flags.DEFINE_enum(
    "source", "procedural", SOURCES, "Where the shapes come from; folder is for your own meshes."
)
_CATEGORY = flags.DEFINE_string("category", "car", "Category of the source; for a folder, the name to give it.")
_SOURCE_DIR = flags.DEFINE_string(
    "source_dir",
    None,
    "Folder of the meshes; not needed for generated shapes and for sources that are packages.",
)
_UP = flags.DEFINE_enum("up", UP, SIGNED_AXES, "Axis of a folder's meshes that points up.")
_FRONT = flags.DEFINE_enum(
    "front", None, SIGNED_AXES, "Axis of a folder's meshes that points to the front; default -z, or -y with z up."
)
_OUT = flags.DEFINE_string("out", None, "Output folder; default data/<category>.")
_COUNT = flags.DEFINE_integer("count", None, f"Number of shapes; default all, or {DEFAULT_COUNT} generated ones.")
_DEFORMED = flags.DEFINE_integer(
    "deformed", 0, "Deformed copies to add of each training mesh, with other proportions and colours.", lower_bound=0
)
_RECOMBINED = flags.DEFINE_integer(
    "recombined", 0, "Combinations to add of parts of each training mesh with those of another.", lower_bound=0
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of generated shapes, sampled points and cameras.", lower_bound=0)
_LABELS = flags.DEFINE_enum(
    "labels", "exact", LABELS, "How points are labelled: by the grid cell around them, as in IM-NET, or exactly."
)
_VIEWS = flags.DEFINE_integer("views", 24, "Rendered images per shape.", lower_bound=1)
_IMAGE_SIZE = flags.DEFINE_integer(
    "image_size", Settings.image_size, "Pixels per side of the images; 240 for views of 224 pixels."
)
_VIEWS_LIKE = flags.DEFINE_enum(
    "views_like",
    "r2n2",
    VIEWS_LIKE,
    "Cameras and lights of the images: those of 3D-R2N2, or from all sides, distances and in all lights, as photos.",
)
_PROCESSES = flags.DEFINE_integer("processes", 0, "Number of worker processes; 0 for one per processor.", lower_bound=0)
_SECONDS = flags.DEFINE_float(
    "seconds_per_shape", 900.0, "Time limit per shape, in seconds; slower shapes are left out.", lower_bound=1.0
)
_MEBIBYTES = flags.DEFINE_integer(
    "mebibytes_per_process",
    2048,
    "Memory limit per process, in MiB; a shape that needs more is left out.",
    lower_bound=512,
)

GROUPS = {
    "Meshes": [_SOURCE, _SOURCE_DIR, _CATEGORY, _COUNT, _DEFORMED, _RECOMBINED, _UP, _FRONT],
    "Output": [_OUT, _LABELS, _VIEWS, _VIEWS_LIKE, _IMAGE_SIZE, _SEED],
    "Resources": [_PROCESSES, _SECONDS, _MEBIBYTES],
}


def main() -> None:
    count = _COUNT.value
    if count is None:
        count = DEFAULT_COUNT if _SOURCE.value in GENERATED else 0
    preparation = Preparation(
        source=_SOURCE.value,
        category=_CATEGORY.value,
        out=str(output_folder(_OUT.value or f"data/{_CATEGORY.value}")),
        source_dir=_SOURCE_DIR.value,
        count=count,
        settings=Settings(_LABELS.value, _VIEWS.value, _SEED.value, _VIEWS_LIKE.value, _IMAGE_SIZE.value),
        processes=_PROCESSES.value or usable_processors(),
        seconds=_SECONDS.value,
        mebibytes=_MEBIBYTES.value,
        up=_UP.value,
        front=_FRONT.value or "",
        deformed=_DEFORMED.value,
        recombined=_RECOMBINED.value,
    )
    from imfield_jax.dataset.prepare import prepare  # needs the packages of the extra `data`, --help does not

    dataset = prepare(preparation, Progress())
    totals = json.loads((Path(preparation.out) / "report.json").read_text())["totals"]
    left_out = f", entries of the folder not read: {totals['left_out']}" if totals["left_out"] else ""
    logging.info(
        "%d of %d shapes prepared (%d with warnings, %d failed%s): %s",
        totals["ok"] + totals["warned"],
        totals["shapes"],
        totals["warned"],
        totals["failed"],
        left_out,
        dataset,
    )
    logging.info("report: %s/report.json; contact sheet: %s/contact.png", preparation.out, preparation.out)
