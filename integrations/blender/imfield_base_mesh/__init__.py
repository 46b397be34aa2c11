# SPDX-License-Identifier: GPL-3.0-or-later
"""Base meshes from pictures, made by a server of imfield. The 3D view has the panel, in its sidebar."""

from __future__ import annotations

import bpy

from . import local_server, operators, panel, settings

_CLASSES = (settings.Settings, settings.Preferences, *operators.CLASSES, *panel.CLASSES)


def register() -> None:
    for each in _CLASSES:
        bpy.utils.register_class(each)
    bpy.types.Scene.imfield_base_mesh = bpy.props.PointerProperty(type=settings.Settings)


def unregister() -> None:
    operators.stop()
    local_server.stop()
    del bpy.types.Scene.imfield_base_mesh
    for each in reversed(_CLASSES):
        bpy.utils.unregister_class(each)
