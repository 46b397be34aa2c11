"""Meshes of many images: small surfaces share chunks of the field, and a bad image does not stop the others."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from imfield_jax.camera import Camera, PictureCamera, image_camera
from imfield_jax.extraction.bridging import MAX_GAP
from imfield_jax.extraction.certify import Certificate
from imfield_jax.extraction.chunked import ChunkedField
from imfield_jax.extraction.gradient import with_gradient_normals
from imfield_jax.extraction.sparse import REFINEMENT_ITERATIONS, Extraction
from imfield_jax.framing import frame, to_unit
from imfield_jax.inference.model import OBJECTS, Model
from imfield_jax.inference.painting import painted
from imfield_jax.inference.photo import Photo
from imfield_jax.inference.refinement import check_refinable, refined
from imfield_jax.inference.spread import spread
from imfield_jax.inference.view_camera import camera_of, check_framed
from imfield_jax.mesh.check import Report, check
from imfield_jax.mesh.floaters import LeftOut, pieces_of
from imfield_jax.mesh.simplify import simplified
from imfield_jax.mesh.texture import LARGEST, SMALLEST, check_xatlas, textured
from imfield_jax.types import Mesh


@dataclasses.dataclass(frozen=True)
class Item:
    """An image to reconstruct. read: may raise ValueError or OSError, which becomes a `Failure`."""

    name: str
    read: Callable[[], Photo]


_OTHERS = ("max_faces", "lods", "color", "texture", "spread", "refine_to_picture")  # options of other steps


@dataclasses.dataclass(frozen=True)
class Settings:
    """The options of `Model.extract`, under the same names, and numbers of faces.

    max_faces: of the mesh, see `simplified`; None keeps all.
    lods:      levels of detail besides the mesh, the most faces of each, falling.
    color:     meshes have the colours of the picture.
    texture:   with color, pixels per side of a texture of those that the mesh has before it is simplified, or None.
    spread:    meshes say how sure they are, see `spread`.
    refine_to_picture: latents are fitted to the outlines of the objects, see `refinement`.
    """

    resolution: int = 256
    refinement_iterations: int = REFINEMENT_ITERATIONS
    floaters: str = "remove"
    bridge_gap: float = MAX_GAP
    field_normals: bool = False
    certify: bool = False
    max_faces: int | None = None
    lods: tuple[int, ...] = ()
    color: bool = False
    texture: int | None = None
    spread: bool = False
    refine_to_picture: bool = False

    @property
    def extraction(self) -> dict[str, Any]:
        """The options of `Model.extract`."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in _OTHERS}

    @property
    def batch(self) -> int:
        """Images per batch: small surfaces leave chunks partly empty, large ones fill them alone."""
        return 1 if self.certify else min(OBJECTS, max(1, (512 // self.resolution) ** 2))


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """The mesh of an image.

    lods:    the levels of detail that were asked for.
    view:    what the network saw.   notes: about the image, for the user.
    latent:  of the view.
    cavities: pieces of the mesh that are hollows inside the solid; the others are loose parts.
    points:  field evaluations.   bridges: pieces that were joined.   left_out: the floaters.
    seconds: by phase; the time of a batch is split evenly.
    view_camera: of the view, see `camera.view_camera`; None if the network does not predict it.
    picture_camera: of the whole picture; with color, it is fitted to the outline of the object. None if there is none.
    cutout:  the image, straight alpha, if parts of it were made transparent.
    outlines: how well the field's outline fits the object before and after `refine_to_picture`, as IoU.
    """

    name: str
    view: UInt8[np.ndarray, "S S C"]
    notes: list[str]
    latent: Float32[np.ndarray, " Z"]
    mesh: Mesh
    report: Report
    cavities: int
    points: int
    bridges: int
    left_out: LeftOut
    certificate: Certificate | None
    seconds: dict[str, float]
    view_camera: Float32[np.ndarray, " 7"] | None = None
    picture_camera: PictureCamera | None = None
    cutout: UInt8[np.ndarray, "H W 4"] | None = None
    lods: tuple[Mesh, ...] = ()
    outlines: tuple[float, float] | None = None

    @property
    def camera(self) -> Camera | None:
        """The predicted camera, for the view as the image; None if the network does not predict it."""
        return None if self.view_camera is None else image_camera(self.view_camera)


@dataclasses.dataclass(frozen=True)
class Failure:
    """An image without a mesh. reason: one line that names the image."""

    name: str
    reason: str


@dataclasses.dataclass(frozen=True)
class _Encoded:
    """An image that was read and encoded."""

    item: Item
    photo: Photo
    view: UInt8[np.ndarray, "S S C"]
    z: Float32[np.ndarray, " Z"]
    camera: Float32[np.ndarray, " 7"] | None
    notes: list[str]
    seconds: float
    outlines: tuple[float, float] | None = None


def reconstruct(
    model: Model, items: Sequence[Item], settings: Settings, watch: Callable[[str], None] = lambda step: None
) -> Iterator[Reconstruction | Failure]:
    """The mesh of each image, in order, or why it has none; a batch is computed when its first result is requested.

    watch: called with the name of each step, several times during long ones; what it raises ends the work.

    Raises ValueError for settings out of range, for colours or refinement with a model that cannot have them, and for
    textures without xatlas.
    """
    check_possible(model, settings)
    for start in range(0, len(items), settings.batch):
        yield from _batch(model, items[start : start + settings.batch], settings, watch)


def check_possible(model: Model, settings: Settings) -> None:
    """Raises ValueError for settings that need what a model does not have."""
    if settings.color:
        check_framed(model, "no colours")
    if settings.texture is not None:
        if not settings.color:
            raise ValueError("a texture holds the colours of the picture: ask for color, too")
        if not SMALLEST <= settings.texture <= LARGEST:
            raise ValueError(f"texture: expected {SMALLEST} to {LARGEST} pixels per side, found {settings.texture}")
        check_xatlas()
    if settings.refine_to_picture:
        check_framed(model, "nothing is refined")
        check_refinable(model)


def _batch(
    model: Model, items: Sequence[Item], settings: Settings, watch: Callable[[str], None]
) -> Iterator[Reconstruction | Failure]:
    def clock() -> float:
        watch("surface")
        return time.perf_counter()

    watch("image")
    attempts = [_encode(model, item, settings, watch) for item in items]
    encoded = [attempt for attempt in attempts if isinstance(attempt, _Encoded)]
    if encoded:
        latents = np.stack([one.z for one in encoded])
        extraction = model.extract(latents, **settings.extraction, clock=clock)
    numbers = iter(range(len(encoded)))
    for attempt in attempts:
        if isinstance(attempt, Failure):
            yield attempt
        else:
            watch("mesh")
            yield _result(model, attempt, extraction, next(numbers), settings)


def _encode(model: Model, item: Item, settings: Settings, watch: Callable[[str], None]) -> _Encoded | Failure:
    started = time.perf_counter()
    try:
        photo = item.read()
        view = model.view(photo.rgba)
    except (ValueError, OSError) as error:
        return Failure(item.name, str(error))
    encoded = model.encode_views_in_full(to_unit(view)[None])
    known = model.weights.familiarity
    note = None if known is None else known.note(np.asarray(encoded.code)[0])
    made = _Encoded(
        item,
        photo,
        view,
        z=np.asarray(encoded.z)[0],
        camera=None if encoded.camera is None else np.asarray(encoded.camera)[0],
        notes=photo.notes + ([note] if note else []),
        seconds=0.0,
    )
    if settings.refine_to_picture:
        watch("fit to the picture")
        made = _refined(model, made)
    return dataclasses.replace(made, seconds=time.perf_counter() - started)


def _refined(model: Model, encoded: _Encoded) -> _Encoded:
    """The same image, its latent fitted to the outline of its object."""
    rgba = encoded.photo.rgba
    opacity = 1 - to_unit(frame(rgba, "matte", model.inputs.view_size)[..., 1])
    found = refined(model, opacity, encoded.z, camera_of(rgba, encoded.camera))
    note = f"fitted to the picture: the outlines overlap by {found.before:.0%} before and {found.after:.0%} after"
    camera = None if encoded.camera is None else found.camera
    outlines = (found.before, found.after)
    return dataclasses.replace(encoded, z=found.z, camera=camera, outlines=outlines, notes=[*encoded.notes, note])


def _result(
    model: Model, encoded: _Encoded, extraction: Extraction, number: int, settings: Settings
) -> Reconstruction | Failure:
    """The mesh of one image of a batch."""
    name, full = encoded.item.name, extraction.meshes[number]
    if not len(full.faces):
        return Failure(name, f"{name}: the network sees no object of its category in the image (the field is empty)")
    started = time.perf_counter()
    gradient = model.gradient(encoded.z) if settings.field_normals else None
    try:
        mesh, *lods = _levels(full, [settings.max_faces or len(full.faces), *settings.lods], gradient)
    except ValueError as error:
        return Failure(name, f"{name}: fewer faces: {error}")
    notes, shot = encoded.notes, encoded.camera
    if settings.color:
        camera = camera_of(encoded.photo.rgba, encoded.camera)
        if settings.texture is None:
            (mesh, *lods), note, fitted = painted([mesh, *lods], encoded.photo.rgba, camera)
        else:
            (fine, mesh, *lods), note, fitted = painted([full, mesh, *lods], encoded.photo.rgba, camera)
            if fine.colors is not None:
                mesh, *lods = [textured(each, fine, settings.texture) for each in (mesh, *lods)]
        notes, shot = [*notes, note], shot if fitted is None else fitted
    if settings.spread:
        levels = [(each, spread(model, encoded.view, each)) for each in (mesh, *lods)]
        mesh, *lods = [dataclasses.replace(each, spread=moves) for each, moves in levels]
        notes = [*notes, f"other looks at the picture move the surface by {levels[0][1].mean():.3f} on average"]
    phases = {phase: spent / len(extraction.meshes) for phase, spent in extraction.seconds.items()}
    finishing = time.perf_counter() - started
    return Reconstruction(
        name=name,
        view=encoded.view,
        notes=notes,
        latent=encoded.z,
        mesh=mesh,
        report=check(mesh),
        cavities=int((pieces_of(mesh).volumes < 0).sum()),
        points=int(extraction.evaluated[number]),
        bridges=extraction.bridges[number],
        left_out=extraction.left_out[number],
        certificate=extraction.certificate,
        seconds={"read and encode": encoded.seconds, **phases, "finish": finishing},
        view_camera=encoded.camera,
        picture_camera=None if shot is None else encoded.photo.camera(shot, model.inputs.framing),
        cutout=encoded.photo.rgba if encoded.photo.cut_out else None,
        lods=tuple(lods),
        outlines=encoded.outlines,
    )


def _levels(mesh: Mesh, counts: Sequence[int], gradient: ChunkedField | None) -> list[Mesh]:
    """The mesh with at most so many faces, falling numbers. Raises ValueError as `simplified` does."""
    levels = []
    for count in counts:
        mesh = simplified(mesh, count)
        if mesh.normals is None and gradient is not None:
            mesh = with_gradient_normals(mesh, gradient)
        levels.append(mesh)
    return levels
