# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in the sidebar of the 3D view."""

from __future__ import annotations

import bpy

from . import base_mesh, local_server, operators, order
from .settings import settings_of


class BaseMeshPanel(bpy.types.Panel):
    """Everything on one page, and one button."""

    bl_idname = "VIEW3D_PT_imfield_base_mesh"
    bl_label = "Base Mesh"
    bl_category = "Base Mesh"
    bl_space_type, bl_region_type = "VIEW_3D", "UI"

    def draw(self, context):
        layout, chosen = self.layout, settings_of(context)
        layout.use_property_split, layout.use_property_decorate = True, False
        layout.row().prop(chosen, "source", expand=True)
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
        column.row().prop(chosen, "place", expand=True)
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
        self._draw_object(context.object)
        row = layout.row()
        row.operator("imfield.check_server", icon="LINKED")
        if local_server.is_running():
            row.operator("imfield.stop_server", icon="CANCEL")

    def _draw_object(self, made: bpy.types.Object | None) -> None:
        known = base_mesh.known(made)
        if known is None:
            return
        box = self.layout.box()
        box.label(text=made.name, icon="OBJECT_DATA")
        for note in known["notes"]:
            box.label(text=note, icon="INFO")
        finer = order.finer(made)
        faces = f", {finer['max_faces']:,} faces" if "max_faces" in finer else ""
        box.operator("imfield.refine", text=f"Refine to {finer['resolution']}{faces}", icon="MOD_REMESH")


CLASSES = (BaseMeshPanel,)
