"""From the panel to an object, and what the artist can do with it."""

from __future__ import annotations

import json
import math
import types

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from conftest import pictures
from mathutils import Vector


def points(mesh):
    values = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", values)
    return values.reshape(-1, 3)


def box(made):
    """The least and largest coordinates of an object in the world."""
    bpy.context.view_layer.update()
    corners = np.array([made.matrix_world @ vertex.co for vertex in made.data.vertices])
    return corners.min(axis=0), corners.max(axis=0)


def make():
    assert bpy.ops.imfield.base_mesh("EXEC_DEFAULT", True) == {"FINISHED"}
    bpy.context.view_layer.update()
    return bpy.context.view_layer.objects.active


@pytest.fixture
def made(settings):
    return make()


def test_it_is_the_mesh_that_blenders_own_importer_reads(settings, modules, tmp_path):
    made, order = make(), modules("order").of_panel(bpy.context)
    contents = order.server.client.reconstruct(order.picture, order.options, lambda step: None).glb
    (tmp_path / "car.glb").write_bytes(contents)
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "car.glb"))
    [imported] = [each for each in bpy.context.selected_objects if each.type == "MESH"]
    bpy.context.view_layer.update()
    theirs = np.array([imported.matrix_world @ vertex.co for vertex in imported.data.vertices])
    ours = np.array([made.matrix_world @ vertex.co for vertex in made.data.vertices])
    scale = np.ptp(ours, axis=0).max() / np.ptp(theirs, axis=0).max()
    moved = (theirs - theirs.mean(axis=0)) * scale
    np.testing.assert_allclose(ours - ours.mean(axis=0), moved, atol=1e-4)


def test_it_is_closed_smooth_named_and_in_a_collection(made):
    mesh = made.data
    assert made.name == "car" and made.users_collection[0].name == "Base Meshes"
    assert 500 < len(mesh.polygons) <= 5000 and not mesh.validate()
    assert len(mesh.edges) * 2 == len(mesh.polygons) * 3  # each edge has two faces
    corners = np.array([mesh.vertices[index].co for face in mesh.polygons for index in face.vertices]).reshape(-1, 3, 3)
    assert np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() > 0  # outward
    assert all(face.use_smooth for face in mesh.polygons)
    faces_of = {}
    for face in mesh.polygons:
        for key in face.edge_keys:
            faces_of.setdefault(key, []).append(face.normal)
    angles = np.array([faces_of[edge.key][0].angle(faces_of[edge.key][1]) for edge in mesh.edges])
    sharp = np.array([edge.use_edge_sharp for edge in mesh.edges])
    clear = np.abs(angles - math.radians(40)) > 1e-3
    np.testing.assert_array_equal(sharp[clear], (angles > math.radians(40))[clear])


def test_its_material_shows_the_colours_and_the_attribute_says_what_was_seen(made):
    seen, colors = made.data.attributes["seen"], made.data.color_attributes["Color"]
    assert (seen.domain, seen.data_type, colors.domain) == ("POINT", "FLOAT", "POINT")
    values = np.empty(len(made.data.vertices), np.float32)
    seen.data.foreach_get("value", values)
    assert 0.1 < values.mean() < 0.9 and values.min() >= 0 and values.max() <= 1
    [slot] = made.material_slots
    nodes = slot.material.node_tree.nodes
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    [link] = shader.inputs["Base Color"].links
    assert (
        link.from_node.layer_name == "Color" and np.std([each.color[:3] for each in colors.data], axis=0).max() > 0.02
    )


def test_without_colours_the_material_is_plain(settings):
    settings.color = False
    made = make()
    assert "seen" not in made.data.attributes and not made.data.color_attributes
    nodes = made.material_slots[0].material.node_tree.nodes
    assert not next(node for node in nodes if node.type == "BSDF_PRINCIPLED").inputs["Base Color"].links


def test_the_modifiers_are_off_and_work(made):
    assert [each.type for each in made.modifiers] == ["MIRROR", "REMESH", "SUBSURF"]
    assert not any(each.show_viewport or each.show_render for each in made.modifiers)
    before = points(made.data)
    made.modifiers["Mirror"].show_viewport = True
    shown = made.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    after = points(shown)
    # The mirror is in the middle plane of the category, so the car is as wide as before, and symmetric.
    assert after[:, 0].min() == pytest.approx(-after[:, 0].max(), abs=1e-4)
    assert after[:, 0].max() == pytest.approx(np.abs(before[:, 0]).max(), rel=0.1)


