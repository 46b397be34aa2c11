"""The lights of every view, and the shading of two-sided matte surfaces.

3D-R2N2 lights its objects from two lamps tilted 45 degrees to the object's left and right. Ours
stand there too; because Blender's hemisphere lamps leave front and side equally bright, half of
their light is directional here, and a weak lamp at the camera rounds off what neither reaches. All
lights are symmetric about the planes x = 0 and z = 0, so brightness does not reveal which side
of an object is its front.

Brightness multiplies sRGB colours as they are stored, as Blender did then; colours are multiplied with one another as
linear light.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

AMBIENT = 0.22
SKY = 0.28  # for a normal that points up; half for a horizontal one, none below
LAMP = 0.30  # each of two, at (+-1, 1, 0) / sqrt(2)
HEADLIGHT = 0.25


def brightness(normals: Float[np.ndarray, "N 3"], to_eye: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, " N"]:
    """Light that unit normals, turned to the viewer, return to unit directions.

    About 0.3 to 1.05; callers clip the shaded colour to 1.
    """
    x, y = normals[:, 0], normals[:, 1]
    lamps = np.maximum(y + x, 0) + np.maximum(y - x, 0)
    facing = np.maximum(np.einsum("nc,nc->n", normals, to_eye), 0)
    return AMBIENT + SKY * (0.5 + 0.5 * y) + LAMP * 0.70710678 * lamps + HEADLIGHT * facing
