"""Shapes that face another way are found; symmetric shapes are not reported."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.preparation import facing


def chair(rng: np.random.Generator) -> np.ndarray:
    """A seat with a back at +z and one arm at +x, of random sizes: it differs in all four quarter turns."""
    grid = np.zeros((64, 64, 64), np.float32)
    low, high, depth = rng.integers(8, 14), rng.integers(50, 56), rng.integers(6, 12)
    grid[low:high, 20:28, low:high] = 1
    grid[low:high, 28:56, high - depth : high] = 1
    grid[high - depth : high, 28:40, low:high] = 1
    return facing.coarse(grid)


@pytest.fixture(scope="module")
def chairs():
    rng = np.random.default_rng(0)
    return [chair(rng) for _ in range(12)]


def test_coarse_cells_hold_the_occupied_fraction():
    grid = np.zeros((64, 64, 64), np.uint8)
    grid[:2, :4, :4] = 1
    coarse = facing.coarse(grid)
    assert coarse.shape == (16, 16, 16) and coarse[0, 0, 0] == 0.5 and coarse.sum() == 0.5


def test_shapes_that_face_one_way_give_no_warning(chairs):
    assert facing.turned(chairs) == {}


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_the_angle_rotates_a_shape_back(chairs, angle):
    """By the definition of a rotation about y, which takes z to x at 90 degrees."""
    centres = np.argwhere(np.ones((16, 16, 16))) - 7.5
    cos, sin = round(np.cos(np.radians(angle))), round(np.sin(np.radians(angle)))
    x, y, z = (np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]) @ centres.T + 7.5).astype(int)
    away = np.zeros((16, 16, 16), np.float32)
    away[x, y, z] = chairs[3].ravel()
    assert facing.turned([*chairs[:3], away, *chairs[4:]]) == {3: 360 - angle}


def test_shapes_with_rotational_symmetry_have_no_direction(chairs):
    pillar = sum(np.rot90(chairs[0], turn, axes=(0, 2)) for turn in range(4)) / 4
    assert facing.turned([*chairs, pillar]) == {}
    assert facing.turned([pillar] * 8) == {}


def test_too_few_shapes_give_no_warning(chairs):
    few = [np.rot90(chairs[0], axes=(0, 2)), *chairs[1 : facing.MIN_SHAPES - 1]]
    assert facing.turned(few) == {}
    assert facing.turned([]) == {}
