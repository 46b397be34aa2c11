"""Combinations of meshes: solid and surface agree, nothing of the colours is lost, symmetric objects stay symmetric."""

from __future__ import annotations

import pickle
from functools import partial

import numpy as np
import pytest
import trimesh

from imfield_jax.coordinates import index_to_point
from imfield_jax.preparation import recombination
from imfield_jax.preparation.recombination import Cut, joined, recombine, recombined
from imfield_jax.preparation.solidify import solidify
from imfield_jax.sources import credits
from imfield_jax.sources.derived import combination
from imfield_jax.sources.scene import Part, Placement, Scene
from imfield_jax.sources.shape import Partial, Shape


def scene_of(*meshes: trimesh.Trimesh) -> Scene:
    return Scene(tuple(Part(np.array(m.vertices), np.array(m.faces), (0.2, 0.4, 0.6, 1.0)) for m in meshes))


def box(extents, center=(0, 0, 0)) -> trimesh.Trimesh:
    made = trimesh.creation.box(extents)
    made.apply_translation(center)
    return made


def spheroid(*semiaxes: float) -> trimesh.Trimesh:
    made = trimesh.creation.icosphere(4)
    made.apply_scale(semiaxes)
    return made


PAIRS = {
    "boxes": (scene_of(box((2, 1, 4))), scene_of(box((1, 2, 3)))),
    "spheroids": (scene_of(spheroid(1, 1, 2)), scene_of(spheroid(2, 1.5, 3))),
    "wings": (
        scene_of(spheroid(0.3, 0.3, 2), box((4, 0.1, 0.6))),
        scene_of(spheroid(0.5, 0.4, 2), box((3, 0.1, 1.2), (0, 0, 0.2))),
    ),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("pair", PAIRS)
def test_the_solid_is_what_the_surface_encloses(pair, seed):
    first, second = PAIRS[pair]
    made = recombine(first, second, 0.9, np.random.default_rng(seed))
    vertices, _ = made.scene.soup()
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    np.testing.assert_allclose((low + high) / 2, 0, atol=1e-9)
    assert np.ptp(vertices, axis=0).max() == pytest.approx(0.9)
    filled = np.argwhere(made.fields["solid"])
    np.testing.assert_allclose(index_to_point(filled.min(axis=0) - 0.5, 256), low, atol=0.012)
    np.testing.assert_allclose(index_to_point(filled.max(axis=0) + 0.5, 256), high, atol=0.012)
    slow = solidify(made.scene).occupancy  # of the surface with its slit
    solid = made.fields["solid"]
    assert (solid & slow).sum() / (solid | slow).sum() > 0.9
    assert (solid != solid[::-1]).mean() < 1e-3  # centres of voxels that lie on the surface


@pytest.mark.parametrize("axis", range(3))
def test_a_solid_joined_with_itself_is_itself(axis, rng):
    solid = rng.random((32, 32, 32)) < 0.5
    at = 20 / 32 - 0.5  # between two cells
    cut = Cut(axis, at, at, np.ones(3), np.insert(np.zeros((2, 2)), axis, at, axis=1))
    np.testing.assert_array_equal(joined(solid, solid, cut, Placement(np.zeros(3), 1.0)), solid)


def test_boxes_combine_to_a_box_and_the_placement_is_in_units_of_the_first():
    first, second = scene_of(box((2, 1, 4), (5, 6, 7))), scene_of(box((20, 10, 40)))
    made = recombine(first, second, 0.9, np.random.default_rng(0))
    kept, _ = (part.vertices for part in made.scene.parts)
    corners = Placement(made.fields["center"].astype(float), float(made.fields["scale"])).to_cube(
        first.parts[0].vertices
    )
    assert sum(np.abs(kept - corner).max(axis=1).min() < 1e-6 for corner in corners) == 4
    extents = np.ptp(made.scene.soup()[0], axis=0)
    assert made.fields["solid"].mean() == pytest.approx(extents.prod(), rel=0.05)


def test_a_scene_of_a_source_with_sizes_of_its_own_keeps_its_diagonal():
    first = scene_of(box((0.2, 0.1, 0.4)))
    made = recombine(first, PAIRS["boxes"][1], None, np.random.default_rng(0))
    diagonals = [np.linalg.norm(np.ptp(scene.soup()[0], axis=0)) for scene in (made.scene, first)]
    assert diagonals[0] == pytest.approx(diagonals[1])


def test_textures_and_colours_keep_their_places():
    mesh = trimesh.creation.icosphere(2)
    vertices = np.array(mesh.vertices)
    part = Part(
        vertices,
        np.array(mesh.faces),
        uv=(vertices[:, :2] * 0.5 + 0.5).astype(np.float32),
        texture=np.zeros((2, 2, 4), np.uint8),
        colors=(np.insert(vertices, 3, 1, axis=1) * 0.5 + 0.5).astype(np.float32),
    )
    for side in (1, -1):
        clipped = recombination._clipped(part, 2, side, 0.123)
        assert (side * clipped.vertices[:, 2]).min() == pytest.approx(side * 0.123, abs=1e-9)
        np.testing.assert_allclose(clipped.uv, clipped.vertices[:, :2] * 0.5 + 0.5, atol=1e-5)
        np.testing.assert_allclose(clipped.colors[:, :3], clipped.vertices * 0.5 + 0.5, atol=1e-5)
        assert clipped.texture is part.texture
    nothing = recombination._clipped(part, 2, 1, 2.0)
    assert not len(nothing.faces) and nothing.uv.shape == (0, 2) and nothing.colors.shape == (0, 4)


def load(size: float) -> Scene:
    return scene_of(box((1, 1, size)))


SHAPES = [
    Shape("c/a", "train", partial(load, 2), credit=credits.credit("Ada", "CC0", "here")),
    Shape("c/b", "train", partial(load, 3), credit=credits.credit("Bo", "CC0", ""), stamp="3"),
    Shape("c/c", "train", partial(load, 4)),
    Shape("c/held", "test", partial(load, 5)),
]


def test_only_training_shapes_are_combined_each_pair_in_its_own_way():
    one, two, many = (recombined(SHAPES, count, seed=1) for count in (1, 2, 9))
    assert len(one) == 3 and len(two) == 6 and {s.name for s in one} < {s.name for s in two}
    assert [s.name for s in many] == [s.name for s in two]  # each with each other
    assert all("held" not in shape.name and shape.split == "train" for shape in two)
    by_name = {shape.name: shape for shape in pickle.loads(pickle.dumps(two))}  # workers load them
    both = by_name[combination("c/a", "c/b")]
    assert both.credit == credits.credit("Ada; Bo", "CC0", "here") and both.stamp.endswith("3")
    made, again = both.load(), both.load()
    np.testing.assert_array_equal(made.fields["solid"], again.fields["solid"])
    np.testing.assert_array_equal(made.scene.soup()[0], again.scene.soup()[0])


def test_what_cannot_be_combined_is_refused_in_one_line():
    prepared = Shape("c/d", "train", load=lambda: Partial({}))
    with pytest.raises(ValueError, match=r"c/a~\+c/d: expected two meshes to combine"):
        recombined([SHAPES[0], prepared], 1, 0)[0].load()
