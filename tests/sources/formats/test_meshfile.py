"""Mesh files as scenes: every format gives the same box, and incomplete files are read."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from PIL import Image

from imfield_jax.sources.formats import meshfile, textures
from imfield_jax.sources.scene import GREY

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"


LISTED_COORDINATES = b"""ply
format ascii 1.0
element vertex 1
property list uchar float x
property float y
property float z
end_header
1 0.5 0 0
"""


def write_square(folder, mtl=None, faces="usemtl red\nf 1/1 2/2 3/3\nusemtl wood\nf 1/1 3/3 4/4\n"):
    """A unit square of two triangles with two materials: red and wood."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "square.obj").write_text("mtllib square.mtl\n" + SQUARE + faces)
    if mtl is not None:
        (folder / "square.mtl").write_text(mtl)
    return folder / "square.obj"


def write_texture(path, color=(10, 200, 30, 255), size=(4, 2)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGBA", size, color).save(path)


def by_color(scene):
    return sorted(scene.parts, key=lambda part: part.color)


def volume(scene):
    vertices, faces = scene.soup()
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    return np.einsum("nd,nd->", a, np.cross(b, c)) / 6


# Formats that trimesh writes; for .ac and .binvox see test_ac3d and test_binvox, for .gltf test_gltf.
@pytest.mark.parametrize("suffix", [".obj", ".glb", ".ply", ".stl", ".off", ".3mf", ".dae"])
def test_a_box_is_read_back_from_every_format(tmp_path, suffix):
    path = tmp_path / f"box{suffix}"
    trimesh.creation.box(extents=(1.0, 2.0, 3.0)).export(path)
    scene = meshfile.load_scene(path)
    vertices, faces = scene.soup()
    assert len(faces) == 12
    np.testing.assert_allclose(vertices.min(axis=0), [-0.5, -1.0, -1.5], atol=1e-6)
    np.testing.assert_allclose(vertices.max(axis=0), [0.5, 1.0, 1.5], atol=1e-6)
    assert volume(scene) == pytest.approx(6.0, rel=1e-5)


def test_transforms_of_a_scene_are_baked_in_also_reflections(tmp_path):
    scene = trimesh.Scene()
    box = trimesh.creation.box()
    mirrored = np.diag([-2.0, 1.0, 1.0, 1.0])
    mirrored[0, 3] = 10.0
    scene.add_geometry(box, node_name="first", geom_name="box")
    scene.add_geometry(box, node_name="second", geom_name="box", transform=mirrored)
    scene.export(tmp_path / "two.glb")
    loaded = meshfile.load_scene(tmp_path / "two.glb")
    assert volume(loaded) == pytest.approx(3.0, rel=1e-5)
    assert loaded.soup()[0][:, 0].max() == pytest.approx(11.0)


def test_obj_has_a_part_per_material_with_color_opacity_uv_and_texture(tmp_path):
    write_texture(tmp_path / "wood.png")
    mtl = "newmtl red\nKd 1 0.25 0\nd 0.5\nnewmtl wood\nKd 0.8 0.8 0.8\nmap_Kd wood.png\n"
    wood, red = by_color(meshfile.load_scene(write_square(tmp_path, mtl)))
    assert red.color == (1.0, 0.25, 0.0, 0.5)
    assert red.texture is None
    assert wood.color == (0.8, 0.8, 0.8, 1.0)
    assert wood.texture.shape == (2, 4, 4)
    assert tuple(wood.texture[0, 0]) == (10, 200, 30, 255)
    np.testing.assert_allclose(wood.uv, wood.vertices[:, :2], atol=1e-7)  # the square's uv are its x, y


def test_tr_is_one_minus_d_and_a_black_textured_material_shows_its_texture(tmp_path):
    write_texture(tmp_path / "wood.png")
    mtl = "newmtl red\nKd 1 0 0\nTr 0.75\nnewmtl wood\nKd 0 0 0\nmap_Kd wood.png\n"
    red, wood = by_color(meshfile.load_scene(write_square(tmp_path, mtl)))
    assert red.color == (1.0, 0.0, 0.0, 0.25)
    assert wood.color == (1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("../images/wood.png", "images/wood.png"),
        ("C:\\Users\\me\\My Pictures\\Wood.PNG", "models/wood.png"),
        ("/home/someone/wood.png", "models/textures/wood.png"),
        ("-s 2 2 2 wood.png", "models/wood.png"),
        ("-blendu on -S 2 -o 0.5 0 0 -bm 1.0 -mm 0 1 -t .1 1e-3 -clamp off my wood.png", "models/my wood.png"),
    ],
)
def test_textures_are_found_although_the_path_is_wrong(tmp_path, reference, place):
    write_texture(tmp_path / place)
    mtl = f"newmtl wood\nKd 1 1 1\nmap_Kd {reference}\n"
    scene = meshfile.load_scene(write_square(tmp_path / "models", mtl))
    assert sum(part.texture is not None for part in scene.parts) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("-s 2 3 1", [[0, 0], [2, 3]]),
        ("-s 2", [[0, 0], [2, 1]]),
        ("-o 0.5 0 0 -s 2 3", [[0.5, 0], [2.5, 3]]),
        ("-clamp on -o .5 -bm 1.0 -mm 0 1 -t 1 1 1 -texres 512", [[0.5, 0], [1.5, 1]]),
        ("", [[0, 0], [1, 1]]),
    ],
)
@pytest.mark.parametrize("name", ["wood.png", "my wood.png", "my 2 wood.png", "-s.png"])
def test_options_of_a_texture_are_applied_and_separated_from_its_name(options, expected, name, tmp_path):
    write_texture(tmp_path / name)
    write_texture(tmp_path / "wood.png")
    write_texture(tmp_path / name, color=(200, 10, 30, 255))
    mtl = f"newmtl wood\nKd 1 1 1\nmap_Kd {options} {name}\n"
    scene = meshfile.load_scene(write_square(tmp_path, mtl))
    (part,) = [part for part in scene.parts if part.texture is not None]
    assert part.texture[0, 0].tolist() == [200, 10, 30, 255]
    np.testing.assert_allclose([part.uv.min(axis=0), part.uv.max(axis=0)], expected)


