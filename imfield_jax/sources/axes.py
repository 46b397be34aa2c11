"""Up and front axes of a source's files, and the rotation to ours (y up, front -z)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

SIGNED_AXES = ("x", "-x", "y", "-y", "z", "-z")
UP, FRONT = "y", "-z"  # ours


def default_front(up: str) -> str:
    """The usual front axis for an up axis: -z, or -y where z is up, as in Blender and CAD."""
    return "-y" if up.endswith("z") else FRONT


def rotation(up: str = UP, front: str = FRONT) -> Float64[np.ndarray, "3 3"]:
    """The rotation that takes `up` to y and `front` to -z: [3, 3] float64.

    Raises ValueError unless both are in SIGNED_AXES and perpendicular.
    """
    for flag, value in (("up", up), ("front", front)):
        if value not in SIGNED_AXES:
            raise ValueError(f"{flag}: expected one of {', '.join(SIGNED_AXES)}, found '{value}'")
    if up[-1] == front[-1]:
        raise ValueError(f"up and front: expected perpendicular axes, found {up} and {front}")
    return np.stack([np.cross(_vector(front), _vector(up)), _vector(up), -_vector(front)])


def _vector(axis: str) -> np.ndarray:
    return (-1.0 if axis.startswith("-") else 1.0) * np.eye(3)["xyz".index(axis[-1])]
