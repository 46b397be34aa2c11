"""One prism with concave caps, written in each format in each of its forms: all must give the same closed solid.

Its caps have a notch, collinear corners and a repeated corner; its sides are quads.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from imfield_jax.preparation.rendering.surface import _weld
from imfield_jax.sources.formats.kinds import SUFFIXES, unreadable_kind
from imfield_jax.sources.formats.meshfile import load_scene
from imfield_jax.sources.formats.text import decoded

CASES = Path(__file__).parents[2] / "cases"
PROFILE = np.array([[0, 0], [1, 0], [2, 0], [3, 0], [3, 1], [1, 1], [1, 2], [1, 3], [0, 3]], float)  # an L
AREA, HEIGHT, ORIGIN = 5.0, 2.0, np.array([5.0, -3.0, 1.0])
NAMES = "Küche"


def prism():
    """Vertices [2 n, 3] and polygons of the prism, all facing outward."""
    n = len(PROFILE)
    vertices = np.concatenate([np.c_[PROFILE, np.zeros(n)], np.c_[PROFILE, np.full(n, HEIGHT)]]) + ORIGIN
    around = [(i, (i + 1) % n) for i in range(n)]
    top = [n, *range(n, 2 * n)]  # its first corner twice
    return vertices, [list(range(n))[::-1], top, *([a, b, b + n, a + n] for a, b in around)]


def lines(rows, between=" "):
    return "\n".join(between.join(f"{number:.10g}" for number in row) for row in rows)


def obj(corner="{}", between=" ", end="\n", first=1):
    vertices, polygons = prism()
    text = [f"# {NAMES}", f"mtllib {NAMES}.mtl", f"o {NAMES}", f"g {NAMES}"]
    text += ["v" + between + between.join(f"{x:.10g}" for x in vertex) for vertex in vertices]
    text += ["vt 0 0", "vn 0 0 1", f"usemtl {NAMES}"]
    text += ["f" + between + between.join(corner.format(i + first) for i in rows) for rows in polygons]
    return end.join([*text, ""])


def off(header="OFF", extra=""):
    vertices, polygons = prism()
    rows = [" ".join(f"{x:.10g}" for x in vertex) + extra for vertex in vertices]
    faces = [" ".join(map(str, [len(rows), *rows])) for rows in polygons]
    return "\n".join([header, f"# {NAMES}", f"{len(vertices)} {len(polygons)} 0", *rows, *faces, ""])


def ply(order, count="uchar", index="int", more=False):
    """PLY in a byte order ("" for text), with the types of its lists; `more` adds unused properties and elements."""
    codes = {"uchar": "B", "ushort": "H", "int": "i", "uint": "I", "short": "h", "double": "d"}
    vertices, polygons = prism()
    form = {"": "ascii", "<": "binary_little_endian", ">": "binary_big_endian"}[order]
    head = ["ply", f"format {form} 1.0", f"comment {NAMES}", f"element vertex {len(vertices)}"]
    head += ["property list uchar short ring"] * more
    head += [f"property double {axis}" for axis in "zxy"]
    head += [f"element face {len(polygons)}"] + ["property double quality", "property list ushort uint other"] * more
    head += [f"property list {count} {index} vertex_index", "element edge 1", "property int a", "end_header", ""]
    rows = []
    for number, (x, y, z) in enumerate(vertices):
        rows.append(
            [("uchar", number % 3), *[("short", -1)] * (number % 3)] * more + [("double", v) for v in (z, x, y)]
        )
    for number, polygon in enumerate(polygons):
        extra = [("double", 0.5), ("ushort", number % 2), *[("uint", 7)] * (number % 2)] * more
        rows.append([*extra, (count, len(polygon)), *((index, i) for i in polygon)])
    rows.append([("int", 3)])
    if not order:
        return "\n".join(head) + "\n".join(" ".join(f"{value:.10g}" for _, value in row) for row in rows)
    packed = (struct.pack(order + codes[kind], value) for row in rows for kind, value in row)
    return "\n".join(head).encode() + b"".join(packed)


def dae(kind="polylist", encoding="utf-8"):
    vertices, polygons = prism()
    source = '<input semantic="VERTEX" source="#v" offset="0"/>'
    text = [" ".join(map(str, rows)) for rows in polygons]
    if kind == "polylist":
        inner = f"<vcount>{' '.join(str(len(rows)) for rows in polygons)}</vcount><p>{' '.join(text)}</p>"
    else:
        inner = "".join(f"<p>{rows}</p>" for rows in text)
    return f"""<?xml version="1.0" encoding="{encoding}"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1"><asset><up_axis>Y_UP</up_axis></asset>
