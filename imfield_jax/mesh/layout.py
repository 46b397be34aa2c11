"""Where a mesh lies in a file: its axes, units and place, by the customs of each format or as the user asks.

GLB, OBJ    y up, front +z, as viewers and modelling programs expect; a side of the cube is one metre
PLY         as in the cube: y up, front -z, its side is one unit
STL, 3MF    z up, front -y, standing on the middle of the plate, in millimetres
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float64

from imfield_jax.types import Mesh

_AS_IN_CUBE = np.eye(3)
_FRONT_PLUS_Z = np.diag([-1.0, 1.0, -1.0])  # half a turn about y
_Z_UP = np.array([[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])  # the front is -y
_TURNS = {"glb": _FRONT_PLUS_Z, "obj": _FRONT_PLUS_Z, "ply": _AS_IN_CUBE, "stl": _Z_UP, "3mf": _Z_UP}
PRINTED = ("stl", "3mf")  # formats of slicers
PRINTED_MM = 100.0  # longest side where no size is asked for: it fits the plates of most printers
_MM_PER_METRE = 1000.0


@dataclasses.dataclass(frozen=True)
class Layout:
    """The linear map from the cube to a file: a point becomes turn @ point * scale + offset.

    turn: a rotation.   scale: units of the file per cube unit.
    """

    turn: Float64[np.ndarray, "3 3"]
    scale: float
    offset: Float64[np.ndarray, " 3"]

    def of(self, mesh: Mesh) -> Mesh:
        """The mesh as it is written."""
        normals = None if mesh.normals is None else (mesh.normals @ self.turn.T).astype(np.float32)
        vertices = mesh.vertices @ self.turn.T * self.scale + self.offset
        return dataclasses.replace(mesh, vertices=vertices.astype(np.float32), normals=normals)

    def of_pose(self, matrix: Float64[np.ndarray, "4 4"]) -> Float64[np.ndarray, "4 4"]:
        """A pose, such as a camera's, from camera to cube, moved with the mesh: from camera to file."""
        moved = matrix.copy()
        moved[:3, :3] = self.turn @ matrix[:3, :3]
        moved[:3, 3] = self.turn @ matrix[:3, 3] * self.scale + self.offset
        return moved


def layout(mesh: Mesh, file_format: str, size_mm: float | None = None, up: str | None = None) -> Layout:
    """The layout of a mesh in a file.

    size_mm: its longest side; by default as in the cube, or 100 in the formats of slicers.
    up:      "y" or "z", with the front towards +z or -y; by default the format's custom. GLB is y up by definition.
    """
    turn = _TURNS[file_format] if up is None or file_format == "glb" else {"y": _FRONT_PLUS_Z, "z": _Z_UP}[up]
    low, high = (end(mesh.vertices @ turn.T, axis=0).astype(np.float64) for end in (np.min, np.max))
    printed = file_format in PRINTED
    if printed and size_mm is None:
        size_mm = PRINTED_MM
    longest = float((high - low).max())
    scale = 1.0 if size_mm is None else size_mm / longest / (1.0 if printed else _MM_PER_METRE)
    offset = np.zeros(3)
    if printed:
        offset = -scale * (low + high) / 2
        upwards = int(np.argmax(turn[:, 1]))  # the axis of the file that y becomes
        offset[upwards] = -scale * low[upwards]
    return Layout(turn, scale, offset)
