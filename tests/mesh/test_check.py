"""The judge of meshes, on meshes whose flaws are known because the test made them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from imfield_jax.mesh import check as checking
from imfield_jax.mesh.check import check
from imfield_jax.mesh.normals import with_vertex_normals
from imfield_jax.types import Mesh

SIDES = (
    (0, 1, 3, 2),
    (4, 6, 7, 5),
    (0, 4, 5, 1),
    (2, 3, 7, 6),
    (0, 2, 6, 4),
    (1, 5, 7, 3),
)  # seen from outside
CUBE = Mesh(
    np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32) - 0.5,
    np.array([triangle for a, b, c, d in SIDES for triangle in ((a, b, c), (a, c, d))], np.int32),
)


def joined(*meshes):
    """Meshes side by side in one, vertices not welded."""
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    faces = [mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=True)]
    return Mesh(np.concatenate([m.vertices for m in meshes]), np.concatenate(faces).astype(np.int32))


def with_faces(faces):
    return dataclasses.replace(CUBE, faces=np.asarray(faces, np.int32))


def test_a_cube_is_sound():
    report = check(CUBE)
    assert report.sound and report.watertight
    assert (report.vertices, report.faces, report.components, report.euler) == (8, 12, 1, 2)
    assert report.signed_volume == pytest.approx(1.0)


def test_volume_does_not_depend_on_where_the_mesh_is_and_scales_with_the_cube_of_its_size():
    moved = dataclasses.replace(CUBE, vertices=2 * CUBE.vertices + np.float32([3, -5, 7]))
    assert check(moved).signed_volume == pytest.approx(8.0, rel=1e-5)


def test_inside_out_is_watertight_but_not_sound():
    report = check(with_faces(CUBE.faces[:, ::-1]))
    assert report.watertight and not report.sound
    assert report.signed_volume == pytest.approx(-1.0)


def test_a_hole_has_three_boundary_edges():
    report = check(with_faces(CUBE.faces[1:]))
    assert report.boundary_edges == 3 and not report.watertight


def test_one_turned_face_misorients_its_three_edges():
    faces = CUBE.faces.copy()
    faces[4] = faces[4, ::-1]
    report = check(with_faces(faces))
    assert report.misoriented_edges == 3 and not report.watertight


def test_a_doubled_face_makes_its_edges_nonmanifold():
    report = check(with_faces(np.concatenate([CUBE.faces, [[0, 1, 3]]])))  # a face of the cube once more
    assert (report.nonmanifold_edges, report.boundary_edges) == (3, 0)
    assert not report.watertight


def test_a_vertex_that_no_face_uses_is_counted_and_harmless():
    report = check(joined(CUBE, Mesh(np.zeros((1, 3), np.float32), np.zeros((0, 3), np.int32))))
    assert report.unused_vertices == 1 and report.sound and report.euler == 2


def test_a_face_that_names_a_vertex_twice_is_degenerate():
    report = check(with_faces(np.concatenate([CUBE.faces, [[0, 0, 1]]])))
    assert report.degenerate_faces == 1 and not report.watertight


def test_components_are_counted_and_labelled():
    mesh = joined(CUBE, CUBE, CUBE)
    report = check(mesh)
    assert (report.components, report.euler) == (3, 6) and report.sound
    np.testing.assert_array_equal(checking.component_labels(mesh), np.repeat([0, 1, 2], 12))


def test_edges_are_counted_as_one_by_one(rng):
    faces = rng.integers(0, 12, (40, 3)).astype(np.int32)
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    counts, upward = {}, {}
    for face in faces.tolist():
        for start, end in zip(face, face[1:] + face[:1], strict=True):
            edge = (min(start, end), max(start, end))
            counts[edge] = counts.get(edge, 0) + 1
            upward[edge] = upward.get(edge, 0) + (start < end)
    edges, found, ascending = checking.edge_counts(faces, 12)
    assert dict(zip(map(tuple, edges.tolist()), found.tolist(), strict=True)) == counts
    assert dict(zip(map(tuple, edges.tolist()), ascending.tolist(), strict=True)) == upward


def test_an_empty_mesh_is_neither_watertight_nor_an_error():
    report = check(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
    assert not report.watertight and not report.sound
    assert (report.components, report.euler, report.signed_volume) == (0, 0, 0.0)


def test_what_is_no_mesh_is_refused():
    with pytest.raises(ValueError, match="but there are 8"):
        check(with_faces([[0, 1, 8]]))
    with pytest.raises(ValueError, match="finite"):
        check(dataclasses.replace(CUBE, vertices=np.full((8, 3), np.nan, np.float32)))


def test_vertex_normals_of_a_cube_point_away_from_its_middle():
    normals = with_vertex_normals(CUBE).normals
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    assert ((normals > 0) == (CUBE.vertices > 0)).all()


def test_slivers_do_not_tilt_normals():
    """A flat fan whose triangles have very different areas, one of them standing up but nearly empty."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1e-6]], np.float32)
    mesh = Mesh(vertices, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    np.testing.assert_allclose(with_vertex_normals(mesh).normals[0], [0, 0, 1], atol=1e-5)


def test_a_vertex_without_area_gets_some_unit_normal():
    mesh = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32))
    np.testing.assert_array_equal(np.linalg.norm(with_vertex_normals(mesh).normals, axis=1), 1)
