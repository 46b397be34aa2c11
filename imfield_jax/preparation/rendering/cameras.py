"""Camera distributions: that of the 3D-R2N2 renderings, and one as wide as people's photographs.

`camera_ring`, as in 3D-R2N2 (Choy et al. 2016): any azimuth, elevation 25 to 30 degrees, distance 1.75 * (0.65 to
0.95) for an object whose bounding box has diagonal 1, looking at the origin. The field of view is that of Blender's
default lens, 35 mm on a 32 mm sensor, not the 25 degrees in the metadata, which the published script never applied.

`photo_cameras`: any azimuth, elevation -5 to 60 degrees, from as close as a 24 mm lens demands to as far as one of 135
mm; the field of view is that of the photograph's square cut-out around the object.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from imfield_jax.camera import Camera
from imfield_jax.sources.formats.renderings import FARTHEST, FOV_RADIANS, VIEWS

ELEVATION_RADIANS = (np.radians(25), np.radians(30))
DISTANCE = (FARTHEST * 0.65, FARTHEST * 0.95)


def camera_ring(rng: np.random.Generator, diagonal: float = 1.0, views: int = VIEWS) -> list[Camera]:
    """Random cameras around an object, in sampling order.

    diagonal: of the object's bounding box in cube units (`diagonal(scene)`); the distances are
    multiplied by it, because objects that are not normalised to diagonal 1 as in ShapeNet would
    otherwise extend beyond the image.
    """
    azimuths = rng.uniform(0, 2 * np.pi, views)
    elevations = rng.uniform(*ELEVATION_RADIANS, views)
    distances = rng.uniform(*DISTANCE, views) * diagonal
    return [
        Camera(float(azimuth), float(elevation), float(distance), float(FOV_RADIANS))
        for azimuth, elevation, distance in zip(azimuths, elevations, distances, strict=True)
    ]


PHOTO_ELEVATION_RADIANS = (np.radians(-5), np.radians(60))
PHOTO_DISTANCE = (1.0, 4.2)  # in diagonals: where objects fill the frame of lenses of 24 to 135 mm on a 36 mm sensor
PHOTO_FILL = (0.8, 0.97)  # of the image's width or height


def photo_cameras(rng: np.random.Generator, corners: Float[np.ndarray, "P 3"], views: int = VIEWS) -> list[Camera]:
    """Random cameras around an object, in sampling order.

    corners: of the object's bounding box, in the cube and around its origin.
    """
    diagonal = 2 * float(np.linalg.norm(corners, axis=1).max())
    azimuths = rng.uniform(0, 2 * np.pi, views)
    low, high = PHOTO_ELEVATION_RADIANS
    elevations = low + (high - low) * rng.beta(1.2, 2.0, views)  # most at 5 to 35 degrees
    nearest, farthest = PHOTO_DISTANCE
    distances = diagonal * nearest * (farthest / nearest) ** rng.uniform(0, 1, views)
    fills = rng.uniform(*PHOTO_FILL, views)
    cameras = []
    for place, fill in zip(zip(azimuths, elevations, distances, strict=True), fills, strict=True):
        azimuth, elevation, distance = map(float, place)
        right_angle = Camera(azimuth, elevation, distance, np.pi / 2)
        pixels, _ = right_angle.project(corners, 2)  # half the width is 1, the tangent of half the field of view
        reach = float(np.abs(pixels - 1).max()) / fill
        cameras.append(Camera(azimuth, elevation, distance, 2 * float(np.arctan(reach))))
    return cameras
