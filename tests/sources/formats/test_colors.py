"""Colours and textures of PLY, OFF and OBJ files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imfield_jax.sources.formats.meshfile import load_scene
from imfield_jax.sources.scene import GREY


def lines(rows):
    return "\n".join(" ".join(f"{number:.10g}" for number in row) for row in rows)


def test_vertex_and_face_colors_of_ply_and_off_are_read(tmp_path):
    """A square with at least a red and a blue corner, in types of all sizes, or with one colour per face."""
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
    for kind, top in (("uchar", 255), ("ushort", 65535), ("float", 1), ("double", 255), ("int", 255)):
        head = ["ply", "format ascii 1.0", "element vertex 4", *(f"property float {axis}" for axis in "xyz")]
        head += [f"property {kind} {name}" for name in ("red", "green", "blue")]
        head += ["element face 1", "property list uchar int vertex_indices", "end_header"]
        rows = [(*corner, top * (i % 2), 0, top * (1 - i % 2)) for i, corner in enumerate(corners)]
        (tmp_path / "a.ply").write_text("\n".join([*head, lines(rows), "4 0 1 2 3", ""]))
        (part,) = load_scene(tmp_path / "a.ply").parts
        red = part.vertices[:, 0] != part.vertices[:, 1]
        np.testing.assert_array_equal(part.colors, np.where(red[:, None], [1, 0, 0, 1], [0, 0, 1, 1]))
    for faces in ("3 0 1 2 255 0 0\n3 0 2 3 0 0 255\n", "3 0 1 2 1.0 0.0 0.0\n3 0 2 3 0.0 0.0 1.0 1.0\n"):
        (tmp_path / "a.off").write_text("OFF\n4 2 0\n" + lines(corners) + "\n" + faces)
        (part,) = load_scene(tmp_path / "a.off").parts
        assert [part.colors[face].tolist() for face in part.faces] == [[[1, 0, 0, 1]] * 3, [[0, 0, 1, 1]] * 3]


FACES_OF_TEXTURES = (("0 1 2", 1), ("0 2 3", 0), ("0 1 3", 1), ("1 2 3", -1))


@pytest.mark.parametrize("bright", [1.00001, 1.5])
def test_colors_slightly_above_one_are_fractions_in_every_format(bright, tmp_path):
    corners = [(0, 0, 0, bright, 0.5, 0.25), (1, 0, 0, 1, 0.5, 0.25), (1, 1, 0, 1, 0.5, 0.25)]
    head = ["ply", "format ascii 1.0", "element vertex 3", *(f"property float {axis}" for axis in "xyz")]
    head += [f"property float {name}" for name in ("red", "green", "blue")]
    head += ["element face 1", "property list uchar int vertex_indices", "end_header"]
    (tmp_path / "a.ply").write_text("\n".join([*head, lines(corners), "3 0 1 2", ""]))
    (tmp_path / "a.off").write_text("COFF\n3 1 0\n" + lines(corners) + "\n3 0 1 2\n")
    (tmp_path / "a.obj").write_text("".join(f"v {lines([corner])}\n" for corner in corners) + "f 1 2 3\n")
    for name in ("a.ply", "a.off", "a.obj"):
        np.testing.assert_allclose(load_scene(tmp_path / name).parts[0].colors, [[1, 0.5, 0.25, 1]] * 3)


def test_faces_of_an_off_file_without_a_color_are_grey_among_colored_ones(tmp_path):
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
    for color in ("255 0 0", "1.0 0 0", "255 0 0 255"):
        (tmp_path / "a.off").write_text("OFF\n4 2 0\n" + lines(corners) + f"\n3 0 1 2 {color}\n3 0 2 3\n")
        (part,) = load_scene(tmp_path / "a.off").parts
        np.testing.assert_allclose(part.colors[part.faces[0]], [[1, 0, 0, 1]] * 3)
        np.testing.assert_allclose(part.colors[part.faces[1]], [GREY] * 3)


def test_each_face_of_a_ply_file_has_the_texture_of_its_number(tmp_path):
    for name, color in (("red.png", (255, 0, 0)), ("blue.png", (0, 0, 255))):
        Image.new("RGB", (2, 2), color).save(tmp_path / name)
    head = ["ply", "format ascii 1.0", "comment TextureFile red.png", "comment TextureFile blue.png"]
    head += ["element vertex 4", *(f"property float {axis}" for axis in "xyz"), "element face 4"]
    head += ["property list uchar int vertex_indices", "property list uchar float texcoord", "property int texnumber"]
    faces = [f"3 {corners} 6 0 0 1 0 0 1 {number}" for corners, number in FACES_OF_TEXTURES]
    (tmp_path / "a.ply").write_text("\n".join([*head, "end_header", "0 0 0", "1 0 0", "0 1 0", "0 0 1", *faces, ""]))
    parts = load_scene(tmp_path / "a.ply").parts
    assert [len(part.faces) for part in parts] == [1, 1, 2]
    assert [part.texture is not None and part.texture[0, 0].tolist() for part in parts] == [
        *(False, [255, 0, 0, 255], [0, 0, 255, 255])
    ]
