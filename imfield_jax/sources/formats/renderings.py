"""The renderings of 3D-R2N2 (Choy et al. 2016): 24 images of 137 x 137 RGBA for each model of ShapeNet.

`<model>/rendering/00.png` ... `23.png`, and `rendering_metadata.txt` with a line for each: azimuth and elevation in
degrees, roll (0), distance as a fraction of 1.75, and a field of view of 25 that the original script never applied.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from imfield_jax.files import damaged, one_line
from imfield_jax.framing import RENDERED_SIZE
from imfield_jax.images import intact

VIEWS = 24
FOV_RADIANS = 2 * np.arctan(16 / 35)  # 49.13 degrees: Blender's lens of 35 mm on a sensor of 32 mm
FARTHEST = 1.75  # in diagonals of the object's bounding box; the metadata gives fractions of it
_METADATA = "rendering_metadata.txt"


def read_views(folder: Path) -> UInt8[np.ndarray, "24 137 137 4"]:
    """The images in a folder.

    Raises FileNotFoundError when one is missing, ValueError when one is damaged or of another format.
    """
    return np.stack([_read_image(folder / f"{number:02d}.png") for number in range(VIEWS)])


def _read_image(path: Path) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected one of {VIEWS} images, found none")
    with damaged(path, "PNG file"), path.open("rb") as file, intact(Image.open(file, formats=("png",))) as image:
        mode, size = image.mode, image.size
        pixels = np.asarray(image) if size == (RENDERED_SIZE,) * 2 else None
    if mode != "RGBA" or pixels is None:
        raise ValueError(f"{path}: expected 137 x 137 RGBA, found {size[0]} x {size[1]} {mode}")
    return pixels


def read_cameras(folder: Path) -> Float32[np.ndarray, "24 4"]:
    """The cameras of the images, see `camera.Camera`; NaN where the folder has no metadata.

    Azimuth is defined as ours: 0 at the front and increasing towards z in the axes of ShapeNet v1, which is x in v2.

    Raises ValueError for metadata in another form.
    """
    path = folder / _METADATA
    if not path.is_file():
        return np.full((VIEWS, 4), np.nan, np.float32)
    try:
        lines = np.loadtxt(path, dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise ValueError(f"{path}: expected {VIEWS} lines of five numbers: {one_line(error)}") from error
    if lines.shape != (VIEWS, 5) or not np.isfinite(lines).all():
        raise ValueError(f"{path}: expected {VIEWS} lines of five numbers, found {lines.shape[0]} of {lines.shape[1]}")
    azimuth, elevation, _, fraction, _ = lines.T
    fov = np.full(VIEWS, FOV_RADIANS)
    cameras = np.stack([np.radians(azimuth) % (2 * np.pi), np.radians(elevation), FARTHEST * fraction, fov], axis=-1)
    return cameras.astype(np.float32)
