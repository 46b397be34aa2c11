"""One shape as stored in the dataset: `make_record` is the entire preparation of one mesh.

mesh -> placed in the cube -> solid 256^3 -> 64^3 voxels and labelled points at three levels -> views.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
from collections.abc import Callable
from typing import cast

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from imfield_jax.camera import Camera
from imfield_jax.coordinates import LEVEL_SIZES, SOLID_RESOLUTION, occupancy_of_solid
from imfield_jax.framing import FAINTEST, FRAMED_SIZE, RENDERED_SIZE
from imfield_jax.preparation.sampling import LABELS, sample_level, voxels64
from imfield_jax.sources.formats.renderings import VIEWS
from imfield_jax.sources.scene import Scene, place
from imfield_jax.sources.shape import Cloud, Diagnostics, Partial, Shape

VIEWS_LIKE = ("r2n2", "photos")
PHASES = ("load", "solidify", "sample", "render")

_ONE = np.float32(1)
_LARGEST_IMAGE = 1024  # of which 24 take a gigabyte while they are rendered
_MIN_AGREEMENT = 0.99  # of labelled points with the solid, below which the report warns

Phase = Callable[[str], contextlib.AbstractContextManager]


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a record.

    labels: "exact", or "pooled" as in IM-NET, see `sampling.sample_level`.
    views:  images per shape, K.
    views_like: "r2n2", with the cameras and lights of 3D-R2N2, or "photos", see `rendering`.
    image_size: pixels per side of an image, H.
    seed:   of points and cameras; combined with each shape's name, so that a record is independent
            of the other shapes.
    """

    labels: str = "exact"
    views: int = VIEWS
    seed: int = 0
    views_like: str = "r2n2"
    image_size: int = RENDERED_SIZE

    def __post_init__(self) -> None:
        if self.labels not in LABELS:
            raise ValueError(f"unknown labels {self.labels!r}: expected one of {', '.join(LABELS)}")
        if self.views_like not in VIEWS_LIKE:
            raise ValueError(f"unknown views {self.views_like!r}: expected one of {', '.join(VIEWS_LIKE)}")
        if self.views < 1:
            raise ValueError(f"views: expected 1 or more, found {self.views}")
        if not 32 <= self.image_size <= _LARGEST_IMAGE:
            raise ValueError(f"image_size: expected 32 to {_LARGEST_IMAGE} pixels, found {self.image_size}")


@dataclasses.dataclass(frozen=True)
class Record:
    """One prepared shape.

    name:    `Shape.name`.
    voxels:  input of the voxel encoder, 0 or 1.
    points:  by level (16, 32, 64): indices in a grid over the cube.
    values:  by level: 1 inside.
    views:   RGBA, straight alpha.
    cameras: azimuth, elevation, distance, field of view; see `camera.Camera`. NaN where unknown.
    diagnostics: findings of solidification, see `solidify.Solid`.
    center, scale: placement of the mesh, see `scene.Placement`.
    grids:   by level: cells per axis of the grid that the points index.
    """

    name: str
    solid: Bool[np.ndarray, "256 256 256"]
    voxels: UInt8[np.ndarray, "64 64 64"]
    points: dict[int, UInt8[np.ndarray, "_ 3"]]
    values: dict[int, UInt8[np.ndarray, " _"]]
    views: UInt8[np.ndarray, "K H H 4"]
    cameras: Float32[np.ndarray, "K 4"]
    diagnostics: Diagnostics
    center: Float32[np.ndarray, " 3"] = dataclasses.field(default_factory=lambda: np.zeros(3, np.float32))
    scale: np.float32 = _ONE
    grids: dict[int, int] = dataclasses.field(default_factory=lambda: dict.fromkeys(LEVEL_SIZES, SOLID_RESOLUTION))


def make_record(shape: Shape, settings: Settings, phase: Phase = contextlib.nullcontext) -> Record:
    """Prepare one shape; the same shape and settings give the same record.

    For a mesh, all fields are made; for a partly prepared shape, the missing ones.
    phase: a context manager entered around each of `PHASES` with its name, for timing.

    Raises OSError or ValueError with one clear line when the shape cannot be used.
    """
    rng = _generator(settings.seed, shape.name)
    with phase("load"):
        loaded = shape.load()
        partial = loaded if isinstance(loaded, Partial) else _placed(loaded, shape.longest_side)
    fields = partial.fields.copy()
    if not {"solid", "views"} <= fields.keys():
        _refuse_without_embree()
    if "solid" not in fields:
        with phase("solidify"):
            fields["solid"], fields["diagnostics"] = _solid_of(partial)
    if "points" not in fields:
        with phase("sample"):
            fields["voxels"] = voxels64(fields["solid"])
            fields["points"], fields["values"] = _sampled(fields["solid"], settings, rng)
    if "views" not in fields:
        with phase("render"):
            fields["views"], fields["cameras"] = _rendered(_scene_of(partial), settings, rng)
    record = Record(name=shape.name, **fields)
    _check_views(record.views, settings)
    return record


