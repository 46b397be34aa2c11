"""Small pieces go, whole ones stay as they were."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from imfield_jax.extraction.sparse import extract
from imfield_jax.fields import sphere, union
from imfield_jax.mesh.check import check
from imfield_jax.mesh.floaters import without_crumbs

BALL, CRUMB = sphere(0.2, (-0.2, 0, 0)), sphere(0.06, (0.3, 0.1, 0))  # volumes as 37 to 1
INSIDE_OUT = slice(None, None, -1)


@pytest.fixture(scope="module")
def ball():
    return extract(BALL, 48).mesh


@pytest.fixture(scope="module")
def ball_and_crumb():
    return extract(union(BALL, CRUMB), 48).mesh


def test_the_crumb_goes_and_the_ball_is_as_if_it_had_been_alone(ball, ball_and_crumb):
    assert check(ball_and_crumb).components == 2
    clean = without_crumbs(ball_and_crumb, 0.1)
    assert check(clean).sound
    np.testing.assert_array_equal(clean.faces, ball.faces)
    np.testing.assert_array_equal(clean.vertices, ball.vertices)
    np.testing.assert_array_equal(clean.normals, ball.normals)


@pytest.mark.parametrize("share", [0, 0.01])
def test_pieces_that_are_large_enough_stay(ball_and_crumb, share):
    kept = without_crumbs(ball_and_crumb, share)
    np.testing.assert_array_equal(kept.vertices, ball_and_crumb.vertices)
    np.testing.assert_array_equal(kept.faces, ball_and_crumb.faces)


def test_a_small_cavity_is_a_crumb_too(ball_and_crumb):
    """Volumes are compared without their sign, wherever the origin is."""
    hollow = dataclasses.replace(ball_and_crumb, faces=ball_and_crumb.faces[:, INSIDE_OUT])
    assert check(without_crumbs(hollow, 0.1)).components == 1


def test_cleaning_twice_is_cleaning_once(ball_and_crumb):
    once = without_crumbs(ball_and_crumb, 0.1)
    twice = without_crumbs(once, 0.1)
    np.testing.assert_array_equal(twice.faces, once.faces)


def test_an_empty_mesh_stays_empty(ball):
    empty = dataclasses.replace(ball, faces=ball.faces[:0])
    assert len(without_crumbs(empty).faces) == 0


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_other_shares_are_refused(ball, share):
    with pytest.raises(ValueError, match="from 0 to 1, not"):
        without_crumbs(ball, share)
