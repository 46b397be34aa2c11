"""Pictures to meshes.

    python -m experiments.extract --resolution=256
    python -m experiments.extract --image=photo.png --category=car --formats=glb,stl
    python -m experiments.extract --run=runs/car --data=data/car --split=test --count=16
    python -m experiments.extract --resolution=1024 --refinement_iterations=3 --normals=field

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
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np
from absl import flags, logging
from PIL import Image

from imfield_jax.commands.progress import Progress
from imfield_jax.extraction.bridging import MAX_GAP
from imfield_jax.extraction.certify import Certificate
from imfield_jax.extraction.sparse import REFINEMENT_ITERATIONS
from imfield_jax.files import write_atomic
from imfield_jax.framing import grey_to_view
from imfield_jax.inference.photo import list_pictures, read_picture
from imfield_jax.inference.reconstructor import (
    FLOATERS,
    OBJECTS,
    PRECISIONS,
    SHIPPED,
    Reconstructor,
    run_weights,
    shipped_weights,
)
from imfield_jax.mesh import export, preview
from imfield_jax.mesh.check import Report, check
from imfield_jax.models.weights import load_weights
from imfield_jax.types import Mesh

_IMAGE = flags.DEFINE_list("image", None, "Picture files or folders; default the sample picture.")
_CATEGORY = flags.DEFINE_string("category", None, "Which shipped weights to use; default car.")
_RUN = flags.DEFINE_string("run", None, "A training run's folder, instead of shipped weights.")
_DATA = flags.DEFINE_string(
    "data", None, "A prepared dataset, for --split; default data/<category>, or data/<name of the run>."
)
_SPLIT = flags.DEFINE_enum("split", None, ("train", "validation", "test"), "Take pictures of a prepared dataset.")
_COUNT = flags.DEFINE_integer("count", 8, "How many shapes of the split, one picture each.", lower_bound=1)
_RESOLUTION = flags.DEFINE_integer("resolution", 256, "Cells per axis.", lower_bound=16, upper_bound=2048)
_FORMATS = flags.DEFINE_list("formats", ["glb", "obj"], f"Any of {', '.join(export.FORMATS)}.")
_REFINEMENT = flags.DEFINE_integer(
    "refinement_iterations",
    REFINEMENT_ITERATIONS,
    "Steps that move each vertex onto the field's level set; 0 interpolates linearly, which leaves ripples on panels.",
    lower_bound=0,
)
_NORMALS = flags.DEFINE_enum(
    "normals", "faces", ("faces", "field"), "Of the triangles around each vertex, or of the field's own level set."
)
_PRECISION = flags.DEFINE_enum(
    "precision", "exact", tuple(PRECISIONS), "Of the field: float32, or factors in bfloat16 where that is faster."
)
_CERTIFY = flags.DEFINE_bool(
    "certify", False, "Prove that no part of the surface is missed; the proof is in the manifest. Slow."
)
_FLOATERS = flags.DEFINE_enum(
    "floaters", "remove", FLOATERS, "Debris, loose pieces under 0.05 % of the volume and a twentieth of the cube long."
)
_BRIDGE_GAP = flags.DEFINE_float(
    "bridge_gap",
    MAX_GAP,
    "Join pieces, such as a wheel and its car, whose gap is at most this part of the cube's side; 0 joins none.",
    lower_bound=0.0,
    upper_bound=0.1,
)
_OUT = flags.DEFINE_string("out", "out", "Folder of the results.")


def main() -> None:
    unknown = [name for name in _FORMATS.value if name not in export.FORMATS]
    if unknown or not _FORMATS.value:
        raise ValueError(f"--formats: expected some of {', '.join(export.FORMATS)}, found {','.join(_FORMATS.value)!r}")
    if _CERTIFY.value and _PRECISION.value != "exact":
        raise ValueError("--certify: only exact fields can be certified, leave --precision out")
    weights = run_weights(_RUN.value) if _RUN.value else shipped_weights(_CATEGORY.value or "car")
    model = Reconstructor(load_weights(weights), _PRECISION.value)
    pictures = _pictures(model)
    out = Path(_OUT.value)
    out.mkdir(parents=True, exist_ok=True)
    manifest = {
        "version": _version(),
        "weights": {"file": weights.name, "sha256": _sha256(weights.read_bytes()), **model.weights.about},
        "resolution": _RESOLUTION.value,
        "precision": _PRECISION.value,
        "refinement_iterations": _REFINEMENT.value,
        "normals": _NORMALS.value,
        "floaters": _FLOATERS.value,
        "bridge_gap": _BRIDGE_GAP.value,
        "results": [],
    }
    progress, failures = Progress(), []
    at_once = _at_once(_RESOLUTION.value)
    for start in range(0, len(pictures), at_once):
        for number, made in enumerate(_reconstruct(model, pictures[start : start + at_once]), start=start + 1):
            if isinstance(made, Reconstruction):
                manifest["results"].append(_write(made, out))
                progress("pictures", number, len(pictures), _said(manifest["results"][-1]))
            else:
                failures.append(made)
                progress("pictures", number, len(pictures), f"skipped: {made}")
            write_atomic(out / "manifest.json", json.dumps({**manifest, "skipped": failures}, indent=1))
    if manifest["results"]:
        logging.info("meshes, the views the network saw, previews and manifest.json are in %s", out.resolve())
    if failures:
        raise ValueError(f"{len(failures)} of {len(pictures)} pictures gave no mesh; the first: {failures[0]}")


@dataclasses.dataclass(frozen=True)
class Source:
    """A picture before it is read. rgba: [H, W, 4] uint8; notes: what was done to it; digest: of the file."""

    rgba: np.ndarray
    notes: list[str]
    digest: str


def _pictures(model: Reconstructor) -> list[tuple[str, Callable[[], Source]]]:
    """Names for results, and how to read each picture."""
    if _IMAGE.value and _SPLIT.value:
        raise ValueError("--image and --split both say which pictures to take: give one of them")
    if _DATA.value and not _SPLIT.value:
        raise ValueError("--data is where --split takes pictures from: give --split=train, validation or test, too")
    category = model.weights.about.get("category", "car")
    if _SPLIT.value:
        return _of_split(_DATA.value or f"data/{Path(_RUN.value).name if _RUN.value else category}")
    files = list_pictures(_IMAGE.value) if _IMAGE.value else [_sample(category)]
    return list(zip(_distinct([file.stem for file in files]), [partial(_of_file, file) for file in files], strict=True))


def _sample(category: str) -> Path:
    """The picture that comes with the package. Raises ValueError where there is none of the category."""
    picture = SHIPPED / f"{category}.png"
    if not picture.exists():
        raise ValueError(f"no sample picture of category {category!r}: name --image, or --split of a prepared dataset")
    return picture


def _of_file(file: Path) -> Source:
    picture = read_picture(file)
    return Source(picture.rgba, picture.notes, _sha256(file.read_bytes()))


def _of_split(data: str) -> list[tuple[str, Callable[[], Source]]]:
    # Only this way of naming pictures needs the packages of data preparation.
    from imfield_jax.dataset.storage import open_split

    split = open_split(data, _SPLIT.value)

    def of_row(row: int) -> Source:
        shape = split[row]
        number = row % shape.view_count  # another side of each shape
        return Source(shape.view(number), [f"view {number} of {shape.name}"], _sha256(shape.view_png(number)))

    rows = range(min(_COUNT.value, len(split)))
    names = _distinct([split.names[row].replace("/", "_") for row in rows])
    return list(zip(names, [partial(of_row, row) for row in rows], strict=True))


def _distinct(names: list[str]) -> list[str]:
    """File names for the results: pictures of one name in two folders, or of two types, get a number."""
    distinct: list[str] = []
    for name in names:
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        distinct.append(next(free for free in itertools.chain([name], numbered) if free not in distinct))
    return distinct


@dataclasses.dataclass(frozen=True)
class Seen:
    """A picture on its way to a mesh. view: [128, 128] uint8, what the network saw; z: [Z]; seconds: it took so far."""

    name: str
    source: Source
    view: np.ndarray
    z: np.ndarray
    seconds: float


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """What came of a picture. points: asked of the field; seconds: by phase, of a batch its share."""

    seen: Seen
    mesh: Mesh
    report: Report
    points: int
    certificate: Certificate | None
    seconds: dict[str, float]


def _at_once(resolution: int) -> int:
    """How many pictures share the chunks of the field: small surfaces fill them badly, large ones do not need it."""
    return 1 if _CERTIFY.value else min(OBJECTS, max(1, (512 // resolution) ** 2))


def _reconstruct(
    model: Reconstructor, pictures: list[tuple[str, Callable[[], Source]]]
) -> Iterator[Reconstruction | str]:
    """What came of each of the pictures, or why nothing did."""
    looked = [_look(model, name, read) for name, read in pictures]
    seen = [one for one in looked if isinstance(one, Seen)]
    if seen:
        extraction = model.extract(
            np.stack([one.z for one in seen]),
            _RESOLUTION.value,
            refinement_iterations=_REFINEMENT.value,
            certify=_CERTIFY.value,
            field_normals=_NORMALS.value == "field",
            floaters=_FLOATERS.value,
            bridge_gap=_BRIDGE_GAP.value,
            clock=time.perf_counter,
        )
        made = zip(extraction.meshes, extraction.evaluated, strict=True)
    for one in looked:
        if isinstance(one, str):
            yield one
            continue
        mesh, points = next(made)
        report = check(mesh)
        if not report.faces:
            yield f"{one.name}: the network sees no object of its category in the picture (the field is empty)"
            continue
        shares = {phase: spent / len(seen) for phase, spent in extraction.seconds.items()}
        seconds = {"read and encode": one.seconds, **shares}
        yield Reconstruction(one, mesh, report, int(points), extraction.certificate, seconds)


def _look(model: Reconstructor, name: str, read: Callable[[], Source]) -> Seen | str:
    """A picture through the encoder, or what is wrong with it."""
    started = time.perf_counter()
    try:
        source = read()
        view = model.view(source.rgba)
    except (ValueError, OSError) as error:
        return str(error)
    z = model.encode_views(grey_to_view(view)[None])[0]
    return Seen(name, source, view, z, time.perf_counter() - started)


def _write(made: Reconstruction, out: Path) -> dict:
    """The files of one picture; returns its entry in the manifest."""
    started = time.perf_counter()
    mesh, report, name = made.mesh, made.report, made.seen.name
    for kind in _FORMATS.value:
        write_atomic(out / f"{name}.{kind}", export.encode(mesh, kind))
    write_atomic(out / f"{name}.input.png", _png(made.seen.view))
    write_atomic(out / f"{name}.preview.png", _png(preview.shade(mesh, preview.three_quarter_view(mesh))))
    seconds = {**made.seconds, "write": time.perf_counter() - started}
    return {
        "name": name,
        "picture_sha256": made.seen.source.digest,
        "notes": made.seen.source.notes,
        "files": [f"{name}.{kind}" for kind in _FORMATS.value],
        "seconds": {phase: round(value, 3) for phase, value in {**seconds, "total": sum(seconds.values())}.items()},
        "points_evaluated": made.points,
        "certificate": made.certificate and dataclasses.asdict(made.certificate),
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
