"""One shape as the dataset stores it: `make_record` is the whole of preparation for one mesh.

mesh -> placed in the cube -> solid 256^3 -> 64^3 voxels and labelled points at three levels -> views.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
from collections.abc import Callable

import numpy as np

from imfield_jax.camera import Camera
from imfield_jax.coordinates import LEVEL_SIZES, SOLID_RESOLUTION, occupancy_of_solid
from imfield_jax.framing import FAINTEST
from imfield_jax.preparation.sampling import LABELS, sample_level, voxels64
from imfield_jax.sources.formats.renderings import VIEWS
from imfield_jax.sources.scene import Scene, place
from imfield_jax.sources.shape import Partial, Shape

PHASES = ("load", "solidify", "sample", "render")

_ONE = np.float32(1)
_AGREEMENT = 0.99  # of labelled points and solid, below which the report warns

Phase = Callable[[str], contextlib.AbstractContextManager]


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a record depends on besides its mesh.

    labels: "pooled" (IM-NET's) or "exact", see `sampling.sample_level`.
    views:  images per shape, K.
    seed:   of points and cameras; mixed with each shape's name, so that a record does not depend on
            what else is in the set.
    """

    labels: str = "pooled"
    views: int = VIEWS
    seed: int = 0

    def __post_init__(self):
        if self.labels not in LABELS:
            raise ValueError(f"unknown labels {self.labels!r}: expected one of {', '.join(LABELS)}")
        if self.views < 1:
            raise ValueError(f"a shape needs at least one view, found {self.views}")


@dataclasses.dataclass(frozen=True)
class Record:
    """One prepared shape.

    name:    `Shape.name`.
    solid:   [256, 256, 256] bool.
    voxels:  [64, 64, 64] uint8, what the voxel encoder sees.
    points:  by level (16, 32, 64): [n, 3] uint8, indices in a grid over the cube.
    values:  by level: [n] uint8, 1 inside.
    views:   [K, 137, 137, 4] uint8, RGBA, colour not multiplied with alpha.
    cameras: [K, 4] float32: azimuth, elevation, distance, field of view; see `camera.Camera`. NaN where not known.
    diagnostics: what solidification found out about the mesh, see `solidify.Solid`.
    center, scale: [3] and [] float32, how the mesh was placed, see `scene.Placement`.
    grids:   by level: cells per axis of the grid that points are indices in.
    """

    name: str
    solid: np.ndarray
    voxels: np.ndarray
    points: dict[int, np.ndarray]
    values: dict[int, np.ndarray]
    views: np.ndarray
    cameras: np.ndarray
    diagnostics: dict[str, float | str | list[str]]
    center: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(3, np.float32))
    scale: np.float32 = _ONE
    grids: dict[int, int] = dataclasses.field(default_factory=lambda: dict.fromkeys(LEVEL_SIZES, SOLID_RESOLUTION))


def make_record(shape: Shape, settings: Settings, phase: Phase = contextlib.nullcontext) -> Record:
    """Prepare one shape; the same shape and settings give the same record.

    Of a mesh everything is made, and of what a source has made a part of already the rest.
    phase: a context manager entered around each of `PHASES` with its name, for timing.

    Raises OSError or ValueError with one clear line when the shape cannot be used.
    """
    rng = _generator(settings.seed, shape.name)
    with phase("load"):
        loaded = shape.load()
        partial = loaded if isinstance(loaded, Partial) else _placed(loaded, shape.longest_side)
    fields = dict(partial.fields)
    if not {"solid", "views"} <= fields.keys():
        _refuse_without_embree()
    if "solid" not in fields:
        with phase("solidify"):
            fields |= _solidified_cloud(partial, fields) if partial.cloud else _solidified(partial.scene)
    if "points" not in fields:
        with phase("sample"):
            fields |= _sampled(fields["solid"], settings, rng)
    if "views" not in fields:
        with phase("render"):
            fields |= _rendered(partial.scene, settings, rng)
    record = Record(name=shape.name, **fields)
    if len(record.views) != settings.views:
        raise ValueError(f"expected {settings.views} views, found {len(record.views)}")
    unseen = np.flatnonzero(record.views[..., 3].max(axis=(1, 2)) <= FAINTEST)
    if len(unseen):
        raise ValueError(f"the shape cannot be seen in {len(unseen)} of {len(record.views)} views")
    return record


def _refuse_without_embree() -> None:
    if importlib.util.find_spec("embreex") is None:
        raise ValueError(
            "solids and views need the package embreex, which is not installed (it has no build for ARM Linux): "
            "prepare on another machine and copy the dataset"
        )


def _placed(scene: Scene, longest_side: float | None) -> Partial:
    scene, placement = place(scene, longest_side)
    fields = {"center": placement.center.astype(np.float32), "scale": np.float32(placement.scale)}
    return Partial(fields, scene)


def _solidified(scene: Scene) -> dict[str, object]:
    from imfield_jax.preparation.solidify import solidify

    solid = solidify(scene)
    if not solid.occupancy.any():
        raise ValueError("the mesh encloses no volume, not even that of one voxel")
    warnings = [*scene.warnings, *solid.diagnostics["warnings"]]
    return {"solid": solid.occupancy, "diagnostics": {**solid.diagnostics, "warnings": warnings}}


def _solidified_cloud(partial: Partial, fields: dict[str, object]) -> dict[str, object]:
    from imfield_jax.preparation.solidify.cloud import solid_of_cloud

    solid = solid_of_cloud(partial.cloud.points, partial.cloud.normals)
    if not solid.any():
        raise ValueError("expected the surface points of a solid, found none with a volume")
    agreement = float((occupancy_of_solid(solid, partial.cloud.queries) == partial.cloud.inside).mean())
    diagnostics = {**fields["diagnostics"], "agreement": agreement}
    if agreement < _AGREEMENT:
        diagnostics["warnings"] = [f"{1 - agreement:.1%} of the labelled points are not what the solid says"]
    return {"solid": solid, "diagnostics": diagnostics}


def _sampled(solid: np.ndarray, settings: Settings, rng: np.random.Generator) -> dict[str, object]:
    levels = {level: sample_level(solid, level, settings.labels, rng) for level in LEVEL_SIZES}
    return {
        "voxels": voxels64(solid),
        "points": {level: points for level, (points, _) in levels.items()},
        "values": {level: values for level, (_, values) in levels.items()},
    }


def _rendered(scene: Scene, settings: Settings, rng: np.random.Generator) -> dict[str, object]:
    from imfield_jax.preparation.rendering import camera_ring, diagonal, render_views

    cameras = camera_ring(rng, diagonal(scene), settings.views)
    return {
        "views": render_views(scene, cameras),
        "cameras": np.array([dataclasses.astuple(camera) for camera in cameras], np.float32),
    }


def cameras_of(array: np.ndarray) -> list[Camera]:
    """The cameras of a record, from their array [K, 4]."""
    return [Camera(*row) for row in array.tolist()]


def _generator(seed: int, name: str) -> np.random.Generator:
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])
