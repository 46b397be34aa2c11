"""Certified extraction: all of the surface, where the plain search misses some, and a certificate that is true."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from imfield_jax.coordinates import grid_points
from imfield_jax.extraction.chunked import ChunkedField, chunked, evaluator
from imfield_jax.extraction.lattice import Lattice
from imfield_jax.extraction.sparse import extract
from imfield_jax.mesh.check import check
from imfield_jax.models.bounds import signed_logit_bounds
from imfield_jax.models.decoder import FoldedDecoder, FoldedLayer, signed_logit


def ball(center, radius):
    return lambda points: radius - np.linalg.norm(points - np.array(center), axis=-1)


def any_of(*parts):
    return lambda points: np.max([part(points) for part in parts], axis=0)


# A body, a speck that the plain search misses, and a ball that pushes through the border.
THING = any_of(ball((0, 0, 0), 0.2), ball((-0.3, -0.3, -0.3), 0.006), ball((0.45, 0.1, -0.3), 0.12))


def of_lipschitz(field):
    """Bounds of a field that changes by no more than the way between two points."""

    def evaluate(boxes, owners):
        values, reach = field(boxes[:, :3]), np.linalg.norm(boxes[:, 3:], axis=1)
        return np.stack([values - reach, values + reach], axis=1)

    return ChunkedField(evaluate, 512)


def silent(boxes, owners):
    return np.tile(np.float32([-1e9, 1e9]), (len(boxes), 1))


def recorded(field):
    """The field, and all points it was evaluated at, without padding."""
    evaluated = []

    def evaluate(points):
        evaluated.append(points[(points != 0).any(axis=1)])  # no cell centre of an even grid is the origin
        return field(points)

    return chunked(evaluate, 1000), evaluated


@pytest.mark.parametrize("resolution", [16, 100, 128, 150])
def test_certified_equals_dense_also_where_the_plain_search_does_not(resolution, dense, assert_same_mesh):
    result, reference = extract(THING, resolution, bounds=of_lipschitz(THING)), dense(THING, resolution)
    assert_same_mesh(result.mesh, reference)
    assert check(result.mesh).sound
    if resolution == 128:
        assert check(extract(THING, resolution).mesh).components < check(reference).components


def test_proved_nodes_are_not_evaluated_and_all_others_are_once():
    field, evaluated = recorded(THING)
    result = extract(field, 128, bounds=of_lipschitz(THING))
    points = np.concatenate(evaluated)
    assert len(points) == len(np.unique(points, axis=0)) == result.evaluated[0] < 0.5 * 128**3
    values = THING(grid_points(128))
    certificate = result.certificate
    assert (
        0.4 < certificate.empty < (values < 0).mean() + 0.05
    )  # of cells, of which there is a layer more at the border
    assert 0.005 < certificate.full < (values > 0).mean()
    assert certificate.empty + certificate.full + len(points) / 128**3 > 0.9
    assert 9**3 < certificate.boxes < 17**3


def test_with_useless_bounds_every_node_is_evaluated(dense, assert_same_mesh):
    field, evaluated = recorded(THING)
    result = extract(field, 64, bounds=ChunkedField(silent, 512))
    assert_same_mesh(result.mesh, dense(THING, 64))
    assert len(np.unique(np.concatenate(evaluated), axis=0)) == result.evaluated[0] == 64**3
    assert (result.certificate.empty, result.certificate.full) == (0, 0)
    assert result.certificate.boxes <= 9**3


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_a_field_that_is_empty_or_full_is_proved_to_be(value):
    field, evaluated = recorded(lambda points: np.full(len(points), value))
    bounds = ChunkedField(lambda boxes, owners: np.full((len(boxes), 2), value), 512)
    result = extract(field, 128, bounds=bounds)
    if value < 0:
        assert result.certificate.empty == 1 and not evaluated and not len(result.mesh.faces)
    else:
        assert result.certificate.full > 0.6 and check(result.mesh).sound
        assert check(result.mesh).signed_volume == pytest.approx(1, abs=1e-3)


def test_several_objects_at_once():
    radii = np.array([0.3, 0.1, 0.4])

    def values(points, owners):
        return radii[owners] - np.linalg.norm(points, axis=-1)

    def bounds(boxes, owners):
        middle, reach = values(boxes[:, :3], owners), np.linalg.norm(boxes[:, 3:], axis=1)
        return np.stack([middle - reach, middle + reach], axis=1)

    result = extract(ChunkedField(values, 1000, 3), 64, bounds=ChunkedField(bounds, 512, 3))
    for radius, mesh in zip(radii, result.meshes, strict=True):
        reference = extract(ball((0, 0, 0), radius), 64).mesh
        np.testing.assert_array_equal(mesh.faces, reference.faces)
        np.testing.assert_allclose(mesh.vertices, reference.vertices, atol=1e-6)


def sheet(x: float, half: float) -> FoldedDecoder:
    """A decoder whose solid is |point_x - x| < half, and whose field is as good as flat everywhere else."""
    away = FoldedLayer(None, jnp.array([[1.0, -1.0], [0, 0], [0, 0]]), jnp.array([-x, x]))
    ridge = FoldedLayer(-jnp.ones((2, 1)), None, jnp.array([2 * half]))
    height = FoldedLayer(jnp.ones((1, 1)), None, jnp.array([-half]))
    return FoldedDecoder((away, ridge, height), "sigmoid", octaves=0)


def test_an_adversarial_sheet_is_missed_by_the_plain_search_and_found_by_the_certified(dense, assert_same_mesh):
    """Half a cell thin, far from every coarse node, with no slope that leads there."""
    resolution = 128
    folded = sheet(float(Lattice(resolution).points(np.array([66.0, 0, 0]))[0]), 0.3 / resolution)
    field = evaluator(lambda folded, point, number: signed_logit(folded, point), 1024)(folded)
    bounds = evaluator(lambda folded, box, number: signed_logit_bounds(folded, box), 256)(folded)
    assert not len(extract(field, resolution).mesh.faces)
    result = extract(field, resolution, bounds=bounds)
    reference = dense(lambda points: field(points.reshape(-1, 3)).reshape(points.shape[:-1]), resolution)
    assert len(reference.faces)
    assert_same_mesh(result.mesh, reference)
    assert result.certificate.empty > 0.9
