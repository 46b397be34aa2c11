"""The rare kinds of airplanes and chairs: one solid each, symmetric, facing forward."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold, Mesh64, OpType

from imfield_jax.sources.procedural import airplane, chair, solids
from imfield_jax.sources.procedural.obj import mesh_text

SEEDS = range(5)
KINDS = [*airplane.RARE, *chair.RARE]
TURNING = 0.95  # of the volume in common with the mirror image where propellers turn

kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def whole(scene) -> Manifold:
    parts = [Manifold(Mesh64(np.array(p.vertices), np.array(p.faces, np.uint64))) for p in scene.parts]
    return Manifold.batch_boolean(parts, OpType.Add)


@kinds
def test_every_rare_kind_is_one_closed_symmetric_solid(kind):
    for seed in SEEDS:
        scene = solids.as_scene(kind(np.random.default_rng(seed)))
        for part in scene.parts:
            mesh = trimesh.Trimesh(part.vertices, part.faces, process=False)
            assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
        solid = whole(scene)
        loose = [body.volume() for body in solid.decompose() if body.volume() > 1e-8]
        assert len(loose) == 1, f"{kind.__name__} {seed} falls into pieces of {loose}"
        turns = any(word in kind.__name__ for word in ("boat", "float", "transport", "boom", "triplane", "ultralight"))
        common = (solid ^ solid.mirror((1, 0, 0))).volume()
        assert common > (TURNING if turns else 0.98) * solid.volume(), f"{kind.__name__} {seed}"


@pytest.mark.parametrize("module", [airplane, chair], ids=["airplane", "chair"])
def test_shares_add_up_to_one_and_rare_kinds_are_not_common_ones(module):
    assert sum(module.RARE.values()) == pytest.approx(1)
    assert not set(module.RARE) & set(module.KINDS)


@pytest.mark.parametrize("module", [airplane, chair], ids=["airplane", "chair"])
def test_a_rare_scene_is_normalised_and_repeatable(module):
    first, again, other = (module.build_rare(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert mesh_text(first) == mesh_text(again) != mesh_text(other)
    vertices, _ = first.soup()
    np.testing.assert_allclose(np.linalg.norm(np.ptp(vertices, axis=0)), 1, atol=1e-3)


@pytest.mark.parametrize("kind", list(airplane.RARE), ids=lambda kind: kind.__name__)
def test_airplanes_point_forward(kind):
    """The rear end, with its tailplane or trailing edge, is wider than the nose."""
    vertices, _ = solids.as_scene(kind(np.random.default_rng(1))).soup()
    x, z = np.abs(vertices[:, 0]), vertices[:, 2]
    assert x[z > 0.7 * z.max()].max() > x[z < 0.9 * z.min()].max()


@pytest.mark.parametrize("kind", list(chair.RARE), ids=lambda kind: kind.__name__)
def test_the_tops_of_chairs_are_behind_their_front_edges(kind):
    for seed in SEEDS:
        vertices, _ = solids.as_scene(kind(np.random.default_rng(seed))).soup()
        top = vertices[:, 1] > 0.8 * vertices[:, 1].max()
        assert vertices[top, 2].min() > vertices[:, 2].min() + 0.01, f"{kind.__name__} {seed}"
