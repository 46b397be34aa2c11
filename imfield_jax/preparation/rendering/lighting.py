"""The lights of every view, and the shading of two-sided matte surfaces.

3D-R2N2 lights its objects with two lamps, tilted 45 degrees to the object's left and right. Ours
have the same directions; because Blender's hemisphere lamps light front and side equally, half of
their light is directional here, and a weak lamp at the camera lights what neither reaches. All
lights are symmetric about the planes x = 0 and z = 0, so brightness does not reveal which side
of an object is its front.

Brightness multiplies stored sRGB values, as Blender did at the time; colours are multiplied with each other in linear
light.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

AMBIENT = 0.22
SKY = 0.28  # for a normal pointing up; half for a horizontal one, zero for one pointing down
LAMP = 0.30  # each of two, at (+-1, 1, 0) / sqrt(2)
HEADLIGHT = 0.25


def brightness(normals: Float[np.ndarray, "N 3"], to_eye: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, " N"]:
    """Brightness for unit normals facing the viewer and unit directions to the viewer.

    About 0.3 to 1.05; callers clip the shaded colour to 1.
    """
    x, y = normals[:, 0], normals[:, 1]
    lamps = np.maximum(y + x, 0) + np.maximum(y - x, 0)
    facing = np.maximum(np.einsum("nc,nc->n", normals, to_eye), 0)
    return AMBIENT + SKY * (0.5 + 0.5 * y) + LAMP * 0.70710678 * lamps + HEADLIGHT * facing
