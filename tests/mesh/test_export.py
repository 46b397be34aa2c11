"""Files written and read back by another reader of the format where there is one."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pathlib
import struct

import numpy as np
import pytest
import trimesh

from imfield_jax import fields
from imfield_jax.camera import Camera
from imfield_jax.extraction.sparse import extract
from imfield_jax.mesh.export import COLORED, FORMATS, Style, encode, encode_material, export, material_file
from imfield_jax.mesh.layout import layout
from imfield_jax.types import Mesh


@pytest.fixture(scope="module")
def mesh():
    # Off centre on all axes and longest along y, so that a swapped or flipped axis shows.
    return extract(fields.box((0.1, 0.3, 0.2), (0.05, -0.1, 0.15)), 32).mesh


def glb_chunks(contents):
    """The JSON of a GLB and its binary part, by the container's specification."""
    magic, version, length = struct.unpack_from("<4sII", contents)
    assert (magic, version, length) == (b"glTF", 2, len(contents))
    size, kind = struct.unpack_from("<I4s", contents, 12)
    assert kind == b"JSON"
    return json.loads(contents[20 : 20 + size]), contents[20 + size + 8 :]


def glb_accessor(document, binary, number, dtype):
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    width = {"VEC4": 4, "VEC3": 3, "SCALAR": 1}[accessor["type"]]
    return np.frombuffer(binary, dtype, accessor["count"] * width, start).reshape(-1, width)


def read(path) -> trimesh.Trimesh:
    return trimesh.load(path, force="mesh", process=False)


STYLES = [Style(), Style(size_mm=120, up="z"), Style(size_mm=35, up="y", normals=True)]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_gives_the_geometry_back(file_format, style, mesh, tmp_path):
    path = tmp_path / f"mesh.{file_format}"
    export(mesh, path, style)
    found, expected = read(path), layout(mesh, file_format, style.size_mm, style.up).of(mesh)
    size = np.ptp(expected.vertices, axis=0).max()
    corners = np.asarray(found.vertices)[np.asarray(found.faces)]
    np.testing.assert_allclose(corners, expected.vertices[mesh.faces], atol=2e-6 * size)
    assert trimesh.Trimesh(expected.vertices, mesh.faces).volume == pytest.approx(found.volume, rel=1e-4)
    if file_format != "stl":
        assert len(found.vertices) == len(mesh.vertices)


@pytest.mark.parametrize("file_format", ["stl", "3mf"])
def test_files_for_printers_are_watertight_and_stand_on_the_plate_in_millimetres(file_format, mesh, tmp_path):
    export(mesh, tmp_path / f"mesh.{file_format}")
    found = trimesh.load_mesh(tmp_path / f"mesh.{file_format}")
    assert found.is_watertight and found.volume > 0
    assert len(found.vertices) == len(mesh.vertices)
    np.testing.assert_allclose(found.bounds, [[-100 / 6, -100 / 3, 0], [100 / 6, 100 / 3, 100]], rtol=1e-4)


def test_files_for_viewers_are_in_metres_with_the_front_towards_plus_z(mesh, tmp_path):
    """The box is 0.2 x 0.6 x 0.4 around (0.05, -0.1, 0.15); a turn about y changes the signs of x and z."""
    for kind in ("glb", "obj"):
        export(mesh, tmp_path / f"mesh.{kind}")
        np.testing.assert_allclose(read(tmp_path / f"mesh.{kind}").bounds.mean(axis=0), [-0.05, -0.1, -0.15], atol=1e-3)
        np.testing.assert_allclose(read(tmp_path / f"mesh.{kind}").extents, [0.2, 0.6, 0.4], atol=1e-3)
        export(mesh, tmp_path / f"small.{kind}", Style(size_mm=120))
        np.testing.assert_allclose(read(tmp_path / f"small.{kind}").extents, [0.04, 0.12, 0.08], atol=1e-3)


def test_z_up_files_face_minus_y():
    """A mark in front of and above the middle; GLB stays y up, as its specification says."""
    corner = np.array([[0, 0.3, -0.4], [0.01, 0.3, -0.4], [0, 0.31, -0.4]], np.float32)
    mark = Mesh(corner, np.array([[0, 1, 2]], np.int32))
    for kind, up, expected in [
        ("obj", "z", (0, -0.4, 0.3)),
        ("ply", "z", (0, -0.4, 0.3)),
        ("obj", "y", (0, 0.3, 0.4)),
        ("ply", None, (0, 0.3, -0.4)),
        ("glb", "z", (0, 0.3, 0.4)),
    ]:
        np.testing.assert_allclose(layout(mark, kind, None, up).of(mark).vertices[0], expected, atol=1e-6)


