# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in the sidebar of the 3D view."""

from __future__ import annotations

import textwrap

import bpy

from . import base_mesh, local_server, operators, order
from .settings import Settings, settings_of

_LETTER = 7.5  # pixels of a letter; Blender does not wrap lines


class BaseMeshPanel(bpy.types.Panel):
    """Everything on one page, and one button."""

    bl_idname = "VIEW3D_PT_imfield_base_mesh"
    bl_label = "Base Mesh"
    bl_category = "Base Mesh"
    bl_space_type, bl_region_type = "VIEW_3D", "UI"

    def draw(self, context):
        layout, chosen = self.layout, settings_of(context)
        layout.use_property_split, layout.use_property_decorate = True, False
        _choices(layout, chosen, "source")
        if chosen.source == "FILE":
            layout.prop(chosen, "filepath", text="")
        elif chosen.source == "IMAGE":
            layout.template_ID(chosen, "image", open="image.open")
        column = layout.column()
        column.prop(chosen, "category")
        column.prop(chosen, "resolution")
        column.prop(chosen, "faces")
        column.prop(chosen, "color")
        column = layout.column()
        column.prop(chosen, "size")
        _choices(column, chosen, "place")
        column = layout.column()
        column.prop(chosen, "reference")
        column.prop(chosen, "camera")
        column = layout.column()
        column.scale_y = 1.6
        work = operators.running
        if work is None:
            column.operator("imfield.base_mesh", icon="MESH_MONKEY")
        else:
            column.progress(factor=work.done, text=f"{work.step.capitalize()} (Esc cancels)")
        self._draw_object(context)
        row = layout.row()
        row.operator("imfield.check_server", icon="LINKED")
        if local_server.is_running():
            row.operator("imfield.stop_server", icon="CANCEL")

    def _draw_object(self, context: bpy.types.Context) -> None:
        made = context.object
        known = base_mesh.known(made)
        if known is None:
            return
        box = self.layout.box()
        box.label(text=made.name, icon="OBJECT_DATA")
        scale = context.preferences.system.ui_scale or 1.0  # 0 without a display
        letters = int(context.region.width / scale / _LETTER)
        for note in known["notes"]:
            column = box.column(align=True)
            for line in textwrap.wrap(note, max(letters, 10)):
                column.label(text=line)
        box.operator("imfield.refine", text=f"Refine to {order.finer(made)['resolution']}", icon="MOD_REMESH")


def _choices(layout: bpy.types.UILayout, chosen: Settings, name: str) -> None:
    """Buttons side by side, over the whole width: their names are not cut off."""
    row = layout.row()
    row.use_property_split = False
    row.prop(chosen, name, expand=True)


CLASSES = (BaseMeshPanel,)
