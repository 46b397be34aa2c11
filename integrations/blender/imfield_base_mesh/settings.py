# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist chooses: per scene in the panel, per installation in the preferences."""

from __future__ import annotations

import bpy

CATEGORIES = ["any", "car", "chair", "airplane"]  # until a server has said what it knows
# Blender 4.5 warns about paths that begin with // unless the property says so; 4.2 does not know the word.
_RELATIVE = {"ANIMATABLE"} | ({"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5) else set())


class Settings(bpy.types.PropertyGroup):
    """The panel's choices."""

    source: bpy.props.EnumProperty(
        name="Picture",
        items=[
            ("FILE", "File", "A picture on disk"),
            ("IMAGE", "Image", "An image that is open in Blender, such as the render result"),
            ("CLIPBOARD", "Clipboard", "The picture that was copied last"),
        ],
    )
    filepath: bpy.props.StringProperty(
        name="File", subtype="FILE_PATH", description="The picture of one object", options=_RELATIVE
    )
    image: bpy.props.PointerProperty(name="Image", type=bpy.types.Image)
    category: bpy.props.StringProperty(
        name="Category",
        default=CATEGORIES[0],
        description="What the picture shows, among the categories of the server",
        search=lambda self, context, text: [name for name in CATEGORIES if text in name],
        search_options={"SUGGESTION"},
    )
    resolution: bpy.props.IntProperty(
        name="Resolution", default=128, min=16, max=1024, description="Cells per axis of the field"
    )
    faces: bpy.props.IntProperty(
        name="Faces", default=5000, min=0, max=5_000_000, description="Most triangles of the mesh; 0 keeps all"
    )
    color: bpy.props.BoolProperty(
        name="Color",
        default=True,
        description="Take the colours of the picture; those that it does not show are guessed",
    )
    size: bpy.props.FloatProperty(
        name="Size", default=1.0, min=0.001, soft_max=100, unit="LENGTH", description="Longest side of the object"
    )
    place: bpy.props.EnumProperty(
        name="Place",
        items=[
            ("GROUND", "Ground", "Standing on the ground below the 3D cursor"),
            ("CURSOR", "Cursor", "Its middle at the 3D cursor"),
            ("ORIGIN", "Origin", "Its middle at the origin of the world"),
        ],
    )
    reference: bpy.props.BoolProperty(
        name="Reference", default=True, description="Put the picture behind the object, as the camera saw it"
    )
    camera: bpy.props.BoolProperty(
        name="Camera", default=False, description="Make a camera that sees the object as the picture does"
    )


class Preferences(bpy.types.AddonPreferences):
    """Where the server is."""

    bl_idname = __package__

    address: bpy.props.StringProperty(
        name="Address", default="http://127.0.0.1:8000", description="Of a server that `imfield serve` has started"
    )
    token: bpy.props.StringProperty(
        name="Token", subtype="PASSWORD", description="The secret that the server was started with, if any"
    )
    environment: bpy.props.StringProperty(
        name="Environment",
        subtype="DIR_PATH",
        description="Folder of a Python environment with imfield_jax, from which the server is started when needed",
    )

    def draw(self, context):
        column = self.layout.column()
        column.prop(self, "address")
        column.prop(self, "token")
        column.prop(self, "environment")
        column.label(text="Without an environment, start the server yourself: imfield serve", icon="INFO")


def preferences() -> Preferences:
    """Those of this installation."""
    return bpy.context.preferences.addons[__package__].preferences


def settings_of(context: bpy.types.Context) -> Settings:
    """Those of a scene."""
    return context.scene.imfield_base_mesh