@pytest.mark.parametrize("place", ["GROUND", "CURSOR", "ORIGIN"])
def test_it_lands_where_it_should_and_is_as_large(settings, place):
    settings.place, settings.size, settings.reference = place, 2.5, False
    bpy.context.scene.cursor.location = (3, -4, 5)
    low, high = box(make())
    assert (high - low).max() == pytest.approx(2.5, rel=1e-4)
    middle = (low + high) / 2
    expected = {"GROUND": (3, -4, middle[2]), "CURSOR": (3, -4, 5), "ORIGIN": (0, 0, 0)}[place]
    np.testing.assert_allclose(middle[1:], expected[1:], atol=1e-3)
    assert middle[0] == pytest.approx(expected[0], abs=0.1)  # by the middle plane of the category
    assert place != "GROUND" or low[2] == pytest.approx(0, abs=1e-4)


def test_the_camera_sees_it_where_the_picture_shows_it_and_the_picture_fills_the_frame(settings):
    settings.camera, settings.size = True, 3
    made = make()
    picture, camera = bpy.data.objects["car Picture"], bpy.data.objects["car Camera"]
    scene, image = bpy.context.scene, picture.data
    scene.render.resolution_x, scene.render.resolution_y = image.size
    corners = np.array(
        [world_to_camera_view(scene, camera, made.matrix_world @ each.co) for each in made.data.vertices]
    )
    alpha = np.array(image.pixels).reshape(image.size[1], image.size[0], 4)[..., 3] > 0.5
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    expected = [columns[0], columns[-1] + 1, rows[0], rows[-1] + 1] / np.repeat(image.size, 2)
    found = [corners[:, 0].min(), corners[:, 0].max(), corners[:, 1].min(), corners[:, 1].max()]
    np.testing.assert_allclose(found, expected, atol=0.1)
    half = picture.empty_display_size / 2
    ends = [world_to_camera_view(scene, camera, picture.matrix_world @ Vector((x, y, 0))) for x, y in FRAME * half]
    np.testing.assert_allclose(np.array(ends)[:, :2], (FRAME + 1) / 2, atol=1e-4)
    assert ends[0].z > corners[:, 2].max()  # behind
    # They go with the object.
    before = [each.matrix_world.inverted() @ made.matrix_world for each in (picture, camera)]
    made.location.x += 7
    bpy.context.view_layer.update()
    after = [each.matrix_world.inverted() @ made.matrix_world for each in (picture, camera)]
    np.testing.assert_allclose(before, after, atol=1e-4)


FRAME = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
# From the stored to the upright picture, by the words of the EXIF standard.
UPRIGHT = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).T,
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_pictures_that_are_stored_turned_stand_upright(settings, modules, orientation):
    """In the frame of the camera, each stored pixel is where it is in the upright picture."""
    reference, scene = modules("reference"), bpy.context.scene
    stored = np.arange(6).reshape(2, 3)  # rows from the top
    upright = UPRIGHT[orientation](stored)
    height, width = upright.shape
    view = {"width": width, "height": height, "orientation": orientation, "focal_length": 4.0, "distance": 5.0}
    view["principal_point"] = (width / 2 + 0.3, height / 2 - 0.2)
    image, pose = bpy.data.images.new("stored", 3, 2), bpy.data.objects.new("pose", None).matrix_world
    picture, camera = reference.add_picture(image, view, pose, 1.0, "p"), reference.add_camera(view, pose, "c")
    for each in (picture, camera):
        scene.collection.objects.link(each)
    bpy.context.view_layer.update()
    scene.render.resolution_x, scene.render.resolution_y = width, height
    pixel = picture.empty_display_size / 3  # of the stored picture, whose longer side has three
    for row, column in np.ndindex(2, 3):
        place = picture.matrix_world @ Vector(((column - 1) * pixel, (0.5 - row) * pixel, 0))
        x, y, _ = world_to_camera_view(scene, camera, place)
        assert upright[int((1 - y) * height), int(x * width)] == stored[row, column]


def test_refining_keeps_place_material_and_modifiers(made):
    made.location, made.rotation_euler, made.scale = (1, 2, 3), (0.1, 0.2, 0.3), (1, 2, 1)
    made.modifiers["Mirror"].show_viewport = True
    made["note"], material = "mine", made.material_slots[0].material
    bpy.context.view_layer.update()
    place, ends, faces = made.matrix_world.copy(), box(made), len(made.data.polygons)
    meshes, images = len(bpy.data.meshes), len(bpy.data.images)
    assert bpy.ops.imfield.refine("EXEC_DEFAULT", True) == {"FINISHED"}
    assert faces < len(made.data.polygons) <= 20000 and made.matrix_world == place
    np.testing.assert_allclose(box(made), ends, atol=0.1)  # finer, but the same
    assert made.material_slots[0].material == material and made.modifiers["Mirror"].show_viewport
    assert made["note"] == "mine" and json.loads(made["imfield_about"])["options"]["resolution"] == 96
    assert (len(bpy.data.meshes), len(bpy.data.images)) == (meshes, images)


