# SPDX-License-Identifier: GPL-3.0-or-later
"""The object of a reconstruction, as an artist wants it: z up, in scene units, smooth by angle, with a material."""

from __future__ import annotations

import json
import math
from array import array

import bpy
from mathutils import Matrix, Vector

from .glb import Contents

COLLECTION = "Base Meshes"
ABOUT, PICTURE = "imfield_about", "imfield_picture"  # custom properties: what is known, as JSON, and the image
_Z_UP = Matrix(((1, 0, 0, 0), (0, 0, -1, 0), (0, 1, 0, 0), (0, 0, 0, 1)))  # from y up; the front +z becomes -y
_SHARP = math.radians(40)  # edges with a larger angle between their faces stay sharp


def local_matrix(contents: Contents, size: float) -> Matrix:
    """From a file to an object: z up, its longest side `size`, its middle at the origin.

    From left to right, the origin is in the middle plane of the category, where a mirror modifier works.
    """
    ends = _ends(contents)
    _, y, z = [(low + high) / 2 for low, high in ends]
    scale = size / max(high - low for low, high in ends)
    return Matrix.Scale(scale, 4) @ _Z_UP @ Matrix.Translation((0, -y, -z))


def location(contents: Contents, size: float, place: str, cursor: Vector) -> Vector:
    """Where the object lies. place: one of those of `Settings`."""
    if place == "ORIGIN":
        return Vector((0, 0, 0))
    if place == "CURSOR":
        return Vector(cursor)
    ends = _ends(contents)
    height = size * (ends[1][1] - ends[1][0]) / max(high - low for low, high in ends)
    return Vector((cursor.x, cursor.y, height / 2))


def _ends(contents: Contents) -> list[tuple[float, float]]:
    return [(min(contents.vertices[axis::3]), max(contents.vertices[axis::3])) for axis in range(3)]


def add_mesh(contents: Contents, name: str, matrix: Matrix) -> bpy.types.Mesh:
    """A mesh datablock. matrix: from the file to it. Raises ValueError for faces that are none."""
    mesh = bpy.data.meshes.new(name)
    corners = len(contents.faces)
    mesh.vertices.add(len(contents.vertices) // 3)
    mesh.vertices.foreach_set("co", contents.vertices)
    mesh.loops.add(corners)
    mesh.loops.foreach_set("vertex_index", array("i", contents.faces))
    mesh.polygons.add(corners // 3)
    mesh.polygons.foreach_set("loop_start", array("i", range(0, corners, 3)))
    mesh.transform(matrix)
    mesh.update(calc_edges=True)
    if mesh.validate():
        bpy.data.meshes.remove(mesh)
        raise ValueError("The mesh of the server is damaged: some of its faces are none")
    if contents.colors is not None:
        layer = mesh.color_attributes.new("Color", "FLOAT_COLOR", "POINT")
        layer.data.foreach_set("color", contents.colors)
        mesh.color_attributes.active_color = layer
    if contents.seen is not None:
        mesh.attributes.new("seen", "FLOAT", "POINT").data.foreach_set("value", contents.seen)
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=_SHARP)
    return mesh


def add_material(contents: Contents, name: str) -> bpy.types.Material:
    """A material with the colours of the vertices, or a plain one."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # before Blender 5
        material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = 0.8
    shader.inputs["Base Color"].default_value = contents.color
    material.diffuse_color = contents.color
    if contents.colors is not None:
        colors = material.node_tree.nodes.new("ShaderNodeVertexColor")
        colors.layer_name, colors.location = "Color", (shader.location.x - 250, shader.location.y)
        material.node_tree.links.new(colors.outputs["Color"], shader.inputs["Base Color"])
    return material


def add_object(mesh: bpy.types.Mesh, collection: bpy.types.Collection) -> bpy.types.Object:
    """An object with modifiers that are ready but off."""
    made = bpy.data.objects.new(mesh.name, mesh)
    collection.objects.link(made)
    mirror = made.modifiers.new("Mirror", "MIRROR")
    mirror.use_axis[0], mirror.use_bisect_axis[0] = True, True
    remesh = made.modifiers.new("Remesh", "REMESH")
    remesh.voxel_size, remesh.use_smooth_shade = max(made.dimensions) / 128, True
    made.modifiers.new("Subdivision", "SUBSURF")
    for modifier in made.modifiers:
        modifier.show_viewport = modifier.show_render = False
    return made


def remember(made: bpy.types.Object, matrix: Matrix, options: dict, about: dict, picture: bpy.types.Image) -> None:
    """Keep with an object what it was made of. matrix: from the file to it."""
    known = {"matrix": [list(row) for row in matrix], "options": options, "notes": about["notes"]}
    made[ABOUT], made[PICTURE] = json.dumps(known), picture


def known(made: bpy.types.Object | None) -> dict | None:
    """What `remember` kept; None for other objects."""
    return json.loads(made[ABOUT]) if made is not None and ABOUT in made else None


def base_meshes(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The collection of base meshes in a scene."""
    for found in scene.collection.children:
        if found.name.split(".")[0] == COLLECTION:
            return found
    made = bpy.data.collections.new(COLLECTION)
    scene.collection.children.link(made)
    return made
