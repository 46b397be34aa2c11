"""From meshes to a dataset, in one call: records, the packed dataset, and an image to check both.

Everything is written below one output folder:

    work/          one record file per finished shape, from which an interrupted run resumes
    meshes/        meshes written by the generated sources
    imfield_shapes/<category>/<version>/    the dataset
    report.json    every shape: outcome, seconds per phase, diagnostics, warnings
    contact.png    some shapes for inspection
    CREDITS.csv    authors and licences of the meshes
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from imfield_jax.dataset.contact import contact_sheet
from imfield_jax.dataset.storage import build_dataset, open_split, split_names
from imfield_jax.files import atomic
from imfield_jax.preparation.disk import full_disk_named
from imfield_jax.preparation.records import Preparation, Progress, make_records, quiet

_SHOWN = 24  # shapes on the contact sheet


def prepare(preparation: Preparation, progress: Progress = quiet) -> Path:
    """Prepare, complete or extend a dataset, and return its folder.

    Finished shapes are kept; failed shapes are tried again. A shape that cannot be prepared is left out and
    its error is in the report.

    Raises ValueError when the folder was prepared with other settings, another process is using it, the disk has
    too little space or none of the shapes could be prepared; OSError when files cannot be read or written.
    """
    out = Path(preparation.out)
    with full_disk_named(out), make_records(preparation, progress) as records:
        progress("packing the dataset", 0, 1, "")
        dataset = build_dataset(records, out)
        progress("packing the dataset", 1, 1, "")
        _draw_contact_sheet(dataset, out / "contact.png")
    return dataset


def _draw_contact_sheet(dataset: Path, path: Path) -> None:
    splits = [open_split(dataset, split) for split in split_names(dataset)]
    places = [(split, row) for split in splits for row in range(len(split))]
    shown = [places[i * len(places) // min(_SHOWN, len(places))] for i in range(min(_SHOWN, len(places)))]
    sheet = contact_sheet([split[row] for split, row in shown], splits[0].grid(64))
    with atomic(path) as temporary:
        Image.fromarray(sheet).save(temporary, "png")
