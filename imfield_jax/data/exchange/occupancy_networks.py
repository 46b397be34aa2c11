"""The folders that Occupancy Networks (Mescheder et al. 2019) trains and evaluates on.

    <root>/metadata.yaml                        the groups
    <root>/<group>/train.lst, val.lst, test.lst their models
    <root>/<group>/<model>/points.npz           points uniform in a cube of side 1.1, occupancies as packed bits
    <root>/<group>/<model>/pointcloud.npz       points of the surface with normals
    <root>/<group>/<model>/model.binvox         32^3 voxels of the unit cube
    <root>/<group>/<model>/img_choy2016/        000.jpg ... on white; cameras.npz, where the cameras are known

Their shapes fill a unit cube: theirs * scale + loc is the shape in the axes of ShapeNet v1, y up and front +x, and both
are in every file.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from imfield_jax import pinhole
from imfield_jax.coordinates import HALF, grid_points, index_to_point
from imfield_jax.data.exchange import binvox
from imfield_jax.data.record import Partial
from imfield_jax.data.rows import Row, Split
from imfield_jax.data.solidify.cloud import solid_of_cloud
from imfield_jax.evaluation.protocols import occupancy_of_solid
from imfield_jax.evaluation.surface import sample_surface, true_surface
from imfield_jax.files import write_whole
from imfield_jax.framing import RENDERED_SIZE, on_white
from imfield_jax.npz import read_arrays
from imfield_jax.reason import reason
from imfield_jax.types import Camera

POINTS = 100_000
SPLITS = {"train": "train", "validation": "val", "test": "test"}  # ours: theirs
POINTS_FILE, CLOUD_FILE, PICTURES = "points.npz", "pointcloud.npz", "img_choy2016"
_SIDE = 1.1  # of the cube that points are drawn from
_VOXELS = 32
_WHITE = 240  # from here on a pixel is background: JPEG leaves traces around the object
_AGREEMENT = 0.99  # of labelled points and solid, below which the report warns
_FLIPPED = np.diag([1.0, -1.0, -1.0, 1.0])  # our camera space, y up and z backward, to theirs
TO_OURS = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])  # front +x to front -z


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
            models.setdefault(group, {theirs: [] for theirs in SPLITS.values()})[SPLITS[name]].append(model)
            _write_shape(row, root / group / model, np.random.default_rng(zlib.crc32(row.name.encode())))
            done += 1
            progress(done, total, "")
    for group, lists in models.items():
        for theirs, named in lists.items():
            # Without a newline at the end, after which they would read a model without a name.
            write_whole(root / group / f"{theirs}.lst", "\n".join(named))
    write_whole(
        root / "metadata.yaml", "".join(f"'{group}':\n  id: '{group}'\n  name: '{group}'\n" for group in models)
    )


def _write_shape(row: Row, folder: Path, rng: np.random.Generator) -> None:
    solid = row.solid
    full = np.argwhere(solid)
    ends = (index_to_point(end, solid.shape[0]) @ TO_OURS for end in (full.min(axis=0) - 0.5, full.max(axis=0) + 0.5))
    low, high = np.sort(np.stack(list(ends)), axis=0)  # in their axes
    place = {"loc": ((low + high) / 2).astype(np.float32), "scale": np.float32((high - low).max())}
    folder.mkdir(parents=True, exist_ok=True)

    points = (_SIDE * rng.uniform(-HALF, HALF, (POINTS, 3))).astype(np.float16)
    inside = _inside(solid, _to_ours(points, place))
    _write_arrays(folder / POINTS_FILE, points=points, occupancies=np.packbits(inside), **place)

    surface = sample_surface(true_surface(solid), POINTS, rng)
    theirs = ((surface.points @ TO_OURS - place["loc"]) / place["scale"]).astype(np.float16)
    normals = (surface.normals @ TO_OURS).astype(np.float16)
    _write_arrays(folder / CLOUD_FILE, points=theirs, normals=normals, **place)

    voxels = _inside(solid, _to_ours(grid_points(_VOXELS), place))
    binvox.write(folder / "model.binvox", binvox.Grid(voxels, np.full(3, -HALF), 1.0))
    _write_pictures(row, folder / PICTURES)


def _to_ours(theirs: np.ndarray, place: dict[str, np.ndarray]) -> np.ndarray:
    """Points [..., 3] of a file in the cube."""
    return (theirs.astype(np.float32) * place["scale"] + place["loc"]) @ TO_OURS.T


def _inside(solid: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """Are points [..., 3] in the solid? [...] bool; what lies outside of the cube is not."""
    within = np.abs(ours).max(axis=-1) < HALF
    inside = np.zeros(within.shape, bool)
    inside[within] = occupancy_of_solid(solid, ours[within])
    return inside


def _write_pictures(row: Row, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    matrices = {}
    for number, camera in enumerate(row.cameras):
        picture = Image.fromarray(on_white(row.view(number)))
        matrices |= _matrices(number, camera, picture.width)
        contents = io.BytesIO()
        picture.save(contents, "jpeg", quality=95)
        write_whole(folder / f"{number:03d}.jpg", contents.getvalue())
    if all(np.isfinite(matrix).all() for matrix in matrices.values()):
        _write_arrays(folder / "cameras.npz", **matrices)


def _matrices(number: int, camera: Camera, size: int) -> dict[str, np.ndarray]:
    """World to camera [3, 4], x right, y down, z forward, and camera to pixels [3, 3] of a square picture."""
    world = (_FLIPPED @ pinhole.view_matrix(camera))[:3]
    world[:, :3] = world[:, :3] @ TO_OURS
    focal = size / 2 / np.tan(camera.fov_radians / 2)
    to_pixels = np.array([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1]])
    return {f"world_mat_{number}": world, f"camera_mat_{number}": to_pixels}


def _write_arrays(path: Path, **arrays: np.ndarray) -> None:
    contents = io.BytesIO()
    np.savez(contents, **arrays)
    write_whole(path, contents.getvalue())


def read(folder: Path) -> Partial:
    """A model's solid, pictures and cameras.

    There is no solid in their files: it is made of the points of the surface, see `solidify.cloud`, and how many of the
    labelled points agree with it is in the diagnostics. Pictures have no alpha: it becomes 0 where they are white.

    Raises OSError where a file cannot be read, ValueError where it is damaged or holds something else.
    """
    surface, normals = _read_cloud(folder / CLOUD_FILE)
    points, inside = _read_points(folder / POINTS_FILE)
    views = _read_pictures(folder / PICTURES)
    cameras = _read_cameras(folder / PICTURES / "cameras.npz", len(views))
    solid = solid_of_cloud(surface, normals)
    if not solid.any():
        raise ValueError(f"{folder / CLOUD_FILE}: expected the surface of a solid, found none with a volume")
    agreement = float((_inside(solid, points) == inside).mean())
    diagnostics = {"path": "occupancy_networks", "agreement": agreement}
    if agreement < _AGREEMENT:
        diagnostics["warnings"] = [f"{1 - agreement:.1%} of the labelled points are not what the solid says"]
    return Partial({"solid": solid, "diagnostics": diagnostics, "views": views, "cameras": cameras})


def _read_cloud(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points of the surface in the cube and their normals: [n, 3] each."""
    file = _read_arrays(path, {"points": (None, 3), "normals": (None, 3), "loc": (3,), "scale": ()})
    points = _to_ours(file["points"], file)
    if len(points) != len(file["normals"]) or np.abs(points).max(initial=0) >= HALF:
        raise ValueError(f"{path}: expected points in the cube of side 1 with as many normals")
    return points, file["normals"] @ TO_OURS.T


