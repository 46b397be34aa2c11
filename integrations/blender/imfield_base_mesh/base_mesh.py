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
_IN_FILE = ".imfield_in_file"  # attribute: where a vertex is in the file; Blender hides names that begin with a dot
_Z_UP = Matrix(((1, 0, 0, 0), (0, 0, -1, 0), (0, 1, 0, 0), (0, 0, 0, 1)))  # from y up; the front +z becomes -y
_FITTED = 2000  # vertices, at most twice as many, that say how a mesh was moved in itself
_EXACT = 1e-5  # of a length, rounding
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
    mesh.attributes.new(_IN_FILE, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", contents.vertices)
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


def present_matrix(mesh: bpy.types.Mesh, otherwise: Matrix) -> Matrix:
    """From the file to a mesh as it is now: moved or scaled in itself, and perhaps edited.

    It is the affine map with the least squares over some of the vertices. otherwise: if too few of them are left.
    """
    before = mesh.attributes.get(_IN_FILE)
    if before is None or before.domain != "POINT" or before.data_type != "FLOAT_VECTOR":
        return otherwise
    numbers = range(0, len(mesh.vertices), max(len(mesh.vertices) // _FITTED, 1))
    pairs = [(Vector(before.data[number].vector), mesh.vertices[number].co) for number in numbers]
    pairs = [(place.to_4d(), now.to_4d()) for place, now in pairs if place.length]  # 0 is of those added by hand
    if all((otherwise @ place - now).length <= _EXACT * max(now.length, 1e-6) for place, now in pairs):
        return otherwise
    squares, products = Matrix.Diagonal((0, 0, 0, 0)), Matrix.Diagonal((0, 0, 0, 0))
    for place, now in pairs:
        squares += _outer(place, place) * (1 / len(pairs))
        products += _outer(now, place) * (1 / len(pairs))
    inverse = squares.inverted(None)
    return otherwise if inverse is None else products @ inverse


def _outer(left: Vector, right: Vector) -> Matrix:
    return Matrix([value * right for value in left])


def add_object(mesh: bpy.types.Mesh, size: float, collection: bpy.types.Collection) -> bpy.types.Object:
    """An object with modifiers that are ready but off. size: its longest side."""
    made = bpy.data.objects.new(mesh.name, mesh)
    collection.objects.link(made)
    mirror = made.modifiers.new("Mirror", "MIRROR")
    mirror.use_axis[0], mirror.use_bisect_axis[0] = True, True
    mirror.merge_threshold = mirror.bisect_threshold = 1e-4 * size
    remesh = made.modifiers.new("Remesh", "REMESH")
    remesh.voxel_size, remesh.use_smooth_shade = max(size / 128, 1e-4), True  # Blender takes none smaller
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
    try:
        return json.loads(made[ABOUT]) if made is not None and ABOUT in made else None
    except (ValueError, TypeError):  # edited by hand
        return None


def base_meshes(context: bpy.types.Context) -> bpy.types.Collection:
    """The collection of base meshes that is seen in the view layer; a new one if there is none."""
    waiting = [context.view_layer.layer_collection]
    while waiting:
        layer = waiting.pop()
        found = layer.collection
        if COLLECTION in found and layer.is_visible and not layer.exclude and found.is_editable:
            return found
        waiting += layer.children
    made = bpy.data.collections.new(COLLECTION)
    made[COLLECTION] = True  # whatever it is renamed to
    context.scene.collection.children.link(made)
    return made
