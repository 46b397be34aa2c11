"""A mesh that shows which way it faces, and a check of its final orientation."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def arrow():
    """(front, up) -> the text of an OBJ file: a triangle with corners at 3 front, at up and at the origin."""

    def text(front, up):
        return "v {} {} {}\nv {} {} {}\nv 0 0 0\nf 1 2 3\n".format(*(np.array(front) * 3), *up)

    return text


@pytest.fixture(scope="session")
def assert_front_is_minus_z():
    """Fails for a scene of one arrow that does not face -z with y up."""

    def check(scene):
        tip, top, _ = scene.soup()[0][np.argsort(-np.abs(scene.soup()[0]).max(axis=1))]
        np.testing.assert_allclose(tip, [0, 0, -3], atol=1e-6)
        np.testing.assert_allclose(top, [0, 1, 0], atol=1e-6)

    return check
