"""Shapes in the layout of Occupancy Networks (Mescheder et al. 2019), also as written by `imfield export`.

    <root>/metadata.yaml                        the groups
    <root>/<group>/train.lst, val.lst, test.lst the models of a group
    <root>/<group>/<model>/points.npz           points uniform in a cube of side 1.1, occupancies as packed bits
    <root>/<group>/<model>/pointcloud.npz       points of the surface with normals
    <root>/<group>/<model>/model.binvox         32^3 voxels of the unit cube
    <root>/<group>/<model>/img_choy2016/        000.jpg ... on white; cameras.npz, where the cameras are known

Shapes are scaled to a unit cube: points * scale + loc are in the axes of ShapeNet v1, y up and front +x. Every file
holds `scale` and `loc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped
from PIL import Image

from imfield_jax.coordinates import HALF
from imfield_jax.files import damaged, read_arrays
from imfield_jax.framing import RENDERED_SIZE
from imfield_jax.sources.shape import Cloud, Partial, Shape, stamp_of
from imfield_jax.sources.synsets import synset_of

SPLITS = {"train": "train", "validation": "val", "test": "test"}  # ours: theirs
POINTS_FILE, CLOUD_FILE, IMAGES = "points.npz", "pointcloud.npz", "img_choy2016"
_MIN_POINTS = 100  # of a surface; the original files have 100,000
_ROUNDING = 1e-3  # of half-precision coordinates: a solid may touch the boundary of the cube
_WHITE = 240  # brighter pixels are background: JPEG leaves artefacts around the object
TO_OURS = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])  # front +x to front -z


def shapes(root: str | Path, category: str) -> list[Shape]:
    """The models listed in the folder <root>/<category>, or in that of the category's synset.

    Raises FileNotFoundError where there are no such lists, ValueError for a category that is neither.
    """
    group = Path(root) / category
    if not group.is_dir():
        group = Path(root) / synset_of(category)
    lists = {ours: group / f"{theirs}.lst" for ours, theirs in SPLITS.items()}
    named = {split: _listed(path) for split, path in lists.items() if path.is_file()}
    if not any(named.values()):
        raise FileNotFoundError(f"{group}: expected train.lst, val.lst or test.lst with names of models, found none")
    return [
        Shape(f"{group.name}/{model}", split, partial(read, group / model), stamp=_stamp(group / model))
        for split, models in named.items()
        for model in models
    ]


def _listed(path: Path) -> list[str]:
    """The models of a list, one per line, split as in Occupancy Networks; names may contain spaces."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected names of models as UTF-8 text, found other bytes") from error
    named = [line if (path.parent / line).is_dir() else line.strip() for line in lines]
    return [model for model in named if model]


def _stamp(folder: Path) -> str:
    """The stamp of the file of surface points; a model without this file is listed too, but fails to load."""
    path = folder / CLOUD_FILE
    return stamp_of(path) if path.is_file() else ""


def to_ours(
    theirs: Float[np.ndarray, "*shape 3"], place: dict[str, Shaped[np.ndarray, " ..."]]
) -> Float[np.ndarray, "*shape 3"]:
    """Points of a file in the coordinates of the cube."""
    return (theirs.astype(np.float32) * place["scale"] + place["loc"]) @ TO_OURS.T


def read(folder: Path) -> Partial:
    """A model's surface points, labelled points, images and cameras.

    The files have no solid: preparation computes it from the surface points. Images have no alpha: it is set to 0
    where they are white.

    Raises OSError when a file cannot be read, ValueError when it is damaged or has other contents.
    """
    surface, normals = _read_cloud(folder / CLOUD_FILE)
    points, inside = _read_points(folder / POINTS_FILE)
    views = _read_images(folder / IMAGES)
    cameras = _read_cameras(folder / IMAGES / "cameras.npz", len(views))
    within = np.abs(points).max(axis=-1) < HALF
    cloud = Cloud(surface, normals, points[within], inside[within])
    return Partial({"diagnostics": {"path": "occupancy_networks"}, "views": views, "cameras": cameras}, cloud=cloud)


