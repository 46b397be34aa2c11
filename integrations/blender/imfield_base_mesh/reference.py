# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture behind the object and the camera that saw it, as the server tells."""

from __future__ import annotations

import math

import bpy
from mathutils import Matrix

_BEHIND = 1.5  # longest sides of the object between its middle and the picture
# From the stored picture to the upright one, x to the right and y up, by EXIF orientation (CIPA DC-008). Blender shows
# pictures as they are stored.
_UPRIGHT = {
    1: ((1, 0), (0, 1)),
    2: ((-1, 0), (0, 1)),
    3: ((-1, 0), (0, -1)),
    4: ((1, 0), (0, -1)),
    5: ((0, -1), (-1, 0)),
    6: ((0, 1), (-1, 0)),
    7: ((0, 1), (1, 0)),
    8: ((0, -1), (1, 0)),
}


def add_camera(view: dict, pose: Matrix, name: str) -> bpy.types.Object:
    """A camera that sees the whole picture.

    view: `camera` of the server, with the distance of the object.   pose: from the camera to the world.
    """
    data = bpy.data.cameras.new(name)
    data.sensor_fit, data.angle = "AUTO", _angle(view)
    data.shift_x, data.shift_y = _shift(view)
    data.clip_start, data.clip_end = min(0.1, view["distance"] / 100), max(1000.0, 100 * view["distance"])
    data.display_size = view["distance"] / 4
    made = bpy.data.objects.new(name, data)
    made.matrix_world = pose
    return made


def add_picture(image: bpy.types.Image, view: dict, pose: Matrix, size: float, name: str) -> bpy.types.Object:
    """The picture as an empty behind an object, so large that it fills the frame of the camera.

    view, pose: as for the camera.   size: longest side of the object, in the world.
    """
    made = bpy.data.objects.new(name, None)
    made.empty_display_type, made.data = "IMAGE", image
    depth = view["distance"] + _BEHIND * size
    width = 2 * depth * math.tan(_angle(view) / 2)  # of the longer side
    made.empty_display_size, made.empty_image_offset = width, (-0.5, -0.5)
    made.empty_image_depth, made.empty_image_side = "BACK", "FRONT"
    x, y = _shift(view)
    turn = Matrix(_UPRIGHT[view["orientation"]]).to_4x4()
    made.matrix_world = pose @ Matrix.Translation((x * width, y * width, -depth)) @ turn
    return made


def _angle(view: dict) -> float:
    """Along the longer side, in radians."""
    return 2 * math.atan(max(view["width"], view["height"]) / 2 / view["focal_length"])


def _shift(view: dict) -> tuple[float, float]:
    """From the axis of the camera to the middle of the picture, to the right and up, in longer sides."""
    longer, (x, y) = max(view["width"], view["height"]), view["principal_point"]
    return (view["width"] / 2 - x) / longer, (y - view["height"] / 2) / longer