def test_refining_finds_a_mesh_that_was_moved_in_itself_and_edited(made):
    """Apply Transform, Set Origin, and a few vertices that were moved, added and deleted."""
    made.scale, made.location, made.rotation_euler = (3, 3, 3), (1, 2, 3), (0, 0, 1)
    bpy.ops.object.transform_apply(location=False, rotation=True, scale=True)
    bpy.ops.object.origin_set(type="ORIGIN_CENTER_OF_VOLUME")
    ends = box(made)
    made.data.vertices[0].co.x += 0.2
    made.data.vertices.add(3)
    bpy.ops.imfield.refine("EXEC_DEFAULT", True)
    np.testing.assert_allclose(box(made), ends, atol=0.3)  # of a car of 3 metres
    made.data.clear_geometry()
    bpy.ops.imfield.refine("EXEC_DEFAULT", True)  # nothing tells where it was: as it was made
    assert made.data.polygons


def test_linked_duplicates_are_refined_together_and_names_stay(made):
    other = made.copy()
    bpy.context.scene.collection.objects.link(other)
    assert made.data.users == 2
    bpy.ops.imfield.refine("EXEC_DEFAULT", True)
    assert other.data == made.data and made.data.name == "car" and len(bpy.data.meshes) == 1


def test_refining_takes_the_object_that_was_meant_whatever_its_name(made, modules):
    operators, other = modules("operators"), make()
    order, faces = modules("order"), len(other.data.polygons)
    operator = types.SimpleNamespace(_order=order.of_object(made), _number=made.session_uid)
    result = operator._order(lambda step: None)
    made.name, other.name = "old", "car"
    operators.Refine.ended(operator, bpy.context, result)
    assert len(made.data.polygons) > faces and len(other.data.polygons) == faces


