"""Deformed meshes: symmetric ones stay symmetric, nothing folds, and sources without meshes are refused."""

import dataclasses
import pickle

import numpy as np
import pytest

from imfield_jax.sources import deformation
from imfield_jax.sources.deformation import deform, deformed, waves
from imfield_jax.sources.scene import Part, Scene
from imfield_jax.sources.shape import Partial, Shape

MIRROR = np.array([-1.0, 1.0, 1.0])
FACES = np.array([[0, 1, 2], [2, 1, 3]])


def box_scene(rng, x=0.3):
    """Two parts, each other's mirror images in the plane at `x`."""
    points, center = rng.uniform(-1, 1, (40, 3)) * (2.0, 1.0, 4.0), np.array([x, 5.0, 0.0])
    return Scene((Part(points + center, FACES), Part(points * MIRROR + center, FACES)))


@pytest.mark.parametrize("seed", range(20))
def test_displacements_are_symmetric_and_fold_nothing(seed):
    rng = np.random.default_rng(seed)
    displacement, points, step = waves(rng), rng.uniform(-1, 1, (300, 3)), 1e-5
    np.testing.assert_allclose(displacement(points * MIRROR), displacement(points) * MIRROR, atol=1e-12)
    slopes = [
        (displacement(points + step * axis) - displacement(points - step * axis)) / (2 * step) for axis in np.eye(3)
    ]
    assert np.linalg.norm(np.stack(slopes, axis=-1), 2, axis=(1, 2)).max() < 0.8


def test_displacements_are_of_all_sizes():
    grid = np.random.default_rng(0).uniform(-1, 1, (200, 3))
    largest = [np.abs(waves(np.random.default_rng(seed))(grid)).max() for seed in range(30)]
    assert min(largest) < 0.03 and max(largest) > 0.08


def test_a_deformation_keeps_symmetry_faces_centre_and_size(rng):
    scene = box_scene(rng)
    made = deform(scene, np.random.default_rng(3))
    one, other = (part.vertices for part in made.parts)
    np.testing.assert_allclose(one - [0.3, 0, 0], (other - [0.3, 0, 0]) * MIRROR, atol=1e-9)
    assert np.abs(one - scene.parts[0].vertices).max() > 0.05
    for part, before in zip(made.parts, scene.parts, strict=True):
        np.testing.assert_array_equal(part.faces, before.faces)
    boxes = [np.stack([v.min(axis=0), v.max(axis=0)]) for v in (made.soup()[0], scene.soup()[0])]
    np.testing.assert_allclose(*(box.mean(axis=0) for box in boxes), atol=1e-9)
    np.testing.assert_allclose(*(np.linalg.norm(np.ptp(box, axis=0)) for box in boxes))


def test_textures_are_kept_and_some_plain_parts_get_other_colours(rng):
    texture = np.zeros((2, 2, 4), np.uint8)
    plain = box_scene(rng).parts[0]
    textured = dataclasses.replace(plain, uv=np.zeros((40, 2), np.float32), texture=texture)
    scene = Scene((textured, *(dataclasses.replace(plain, color=(0.5, 0.5, 0.5, 0.25)) for _ in range(30))))
    first, *others = deform(scene, np.random.default_rng(0)).parts
    assert first.color == textured.color and first.texture is texture
    assert 5 < sum(part.color != (0.5, 0.5, 0.5, 0.25) for part in others) < 25
    assert all(part.color[3] == 0.25 for part in others)


def scene_of(offset):
    return box_scene(np.random.default_rng(5), offset)


def test_only_training_shapes_are_deformed_each_in_its_own_way(monkeypatch):
    shapes = [Shape(f"c/{split}", split, load=LOAD, credit="me") for split in ("train", "validation", "test")]
    made = deformed(shapes, 2, seed=1)
    assert [(shape.name, shape.split, shape.credit) for shape in made] == [
        ("c/train~1", "train", "me"),
        ("c/train~2", "train", "me"),
    ]
    made = pickle.loads(pickle.dumps(made))  # workers load them
    first, second, again = (shape.load().soup()[0] for shape in (*made, made[0]))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - second).max() > 0.02
    assert np.abs(deformed(shapes, 1, seed=2)[0].load().soup()[0] - first).max() > 0.02


def LOAD():
    return scene_of(0.0)


def test_a_source_without_meshes_is_refused_in_one_line():
    [shape] = deformed([Shape("c/a", "train", load=lambda: Partial({}))], 1, seed=0)
    with pytest.raises(ValueError, match="c/a~1: expected a mesh to deform"):
        shape.load()


def test_a_scene_of_one_point_is_refused():
    with pytest.raises(ValueError, match="the same point"):
        deform(Scene((Part(np.ones((3, 3)), np.array([[0, 1, 2]])),)), np.random.default_rng(0))


def test_the_lattice_sees_the_waves():
    assert 2 / (deformation._LATTICE - 1) < 0.15  # their shortest length is 2
