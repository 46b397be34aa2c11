"""AC3D: nested offsets, blank lines, strips, lines, textures by base name, damaged files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imfield_jax.sources.formats import ac3d

HEADER = """AC3Db
MATERIAL "paint" rgb 1 0.5 0  amb 1 1 1  emis 0 0 0  spec 0 0 0  shi 10  trans 0
MATERIAL "a glass" rgb 0 0 1  amb 1 1 1  emis 0 0 0  spec 0 0 0  shi 10  trans 0.75
"""

PLANE = (
    HEADER
    + """OBJECT world

kids 1
OBJECT group
name "left wing"
loc 10 0 0
kids 2
OBJECT poly
name "flap"
data 11
kids 3
loc
texture "C:\\planes\\Paint.png"
texrep 2 1
texoff 0.5 0
loc 0 5 0
crease 30.0
numvert 4
0 0 0

1 0 0
1 1 0
0 1 0
numsurf 3
SURF 0x10
mat 0
refs 4
0 0 0

1 1 0
2 1 1
3 0 1
SURF 0X30
mat 1
refs 3
0 0 0
1 1 0
2 1 1
SURF 0x12
mat 0
refs 2
0 0 0
1 0 0
kids 0
OBJECT poly
name "strip"
numvert 4
0 0 1
1 0 1
0 1 1
1 1 1
numsurf 1
SURF 0x14
mat 0
refs 4
0 0 0
1 0 0
2 0 0
3 0 0
kids 0
"""
)


def write(folder, text=PLANE):
    path = folder / "plane.ac"
    path.write_text(text)
    return path


def normals(part):
    a, b, c = np.moveaxis(part.vertices[part.faces], 1, 0)
    return np.cross(b - a, c - a)


def test_offsets_add_up_blank_lines_are_skipped_and_edges_give_no_triangles(tmp_path):
    paint, glass, strip = ac3d.load_scene(write(tmp_path)).parts
    assert [len(part.faces) for part in (paint, glass, strip)] == [2, 1, 2]
    np.testing.assert_array_equal(paint.vertices.min(axis=0), [10, 5, 0])  # loc 10 0 0, then 0 5 0
    np.testing.assert_array_equal(paint.vertices.max(axis=0), [11, 6, 0])
    np.testing.assert_array_equal(strip.vertices.min(axis=0), [10, 0, 1])  # a sibling's loc does not apply
    assert paint.color == (1.0, 0.5, 0.0, 1.0)
    assert glass.color == (0.0, 0.0, 1.0, 0.25)


def test_all_triangles_of_a_strip_have_the_same_winding(tmp_path):
    strip = ac3d.load_scene(write(tmp_path)).parts[2]
    np.testing.assert_allclose(normals(strip), [[0, 0, 1], [0, 0, 1]])


def test_texture_is_found_by_base_name_in_the_folder_of_the_aircraft(tmp_path):
    (tmp_path / "Models").mkdir()
    (tmp_path / "Textures" / "Airline").mkdir(parents=True)
    Image.new("RGB", (2, 2), (1, 2, 3)).save(tmp_path / "Textures" / "Airline" / "paint.png")
    path = write(tmp_path / "Models")
    assert ac3d.load_scene(path).parts[0].texture is None
    paint = ac3d.load_scene(path, texture_root=tmp_path).parts[0]
    assert tuple(paint.texture[0, 0]) == (1, 2, 3, 255)
    local = paint.vertices[:, :2] - [10, 5]
    np.testing.assert_allclose(paint.uv, local * [2, 1] + [0.5, 0])  # texrep, then texoff


def test_sgi_textures_are_read(tmp_path):
    Image.new("RGB", (4, 4), (9, 8, 7)).save(tmp_path / "paint.rgb", format="SGI")
    text = PLANE.replace("Paint.png", "paint.rgb")
    assert tuple(ac3d.load_scene(write(tmp_path, text)).parts[0].texture[0, 0]) == (9, 8, 7, 255)


def test_keep_gets_the_parent_groups_of_an_object_and_the_opacity(tmp_path):
    seen = set()

    def keep(name, opacity):
        seen.add((name, opacity))
        return name.endswith("strip")

    assert len(ac3d.load_scene(write(tmp_path), keep=keep).parts) == 1
    assert seen == {("left wing/flap", 1.0), ("left wing/flap", 0.25), ("left wing/strip", 1.0)}


def test_an_object_with_fewer_kids_than_declared_is_read(tmp_path):
    text = PLANE.replace("kids 2", "kids 7")
    assert len(ac3d.load_scene(write(tmp_path, text)).parts) == 3


def test_only_the_faces_that_refer_to_a_missing_vertex_are_left_out(tmp_path):
    scene = ac3d.load_scene(write(tmp_path, PLANE.replace("3 0 1", "4 0 1")))
    assert [len(part.faces) for part in scene.parts] == [1, 2]
    assert "1 faces left out" in scene.warnings[0]


def test_a_concave_polygon_is_covered_and_nothing_outside_it(tmp_path):
    square = "0 0 0\n\n1 0 0\n1 1 0\n0 1 0"
    assert square in PLANE
    path = write(tmp_path, PLANE.replace(square, "0 0 0\n2 0 0\n0.5 0.5 0\n0 2 0"))  # concave at the third corner
    paint = ac3d.load_scene(path).parts[0]
    np.testing.assert_allclose(normals(paint)[:, 2].sum() / 2, 1.0)  # the square without the corner
    assert (normals(paint)[:, 2] > 0).all()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v 0 0 0", "does not start with 'AC3D'"),
        ("", "does not start with 'AC3D'"),
        (PLANE[: PLANE.index("1 1 0\n0 1 0")], "damaged file"),
        (PLANE.replace("mat 1", "mat 2"), "material 2 of 2"),
        (PLANE.replace("1 0 0\n1 1 0", "1 zero 0\n1 1 0"), "damaged file"),
        (PLANE.replace("crease 30.0", "rot 0 1 0 -1 0 0 0 0 1"), "rotated objects"),
        (HEADER + "OBJECT world\nkids 0\n", "without polygons"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path, text, found):
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match="expected a triangle mesh") as caught:
        ac3d.load_scene(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and found in message and "\n" not in message