def _read_points(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points [n, 3] in the place of the cube, not all in it, and whether they are inside: [n] bool."""
    file = _read_arrays(path, {"points": (None, 3), "occupancies": (None,), "loc": (3,), "scale": ()})
    points, labels = file["points"], file["occupancies"]
    if labels.dtype == np.uint8:  # else one for each already, as their options allow
        labels = np.unpackbits(labels)[: len(points)]
    if len(labels) != len(points) or not len(points):
        raise ValueError(f"{path}: occupancies: expected one for each of {len(points)} points, found {len(labels)}")
    return _to_ours(points, file), labels.astype(bool)


def _read_arrays(path: Path, shapes: dict[str, tuple[int | None, ...]]) -> dict[str, np.ndarray]:
    """Arrays of an npz file by name; None in a shape is any size."""
    try:
        arrays = read_arrays(path, shapes.__contains__)
    except FileNotFoundError:
        raise
    except Exception as error:  # whatever zip and npy make of a damaged file
        raise ValueError(f"{path} is damaged or no npz file: {error}") from error
    for name, shape in shapes.items():
        array = arrays.get(name, np.array("none"))
        fits = array.dtype.kind in "fiub" and array.ndim == len(shape)
        if not fits or any(size not in (None, there) for size, there in zip(shape, array.shape, strict=True)):
            found = f"{array.dtype} {list(array.shape)}" if name in arrays else "none"
            raise ValueError(f"{path}: {name}: expected numbers {list(shape)}, found {found}")
        if not np.isfinite(array).all():
            raise ValueError(f"{path}: {name}: expected finite numbers, found others")
    return arrays


def _read_pictures(folder: Path) -> np.ndarray:
    """The pictures in a folder in the order of their names: [K, 137, 137, 4] uint8."""
    paths = sorted(folder.glob("*.jpg"))
    if not paths:
        raise FileNotFoundError(f"{folder}: expected pictures 000.jpg, 001.jpg ..., found none")
    return np.stack([_read_picture(path) for path in paths])


def _read_picture(path: Path) -> np.ndarray:
    try:
        with Image.open(path, formats=("jpeg",)) as picture:
            size = picture.size
            pixels = np.asarray(picture.convert("RGB")) if size == (RENDERED_SIZE,) * 2 else None
    except Exception as error:  # whatever Pillow makes of a damaged file
        raise ValueError(f"{path} is damaged or no JPEG file: {reason(error)}") from error
    if pixels is None:
        raise ValueError(f"{path}: expected a picture of 137 x 137, found {size[0]} x {size[1]}")
    alpha = np.where(pixels.min(axis=-1) < _WHITE, 255, 0).astype(np.uint8)
    return np.concatenate([pixels, alpha[..., None]], axis=-1)


def _read_cameras(path: Path, count: int) -> np.ndarray:
    """[K, 4] float32, see `types.Camera`; NaN where there is no such file."""
    if not path.is_file():
        return np.full((count, 4), np.nan, np.float32)
    names = {f"world_mat_{number}": (3, 4) for number in range(count)}
    names |= {f"camera_mat_{number}": (3, 3) for number in range(count)}
    file = _read_arrays(path, names)
    with np.errstate(divide="ignore", invalid="ignore"):
        cameras = [_camera(file[f"world_mat_{k}"], file[f"camera_mat_{k}"]) for k in range(count)]
    if not np.isfinite(cameras).all():
        raise ValueError(f"{path}: expected matrices of cameras away from the origin, found others")
    return np.array(cameras, np.float32)


def _camera(world: np.ndarray, to_pixels: np.ndarray) -> tuple[float, float, float, float]:
    """The inverse of `_matrices`, for cameras that look at the origin."""
    x, y, z = TO_OURS @ (-world[:, 3] @ world[:, :3])
    distance = np.sqrt(x * x + y * y + z * z)
    fov = 2 * np.arctan(to_pixels[0, 2] / to_pixels[0, 0])
    return np.arctan2(x, -z) % (2 * np.pi), np.arcsin(y / distance), distance, fov
