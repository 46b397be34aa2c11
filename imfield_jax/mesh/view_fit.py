"""The camera of a view, refined until the outline of a mesh fits the object in it."""

from __future__ import annotations

import contextlib

import numpy as np
from jaxtyping import Bool, Float

from imfield_jax.camera import nearness_of, project_view
from imfield_jax.mesh.raster import visible
from imfield_jax.mesh.simplify import simplified
from imfield_jax.types import Mesh

_SIZE = 96  # pixels of the outlines that are compared
_FACES = 3000  # of the mesh that is drawn
# Azimuth and elevation in radians, logarithm of the scale, nearness, and the principal point: the first steps.
_STEPS = np.array([0.07, 0.07, 0.04, 0.04, 0.04, 0.04])
_HALVINGS = 3
_SWEEPS = 4  # at most, with each size of steps


def fitted_camera(
    mesh: Mesh, mask: Bool[np.ndarray, "S S"], view: Float[np.ndarray, " 7"]
) -> tuple[Float[np.ndarray, " 7"], float]:
    """A camera near `view`, see `camera.view_camera`, and the IoU of the mesh's outline with the mask.

    Each number is moved up and down by a step as long as the IoU grows, with ever smaller steps.
    """
    with contextlib.suppress(ValueError):  # meshes of too many pieces are drawn in full
        mesh = simplified(mesh, _FACES)
    centres = ((np.arange(_SIZE) + 0.5) / _SIZE * len(mask)).astype(int)
    target = mask[np.ix_(centres, centres)]
    numbers = np.array([np.arctan2(view[0], view[1]), view[2], np.log(max(view[3], 1e-3)), *view[4:]], np.float64)
    best = _overlap(mesh, target, numbers)
    for halving in range(_HALVINGS + 1):
        for _ in range(_SWEEPS):
            before = best
            for number in range(len(numbers)):
                for sign in (1, -1):
                    moved = numbers.copy()
                    moved[number] += sign * _STEPS[number] / 2**halving
                    found = _overlap(mesh, target, moved)
                    if found > best:
                        best, numbers = found, moved
                        break
            if best == before:
                break
    return _view(numbers), best


def _view(numbers: np.ndarray) -> np.ndarray:
    azimuth, elevation, scale, *others = numbers
    return np.array([np.sin(azimuth), np.cos(azimuth), elevation, np.exp(scale), *others])


def _overlap(mesh: Mesh, target: np.ndarray, numbers: np.ndarray) -> float:
    """The intersection over union of the outline and the target."""
    view = _view(numbers)
    places, nearer = project_view(view, mesh.vertices)
    corners = ((places + 1) * (_SIZE / 2))[mesh.faces]
    rows, columns, _ = visible(corners, nearness_of(view, nearer)[mesh.faces], _SIZE)
    outline = np.zeros((_SIZE, _SIZE), bool)
    outline[rows, columns] = True
    return float((outline & target).sum() / max((outline | target).sum(), 1))
