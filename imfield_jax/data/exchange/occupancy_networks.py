"""The folders that Occupancy Networks (Mescheder et al. 2019) trains and evaluates on.

    <root>/metadata.yaml                        the groups
    <root>/<group>/train.lst, val.lst, test.lst their models
    <root>/<group>/<model>/points.npz           points uniform in a cube of side 1.1, occupancies as packed bits
    <root>/<group>/<model>/pointcloud.npz       points of the surface with normals
    <root>/<group>/<model>/img_choy2016/        000.jpg ... on white; cameras.npz, where the cameras are known

Their shapes fill a unit cube: theirs * scale + loc is ours, and both are in every file.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from imfield_jax import pinhole
from imfield_jax.coordinates import HALF, index_to_point
from imfield_jax.data.rows import Row, Split
from imfield_jax.evaluation.protocols import occupancy_of_solid
from imfield_jax.evaluation.surface import sample_surface, true_surface
from imfield_jax.files import write_whole
from imfield_jax.framing import on_white
from imfield_jax.types import Camera

POINTS = 100_000
_SIDE = 1.1  # of the cube that points are drawn from
_SPLITS = {"train": "train", "validation": "val", "test": "test"}


def write(
    splits: dict[str, Split], root: Path, progress: Callable[[int, int, str], None] = lambda done, total, note: None
) -> None:
    """Write all shapes of some splits, by name of the split; a shape's group is what its name has before the slash.

    A shape's points depend on its name and on nothing else.
    """
    models: dict[str, dict[str, list[str]]] = {}
    done, total = 0, sum(len(split) for split in splits.values())
    for name, split in splits.items():
        for row in split:
            group, model = row.name.split("/", 1)
            models.setdefault(group, {theirs: [] for theirs in _SPLITS.values()})[_SPLITS[name]].append(model)
            _write_shape(row, root / group / model, np.random.default_rng(zlib.crc32(row.name.encode())))
            done += 1
            progress(done, total, "")
    for group, lists in models.items():
        for theirs, named in lists.items():
            write_whole(root / group / f"{theirs}.lst", "".join(f"{model}\n" for model in named))
    write_whole(
        root / "metadata.yaml", "".join(f"'{group}':\n  id: '{group}'\n  name: '{group}'\n" for group in models)
    )


def _write_shape(row: Row, folder: Path, rng: np.random.Generator) -> None:
    solid = row.solid
    full = np.argwhere(solid)
    low, high = (index_to_point(end, solid.shape[0]) for end in (full.min(axis=0) - 0.5, full.max(axis=0) + 0.5))
    place = {"loc": ((low + high) / 2).astype(np.float32), "scale": np.float32((high - low).max())}
    pictures = folder / "img_choy2016"
    pictures.mkdir(parents=True, exist_ok=True)

    points = (_SIDE * rng.uniform(-HALF, HALF, (POINTS, 3))).astype(np.float16)
    ours = points.astype(np.float32) * place["scale"] + place["loc"]
    within = np.abs(ours).max(axis=1) < HALF
    inside = np.zeros(POINTS, bool)
    inside[within] = occupancy_of_solid(solid, ours[within])
    _write_arrays(folder / "points.npz", points=points, occupancies=np.packbits(inside), **place)

    surface = sample_surface(true_surface(solid), POINTS, rng)
    theirs = ((surface.points - place["loc"]) / place["scale"]).astype(np.float16)
    _write_arrays(folder / "pointcloud.npz", points=theirs, normals=surface.normals.astype(np.float16), **place)

    matrices = {}
    for number, camera in enumerate(row.cameras):
        picture = Image.fromarray(on_white(row.view(number)))
        matrices |= _matrices(number, camera, picture.width)
        contents = io.BytesIO()
        picture.save(contents, "jpeg", quality=95)
        write_whole(pictures / f"{number:03d}.jpg", contents.getvalue())
    if all(np.isfinite(matrix).all() for matrix in matrices.values()):
        _write_arrays(pictures / "cameras.npz", **matrices)


def _matrices(number: int, camera: Camera, size: int) -> dict[str, np.ndarray]:
    """World to camera [3, 4], x right, y down, z forward, and camera to pixels [3, 3] of a square picture."""
    forward = np.diag([1.0, -1.0, -1.0, 1.0]) @ pinhole.view_matrix(camera)
    focal = size / 2 / np.tan(camera.fov_radians / 2)
    to_pixels = np.array([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]])
    return {f"world_mat_{number}": forward[:3], f"camera_mat_{number}": to_pixels}


def _write_arrays(path: Path, **arrays: np.ndarray) -> None:
    contents = io.BytesIO()
    np.savez(contents, **arrays)
    write_whole(path, contents.getvalue())