def test_a_picture_that_was_unpacked_still_refines(made, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.file.unpack_all(method="WRITE_LOCAL")
    made = bpy.data.objects["car"]
    assert made["imfield_picture"].packed_file is None
    assert bpy.ops.imfield.refine("EXEC_DEFAULT", True) == {"FINISHED"}


def test_a_saved_file_still_knows_its_picture(made, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    assert bpy.ops.imfield.refine("EXEC_DEFAULT", True) == {"FINISHED"}


@pytest.mark.parametrize("how", ["exclude", "hide_viewport"])
def test_it_is_seen_although_its_collection_is_hidden(made, how):
    layer = bpy.context.view_layer.layer_collection.children["Base Meshes"]
    setattr(layer, how, True)
    assert make().visible_get()


def test_a_collection_that_was_moved_and_renamed_is_still_used(made):
    scene, parent = bpy.context.scene.collection, bpy.data.collections.new("Props")
    collection = made.users_collection[0]
    scene.children.unlink(collection)
    scene.children.link(parent)
    parent.children.link(collection)
    collection.name = "Cars"
    assert make().users_collection[0] == collection


@pytest.mark.parametrize("size", [0.01, 1000])
def test_objects_of_any_size_are_seen_by_their_camera_and_mirrored(settings, size):
    settings.size, settings.camera = size, True
    made, camera = make(), bpy.data.objects["car Camera"]
    depths = [-(camera.matrix_world.inverted() @ made.matrix_world @ each.co).z for each in made.data.vertices]
    assert camera.data.clip_start < min(depths) and max(depths) < camera.data.clip_end
    made.modifiers["Mirror"].show_viewport = True
    shown = made.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    assert len(shown.edges) * 2 == len(shown.loops)  # each edge has two faces


def test_undo_is_one_step(settings, snapshot):
    before = snapshot()
    make()
    after = snapshot()
    assert after != before
    bpy.ops.ed.undo()
    assert snapshot() == before
    bpy.ops.ed.redo()
    assert snapshot() == after


def test_a_second_one_leaves_the_first_alone(made):
    before = points(made.data)
    other = make()
    assert other.name == "car.001" and len(bpy.data.collections) == 1
    np.testing.assert_array_equal(points(made.data), before)


def test_images_of_blender_are_sent_as_they_are_and_nothing_of_them_changes(settings, modules, tmp_path):
    """Also one that is painted and not yet saved, whatever the look of renders."""
    image = bpy.data.images.new("painted", 40, 30, alpha=True)
    pixels = np.random.default_rng(0).integers(1, 256, (30, 40, 4)).astype(np.float32) / 255
    image.pixels[:] = pixels.ravel().tolist()
    settings.source, settings.image = "IMAGE", image
    name, contents = modules("pictures").chosen(bpy.context, settings)
    (tmp_path / "a.png").write_bytes(contents)
    back = bpy.data.images.load(str(tmp_path / "a.png"))
    back.alpha_mode = "CHANNEL_PACKED"
    np.testing.assert_allclose(back.pixels[:], pixels.ravel(), atol=1e-6)
    assert name == "painted" and image.is_dirty and image.source == "GENERATED" and not image.filepath


def test_the_file_of_an_open_image_is_sent_as_it_is(settings, modules):
    """With all that it says, such as how a photograph was turned."""
    file = pictures() / "car.png"
    settings.source, settings.image = "IMAGE", bpy.data.images.load(str(file))
    assert modules("pictures").chosen(bpy.context, settings) == ("car", file.read_bytes())
    settings.image.pack()
    assert modules("pictures").chosen(bpy.context, settings) == ("car", file.read_bytes())


def test_settings_of_the_output_stay_whatever_they_are(settings, modules):
    image = bpy.data.images.new("painted", 40, 30)
    output = bpy.context.scene.render.image_settings
    if hasattr(output, "media_type"):
        output.media_type = "VIDEO"
    output.file_format, output.color_management = "FFMPEG", "OVERRIDE"
    output.view_settings.view_transform, output.view_settings.look = "AgX", "AgX - Punchy"
    assert modules("pictures").of_image(image)[1].startswith(b"\x89PNG")
    assert (output.file_format, output.color_management) == ("FFMPEG", "OVERRIDE")
    assert (output.view_settings.view_transform, output.view_settings.look) == ("AgX", "AgX - Punchy")


def test_a_render_is_a_picture(settings):
    """Of a base mesh before nothing, which becomes a base mesh again."""
    settings.camera, settings.reference = True, False
    made = make()
    scene = bpy.context.scene
    scene.camera = bpy.data.objects["car Camera"]
    scene.render.engine, scene.cycles.samples, scene.render.film_transparent = "CYCLES", 4, True
    scene.render.resolution_x = scene.render.resolution_y = 128
    light = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    scene.collection.objects.link(light)
    bpy.ops.render.render()
    scene.render.image_settings.file_format = "OPEN_EXR"
    settings.source, settings.image, settings.camera = "IMAGE", bpy.data.images["Render Result"], False
    again = make()
    assert again.name == "Render Result" and scene.render.image_settings.file_format == "OPEN_EXR"
    np.testing.assert_allclose(again.dimensions, made.dimensions, atol=0.25)


def test_a_copied_file_is_a_picture(modules):
    """As its path or address; without a display Blender has no clipboard, so here is one."""
    picture, module = pictures() / "car.png", modules("pictures")

    def copied(text):
        manager = types.SimpleNamespace(clipboard=text)
        return module.of_clipboard(types.SimpleNamespace(window_manager=manager, screen=None))

    assert copied(str(picture)) == copied(picture.as_uri() + "\nfile:///other") == ("car", picture.read_bytes())
    for text in ("", "words", "\n", str(pictures())):
        with pytest.raises(modules("client").Problem, match="no picture in the clipboard"):
            copied(text)


def test_a_picture_that_blender_cannot_show_is_said_and_kept(settings, modules):
    made = make()
    image = modules("pictures").add_image("phone", b"ftypheic")
    assert not modules("pictures").is_shown(image) and image.packed_file.data == b"ftypheic"
    made["imfield_picture"] = image
    wish = modules("order").Wish.of(bpy.context)
    about = {"faces": 5, "notes": [], "camera": {}}
    assert "cannot show pictures of this kind" in modules("order").report(made, about, wish)


def test_the_panel_draws(settings, modules):
    """Without a display nothing calls it; a layout that notes the labels does."""
    labels = []

    class Layout:
        def __getattr__(self, name):
            return self.label

        def label(self, *args, text="", **options):
            labels.append(text)
            return Layout()

    made = types.SimpleNamespace(layout=Layout())
    drawn = modules("panel").BaseMeshPanel
    made._draw_object = types.MethodType(drawn._draw_object, made)

    def draw():
        region = types.SimpleNamespace(width=200)
        known = {name: getattr(bpy.context, name) for name in ("scene", "object", "preferences")}
        drawn.draw(made, types.SimpleNamespace(region=region, **known))

    for source in ("FILE", "IMAGE", "CLIPBOARD"):
        settings.source = source
        draw()
    settings.source = "FILE"
    make()
    draw()
    assert "Refine to 96" in labels and "car" in labels and max(map(len, labels)) <= 26
