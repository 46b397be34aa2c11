"""The generated shapes: closed, connected, normalised, symmetric, varied and deterministic."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import trimesh
from manifold3d import Manifold, Mesh64, OpType

from imfield_jax.sources import procedural
from imfield_jax.sources.listing import list_shapes
from imfield_jax.sources.procedural import bench, car_styles, car_trim, chair, lamp, sofa, solids, table
from imfield_jax.sources.procedural.car_body import axles, body
from imfield_jax.sources.procedural.obj import mesh_text
from imfield_jax.sources.procedural.wheels import TYRE

SEEDS = range(6)

build = functools.cache(procedural.build)


@pytest.fixture(scope="module", params=procedural.CATEGORIES)
def scenes(request):
    return request.param, [build(request.param, seed) for seed in SEEDS]


def manifold(vertices, faces) -> Manifold:
    return Manifold(Mesh64(np.ascontiguousarray(vertices), np.ascontiguousarray(faces.astype(np.uint64))))


def test_every_part_is_closed_and_outward_also_after_writing_and_reading_it(scenes):
    for scene in scenes[1]:
        for part in scene.parts:
            mesh = trimesh.Trimesh(part.vertices, part.faces, process=False)
            assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0
            welded = trimesh.Trimesh(np.round(part.vertices, solids.DECIMALS), part.faces, process=True)
            assert welded.is_watertight


def test_nothing_floats(scenes):
    category, shapes = scenes
    for seed, scene in zip(SEEDS, shapes, strict=True):
        whole = Manifold.batch_boolean([manifold(p.vertices, p.faces) for p in scene.parts], OpType.Add)
        loose = [body.volume() for body in whole.decompose() if body.volume() > 1e-8]
        assert len(loose) == 1, f"{category} {seed} falls into pieces of {loose}"


@pytest.mark.parametrize("module", [bench, chair, lamp, sofa, table], ids=lambda module: module.__name__.split(".")[-1])
def test_every_kind_of_furniture_is_one_solid_piece(module):
    assert sum(module.KINDS.values()) == pytest.approx(1)
    for kind in module.KINDS:
        scene = solids.as_scene(kind(np.random.default_rng(7)))
        whole = Manifold.batch_boolean([manifold(p.vertices, p.faces) for p in scene.parts], OpType.Add)
        assert len([body for body in whole.decompose() if body.volume() > 1e-8]) == 1, kind.__name__


def test_the_box_is_centred_with_a_diagonal_of_one(scenes):
    for scene in scenes[1]:
        vertices, _ = scene.soup()
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        np.testing.assert_allclose(low + high, 0, atol=1e-3)
        np.testing.assert_allclose(np.linalg.norm(high - low), 1, atol=1e-3)


def test_left_equals_right(scenes):
    """A shape and its mirror image have nearly all of their volume in common.

    Not all: spokes, tyre recesses and propellers have a sense of rotation.
    """
    for scene in scenes[1][:3]:
        whole = Manifold.batch_boolean([manifold(p.vertices, p.faces) for p in scene.parts], OpType.Add)
        common = whole ^ whole.mirror((1, 0, 0))
        assert common.volume() > 0.985 * whole.volume()


def test_cars_have_white_lamps_at_the_front_and_red_ones_at_the_rear():
    for seed in SEEDS:
        parts = {part.color: part.vertices for part in build("car", seed).parts}
        assert parts[car_trim.LAMP][:, 2].max() < -0.2 and parts[car_trim.TAIL_LAMP][:, 2].min() > 0.2


@pytest.mark.parametrize("category", ["chair", "sofa", "bench"])
def test_backs_of_seats_are_at_the_rear(category):
    for seed in SEEDS:
        vertices, _ = build(category, seed).soup()
        assert vertices[vertices[:, 1] > 0.6 * vertices[:, 1].max(), 2].mean() > -0.02  # 0 for stools


def test_tails_of_airplanes_are_at_the_rear():
    """There is a tailplane, or a delta wing, at the rear end and none at the nose."""
    for seed in SEEDS:
        vertices, _ = build("airplane", seed).soup()
        x, z = np.abs(vertices[:, 0]), vertices[:, 2]
        assert x[z > 0.75 * z.max()].max() > x[z < 0.85 * z.min()].max()


def test_equal_seeds_give_equal_bytes_and_others_give_other_shapes(scenes):
    category, shapes = scenes
    assert mesh_text(procedural.build(category, 3)) == mesh_text(shapes[3])
    assert len({mesh_text(scene) for scene in shapes}) == len(shapes)


def test_unknown_categories_and_negative_seeds_are_refused():
    with pytest.raises(ValueError, match=r"expected one with a generator .*, found 'boat'"):
        procedural.build("boat", 0)
    with pytest.raises(ValueError, match="expected 0 or more"):
        procedural.build("car", -1)


def test_all_car_styles_are_drawn_and_within_their_ranges():
    rng = np.random.default_rng(0)
    drawn = [car_styles.draw(rng) for _ in range(300)]
    assert {style for style, _ in drawn} == set(car_styles.STYLES) and len(car_styles.STYLES) >= 8
    for style, proportions in drawn:
        ranges = car_styles.BASE | car_styles.STYLES[style]
        free = {name: bounds for name, bounds in ranges.items() if name != "cabin_rear"}
        assert all(low <= getattr(proportions, name) <= high for name, (low, high) in free.items())
        assert proportions.cowl < proportions.roof_front < proportions.roof_rear < proportions.cabin_rear


def test_every_style_has_four_round_wheels_on_the_ground():
    """Tyres touch the ground at four places and nothing else does; seen from the side they are round."""

    for seed in SEEDS:
        scene = build("car", seed)
        (tyres,) = [part for part in scene.parts if part.color == TYRE]
        wheels = manifold(tyres.vertices, tyres.faces).decompose()
        assert len(wheels) == 4
        lowest = scene.soup()[0][:, 1].min()
        for wheel in wheels:
            _, y0, z0, _, y1, z1 = wheel.bounding_box()
            assert y0 - lowest < 2e-3
            np.testing.assert_allclose(y1 - y0, z1 - z0, rtol=0.02)


def test_wheels_do_not_pierce_the_body():
    for seed in range(20):
        _, p = car_styles.draw(np.random.default_rng(seed))

        shell = body(p)
        for z in axles(p):
            for x in (0.7, 0.8, 0.9):
                hits = shell.ray_cast((x * p.width / 2, 9, z), (x * p.width / 2, 0, z))
                assert hits and hits[0].position[1] > 2 * p.wheel_radius


def test_write_uses_the_shapenet_layout_and_can_be_resumed(tmp_path):
    seen = []
    folder = procedural.write(tmp_path, "chair", 2, seed=5, progress=lambda done, count: seen.append((done, count)))
    meshes = sorted(folder.glob("*/models/model_normalized.obj"))
    assert folder.name == "03001627" and len(meshes) == 2 and seen == [(1, 2), (2, 2)]
    assert meshes[0].read_text() == mesh_text(procedural.build("chair", 5_000_000))
    assert all(mesh.with_suffix(".mtl").exists() for mesh in meshes)
    assert "CC0" in (tmp_path / "CREDITS.txt").read_text()
    written = meshes[0].stat().st_mtime_ns
    procedural.write(tmp_path, "chair", 3, seed=5)
    assert meshes[0].stat().st_mtime_ns == written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["03001627", "CREDITS.txt"]
    assert len(list(folder.iterdir())) == 3


def test_a_kill_leaves_no_half_model(tmp_path, monkeypatch):
    def killed(folder, scene):
        (folder / "model_normalized.obj").write_text("v 0 0")
        raise KeyboardInterrupt

    monkeypatch.setattr(procedural, "write_obj", killed)
    with pytest.raises(KeyboardInterrupt):
        procedural.write(tmp_path, "chair", 1)
    assert list((tmp_path / "03001627").iterdir()) == []
    monkeypatch.undo()
    assert len(list(procedural.write(tmp_path, "chair", 1).iterdir())) == 1


def test_the_written_file_reads_back_as_the_scene(tmp_path):
    folder = procedural.write(tmp_path, "airplane", 1)
    loaded = trimesh.load(next(folder.glob("*/models/*.obj")), force="scene", process=False)
    scene = procedural.build("airplane", 0)
    assert len(loaded.geometry) == len(scene.parts)
    volume = sum(trimesh.Trimesh(part.vertices, part.faces).volume for part in scene.parts)
    np.testing.assert_allclose(sum(mesh.volume for mesh in loaded.geometry.values()), volume, rtol=1e-4)
    colors = {tuple(np.round(np.array(mesh.visual.material.diffuse[:3]) / 255, 1)) for mesh in loaded.geometry.values()}
    assert colors == {tuple(np.round(np.round(np.array(part.color[:3]) * 255) / 255, 1)) for part in scene.parts}


@pytest.mark.parametrize(
    ("solid", "volume"),
    [
        (solids.block((1, 2, 3), (4, 5, 6)), 6.0),
        (solids.along_x([(0, 0), (2, 0), (0, 1)], -1, 2), 3.0),
        (solids.along_z([(0, 0), (2, 0), (0, 1)], 0, 3), 3.0),
        (solids.tube([(0, 0, 0), (0, 0, 5)], 0.5, 4), 5.0),
        (solids.tube([(0, 0, 0), (3, 4, 0)], 0.1, 200), 5 * np.pi * 0.01),
        (solids.turned([(0, 0), (1, 0), (1, 2), (0, 2)], "x", segments=400), 2 * np.pi),
        (solids.mirrored(solids.block((1, 1, 1), (1, 0, 0))), 2.0),
    ],
)
def test_solids_have_the_volume_of_geometry(solid, volume):
    np.testing.assert_allclose(solid.volume(), volume, rtol=2e-3)


def test_a_loft_is_solid_for_either_orientation_of_its_rings():
    ring = np.array([(0.0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)])
    rings = np.stack([ring, ring + np.array([0, 0, 2])])
    for way in (rings, rings[::-1], rings[:, ::-1]):
        np.testing.assert_allclose(solids.loft(way).volume(), 2)


@pytest.mark.parametrize(("axis", "index"), [("x", 0), ("y", 1), ("z", 2)])
def test_turned_points_along_the_positive_axis(axis, index):
    bounds = solids.turned([(0, 2), (1, 2), (1, 5), (0, 5)], axis).bounding_box()
    assert bounds[index] == pytest.approx(2) and bounds[index + 3] == pytest.approx(5)


def test_rounding_keeps_the_count_and_stays_inside():
    square = np.array([(0.0, 0), (4, 0), (4, 4), (0, 4)])
    for setback in (0.0, 1.0, 50.0):
        ring = solids.rounded(square, setback, 3)
        assert ring.shape == (16, 2) and (ring >= -1e-9).all() and (ring <= 4 + 1e-9).all()
    area = 0.5 * abs(np.sum(ring[:, 0] * np.roll(ring[:, 1], -1) - ring[:, 1] * np.roll(ring[:, 0], -1)))
    assert 0.75 * 16 < area < 16


@pytest.mark.parametrize("category", procedural.WITH_RARE)
def test_rare_kinds_are_a_source_of_their_own(category, tmp_path):
    """They have names of their own, so that they can be mixed with the common kinds, and the same seeds go on."""
    common = list_shapes("procedural", category, tmp_path, count=2, seed=3).shapes
    rare = list_shapes("procedural_rare", category, tmp_path, count=2, seed=3).shapes
    assert not {shape.name for shape in common} & {shape.name for shape in rare}
    again = list_shapes("procedural", category, tmp_path, count=2, seed=3).shapes
    assert [shape.name for shape in again] == [shape.name for shape in common]
    folder = tmp_path / procedural.CATEGORIES[category]
    written = (folder / "r3_000001" / "models" / "model_normalized.obj").read_text()
    assert written == mesh_text(procedural.build(category, 3_000_001, rare=True))


def test_categories_without_rare_kinds_are_named():
    with pytest.raises(ValueError, match=r"expected one with rare kinds \(car, chair, airplane\), found 'sofa'"):
        procedural.build("sofa", 0, rare=True)