<library_geometries><geometry id="g" name="{NAMES}"><mesh><source id="p">
<float_array id="a" count="{vertices.size}">{lines(vertices)}</float_array><technique_common>
<accessor source="#a" count="{len(vertices)}" stride="3"><param name="X" type="float"/><param name="Y" type="float"/>
<param name="Z" type="float"/></accessor></technique_common></source>
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<{kind} count="{len(polygons)}">{source}{inner}</{kind}></mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="s"><node><instance_geometry url="#g"/></node></visual_scene>
</library_visual_scenes><scene><instance_visual_scene url="#s"/></scene></COLLADA>"""


def ac():
    vertices, polygons = prism()
    surfaces = [f"SURF 0x10\nmat 0\nrefs {len(rows)}\n" + "\n".join(f"{i} 0 0" for i in rows) for rows in polygons]
    head = f'AC3Db\nMATERIAL "{NAMES}" rgb 1 1 1 trans 0\nOBJECT poly\nname "{NAMES}"\nnumvert {len(vertices)}\n'
    return head + lines(vertices) + f"\nnumsurf {len(polygons)}\n" + "\n".join(surfaces) + "\nkids 0\n"


FILES = {
    "plain.obj": obj(),
    "tabs.obj": obj(between="\t"),
    "blanks.obj": obj(between="  \t ", end=" \t\r\n"),
    "old mac.obj": obj(end="\r"),
    "all indices.obj": obj("{0}/1/1"),
    "no uv.obj": obj("{0}//1"),
    "relative.obj": obj(first=-2 * len(PROFILE)),
    "continued.obj": obj(between=" \\\n"),
    "continued behind blanks.obj": obj(between=" \\ \t\r\n"),
    "colours.obj": obj().replace("v 5 -3 1\n", "v 5 -3 1 1 0 0\n"),
    "plain.off": off(),
    "normals.off": off("NOFF", " 0 0 1"),
    "colours.off": off("COFF", " 255 0 0 255"),
    "both.off": off("CNOFF", " 0 0 1 1 0 0 1"),
    "text.ply": ply(""),
    "little.ply": ply("<"),
    "big.ply": ply(">"),
    "wide.ply": ply("<", "int", "ushort"),
    "old mac.ply": ply("").replace("\n", "\r"),
    "windows.ply": ply("").replace("\n", "\r\n"),
    "text with more.ply": ply("", more=True),
    "little with more.ply": ply("<", "ushort", "uint", more=True),
    "big with more.ply": ply(">", "uint", "short", more=True),
    "polylist.dae": dae(),
    "polygons.dae": dae("polygons"),
    "plain.ac": ac(),
}


def write(folder, name, contents):
    path = folder / name
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    return path


def assert_prism(scene):
    """Volume, area and closedness of the prism; every triangle outward."""
    vertices, faces = scene.soup()
    vertices = vertices - ORIGIN
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    assert np.einsum("nd,nd->", a, np.cross(b, c)) / 6 == pytest.approx(AREA * HEIGHT, rel=1e-5)
    around = np.linalg.norm(np.roll(PROFILE, -1, axis=0) - PROFILE, axis=1).sum()
    surface = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    assert surface == pytest.approx(2 * AREA + around * HEIGHT, rel=1e-5)
    welded = [row for row in _weld(vertices[faces]).tolist() if len({*row}) == 3]
    edges = Counter(edge for row in welded for edge in itertools.pairwise([*row, row[0]]))
    assert all(edges[b, a] == count for (a, b), count in edges.items())


@pytest.mark.parametrize("name", FILES)
def test_concave_polygons_are_triangulated_correctly_in_every_format(name, tmp_path):
    write(tmp_path, f"{NAMES}.mtl", "")
    scene = load_scene(write(tmp_path, name, FILES[name]))
    assert_prism(scene)
    assert scene.warnings == ()


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["plain.obj", "plain.off", "text.ply", "plain.ac"])
def test_text_may_be_in_any_encoding(name, encoding, tmp_path):
    contents = FILES[name]
    assert NAMES in contents
    assert_prism(load_scene(write(tmp_path, name, contents.encode(encoding))))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize(("name", "text"), [("a.obj", obj()), ("a.off", off()), ("a.ply", ply(""))])
def test_lines_may_end_in_any_way(name, text, end, tmp_path):
    assert_prism(load_scene(write(tmp_path, name, text.replace("\n", end).encode())))


def test_keywords_of_an_obj_may_be_upper_case(tmp_path):
    text = "\n".join(line.upper() if line[:2] in ("v ", "vt", "f ") else line for line in obj().split("\n"))
    assert_prism(load_scene(write(tmp_path, "a.obj", text)))


@pytest.mark.parametrize("words_per_line", [1, 7, 10_000])
def test_lines_of_an_off_file_may_end_anywhere(words_per_line, tmp_path):
    words = re.sub("#.*", "", off()).split()
    lines = [" ".join(words[start : start + words_per_line]) for start in range(0, len(words), words_per_line)]
    assert_prism(load_scene(write(tmp_path, "a.off", "\n".join(lines))))


def test_material_numbers_of_a_ply_get_a_line(tmp_path):
    text = ply("").replace("element face", "property int material_index\nelement face")
    head, body = text.split("end_header\n")
    rows = body.split("\n")
    vertices = len(prism()[0])
    rows = [row + " 0" if number < vertices else row for number, row in enumerate(rows)]
    scene = load_scene(write(tmp_path, "a.ply", f"{head}end_header\n" + "\n".join(rows)))
    assert_prism(scene)
    assert scene.warnings == ("colours left out: the element material is not read",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_xml_declares_its_encoding(encoding, tmp_path):
    assert_prism(load_scene(write(tmp_path, "a.dae", dae(encoding=encoding).encode(encoding))))


@pytest.mark.parametrize("head", ['<?xml version="1.0" encoding="UTF-8"?>', '<?xml version="1.0"?>', ""])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_xml_declared_as_utf8_may_have_names_in_latin1(head, mark, encoding, tmp_path):
    text = head + dae().partition("?>")[2].strip()
    assert_prism(load_scene(write(tmp_path, "a.dae", mark + text.encode(encoding))))


@pytest.mark.parametrize("of_obj", ENCODINGS)
@pytest.mark.parametrize("of_mtl", ENCODINGS)
def test_names_agree_between_files_of_different_encodings(of_obj, of_mtl, tmp_path):
    write(tmp_path, "a.obj", obj().encode(of_obj))
    write(tmp_path, f"{NAMES}.mtl", f"newmtl {NAMES}\nKd 1 0 0\n".encode(of_mtl))
    assert load_scene(tmp_path / "a.obj").parts[0].color == (1.0, 0.0, 0.0, 1.0)


def test_latin1_and_utf8_in_one_text():
    assert decoded("ü".encode() + b" " + "ü".encode("latin-1") + b" plain") == "ü ü plain"
    assert decoded(bytes(range(256))).encode("latin-1") == bytes(range(256))


@pytest.mark.parametrize("name", ["plain.obj", "plain.off", "text.ply", "little.ply", "plain.ac"])
def test_only_the_face_that_refers_to_a_missing_vertex_is_left_out(name, tmp_path):
    """A vertex index of the last polygon, a side of area 6, becomes too large by one."""
    n = 2 * len(PROFILE)
    corner, beyond = {"plain.obj": (f" {n}\n", f" {n + 1}\n")}.get(name, (f" {n - 1}\n", f" {n}\n"))
    contents = FILES[name]
    if name == "little.ply":
        at = contents.rindex(struct.pack("<i", n - 1))
        contents = contents[:at] + struct.pack("<i", n) + contents[at + 4 :]
    elif name == "plain.ac":
        contents = f"{n} 0 0".join(contents.rsplit(f"{n - 1} 0 0", 1))
    else:
        contents = beyond.join(contents.rsplit(corner, 1))
    write(tmp_path, f"{NAMES}.mtl", "")
    assert contents != FILES[name]
    scene = load_scene(write(tmp_path, name, contents))
    vertices, faces = scene.soup()
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    around = np.linalg.norm(np.roll(PROFILE, -1, axis=0) - PROFILE, axis=1).sum()
    surface = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    assert surface == pytest.approx(2 * AREA + (around - 3) * HEIGHT, rel=1e-5)
    (warning,) = scene.warnings
    assert "faces left out" in warning and "\n" not in warning


def test_collada_with_such_a_face_is_refused_for_that_reason(tmp_path):
    """pycollada drops the whole geometry."""
    n = 2 * len(PROFILE)
    path = write(tmp_path, "a.dae", f" {n}</p>".join(dae().rsplit(f" {n - 1}</p>", 1)))
    with pytest.raises(ValueError, match=r"a\.dae: .* go beyond the limits"):
        load_scene(path)


SKIN = """<library_controllers><controller id="c"><skin source="#g"><bind_shape_matrix>2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1
</bind_shape_matrix><source id="j"><Name_array id="ja" count="1">n</Name_array><technique_common>
<accessor source="#ja" count="1"><param name="JOINT" type="name"/></accessor></technique_common></source>
<source id="i"><float_array id="ia" count="16">1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1</float_array><technique_common>
<accessor source="#ia" count="1" stride="16"><param name="TRANSFORM" type="float4x4"/></accessor></technique_common>
</source><source id="w"><float_array id="wa" count="1">1</float_array><technique_common>
<accessor source="#wa" count="1"><param name="WEIGHT" type="float"/></accessor></technique_common></source>
<joints><input semantic="JOINT" source="#j"/><input semantic="INV_BIND_MATRIX" source="#i"/></joints>
<vertex_weights count="1"><input semantic="JOINT" source="#j" offset="0"/>
<input semantic="WEIGHT" source="#w" offset="1"/><vcount>1</vcount><v>0 0</v></vertex_weights></skin></controller>
</library_controllers><library_visual_scenes>"""
MORPH = """<library_controllers><controller id="c"><morph source="#g"><source id="t"><IDREF_array id="ta" count="1">g
</IDREF_array><technique_common><accessor source="#ta" count="1"><param name="MORPH_TARGET" type="IDREF"/></accessor>
</technique_common></source><source id="w"><float_array id="wa" count="1">1</float_array><technique_common>
<accessor source="#wa" count="1"><param name="MORPH_WEIGHT" type="float"/></accessor></technique_common></source>
<targets><input semantic="MORPH_TARGET" source="#t"/><input semantic="MORPH_WEIGHT" source="#w"/></targets></morph>
</controller></library_controllers><library_visual_scenes>"""


@pytest.mark.parametrize(("controller", "scale"), [(SKIN, 2), (MORPH, 1)], ids=["skin", "morph"])
def test_collada_meshes_of_a_controller_are_read_too(controller, scale, tmp_path):
    text = dae().replace("<library_visual_scenes>", controller)
    moved = text.replace('<instance_geometry url="#g"/>', '<instance_controller url="#c"/>')
    scene = load_scene(write(tmp_path, "a.dae", moved))
    assert not scene.warnings
    np.testing.assert_allclose(
        np.sort(scene.soup()[0], axis=0), scale * np.sort(load_scene(write(tmp_path, "b.dae", dae())).soup()[0], axis=0)
    )


def test_collada_polygons_with_holes_are_counted(tmp_path):
    text = dae("polygons").replace("<p>", "<ph><p>", 1).replace("</p>", "</p><h>0 1 2</h></ph>", 1)
    (warning,) = load_scene(write(tmp_path, "a.dae", text)).warnings
    assert "polygons with holes left out: 1 " in warning


def cut_short():
    for name, contents in FILES.items():
        if not name.endswith(("obj", "dae")):
            yield name, contents[: len(contents) * 3 // 4]


@pytest.mark.parametrize(("name", "contents"), list(cut_short()), ids=lambda value: value if len(value) < 30 else "")
def test_truncated_files_are_refused(name, contents, tmp_path):
    with pytest.raises(ValueError, match="damaged file") as caught:
        load_scene(write(tmp_path, name, contents))
    assert str(caught.value).startswith(str(tmp_path / name)) and "\n" not in str(caught.value)
    assert name.endswith("ac") or "truncated: header declares" in str(caught.value)


def test_unsupported_formats_have_a_name():
    assert unreadable_kind("a/b.FBX") == "Autodesk FBX"
    assert unreadable_kind("b.ply.gz") == "compressed PLY" and unreadable_kind("b.fbx.zst") == "compressed FBX"
    for name in ("a.usdz", "a.step", "a.abc", "a.x3d", "a.wrl", "a.blend"):
        assert unreadable_kind(name)
    for name in ("a.txt", "a.png", "a", "a.tar.gz", ".hidden", *(f"a{suffix}" for suffix in SUFFIXES)):
        assert unreadable_kind(name) is None


@pytest.mark.parametrize(
    "name", ["mixed_polygons.ply", "tabs.obj", "latin1_object_name.obj", "opaque_alpha0.glb", "trailing_bytes.stl"]
)
def test_the_reported_files_give_their_box(name):
    scene, box = load_scene(CASES / name), load_scene(CASES / "boxes" / "box.obj")
    corners = [np.sort(scene.soup()[0][scene.soup()[1]].reshape(-1, 3).round(5), axis=0) for scene in (scene, box)]
    np.testing.assert_allclose(*corners, atol=1e-5)


def test_the_reported_concave_caps_equal_manually_triangulated_ones():
    def moments(scene):
        vertices, faces = scene.soup()
        a, b, c = np.moveaxis(vertices[faces], 1, 0)
        areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        return areas.sum(), (areas[:, None] * (a + b + c)).sum(axis=0)

    found, expected = (moments(load_scene(CASES / folder / "a.obj")) for folder in ("ngon", "ngon_cut"))
    assert found[0] == pytest.approx(expected[0])
    np.testing.assert_allclose(found[1], expected[1], atol=1e-9)
