"""Simplified meshes: closed, manifold and outward, near the first mesh, with no more faces than asked for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import trimesh

from imfield_jax import Reconstructor, fields
from imfield_jax.evaluation.metrics import chamfer_l1, match
from imfield_jax.extraction.sparse import extract
from imfield_jax.inference.model import SHIPPED
from imfield_jax.mesh.check import check
from imfield_jax.mesh.intersections import self_intersections
from imfield_jax.mesh.sampling import sample_surface
from imfield_jax.mesh.simplify import FEWEST_FACES, _apart, _uncrossed, simplified
from imfield_jax.types import Mesh

FIELDS = {
    "sphere": fields.sphere(0.4),
    "ring": fields.torus(0.3, 0.1),
    "two pieces": fields.union(fields.sphere(0.1, (0.25, 0, 0)), fields.sphere(0.1, (-0.25, 0, 0))),
    "hollow": lambda points: 0.05 - abs(fields.sphere(0.35)(points)),
}


@pytest.fixture(scope="module", params=FIELDS)
def mesh(request):
    return extract(FIELDS[request.param], 64).mesh


def distance(one: Mesh, other: Mesh) -> float:
    """Chamfer distance, from different points on both: above 0 for the same mesh, too."""
    bare = [dataclasses.replace(mesh, normals=None) for mesh in (one, other)]
    samples = [sample_surface(mesh, 50_000, np.random.default_rng(seed)) for seed, mesh in enumerate(bare)]
    return chamfer_l1(match(*samples))


@pytest.mark.parametrize("count", [5000, 1000, 300])
def test_a_simplified_mesh_is_sound_and_of_the_same_shape(mesh, count):
    made, before = simplified(mesh, count), check(mesh)
    after = check(made)
    assert after.sound and after.components == before.components and after.euler == before.euler
    assert 0.5 * count < after.faces <= count
    assert after.signed_volume == pytest.approx(before.signed_volume, rel=0.15 if count < 1000 else 0.03)
    assert len(np.unique(made.vertices, axis=0)) == len(made.vertices)


@pytest.mark.parametrize("category", ["car", "any"])
def test_a_reconstruction_of_5000_faces_is_within_a_thousandth_of_the_full_one(category):
    full = Reconstructor.shipped(category).mesh(SHIPPED / f"{category}.png", 128)
    made = simplified(full, 5000)
    assert check(made).sound and 4000 < len(made.faces) <= 5000
    assert distance(made, full) < distance(full, full) + 0.001
    again = trimesh.Trimesh(made.vertices[made.faces].reshape(-1, 3), np.arange(len(made.faces) * 3).reshape(-1, 3))
    assert again.is_watertight  # as read from a file without shared vertices


def test_faces_that_cross_are_moved_apart_and_nothing_else_is():
    """A vertex of a ball is pulled under the faces beside it, as a collapsed edge may do."""
    ball = trimesh.creation.icosphere(3, radius=0.4)
    vertices = np.asarray(ball.vertices, np.float32)
    folded = vertices.copy()
    near = np.argsort(np.linalg.norm(vertices - vertices[100], axis=1))
    folded[100] += 2.5 * (vertices[near[1]] - vertices[100]) - 0.02 * vertices[100]
    mesh = Mesh(folded, np.asarray(ball.faces, np.int32))
    assert len(self_intersections(mesh))
    made = _uncrossed(mesh)
    assert not len(self_intersections(made)) and check(made).sound
    moved = np.flatnonzero((made.vertices != mesh.vertices).any(axis=1))
    assert 0 < len(moved) < 20 and set(moved) <= set(near[:30])
    whole = Mesh(vertices, mesh.faces)
    assert _uncrossed(whole) is whole


def test_flat_sides_need_no_faces_of_their_own():
    box = trimesh.creation.box((0.5, 0.5, 0.5)).subdivide().subdivide().subdivide()
    made = simplified(Mesh(np.array(box.vertices, np.float32), np.array(box.faces, np.int32)), FEWEST_FACES)
    assert check(made).sound and check(made).signed_volume == pytest.approx(0.125)


def test_a_mesh_of_few_faces_stays_as_it_is(mesh):
    assert simplified(mesh, len(mesh.faces)) is mesh


def test_touching_walls_come_apart():
    cubes = [trimesh.creation.box((0.2, 0.2, 0.2)) for _ in range(2)]
    cubes[1].apply_translation((0.2, 0.2, 0.2))  # they share a corner
    both = trimesh.util.concatenate(cubes)
    made = _apart(Mesh(np.array(both.vertices, np.float32), np.array(both.faces, np.int32)))
    assert len(np.unique(made.vertices, axis=0)) == 16
    np.testing.assert_allclose(made.vertices, both.vertices, atol=0.01)


def test_what_cannot_be_simplified_is_refused_in_one_line(mesh):
    with pytest.raises(ValueError, match="limit of 100 faces or more, found 99"):
        simplified(mesh, 99)
    with pytest.raises(ValueError, match="not closed and manifold"):
        simplified(dataclasses.replace(mesh, faces=mesh.faces[1:]), 1000)
    many = [trimesh.creation.icosphere(1, 0.02) for _ in range(27)]
    for number, one in enumerate(many):
        one.apply_translation(np.array(np.unravel_index(number, (3, 3, 3))) * 0.3 - 0.3)
    dust = trimesh.util.concatenate(many)
    with pytest.raises(ValueError, match="the shape is lost"):
        simplified(Mesh(np.array(dust.vertices, np.float32), np.array(dust.faces, np.int32)), 100)
