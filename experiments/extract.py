"""Pictures to meshes.

    python -m experiments.extract --resolution=256
    python -m experiments.extract --image=photo.png --category=chair --formats=glb,stl
    python -m experiments.extract --run=runs/car --data=data/car --split=test --count=16

With no other flag, the sample picture and the car weights that come with the package. Beside each mesh:
<name>.input.png, the very pixels the network saw, <name>.preview.png, and for all, manifest.json.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import json
import time
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np
from absl import flags, logging
from PIL import Image

from experiments.entry import run
from experiments.progress import Progress
from imfield_jax.framing import grey_to_view
from imfield_jax.inference.photo import list_pictures, read_picture
from imfield_jax.inference.reconstructor import SHIPPED, Reconstructor, run_weights, shipped_weights
from imfield_jax.mesh import export, preview
from imfield_jax.mesh.check import check
from imfield_jax.mesh.crumbs import CRUMB
from imfield_jax.models.weights import load_weights

_IMAGE = flags.DEFINE_list("image", None, "Picture files or folders; default the sample picture.")
_CATEGORY = flags.DEFINE_string("category", None, "Which shipped weights to use; default car.")
_RUN = flags.DEFINE_string("run", None, "A training run's folder, instead of shipped weights.")
_DATA = flags.DEFINE_string("data", None, "A prepared dataset, for --split; default data/<category>.")
_SPLIT = flags.DEFINE_enum("split", None, ("train", "validation", "test"), "Take pictures of a prepared dataset.")
_COUNT = flags.DEFINE_integer("count", 8, "How many shapes of the split, one picture each.", lower_bound=1)
_RESOLUTION = flags.DEFINE_integer("resolution", 256, "Cells per axis.", lower_bound=16, upper_bound=512)
_FORMATS = flags.DEFINE_list("formats", ["glb", "obj"], f"Any of {', '.join(export.FORMATS)}.")
_CRUMBS = flags.DEFINE_float(
    "crumbs",
    CRUMB,
    "Leave out pieces smaller than this share of the largest one's volume; 0 keeps all.",
    lower_bound=0.0,
    upper_bound=1.0,
)
_OUT = flags.DEFINE_string("out", "out", "Folder of the results.")


def main() -> None:
    unknown = [name for name in _FORMATS.value if name not in export.FORMATS]
    if unknown or not _FORMATS.value:
        raise ValueError(f"--formats: expected some of {', '.join(export.FORMATS)}, found {','.join(_FORMATS.value)!r}")
    weights = run_weights(_RUN.value) if _RUN.value else shipped_weights(_CATEGORY.value or "car")
    model = Reconstructor(load_weights(weights))
    pictures = _pictures(model)
    out = Path(_OUT.value)
    out.mkdir(parents=True, exist_ok=True)
    manifest = {
        "version": _version(),
        "weights": {"file": weights.name, "sha256": _sha256(weights.read_bytes()), **model.weights.about},
        "resolution": _RESOLUTION.value,
        "results": [],
    }
    progress, failures = Progress(), []
    for number, (name, read) in enumerate(pictures, start=1):
        try:
            result = _reconstruct(model, name, read, out)
        except (ValueError, OSError) as error:
            failures.append(str(error))
            progress("pictures", number, len(pictures), f"skipped: {error}")
        else:
            manifest["results"].append(result)
            progress("pictures", number, len(pictures), _said(result))
        text = json.dumps({**manifest, "skipped": failures}, indent=1)
        export.write_bytes(out / "manifest.json", text.encode())
    if failures:
        raise ValueError(f"{len(failures)} of {len(pictures)} pictures gave no mesh; the first: {failures[0]}")
    logging.info("meshes, the views the network saw, previews and manifest.json are in %s", out.resolve())


@dataclasses.dataclass(frozen=True)
class Source:
    """A picture before it is read. rgba: [H, W, 4] uint8; notes: what was done to it; digest: of the file."""

    rgba: np.ndarray
    notes: list[str]
    digest: str


def _pictures(model: Reconstructor) -> list[tuple[str, Callable[[], Source]]]:
    """Names for results, and how to read each picture."""
    category = model.weights.about.get("category", "car")
    if _SPLIT.value:
        return _of_split(_DATA.value or f"data/{category}")
    files = list_pictures(_IMAGE.value) if _IMAGE.value else [SHIPPED / f"{_CATEGORY.value or 'car'}.png"]
    return list(zip(_distinct([file.stem for file in files]), [partial(_of_file, file) for file in files], strict=True))


def _of_file(file: Path) -> Source:
    picture = read_picture(file)
    return Source(picture.rgba, picture.notes, _sha256(file.read_bytes()))


def _of_split(data: str) -> list[tuple[str, Callable[[], Source]]]:
    # Only this way of naming pictures needs the packages of data preparation.
    from imfield_jax.data.dataset import open_split

    split = open_split(data, _SPLIT.value)

    def of_row(row: int) -> Source:
        shape = split[row]
        number = row % shape.view_count  # another side of each shape
        return Source(shape.view(number), [f"view {number} of {shape.name}"], _sha256(shape.view_png(number)))

    rows = range(min(_COUNT.value, len(split)))
    return [(split.names[row].replace("/", "_"), partial(of_row, row)) for row in rows]


def _distinct(names: list[str]) -> list[str]:
    """File names for the results: pictures of one name in two folders, or of two types, get a number."""
    distinct: list[str] = []
    for name in names:
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        distinct.append(next(free for free in itertools.chain([name], numbered) if free not in distinct))
    return distinct


def _reconstruct(model: Reconstructor, name: str, read: Callable[[], Source], out: Path) -> dict:
    """One picture to files; returns its entry in the manifest."""
    started = time.perf_counter()
    source = read()
    view = model.view(source.rgba)
    z = model.encode_views(grey_to_view(view)[None])[0]
    encoded = time.perf_counter()
    extraction = model.extract(z, _RESOLUTION.value, crumbs=_CRUMBS.value, clock=time.perf_counter)
    mesh, report = extraction.mesh, check(extraction.mesh)
    if not report.faces:
        raise ValueError(f"{name}: the network sees no object of its category in the picture (the field is empty)")
    for kind in _FORMATS.value:
        export.write_bytes(out / f"{name}.{kind}", export.encode(mesh, kind))
    export.write_bytes(out / f"{name}.input.png", _png(view))
    export.write_bytes(out / f"{name}.preview.png", _png(preview.shade(mesh, preview.three_quarter_view(mesh))))
    seconds = {
        "read and encode": encoded - started,
        **extraction.seconds,
        "total": time.perf_counter() - started,
    }
    return {
        "name": name,
        "picture_sha256": source.digest,
        "notes": source.notes,
        "files": [f"{name}.{kind}" for kind in _FORMATS.value],
        "seconds": {phase: round(value, 3) for phase, value in seconds.items()},
        "points_evaluated": extraction.evaluated,
        "vertices": report.vertices,
        "faces": report.faces,
        "components": report.components,
        "volume": round(report.signed_volume, 6),
        "watertight": report.watertight,
        "outward": report.signed_volume > 0,
    }


def _said(result: dict) -> str:
    notes = "".join(f" ({note})" for note in result["notes"])
    return (
        f"{result['name']}: {result['vertices']:,} vertices, {result['faces']:,} faces, "
        f"{'watertight' if result['watertight'] else 'NOT watertight'}, {result['seconds']['total']} s{notes}"
    )


def _version() -> str:
    try:
        return metadata.version("imfield_jax")
    except metadata.PackageNotFoundError:  # run from a checkout
        return "not installed"


def _png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "png")
    return stream.getvalue()


def _sha256(contents: bytes) -> str:
    return hashlib.sha256(contents).hexdigest()


if __name__ == "__main__":
    run(main)
