"""Normals from the field's gradient: exact where the geometry is known, safe where there is none."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from imfield_jax import fields
from imfield_jax.extraction import gradient
from imfield_jax.extraction.chunked import evaluator
from imfield_jax.extraction.sparse import extract


def ball(radius, point, number=0):
    return radius - jnp.linalg.norm(point)


def test_gradient_normals_of_a_sphere_are_its_radii_and_better_than_those_of_triangles():
    field = fields.bind(ball, jnp.float32(0.3))
    mesh = extract(field, 32).mesh
    radii = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    normals = gradient.with_gradient_normals(mesh, gradient.gradient(field)).normals
    np.testing.assert_allclose(normals, radii, atol=1e-5)
    assert np.abs(mesh.normals - radii).max() > 1e-3


def test_the_common_evaluator_gives_the_same_gradient():
    mesh = extract(fields.bind(ball, jnp.float32(0.3)), 24).mesh
    shared = evaluator(jax.grad(ball, argnums=1), chunk=300)(jnp.float32(0.3))
    alone = gradient.gradient(fields.bind(ball, jnp.float32(0.3)))
    ours, theirs = (gradient.with_gradient_normals(mesh, g).normals for g in (shared, alone))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_without_a_usable_gradient_normals_come_from_the_triangles():
    mesh = extract(fields.sphere(0.3), 24).mesh
    for silent in (np.zeros_like, lambda points: np.full_like(points, np.nan), lambda points: points):
        np.testing.assert_array_equal(gradient.with_gradient_normals(mesh, silent).normals, mesh.normals)


def test_an_empty_mesh_stays_empty():
    empty = extract(fields.constant(-1.0), 16).mesh
    assert gradient.with_gradient_normals(empty, gradient.gradient(fields.sphere(0.1))).normals.shape == (0, 3)