def test_glb_has_positions_normals_and_a_plain_material(mesh):
    document, binary = glb_chunks(encode(mesh, "glb"))
    (primitive,) = document["meshes"][0]["primitives"]
    turned = layout(mesh, "glb").of(mesh)
    for name, expected in (("POSITION", turned.vertices), ("NORMAL", turned.normals)):
        stored = glb_accessor(document, binary, primitive["attributes"][name], "<f4")
        np.testing.assert_allclose(stored, expected, atol=1e-6)
    indices = glb_accessor(document, binary, primitive["indices"], "<u4")
    np.testing.assert_array_equal(indices.reshape(-1, 3), mesh.faces)
    material = document["materials"][primitive["material"]]["pbrMetallicRoughness"]
    assert material["metallicFactor"] == 0 and 0.5 <= material["roughnessFactor"] <= 1
    assert all("matrix" not in node for node in document["nodes"])  # y up as it is, no hidden turn


def test_obj_has_a_smoothing_group_or_the_normals_and_material_that_are_asked_for(mesh, tmp_path):
    plain = encode(mesh, "obj").decode()
    assert "\ns 1\n" in plain and "vn " not in plain and "mtllib" not in plain
    material = material_file("my box")
    (tmp_path / material).write_bytes(encode_material())
    export(mesh, tmp_path / "my box.obj", Style(normals=True, material=material))
    lines = (tmp_path / "my box.obj").read_text().splitlines()
    stored = np.array([line.split()[1:] for line in lines if line.startswith("vn ")], float)
    np.testing.assert_allclose(stored, layout(mesh, "obj").of(mesh).normals, atol=1e-4)
    assert all("//" in line for line in lines if line.startswith("f "))
    assert "mtllib my_box.mtl" in lines
    np.testing.assert_array_equal(read(tmp_path / "my box.obj").visual.material.diffuse[:3], [161, 156, 153])


@pytest.fixture(scope="module")
def painted(mesh):
    rng = np.random.default_rng(0)
    colors = rng.integers(256, size=mesh.vertices.shape).astype(np.uint8)
    attributes = {"seen": (colors[:, 0] > 100).astype(np.float32), "spread": rng.random(len(colors), np.float32)}
    return dataclasses.replace(mesh, colors=colors, **attributes)


@pytest.mark.parametrize("kind", COLORED)
def test_colours_come_back(kind, painted, tmp_path):
    """GLB holds linear light in eight bits, so dark colours are rounded more there."""
    export(painted, tmp_path / f"a.{kind}")
    if kind == "glb":
        document, binary = glb_chunks((tmp_path / "a.glb").read_bytes())
        (primitive,) = document["meshes"][0]["primitives"]
        colors = glb_accessor(document, binary, primitive["attributes"]["COLOR_0"], np.uint8)[:, :3] / 255
        colors = np.where(colors <= 0.0031308, 12.92 * colors, 1.055 * colors ** (1 / 2.4) - 0.055)
    else:
        colors = np.asarray(read(tmp_path / f"a.{kind}").visual.vertex_colors)[:, :3] / 255
    away = np.abs(255 * colors - painted.colors)
    assert away.max() < (13 if kind == "glb" else 1) and away[painted.colors > 60].max() < 2


def test_a_glb_with_colours_is_a_white_dielectric_with_what_was_seen_and_how_sure(painted):
    document, binary = glb_chunks(encode(painted, "glb"))
    (primitive,) = document["meshes"][0]["primitives"]
    material = document["materials"][primitive["material"]]["pbrMetallicRoughness"]
    assert material["baseColorFactor"] == [1, 1, 1, 1] and material["metallicFactor"] == 0
    counts = {name: document["accessors"][number]["count"] for name, number in primitive["attributes"].items()}
    assert set(counts) == {"POSITION", "NORMAL", "COLOR_0", "_SEEN", "_SPREAD"} and len(set(counts.values())) == 1
    for attribute, values in (("_SEEN", painted.seen), ("_SPREAD", painted.spread)):
        stored = glb_accessor(document, binary, primitive["attributes"][attribute], "<f4")
        np.testing.assert_array_equal(stored[:, 0], values)


def test_a_ply_says_what_was_seen_and_how_sure(painted, tmp_path):
    export(painted, tmp_path / "a.ply")
    header = (tmp_path / "a.ply").read_bytes().split(b"end_header")[0].decode()
    assert {"property float seen", "property float spread", "property uchar red"} <= set(header.splitlines())


def test_formats_without_colours_are_as_without(painted, mesh):
    for kind in set(FORMATS) - set(COLORED):
        assert encode(painted, kind) == encode(mesh, kind)


def test_the_same_mesh_has_the_same_bytes(mesh):
    for kind in FORMATS:
        assert encode(mesh, kind) == encode(mesh, kind)


