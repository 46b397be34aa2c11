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
from imfield_jax.mesh.export import FORMATS, encode, export
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
    width = {"VEC3": 3, "SCALAR": 1}[accessor["type"]]
    return np.frombuffer(binary, dtype, accessor["count"] * width, start).reshape(-1, width)


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_gives_the_geometry_back(file_format, mesh, tmp_path):
    path = tmp_path / f"mesh.{file_format}"
    export(mesh, path)
    read = trimesh.load(path, force="mesh", process=False)
    corners = np.asarray(read.vertices)[np.asarray(read.faces)]
    np.testing.assert_allclose(corners, mesh.vertices[mesh.faces], atol=1e-6)
    if file_format != "stl":
        assert len(read.vertices) == len(mesh.vertices)


def test_stl_is_watertight_again_after_welding_by_position(mesh, tmp_path):
    export(mesh, tmp_path / "mesh.stl")
    read = trimesh.load(tmp_path / "mesh.stl")
    assert read.is_watertight and read.volume > 0
    assert len(read.vertices) == len(mesh.vertices)


def test_glb_has_positions_normals_and_a_plain_material(mesh):
    document, binary = glb_chunks(encode(mesh, "glb"))
    (primitive,) = document["meshes"][0]["primitives"]
    for name, expected in (("POSITION", mesh.vertices), ("NORMAL", mesh.normals)):
        stored = glb_accessor(document, binary, primitive["attributes"][name], "<f4")
        np.testing.assert_allclose(stored, expected, atol=1e-6)
    indices = glb_accessor(document, binary, primitive["indices"], "<u4")
    np.testing.assert_array_equal(indices.reshape(-1, 3), mesh.faces)
    material = document["materials"][primitive["material"]]["pbrMetallicRoughness"]
    assert material["metallicFactor"] == 0 and 0.5 <= material["roughnessFactor"] <= 1
    assert all("matrix" not in node for node in document["nodes"])  # y up as it is, no hidden turn


def test_obj_lists_a_normal_for_each_vertex(mesh):
    lines = encode(mesh, "obj").decode().splitlines()
    stored = np.array([line.split()[1:] for line in lines if line.startswith("vn ")], float)
    np.testing.assert_allclose(stored, mesh.normals, atol=1e-4)
    assert all("//" in line for line in lines if line.startswith("f "))


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
    with pytest.raises(ValueError, match="glb, obj, ply, stl"):
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
    points = mesh.vertices[::50].astype(float)
    local = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ np.linalg.inv(to_world).T
    seen = local[:, :2] / -local[:, 2:3] / np.tan(lens["perspective"]["yfov"] / 2)
    expected, _ = camera.project(points, 2)  # half the image is 1
    np.testing.assert_allclose(seen * (1, -1) + 1, expected, atol=1e-5)
    assert "cameras" not in glb_chunks(encode(mesh, "glb"))[0]
