"""Placement of meshes in the cube."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax.sources.scene import Part, Scene, place

CORNERS = np.array([[0, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 1]], np.float64)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int64)


@pytest.mark.parametrize("unit", [1e-37, 1e-20, 1.0, 1e30, 4e37])
def test_the_result_is_the_same_in_any_unit_within_float32(unit):
    scene, placement = place(Scene((Part(unit * CORNERS, FACES),)), 0.9)
    np.testing.assert_allclose(scene.parts[0].vertices, 0.45 * (CORNERS - [1, 0.5, 0.5]), atol=1e-12)
    stored = np.float32([placement.scale, *placement.center])
    assert np.isfinite(stored).all() and stored[0] > 0


@pytest.mark.parametrize(("unit", "move"), [(1e-50, 0), (1e60, 0), (1e200, 0), (1, 1e39)])
def test_coordinates_outside_float32_are_refused(unit, move):
    with pytest.raises(
        ValueError, match=r"^the mesh is .* units large, with coordinates up to .*: scale it$|same point"
    ):
        place(Scene((Part(unit * CORNERS + move, FACES),)), 0.9)