def _read_cloud(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points of the surface in the cube and their normals: [n, 3] each."""
    file = _read_arrays(path, {"points": (None, 3), "normals": (None, 3), "loc": (3,), "scale": ()})
    points = to_ours(file["points"], file)
    if len(points) != len(file["normals"]) or np.abs(points).max(initial=0) > HALF + _ROUNDING:
        raise ValueError(f"{path}: expected points in the cube of side 1 with one normal each, found others")
    if len(points) < _MIN_POINTS:
        raise ValueError(f"{path}: expected at least {_MIN_POINTS} surface points, found {len(points)}")
    return points, file["normals"] @ TO_OURS.T


def _read_points(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points [n, 3] in the coordinates of the cube, some outside it, and whether they are in the shape: [n] bool."""
    file = _read_arrays(path, {"points": (None, 3), "occupancies": (None,), "loc": (3,), "scale": ()})
    points, labels = file["points"], file["occupancies"]
    if labels.dtype == np.uint8:  # packed bits; otherwise one byte each, an option of Occupancy Networks
        labels = np.unpackbits(labels)[: len(points)]
    if len(labels) != len(points) or not len(points):
        raise ValueError(f"{path}: occupancies: expected one for each of {len(points)} points, found {len(labels)}")
    return to_ours(points, file), labels.astype(bool)


def _read_arrays(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> dict[str, np.ndarray]:
    """Arrays of an npz file by name; None in a shape matches any size."""
    with damaged(path, "npz file"):
        arrays = read_arrays(path, shapes.__contains__)
    for name, shape in shapes.items():
        array = arrays.get(name, np.array("none"))
        fits = array.dtype.kind in "fiub" and array.ndim == len(shape)
        if not fits or any(want not in (None, size) for want, size in zip(shape, array.shape, strict=True)):
            found = f"{array.dtype} {list(array.shape)}" if name in arrays else "none"
            raise ValueError(f"{path}: {name}: expected numbers {list(shape)}, found {found}")
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {name}: expected finite numbers, found NaN or infinity")
    return arrays


def _read_images(folder: Path) -> np.ndarray:
    """The images in a folder in the order of their names: [K, 137, 137, 4] uint8."""
    paths = sorted(folder.glob("*.jpg"))
    if not paths:
        raise FileNotFoundError(f"{folder}: expected images 000.jpg, 001.jpg ..., found none")
    return np.stack([_read_image(path) for path in paths])


def _read_image(path: Path) -> np.ndarray:
    with damaged(path, "JPEG file"), Image.open(path, formats=("jpeg",)) as image:
        size = image.size
        pixels = np.asarray(image.convert("RGB")) if size == (RENDERED_SIZE,) * 2 else None
    if pixels is None:
        raise ValueError(f"{path}: expected an image of 137 x 137, found {size[0]} x {size[1]}")
    alpha = np.where(pixels.min(axis=-1) < _WHITE, 255, 0).astype(np.uint8)
    return np.concatenate([pixels, alpha[..., None]], axis=-1)


def _read_cameras(path: Path, count: int) -> np.ndarray:
    """[K, 4] float32, see `camera.Camera`; NaN where there is no such file."""
    if not path.is_file():
        return np.full((count, 4), np.nan, np.float32)
    names: dict[str, tuple[int | None, ...]] = {f"world_mat_{number}": (3, 4) for number in range(count)}
    names |= {f"camera_mat_{number}": (3, 3) for number in range(count)}
    file = _read_arrays(path, names)
    with np.errstate(divide="ignore", invalid="ignore"):
        cameras = [_camera(file[f"world_mat_{k}"], file[f"camera_mat_{k}"]) for k in range(count)]
    if not np.isfinite(cameras).all():
        raise ValueError(f"{path}: expected matrices of cameras away from the origin, found others")
    return np.array(cameras, np.float32)


def _camera(world: np.ndarray, to_pixels: np.ndarray) -> tuple[float, float, float, float]:
    """The inverse of `interchange.occupancy_networks._matrices`, for cameras that look at the origin."""
    x, y, z = TO_OURS @ (-world[:, 3] @ world[:, :3])
    distance = np.sqrt(x * x + y * y + z * z)
    fov = 2 * np.arctan(to_pixels[0, 2] / to_pixels[0, 0])
    return np.arctan2(x, -z) % (2 * np.pi), np.arcsin(y / distance), distance, fov
