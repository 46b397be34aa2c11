"""Debris is left out by volume and length together, whole pieces stay as they were."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from imfield_jax.extraction.sparse import extract
from imfield_jax.fields import sphere, union
from imfield_jax.mesh.check import check
from imfield_jax.mesh.floaters import MAX_LENGTH, MAX_VOLUME, pieces_of, without_floaters

BALL, DEBRIS = sphere(0.25, (-0.15, 0, 0)), sphere(0.015, (0.3, 0.1, 0))  # volumes as 4600 to 1
INSIDE_OUT = slice(None, None, -1)


def needle(length):
    """Along x, as long as that, thin: at most 1 / 2000 of the ball's volume."""
    half, thin = length / 2, 0.014

    def field(points):
        along = np.maximum(np.abs(points[..., 0] - 0.25) - half, 0)
        return thin - np.sqrt(along**2 + (points[..., 1] - 0.4) ** 2 + points[..., 2] ** 2)

    return field


@pytest.fixture(scope="module")
def ball():
    return extract(BALL, 96).mesh


@pytest.fixture(scope="module")
def ball_and_debris():
    return extract(union(BALL, DEBRIS), 96, start=96).mesh


def test_debris_goes_and_the_ball_is_as_if_it_had_been_alone(ball, ball_and_debris):
    assert check(ball_and_debris).components == 2
    clean, left_out = without_floaters(ball_and_debris)
    assert check(clean).sound
    np.testing.assert_array_equal(clean.faces, ball.faces)
    np.testing.assert_array_equal(clean.vertices, ball.vertices)
    np.testing.assert_array_equal(clean.normals, ball.normals)
    assert left_out.pieces == 1
    assert left_out.volume == pytest.approx((0.015 / 0.25) ** 3, rel=0.3)
    assert left_out.length == pytest.approx(0.03, rel=0.2)


@pytest.mark.parametrize(("length", "stays"), [(0.01, False), (0.1, True)])
def test_a_small_piece_stays_where_it_is_long(length, stays):
    """A runner or a slat has no more volume than debris."""
    mesh = extract(lambda points: np.maximum(BALL(points), needle(length)(points)), 96, start=96).mesh
    pieces = pieces_of(mesh)
    assert pieces.volumes.min() / pieces.volumes.sum() < (2 * MAX_VOLUME if stays else MAX_VOLUME)
    assert ((pieces.highs - pieces.lows).max(axis=1).min() > MAX_LENGTH) == stays
    clean, left_out = without_floaters(mesh)
    assert check(clean).components == 1 + stays and left_out.pieces == 1 - stays


def test_a_short_piece_stays_where_it_has_volume():
    """A foot, a stud: 0.1 % of the volume, as long as debris."""
    mesh = extract(union(BALL, sphere(0.024, (0.3, 0.1, 0))), 96, start=96).mesh
    clean, left_out = without_floaters(mesh)
    assert clean is mesh and left_out.pieces == 0


def test_a_small_cavity_is_a_floater_too(ball_and_debris):
    """Volumes are compared without their sign, wherever the origin is."""
    hollow = dataclasses.replace(ball_and_debris, faces=ball_and_debris.faces[:, INSIDE_OUT])
    assert check(without_floaters(hollow)[0]).components == 1


def test_cleaning_twice_is_cleaning_once(ball_and_debris):
    once, _ = without_floaters(ball_and_debris)
    twice, left_out = without_floaters(once)
    np.testing.assert_array_equal(twice.faces, once.faces)
    assert left_out.pieces == 0


def test_the_largest_piece_always_stays(ball):
    tiny = dataclasses.replace(ball, vertices=ball.vertices * np.float32(1e-3))
    assert without_floaters(tiny)[0] is tiny


def test_an_empty_mesh_stays_empty(ball):
    empty = dataclasses.replace(ball, faces=ball.faces[:0])
    assert len(without_floaters(empty)[0].faces) == 0