def test_a_texture_outside_the_model_is_not_opened(tmp_path):
    write_texture(tmp_path / "secret" / "wood.png")
    for reference in ("../../secret/wood.png", str(tmp_path / "secret" / "wood.png")):
        mtl = f"newmtl wood\nKd 1 1 1\nmap_Kd {reference}\n"
        scene = meshfile.load_scene(write_square(tmp_path / "set" / "models", mtl))
        assert all(part.texture is None for part in scene.parts)


@pytest.mark.parametrize("content", ["missing", "empty", "text", "cut off"])
def test_a_missing_or_broken_texture_leaves_the_color(tmp_path, content):
    write_texture(tmp_path / "whole.png", size=(64, 64))
    whole = (tmp_path / "whole.png").read_bytes()
    if content != "missing":
        broken = {"empty": b"", "text": b"not an image", "cut off": whole[: len(whole) // 2]}
        (tmp_path / "wood.png").write_bytes(broken[content])
    mtl = "newmtl red\nKd 1 0 0\nnewmtl wood\nKd 0.5 0.4 0.3\nmap_Kd wood.png\n"
    scene = meshfile.load_scene(write_square(tmp_path, mtl))
    wood, _ = by_color(scene)
    assert scene.warnings == ("left out, as they are missing or damaged: wood.png",)
    assert wood.texture is None
    assert wood.color == (0.5, 0.4, 0.3, 1.0)


def test_a_missing_mtl_gives_grey_and_keeps_all_triangles(tmp_path):
    scene = meshfile.load_scene(write_square(tmp_path))
    assert len(scene.soup()[1]) == 2
    assert {part.color for part in scene.parts} == {GREY}
    assert scene.warnings == ("left out, as they are missing or damaged: square.mtl",)
    assert all(part.texture is None for part in scene.parts)


def test_several_material_files_in_one_line_are_all_read(tmp_path):
    (tmp_path / "a.mtl").write_text("newmtl red\nKd 1 0 0\n")
    (tmp_path / "b c.mtl").write_text("newmtl blue\nKd 0 0 1\n")
    (tmp_path / "d.mtl").write_text("newmtl wood\nKd 0 1 0\n")
    path = write_square(tmp_path)
    for line in ("a.mtl d.mtl", "d.mtl  a.mtl", "a.mtl\nmtllib b c.mtl\nmtllib d.mtl"):
        path.write_text(path.read_text().replace("square.mtl", line, 1))
        assert [part.color for part in by_color(meshfile.load_scene(path))] == [(0, 1, 0, 1), (1, 0, 0, 1)]
        write_square(tmp_path)


def test_an_image_with_another_name_is_not_used_as_the_texture(tmp_path):
    write_texture(tmp_path / "wood.png")
    scene = meshfile.load_scene(write_square(tmp_path, "newmtl wood\nmap_Kd dark wood.png\n"))
    assert all(part.texture is None for part in scene.parts)
    assert scene.warnings == ("left out, as they are missing or damaged: dark wood.png",)


def test_polygons_and_negative_indices_become_triangles(tmp_path):
    faces = "f 1 2 3 4\nf -4 -3 -2\n"
    assert len(meshfile.load_scene(write_square(tmp_path, faces=faces)).soup()[1]) == 3
    pentagon = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0.5 2 0\nv 0 1 0\nf 1 2 3 4 5\n"
    (tmp_path / "pentagon.obj").write_text(pentagon)
    assert len(meshfile.load_scene(tmp_path / "pentagon.obj").soup()[1]) == 3


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("cloud.obj", b"v 0 0 0\nv 1 0 0\n", "without triangles"),
        ("empty.obj", b"", "without triangles"),
        ("outside.obj", b"v 0 0 0\nv 1 0 0\nf 1 2 9\n", "1 of 1 faces left out"),
        ("broken.glb", b"glTF but not really", "damaged file"),
        ("broken.ply", b"ply\nformat nonsense", "damaged file"),
        ("lists.ply", LISTED_COORDINATES, "its vertices have no x, y, z"),
        ("broken.stl", b"\x00" * 84, "without triangles"),
        ("mesh.txt", b"hello", "found '.txt'"),
    ],
)
def test_files_without_triangles_are_refused_in_one_line(tmp_path, name, content, found):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match="expected a triangle mesh") as caught:
        meshfile.load_scene(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and found in message and "\n" not in message


@pytest.mark.parametrize("kind", ["ply", "off"])
def test_a_text_file_truncated_between_two_triangles_is_refused(tmp_path, kind):
    ball = trimesh.creation.icosphere(subdivisions=1)
    text = ball.export(file_type=kind, **({"encoding": "ascii"} if kind == "ply" else {}))
    text = text.decode() if isinstance(text, bytes) else text
    path = tmp_path / f"ball.{kind}"
    path.write_text(text)
    assert len(meshfile.load_scene(path).soup()[1]) == len(ball.faces)
    path.write_text(text[: text[:-20].rindex("\n")])
    with pytest.raises(ValueError, match="file is truncated: header declares") as caught:
        meshfile.load_scene(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.obj: expected a triangle mesh, found no such file"):
        meshfile.load_scene(tmp_path / "nothing.obj")


def test_texture_vertices_of_one_number_leave_the_color(tmp_path):
    write_texture(tmp_path / "wood.png")
    path = write_square(tmp_path, "newmtl red\nKd 1 0 0\nnewmtl wood\nKd 0.5 0.4 0.3\nmap_Kd wood.png\n")
    path.write_text(path.read_text().replace("vt 1 1", "vt 1"))
    wood, _ = by_color(meshfile.load_scene(path))
    assert (wood.texture, wood.uv) == (None, None)


def test_textures_are_reduced_without_darkening_by_transparent_pixels(tmp_path):
    texture = np.zeros((8, 2 * textures.MAX_TEXTURE_SIZE, 4), np.uint8)
    texture[:, ::2] = (200, 100, 50, 255)  # every second column is transparent black
    Image.fromarray(texture).save(tmp_path / "fine.png")
    shrunk = textures.read(tmp_path / "fine.png")
    assert shrunk.shape == (4, textures.MAX_TEXTURE_SIZE, 4)
    assert np.abs(shrunk[..., :3].astype(int) - (200, 100, 50)).max() <= 2
    assert np.abs(shrunk[..., 3].astype(int) - 128).max() <= 1