def _check_views(views: np.ndarray, settings: Settings) -> None:
    if len(views) != settings.views:
        raise ValueError(f"expected {settings.views} views, found {len(views)}")
    unseen = np.flatnonzero(views[..., 3].max(axis=(1, 2)) <= FAINTEST)
    if len(unseen):
        raise ValueError(f"the shape cannot be seen in {len(unseen)} of {len(views)} views")


def _refuse_without_embree() -> None:
    if importlib.util.find_spec("embreex") is None:
        raise ValueError(
            "solids and views need the package embreex, which is not installed (it has no build for ARM Linux): "
            "prepare on another machine and copy the dataset"
        )


def _placed(scene: Scene, longest_side: float | None) -> Partial:
    scene, placement = place(scene, longest_side)
    return Partial({"center": placement.center.astype(np.float32), "scale": np.float32(placement.scale)}, scene)


def _scene_of(partial: Partial) -> Scene:
    if partial.scene is None:
        raise ValueError("expected a mesh for the solid and the views, found none")
    return partial.scene


def _solid_of(partial: Partial) -> tuple[np.ndarray, Diagnostics]:
    if partial.cloud is None:
        return _solidified(_scene_of(partial))
    solid, found = _solidified_cloud(partial.cloud)
    return solid, {**partial.fields.get("diagnostics", {}), **found}


def _solidified(scene: Scene) -> tuple[np.ndarray, Diagnostics]:
    from imfield_jax.preparation.solidify import solidify

    solid = solidify(scene)
    if not solid.occupancy.any():
        raise ValueError("the mesh encloses no volume, not even one voxel")
    warnings = [*scene.warnings, *cast("list[str]", solid.diagnostics["warnings"])]
    return solid.occupancy, {**solid.diagnostics, "warnings": warnings}


def _solidified_cloud(cloud: Cloud) -> tuple[np.ndarray, Diagnostics]:
    from imfield_jax.preparation.solidify.cloud import solid_of_cloud

    solid = solid_of_cloud(cloud.points, cloud.normals)
    if not solid.any():
        raise ValueError("expected the surface points of a solid, found points that enclose no volume")
    agreement = float((occupancy_of_solid(solid, cloud.queries) == cloud.inside).mean())
    diagnostics: Diagnostics = {"agreement": agreement}
    if agreement < _MIN_AGREEMENT:
        diagnostics["warnings"] = [f"{1 - agreement:.1%} of the labelled points contradict the solid"]
    return solid, diagnostics


def _sampled(
    solid: np.ndarray, settings: Settings, rng: np.random.Generator
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """By level: points and their values."""
    levels = {level: sample_level(solid, level, settings.labels, rng) for level in LEVEL_SIZES}
    points = {level: points for level, (points, _) in levels.items()}
    return points, {level: values for level, (_, values) in levels.items()}


def _rendered(scene: Scene, settings: Settings, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Views and their cameras."""
    from imfield_jax.preparation.rendering import (
        camera_ring,
        corners,
        diagonal,
        photo_cameras,
        photo_lights,
        render_views,
    )

    if settings.views_like == "photos":
        cameras = photo_cameras(rng, corners(scene), settings.views)
        views = render_views(scene, cameras, photo_lights(rng, settings.views), settings.image_size)
    else:
        cameras = camera_ring(rng, diagonal(scene), settings.views)
        views = render_views(scene, cameras, size=settings.image_size)
    return views, np.array([dataclasses.astuple(camera) for camera in cameras], np.float32)


def rendered_size(view_size: int) -> int:
    """Pixels per side of images for views of a size: in the proportion of 3D-R2N2's 137 to 128."""
    return round(view_size * RENDERED_SIZE / FRAMED_SIZE)


def cameras_of(array: Float32[np.ndarray, "K 4"]) -> list[Camera]:
    """The cameras of a record, from their array."""
    return [Camera(*row) for row in array.tolist()]


def _generator(seed: int, name: str) -> np.random.Generator:
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])
