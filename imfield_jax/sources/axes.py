"""Where up and front are in the files of a source: signed axes, and the rotation to ours (y up, front -z)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

SIGNED_AXES = ("x", "-x", "y", "-y", "z", "-z")
UP, FRONT = "y", "-z"  # ours


def default_front(up: str) -> str:
    """The front that files with this up axis usually have: -z, and -y with z up, as in Blender and CAD."""
    return "-y" if up.endswith("z") else FRONT


def rotation(up: str = UP, front: str = FRONT) -> Float64[np.ndarray, "3 3"]:
    """The rotation that takes `up` to y and `front` to -z: [3, 3] float64.

    Raises ValueError for anything but two perpendicular ones of SIGNED_AXES.
    """
    for flag, value in (("up", up), ("front", front)):
        if value not in SIGNED_AXES:
            raise ValueError(f"{flag}: expected one of {', '.join(SIGNED_AXES)}, found '{value}'")
    if up[-1] == front[-1]:
        raise ValueError(f"up and front: expected perpendicular axes, found {up} and {front}")
    return np.stack([np.cross(_vector(front), _vector(up)), _vector(up), -_vector(front)])


def _vector(axis: str) -> np.ndarray:
    return (-1.0 if axis.startswith("-") else 1.0) * np.eye(3)["xyz".index(axis[-1])]