def test_3mf_files_follow_the_specification(mesh, tmp_path):
    """As the library of the 3MF consortium reads them, in strict mode."""
    lib3mf = pytest.importorskip("lib3mf")
    export(mesh, tmp_path / "a & b.3mf")
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(tmp_path / "a & b.3mf"))
    assert reader.GetWarningCount() == 0 and model.GetUnit() == lib3mf.ModelUnit.MilliMeter
    objects = model.GetMeshObjects()
    assert objects.MoveNext()
    found = objects.GetCurrentMeshObject()
    assert found.GetName() == "a & b" and found.IsManifoldAndOriented()
    assert found.GetTriangleCount() == len(mesh.faces) and found.GetVertexCount() == len(mesh.vertices)
    positions = np.array([list(vertex.Coordinates) for vertex in found.GetVertices()], np.float32)
    np.testing.assert_array_equal(positions, layout(mesh, "3mf").of(mesh).vertices)


def test_ply_stores_positions_and_normals_of_each_vertex(mesh):
    header, body = encode(mesh, "ply").split(b"end_header\n", 1)
    assert b"format binary_little_endian 1.0" in header
    names = [line.split()[-1] for line in header.decode().splitlines() if line.startswith("property float")]
    assert names == ["x", "y", "z", "nx", "ny", "nz"]
    rows = np.frombuffer(body, "<f4", 6 * len(mesh.vertices)).reshape(-1, 6)
    np.testing.assert_allclose(rows, np.hstack([mesh.vertices, mesh.normals]), atol=1e-6)


def test_a_mesh_without_normals_gets_them(mesh):
    bare = dataclasses.replace(mesh, normals=None)
    assert encode(bare, "ply") == encode(mesh, "ply")


def test_the_suffix_may_be_upper_case(mesh, tmp_path):
    export(mesh, tmp_path / "MESH.STL")
    assert (tmp_path / "MESH.STL").read_bytes() == encode(mesh, "stl")


def test_unknown_formats_and_empty_meshes_are_refused(mesh, tmp_path):
    with pytest.raises(ValueError, match="glb, obj, ply, stl, 3mf"):
        export(mesh, tmp_path / "mesh.fbx")
    with pytest.raises(ValueError, match="empty"):
        encode(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), "glb")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_previous_file_and_no_litter(mesh, tmp_path, monkeypatch):
    path = tmp_path / "mesh.ply"
    path.write_bytes(b"previous")

    def full_disk(self, contents):
        with io.FileIO(os.fspath(self), "w") as file:
            file.write(contents[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space"):
        export(mesh, path)
    monkeypatch.undo()
    assert path.read_bytes() == b"previous"
    assert [p.name for p in tmp_path.iterdir()] == ["mesh.ply"]


def test_a_missing_folder_is_an_os_error(mesh, tmp_path):
    with pytest.raises(OSError, match="absent"):
        export(mesh, tmp_path / "absent" / "mesh.ply")


@pytest.mark.parametrize("name", ["car", "my car", "K\u00fcche 2", "red, fast"])
def test_the_object_inside_has_the_name_of_its_file(name, mesh, tmp_path):
    for kind in ("glb", "obj"):
        export(mesh, tmp_path / f"{name}.{kind}")
    document, _ = glb_chunks((tmp_path / f"{name}.glb").read_bytes())
    assert [node["name"] for node in document["nodes"]] == [name] == [each["name"] for each in document["meshes"]]
    first = (tmp_path / f"{name}.obj").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"o {name.replace(' ', '_')}"


def test_a_camera_in_a_glb_file_sees_points_where_it_did(mesh):
    """By the specification of glTF: a node's matrix, column by column, and a camera that looks along its -z."""
    camera = Camera(0.7, 0.4, 1.9, 0.8)
    document, _ = glb_chunks(encode(mesh, "glb", "car", camera))
    [lens] = document["cameras"]
    assert lens["type"] == "perspective" and lens["perspective"]["aspectRatio"] == pytest.approx(1)
    [node] = [node for node in document["nodes"] if "camera" in node]
    to_world = np.array(node["matrix"]).reshape(4, 4).T
    parents = [one for one in document["nodes"] if document["nodes"].index(node) in one.get("children", [])]
    assert all("matrix" not in parent for parent in parents)
    points, written = (one.vertices[::50].astype(float) for one in (mesh, layout(mesh, "glb").of(mesh)))
    local = np.concatenate([written, np.ones((len(points), 1))], axis=1) @ np.linalg.inv(to_world).T
    seen = local[:, :2] / -local[:, 2:3] / np.tan(lens["perspective"]["yfov"] / 2)
    expected, _ = camera.project(points, 2)  # half the image is 1
    np.testing.assert_allclose(seen * (1, -1) + 1, expected, atol=1e-5)
    assert "cameras" not in glb_chunks(encode(mesh, "glb"))[0]
