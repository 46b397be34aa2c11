"""The camera distribution of the 3D-R2N2 renderings (Choy et al. 2016), 24 views per shape.

Any azimuth, elevation 25 to 30 degrees, distance 1.75 * (0.65 to 0.95) for an object whose
bounding box has diagonal 1, looking at the origin. The field of view is that of Blender's default
lens, 35 mm on a 32 mm sensor, not the 25 degrees in the metadata, which the published script never
applied.
"""

from __future__ import annotations

import numpy as np

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
