"""Pieces beside each other become one closed solid; everything away from the gap stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.extraction.sparse import extract
from imfield_jax.mesh.check import check

RESOLUTION = 64
CELL = 1 / RESOLUTION


def box(center, half_sides):
    def field(points):
        return -(np.abs(points - np.asarray(center)) - np.asarray(half_sides)).max(axis=-1)

    return field


def any_of(*fields):
    return lambda points: np.max([field(points) for field in fields], axis=0)


def two_boxes(gap):
    """A body and a smaller part, `gap` apart along x."""
    return any_of(box((-0.2, 0, 0), (0.15, 0.2, 0.2)), box((-0.05 + gap + 0.1, 0.05, 0), (0.1, 0.1, 0.1)))


@pytest.mark.parametrize("gap", [0.7, 1.0, 1.4, 1.9, 2.4, 2.9])
@pytest.mark.parametrize("iterations", [0, 2])
def test_a_narrow_gap_is_bridged_and_a_wide_one_is_not(gap, iterations):
    field = two_boxes(gap * CELL)
    options = {"refinement_iterations": iterations}
    plain = extract(field, RESOLUTION, **options).mesh
    assert check(plain).components == 2
    joined = extract(field, RESOLUTION, bridge_gap=3 * CELL, **options)
    report = check(joined.mesh)
    assert joined.bridges == [1] and report.components == 1 and report.sound
    assert report.signed_volume > check(plain).signed_volume
    if gap > 1:  # where linear interpolation between the nodes sees about that gap
        apart = extract(field, RESOLUTION, bridge_gap=gap / 3 * CELL, **options)
        assert apart.bridges == [0]
        np.testing.assert_array_equal(apart.mesh.vertices, plain.vertices)


def test_vertices_away_from_the_gap_stay():
    field = two_boxes(2 * CELL)
    plain, joined = (extract(field, RESOLUTION, bridge_gap=gap, refinement_iterations=2).mesh for gap in (0, 3 * CELL))
    middle = -0.05 + CELL
    away = {tuple(vertex) for vertex in plain.vertices if abs(vertex[0] - middle) > 4 * CELL}
    assert len(away) > 500 and away <= {tuple(vertex) for vertex in joined.vertices}
    added = {tuple(vertex) for vertex in joined.vertices} - {tuple(vertex) for vertex in plain.vertices}
    assert added and all(abs(vertex[0] - middle) < 4 * CELL for vertex in added)


@pytest.mark.parametrize("seed", range(6))
def test_any_heap_of_boxes_stays_sound_and_no_gap_is_left(seed):
    """Bridges into bridges, at the cube's border, beside missed pieces: closed, manifold and outward all the same."""
    rng = np.random.default_rng(seed)
    boxes = [box(rng.uniform(-0.45, 0.45, 3), rng.uniform(0.03, 0.12, 3)) for _ in range(25)]
    made = extract(any_of(*boxes), RESOLUTION, bridge_gap=3 * CELL, refinement_iterations=1)
    report = check(made.mesh)
    assert report.sound
    assert report.components <= check(extract(any_of(*boxes), RESOLUTION).mesh).components - made.bridges[0]
    again = extract(any_of(*boxes), RESOLUTION, bridge_gap=3 * CELL, refinement_iterations=1)
    np.testing.assert_array_equal(again.mesh.vertices, made.mesh.vertices)
    np.testing.assert_array_equal(again.mesh.faces, made.mesh.faces)


def test_cavities_and_floaters_are_not_bridged():
    shell = any_of(box((0, 0, 0), (0.3, 0.3, 0.3)))
    cavity, speck = box((0, 0, 0.1), (0.1, 0.1, 0.03)), box((21.5 * CELL, CELL / 2, CELL / 2), (0.012, 0.012, 0.012))

    def field(points):
        return np.maximum(np.minimum(shell(points), -cavity(points)), speck(points))

    made = extract(field, RESOLUTION, start=RESOLUTION, bridge_gap=3 * CELL)
    assert check(made.mesh).components == 3 and made.bridges == [0]
