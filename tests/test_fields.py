"""Fields against textbook geometry: position and scale of the surface, and the properties of bound fields."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import imfield_jax
from imfield_jax import fields

DATA_ONLY = ("tensorflow", "tensorflow_datasets", "igl", "numba", "embreex")


def directions(rng, count):
    """[count, 3] unit vectors, all directions equally likely."""
    vectors = rng.normal(size=(count, 3))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def volume(field, rng, count=200_000):
    """The inside fraction of the cube, by Monte Carlo; its standard deviation is at most 0.5 / sqrt(count)."""
    points = rng.uniform(-0.5, 0.5, (count, 3)).astype(np.float32)
    return float(np.mean(np.asarray(field(points)) > 0))


@pytest.mark.parametrize("center", [(0.0, 0.0, 0.0), (0.1, -0.05, 0.2)])
def test_the_surface_of_a_sphere_is_at_its_radius(center, rng):
    field, rays = fields.sphere(0.2, center), directions(rng, 500)
    np.testing.assert_allclose(field(np.float32(center) + 0.2 * rays), 0, atol=1e-6)
    assert (np.asarray(field(np.float32(center) + 0.199 * rays)) > 0).all()
    assert (np.asarray(field(np.float32(center) + 0.201 * rays)) < 0).all()


def test_a_box_is_where_every_coordinate_is_within_its_half_side(rng):
    half_sides, center = np.float32([0.1, 0.2, 0.3]), np.float32([0.05, 0.0, -0.1])
    points = rng.uniform(-0.5, 0.5, (20_000, 3)).astype(np.float32)
    inside = (np.abs(points - center) < half_sides).all(axis=1)
    values = np.asarray(fields.box(half_sides.tolist(), center.tolist())(points))
    np.testing.assert_array_equal(values > 0, inside)


def test_a_box_measures_distance_to_its_corner():
    point = np.float32([0.1, 0.2, 0.3]) + np.float32([0.02, 0.01, 0.02])  # 0.03 away from the corner
    assert float(fields.box((0.1, 0.2, 0.3))(point)) == pytest.approx(-0.03, abs=1e-6)


def test_the_surface_of_a_torus_is_a_tube_around_the_y_axis(rng):
    ring, tube = rng.uniform(0, 2 * np.pi, (2, 500))
    reach = 0.3 + 0.1 * np.cos(tube)
    points = np.stack([reach * np.cos(ring), 0.1 * np.sin(tube), reach * np.sin(ring)], axis=1)
    np.testing.assert_allclose(fields.torus(0.3, 0.1)(points.astype(np.float32)), 0, atol=1e-6)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (fields.sphere(0.4), 4 / 3 * np.pi * 0.4**3),
        (fields.box((0.2, 0.3, 0.4)), 8 * 0.2 * 0.3 * 0.4),
        (fields.torus(0.3, 0.1), 2 * np.pi**2 * 0.3 * 0.1**2),
    ],
    ids=["sphere", "box", "torus"],
)
def test_volumes_are_those_of_the_textbook(field, expected, rng):
    assert volume(field, rng) == pytest.approx(expected, abs=5e-3)


def test_moving_a_field_moves_its_values(rng):
    points = rng.uniform(-0.3, 0.3, (200, 3)).astype(np.float32)
    shift = np.float32([0.1, -0.2, 0.05])
    for at in (
        lambda c: fields.sphere(0.2, c),
        lambda c: fields.box((0.1, 0.2, 0.1), c),
        lambda c: fields.torus(0.2, 0.1, c),
    ):
        np.testing.assert_allclose(at((0.0, 0.0, 0.0))(points), at(shift)(points + shift), atol=1e-5)


def test_a_union_is_inside_where_any_part_is(rng):
    parts = [fields.sphere(0.2, (0.2, 0.0, 0.0)), fields.box((0.1, 0.3, 0.1)), fields.torus(0.3, 0.05)]
    points = rng.uniform(-0.5, 0.5, (5000, 3)).astype(np.float32)
    each = np.stack([np.asarray(part(points)) > 0 for part in parts])
    np.testing.assert_array_equal(np.asarray(fields.union(*parts)(points)) > 0, each.any(axis=0))
    assert (each.sum(axis=0) > 1).any(), "the parts of this test should overlap"


def test_constant_fields_are_the_same_everywhere():
    assert (np.asarray(fields.constant(0.0)(np.zeros((4, 5, 3)))) == 0).all()
    assert fields.constant(1.0)(np.zeros((4, 5, 3))).shape == (4, 5)


@pytest.mark.parametrize(
    "field",
    [
        fields.sphere(0.3),
        fields.box((0.1, 0.2, 0.3)),
        fields.torus(0.3, 0.1),
        fields.union(fields.sphere(0.1)),
        fields.constant(0),
    ],
    ids=["sphere", "box", "torus", "union", "constant"],
)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3, 4)])
def test_any_leading_shape_is_preserved_and_does_not_affect_values(field, shape, rng):
    points = rng.uniform(-0.5, 0.5, (*shape, 3)).astype(np.float32)
    values = np.asarray(field(points))
    assert values.shape == shape
    one_by_one = [float(field(point)) for point in points.reshape(-1, 3)]
    np.testing.assert_allclose(values.reshape(-1), one_by_one, atol=1e-6)


def test_gradients_point_inwards_along_the_radius_with_length_one(rng):
    field, rays = fields.sphere(0.3), directions(rng, 100)
    gradients = jax.vmap(jax.grad(field))(jnp.asarray(0.3 * rays))
    np.testing.assert_allclose(gradients, -rays, atol=1e-5)


def test_a_bound_field_is_the_function_of_one_point_mapped_over_all(rng):
    plane = rng.normal(size=4).astype(np.float32)
    field = fields.bind(
        lambda folded, point: point @ folded["normal"] + folded["offset"],
        {"normal": plane[:3], "offset": plane[3]},
    )
    points = rng.uniform(-0.5, 0.5, (2, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(field(points), points @ plane[:3] + plane[3], atol=1e-6)
    assert field(points[0, 0]).shape == ()


def test_permuting_points_permutes_the_values_of_a_bound_field(rng):
    field = fields.bind(lambda weights, point: jax.nn.sigmoid(jnp.sin(weights @ point).sum()), rng.normal(size=(8, 3)))
    points = rng.uniform(-0.5, 0.5, (64, 3)).astype(np.float32)
    order = rng.permutation(64)
    np.testing.assert_array_equal(np.asarray(field(points))[order], field(points[order]))


def test_inference_imports_without_the_packages_that_only_prepare_data():
    root = Path(imfield_jax.__path__[0])
    folders = [root, *(root / name for name in ("models", "extraction", "mesh", "evaluation", "inference"))]
    files = [file for folder in folders for file in sorted(folder.glob("*.py")) if file.stem != "__init__"]
    modules = [".".join(file.relative_to(root.parent).with_suffix("").parts) for file in files]
    assert {"imfield_jax.framing", "imfield_jax.inference.photo"} <= set(modules)
    missing = f"import sys; sys.modules.update(dict.fromkeys({DATA_ONLY!r}))"  # None makes an import fail
    program = "; ".join([missing, *(f"import {module}" for module in modules)])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
