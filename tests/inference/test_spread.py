"""How sure a mesh is, by networks whose surfaces move by a known amount."""

from __future__ import annotations

import numpy as np
import pytest

from imfield_jax import fields
from imfield_jax.extraction.sparse import extract
from imfield_jax.inference.batch import Item, Settings, reconstruct
from imfield_jax.inference.model import Model
from imfield_jax.inference.photo import Photo
from imfield_jax.inference.spread import FARTHEST, SHIFT, looks, spread
from imfield_jax.models.networks import Networks
from imfield_jax.models.weights import Weights


@pytest.fixture
def view():
    """Dark, on white, off the middle; and its transparency."""
    grey = np.full((64, 64), 255, np.uint8)
    grey[20:40, 16:44] = 90
    return np.stack([grey, np.where(grey < 255, 0, 255).astype(np.uint8)], axis=-1)


class Sphere:
    """A model that sees spheres: the latent is the radius, by the share of the view that is dark."""

    def __init__(self, moved: float):
        self.moved = moved

    def encode_views(self, views):
        shares = (views[..., 0] < 0.9).mean(axis=(1, 2))
        return (0.3 + self.moved * np.sign(shares - np.median(shares)))[:, None]

    def field(self, z):
        return lambda points: 40 * np.asarray(fields.sphere(float(z[0]))(points))

    def gradient(self, z):
        return lambda points: -40 * points / np.linalg.norm(points, axis=-1, keepdims=True)


@pytest.mark.parametrize("moved", [0.0, 0.01, 0.04, 0.5])
def test_the_spread_is_how_far_the_surface_moves(unchecked, view, moved):
    mesh = extract(fields.sphere(0.3), 32).mesh
    found = spread(Sphere(moved), view, mesh)
    np.testing.assert_allclose(found, min(moved, FARTHEST), atol=1e-3)


def test_looks_show_the_object_turned_shifted_and_lit_otherwise(view):
    seen = looks(view)
    assert len({each.tobytes() for each in (view, *seen)}) == 9
    for each in seen:
        assert each.shape == view.shape and each.dtype == np.uint8
        object_ = each[..., 1] < 128
        assert object_.sum() == pytest.approx((view[..., 1] < 128).sum(), rel=0.15)
        shift = np.subtract(*(np.argwhere(part).mean(axis=0) for part in (object_, view[..., 1] < 128)))
        assert np.abs(shift).max() < 3 * SHIFT * len(view)
        assert each[object_][:, 0].std() < 40 and abs(int(np.median(each[object_][:, 0])) - 90) > 5
        assert (each[[0, -1]] == 255).all()  # nothing came in from beyond the view


def test_looks_are_the_same_every_time(view):
    for one, two in zip(looks(view), looks(view), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.usefixtures("quick_compilation")
def test_a_reconstruction_says_how_sure_it_is(tiny_planes, filled):
    networks = Networks(tiny_planes)
    model = Model(Weights(networks, *filled(networks), {"category": "box"}))
    rgba = np.zeros((60, 60, 4), np.uint8)
    rgba[10:50, 20:40] = (120, 60, 20, 255)
    settings = Settings(resolution=16, spread=True, floaters="keep", bridge_gap=0)
    [made] = reconstruct(model, [Item("box", lambda: Photo(rgba, []))], settings)
    assert made.mesh.spread.shape == (len(made.mesh.vertices),) and made.mesh.spread.max() > 0
    np.testing.assert_array_equal(made.mesh.spread, spread(model, made.view, made.mesh))
    assert made.notes[-1].startswith("other looks at the picture move the surface by 0.")
