"""The rare kinds of cars: one solid, symmetric, standing on round wheels, lamps at the right ends."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold, Mesh64, OpType

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car import RARE, build_rare
from imfield_jax.sources.procedural.car_trim import LAMP, TAIL_LAMP
from imfield_jax.sources.procedural.obj import mesh_text
from imfield_jax.sources.procedural.wheels import TYRE
from imfield_jax.sources.scene import Scene

SEEDS = range(5)
BY_NAME = {kind.__name__: kind for kind in RARE}


@functools.cache
def build(name: str, seed: int) -> Scene:
    return solids.as_scene(BY_NAME[name](np.random.default_rng(seed)))


@pytest.fixture(scope="module", params=BY_NAME)
def scenes(request):
    return [build(request.param, seed) for seed in SEEDS]


def manifold(part) -> Manifold:
    return Manifold(Mesh64(np.ascontiguousarray(part.vertices), np.ascontiguousarray(part.faces.astype(np.uint64))))


def whole(scene) -> Manifold:
    return Manifold.batch_boolean([manifold(part) for part in scene.parts], OpType.Add)


def test_shares_add_up_to_one():
    assert sum(RARE.values()) == pytest.approx(1)


def test_every_rare_car_is_one_solid(scenes):
    for seed, scene in zip(SEEDS, scenes, strict=True):
        loose = [body.volume() for body in whole(scene).decompose() if body.volume() > 1e-8]
        assert len(loose) == 1, f"seed {seed} falls into pieces of {loose}"


def test_every_part_is_closed_and_outward(scenes):
    for scene in scenes[:4]:
        for part in scene.parts:
            mesh = trimesh.Trimesh(np.round(part.vertices, solids.DECIMALS), part.faces, process=True)
            assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0


def test_left_nearly_equals_right(scenes):
    for scene in scenes:
        solid = whole(scene)
        assert (solid ^ solid.mirror((1, 0, 0))).volume() > 0.95 * solid.volume()


def test_it_stands_on_round_wheels_and_on_nothing_else(scenes):
    for scene in scenes:
        lowest = scene.soup()[0][:, 1].min()
        (tyres,) = [part for part in scene.parts if part.color == TYRE]
        boxes = np.array([wheel.bounding_box() for wheel in manifold(tyres).decompose()])
        on_ground = boxes[boxes[:, 1] - lowest < 2e-3]
        assert len(on_ground) >= 3
        np.testing.assert_allclose(on_ground[:, 4] - on_ground[:, 1], on_ground[:, 5] - on_ground[:, 2], rtol=0.03)
        rest = min(part.vertices[:, 1].min() for part in scene.parts if part.color != TYRE)
        assert rest > lowest + 5e-3


def test_white_lamps_are_ahead_of_red_ones(scenes):
    for scene in scenes:
        parts = {part.color: part.vertices[:, 2] for part in scene.parts}
        if LAMP in parts and TAIL_LAMP in parts:
            assert parts[LAMP].max() < parts[TAIL_LAMP].min()


def test_the_box_is_that_of_a_car(scenes):
    for scene in scenes:
        vertices, _ = scene.soup()
        wide, high, long = np.ptp(vertices, axis=0)
        assert 1.2 < long / wide < 3.2 and 0.35 < high / wide < 1.45


def test_equal_seeds_give_equal_rare_cars_and_others_give_others():
    texts = [mesh_text(build_rare(np.random.default_rng(seed))) for seed in (0, 1, 2, 0)]
    assert texts[0] == texts[3] and len(set(texts)) == 3
