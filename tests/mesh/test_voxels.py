"""Voxels of meshes agree with the field, with winding numbers, and with the solid that a mesh was made of."""

from __future__ import annotations

import igl
import numpy as np
import pytest
import trimesh

from imfield_jax import fields
from imfield_jax.coordinates import grid_points
from imfield_jax.extraction.sparse import extract
from imfield_jax.mesh.voxels import voxels
from imfield_jax.types import Mesh

FIELDS = {
    "ball": fields.sphere(0.37, (0.03, -0.05, 0.02)),
    "ring": fields.torus(0.3, 0.1),
    "box": fields.box((0.25, 0.375, 0.125)),  # sides between cells of 8
    "shell": lambda points: 0.05 - abs(fields.sphere(0.35)(points)),
}


@pytest.mark.parametrize("resolution", [8, 33, 64])
@pytest.mark.parametrize("name", FIELDS)
def test_a_voxel_is_full_where_its_centre_is_inside(name, resolution):
    mesh = extract(FIELDS[name], 48).mesh
    found = voxels(mesh, resolution)
    centres = grid_points(resolution).reshape(-1, 3).astype(np.float64)
    winding = igl.winding_number(mesh.vertices.astype(np.float64), mesh.faces.astype(np.int64), centres)
    decided = np.abs(winding - 0.5) > 0.01
    np.testing.assert_array_equal(found.ravel()[decided], winding[decided] > 0.5)
    assert decided.mean() > 0.999


def test_lines_through_vertices_and_edges_are_counted_once():
    box = trimesh.creation.box((0.5, 0.5, 0.5)).subdivide().subdivide()  # vertices at multiples of 1/8
    mesh = Mesh(np.array(box.vertices) + 1 / 16, np.array(box.faces))  # and centres of 8 cells
    expected = np.zeros((8, 8, 8), bool)
    found = voxels(mesh, 8)
    expected[2:6, 2:6, 2:6] = True
    assert found.sum() == 64 and (found[2:7, 2:7, 2:7].sum() == 64)
    overlapping = Mesh(
        np.concatenate([mesh.vertices, mesh.vertices]), np.concatenate([mesh.faces, mesh.faces + len(mesh.vertices)])
    )
    np.testing.assert_array_equal(voxels(overlapping, 8), found)


def test_no_faces_no_voxels():
    assert not voxels(Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64)), 4).any()
