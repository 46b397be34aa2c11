"""Export of a dataset to the folders that Occupancy Networks trains on, see `sources.occupancy_networks`."""

from __future__ import annotations

import io
import re
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Shaped
from PIL import Image

from imfield_jax.camera import Camera
from imfield_jax.coordinates import HALF, grid_points, index_to_point, occupancy_of_solid
from imfield_jax.dataset.rows import Row, Split
from imfield_jax.files import write_atomic
from imfield_jax.framing import on_white
from imfield_jax.mesh.sampling import sample_surface
from imfield_jax.mesh.voxel_surface import true_surface
from imfield_jax.sources.formats import binvox
from imfield_jax.sources.occupancy_networks import CLOUD_FILE, IMAGES, POINTS_FILE, SPLITS, TO_OURS, to_ours

POINTS = 100_000
_SIDE = 1.1  # of the cube in which points are sampled
_VOXELS = 32
_FLIPPED = np.diag([1.0, -1.0, -1.0, 1.0])  # our camera space, y up and z backward, to theirs


def write(
    splits: dict[str, Split], root: Path, progress: Callable[[int, int, str], None] = lambda done, total, note: None
) -> None:
    """Write all shapes of some splits, by name of the split; a shape's group is the part of its name before the slash.

    The random points of a shape depend only on its name. A line break in a name, which would end the name in a list,
    becomes "_".

    Raises ValueError, before anything is written, when this makes two names equal.
    """
    _refuse_equal_names([_model_path(name) for split in splits.values() for name in split.names])
    models: dict[str, dict[str, list[str]]] = {}
    done, total = 0, sum(len(split) for split in splits.values())
    for name, split in splits.items():
        for row in split:
            group, model = _model_path(row.name).split("/", 1)
            models.setdefault(group, {theirs: [] for theirs in SPLITS.values()})[SPLITS[name]].append(model)
            _write_shape(row, root / group / model, np.random.default_rng(zlib.crc32(row.name.encode())))
            done += 1
            progress(done, total, "")
    for group, lists in models.items():
        for theirs, named in lists.items():
            # Without a trailing newline, after which Occupancy Networks would read a model without a name.
            write_atomic(root / group / f"{theirs}.lst", "\n".join(named))
    write_atomic(
        root / "metadata.yaml", "".join(f"'{group}':\n  id: '{group}'\n  name: '{group}'\n" for group in models)
    )


def _model_path(name: str) -> str:
    return re.sub(r"[\r\n]", "_", name)


def _refuse_equal_names(names: list[str]) -> None:
    if len(set(names)) < len(names):
        repeated = next(name for name, count in Counter(names).items() if count > 1)
        raise ValueError(f"{repeated}: two shapes have this name after replacing line breaks: rename one of them")


def placement(solid: Bool[np.ndarray, "R R R"]) -> dict[str, Shaped[np.ndarray, " ..."]]:
    """loc [3] and scale [] of a solid in the axes of ShapeNet v1, as stored in every file."""
    full = np.argwhere(solid)
    ends = (index_to_point(end, solid.shape[0]) @ TO_OURS for end in (full.min(axis=0) - 0.5, full.max(axis=0) + 0.5))
    low, high = np.sort(np.stack(list(ends)), axis=0)
    return {"loc": ((low + high) / 2).astype(np.float32), "scale": np.array((high - low).max(), np.float32)}


def surface_points(
    solid: Bool[np.ndarray, "R R R"], place: dict[str, Shaped[np.ndarray, " ..."]], rng: np.random.Generator
) -> dict[str, Shaped[np.ndarray, " ..."]]:
    """points and normals [100000, 3] of the surface, in half precision as in the file format."""
    surface = sample_surface(true_surface(solid), POINTS, rng)
    points = ((surface.points @ TO_OURS - place["loc"]) / place["scale"]).astype(np.float16)
    return {"points": points, "normals": (surface.normals @ TO_OURS).astype(np.float16)}


def _write_shape(row: Row, folder: Path, rng: np.random.Generator) -> None:
    solid = row.solid
    place = placement(solid)
    folder.mkdir(parents=True, exist_ok=True)

    points = (_SIDE * rng.uniform(-HALF, HALF, (POINTS, 3))).astype(np.float16)
    inside = _inside(solid, to_ours(points, place))
    _write_arrays(folder / POINTS_FILE, points=points, occupancies=np.packbits(inside), **place)
    _write_arrays(folder / CLOUD_FILE, **surface_points(solid, place, rng), **place)

    voxels = _inside(solid, to_ours(grid_points(_VOXELS), place))
    binvox.write(folder / "model.binvox", binvox.Grid(voxels, np.full(3, -HALF), 1.0))
    _write_images(row, folder / IMAGES)


def _write_images(row: Row, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    matrices: dict[str, np.ndarray] = {}
    for number, camera in enumerate(row.cameras):
        image = Image.fromarray(on_white(row.view(number)))
        matrices |= _matrices(number, camera, image.width)
        contents = io.BytesIO()
        image.save(contents, "jpeg", quality=95)
        write_atomic(folder / f"{number:03d}.jpg", contents.getvalue())
    if all(np.isfinite(matrix).all() for matrix in matrices.values()):
        _write_arrays(folder / "cameras.npz", **matrices)


def _matrices(number: int, camera: Camera, size: int) -> dict[str, np.ndarray]:
    """World to camera [3, 4], x right, y down, z forward, and camera to pixels [3, 3] of a square image."""
    world = (_FLIPPED @ camera.view_matrix())[:3]
    world[:, :3] = world[:, :3] @ TO_OURS
    focal = size / 2 / np.tan(camera.fov_radians / 2)
    to_pixels = np.array([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]])
    return {f"world_mat_{number}": world, f"camera_mat_{number}": to_pixels}


def _write_arrays(path: Path, **arrays: np.ndarray) -> None:
    contents = io.BytesIO()
    np.savez(contents, allow_pickle=False, **arrays)
    write_atomic(path, contents.getvalue())


def _inside(solid: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """Whether points [..., 3] are in the solid: [...] bool; False outside the cube."""
    within = np.abs(ours).max(axis=-1) < HALF
    inside = np.zeros(within.shape, bool)
    inside[within] = occupancy_of_solid(solid, ours[within])
    return inside
