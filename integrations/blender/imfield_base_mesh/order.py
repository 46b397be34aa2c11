# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist asks for: read from Blender, carried out by a server without Blender, and put into the scene."""

from __future__ import annotations

import dataclasses

import bpy
from mathutils import Matrix, Vector

from . import base_mesh, glb, local_server, pictures, reference
from .client import Client, Problem, Watch
from .settings import Settings, preferences, settings_of

FEWEST_FACES = 100  # that a server is willing to leave


@dataclasses.dataclass(frozen=True)
class Server:
    """Where reconstructions are made. environment: from which the server is started if none answers, or empty."""

    client: Client
    environment: str

    def ready(self, watch: Watch) -> None:
        """Start the server if it has to be. Raises Problem."""
        if self.environment and self.client.port is not None and not self.client.answers():
            local_server.start(self.environment, self.client, watch)


@dataclasses.dataclass(frozen=True)
class Order:
    """A reconstruction. name: of the picture.   options: for the server, see `Client.reconstruct`."""

    name: str
    picture: bytes
    options: dict
    server: Server

    def __call__(self, watch: Watch) -> tuple[glb.Contents, dict]:
        """The mesh, and what the server says about it. Touches nothing of Blender, so any thread may call it."""
        self.server.ready(watch)
        made = self.server.client.reconstruct(self.picture, self.options, watch)
        return glb.read(made.glb), made.about


@dataclasses.dataclass(frozen=True)
class Wish:
    """What becomes of a reconstruction in the scene; see `Settings`."""

    size: float
    place: str
    cursor: Vector
    reference: bool
    camera: bool

    @classmethod
    def of(cls, context: bpy.types.Context) -> Wish:
        chosen: Settings = settings_of(context)
        cursor = context.scene.cursor.location.copy()
        return cls(chosen.size, chosen.place, cursor, chosen.reference, chosen.camera)


def server() -> Server:
    """That of the preferences. Raises Problem."""
    chosen = preferences()
    client = Client(chosen.address.strip(), chosen.token.strip())
    if not client.is_local and not bpy.app.online_access:
        raise Problem(
            f"Blender may not go online, and {client.address} is another machine: allow it in Preferences, System, "
            "Network, or use a server on this machine"
        )
    return Server(client, chosen.environment.strip())


def of_panel(context: bpy.types.Context) -> Order:
    """What the panel says. Raises Problem."""
    chosen: Settings = settings_of(context)
    answering = server()
    name, picture = pictures.chosen(context, chosen)
    if 0 < chosen.faces < FEWEST_FACES:
        raise Problem(f"Expected at least {FEWEST_FACES} faces, or 0 for all, found {chosen.faces}")
    options = {"category": chosen.category.strip(), "resolution": chosen.resolution, "color": chosen.color}
    if chosen.faces:
        options["max_faces"] = chosen.faces
    return Order(name, picture, options, answering)


def finer(made: bpy.types.Object | None) -> dict:
    """The options of an object at twice its resolution and four times its faces. Raises Problem."""
    known = base_mesh.known(made)
    if known is None:
        raise Problem("No base mesh is selected: select one that was made here")
    options = dict(known["options"])
    options["resolution"] *= 2
    if "max_faces" in options:
        options["max_faces"] *= 4
    return options


def of_object(made: bpy.types.Object | None) -> Order:
    """An object again, but finer. Raises Problem."""
    options = finer(made)
    image = made.get(base_mesh.PICTURE)
    picture = None if image is None else pictures.contents_of(image)
    if picture is None:
        raise Problem(f"The picture of {made.name} is no longer there: make the base mesh again")
    return Order(made.name, picture, options, server())


def add(context: bpy.types.Context, order: Order, wish: Wish, contents: glb.Contents, about: dict) -> bpy.types.Object:
    """Put a reconstruction into the scene. Raises ValueError, and then has changed nothing."""
    matrix = base_mesh.local_matrix(contents, wish.size)
    mesh = base_mesh.add_mesh(contents, order.name, matrix)
    mesh.materials.append(base_mesh.add_material(contents, order.name))
    collection = base_mesh.base_meshes(context)
    made = base_mesh.add_object(mesh, wish.size, collection)
    made.location = base_mesh.location(contents, wish.size, wish.place, wish.cursor)
    image = pictures.add_image(order.name, order.picture)
    base_mesh.remember(made, matrix, order.options, about, image)
    if about["camera"] is not None:
        for other in _around(made, matrix, wish, image, about["camera"]):
            collection.objects.link(other)
            other.parent = made  # they move with the object
            other.matrix_parent_inverse = Matrix.Translation(-made.location)
    if context.mode == "OBJECT":
        for other in context.selected_objects:
            other.select_set(False)
        made.select_set(True)
        context.view_layer.objects.active = made
    return made


def _around(
    made: bpy.types.Object, matrix: Matrix, wish: Wish, image: bpy.types.Image, view: dict
) -> list[bpy.types.Object]:
    """The picture and the camera, as the artist wishes."""
    place, turn, _ = (Matrix.Translation(made.location) @ matrix @ Matrix(view["pose"])).decompose()
    pose = Matrix.LocRotScale(place, turn, None)
    view = dict(view, distance=(place - made.location).length)
    added = []
    if wish.reference and pictures.is_shown(image):
        added.append(reference.add_picture(image, view, pose, wish.size, f"{made.name} Picture"))
    if wish.camera:
        added.append(reference.add_camera(view, pose, f"{made.name} Camera"))
    return added


def replace(made: bpy.types.Object, order: Order, contents: glb.Contents, about: dict) -> None:
    """Give an object, and those that share its mesh, a finer mesh, wherever the old one was moved in itself.

    Places, materials and modifiers stay. Raises ValueError.
    """
    before = made.data
    matrix = base_mesh.present_matrix(before, Matrix(base_mesh.known(made)["matrix"]))
    mesh, name = base_mesh.add_mesh(contents, before.name, matrix), before.name
    for material in before.materials:
        mesh.materials.append(material)
    before.user_remap(mesh)
    bpy.data.meshes.remove(before)
    mesh.name = name
    base_mesh.remember(made, matrix, order.options, about, made[base_mesh.PICTURE])


def report(made: bpy.types.Object, about: dict, wish: Wish | None = None) -> str:
    """What came of an order, in one line."""
    lines = [f"{made.name}: {about['faces']:,} faces", *about["notes"]]
    if wish is not None and (wish.reference or wish.camera) and about["camera"] is None:
        lines.append("no reference image and camera: this category predicts a camera only with colours")
    elif wish is not None and wish.reference and not pictures.is_shown(made[base_mesh.PICTURE]):
        lines.append("no reference image: Blender cannot show pictures of this kind")
    return "; ".join(lines)
