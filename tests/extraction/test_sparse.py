"""Sparse extraction against dense: the same mesh, for a price that grows with the surface."""

from __future__ import annotations

import itertools
import tracemalloc

import jax.numpy as jnp
import numpy as np
import pytest

from imfield_jax import fields
from imfield_jax.coordinates import grid_points
from imfield_jax.extraction import active_cells, sparse
from imfield_jax.extraction.chunked import ChunkedField, chunked, evaluator
from imfield_jax.extraction.lattice import CORNERS, Lattice
from imfield_jax.extraction.sparse import extract
from imfield_jax.mesh.check import check


def ball(center, radius):
    center = np.array(center)
    return lambda points: radius - np.linalg.norm(points - center, axis=-1)


def slab(half_sides, center=(0, 0, 0)):
    half_sides, center = np.array(half_sides), np.array(center)
    return lambda points: (half_sides - np.abs(points - center)).min(axis=-1)


def ring(points):
    return 0.1 - np.hypot(np.hypot(points[..., 0], points[..., 2]) - 0.3, points[..., 1])


def any_of(*parts):
    return lambda points: np.max([part(points) for part in parts], axis=0)


# A body, a leg thinner than the coarse lattice, a plate, and a ball that pushes through the border.
THING = any_of(
    ball((0, 0, 0), 0.2),
    slab((0.012, 0.2, 0.012), (0.03, -0.2, 0.1)),
    slab((0.3, 0.01, 0.2), (0.1, 0.21, 0)),
    ball((0.45, 0.1, -0.3), 0.12),
    ring,
)


@pytest.mark.parametrize("resolution", [16, 33, 64, 100])
@pytest.mark.parametrize("start", [8, 16, 32])
def test_sparse_equals_dense(resolution, start, dense, assert_same_mesh):
    mesh, reference = extract(THING, resolution, start=start // 2, split=start).mesh, dense(THING, resolution)
    assert_same_mesh(mesh, reference)
    assert check(mesh).sound


def test_smooth_noise_equals_dense(rng, dense, assert_same_mesh):
    waves = rng.normal(size=(6, 3)) * 14
    phases = rng.uniform(0, 6, 6)

    def field(points):
        return np.sin(points @ waves.T + phases).sum(axis=-1)

    mesh, reference = extract(field, 48, start=12, split=24).mesh, dense(field, 48)
    assert_same_mesh(mesh, reference)


@pytest.mark.parametrize("resolution", [16, 45, 128])
def test_a_sphere_has_its_centre_radius_and_volume(resolution):
    center, radius = np.float32([0.05, -0.1, 0.02]), 0.3
    mesh = extract(fields.sphere(radius, center), resolution, start=16, split=32).mesh
    distance = np.linalg.norm(mesh.vertices - center, axis=1)
    np.testing.assert_allclose(distance, radius, atol=0.05 / resolution)
    np.testing.assert_allclose(mesh.vertices.max(0) + mesh.vertices.min(0), 2 * center, atol=0.2 / resolution)
    report = check(mesh)
    assert report.sound and report.euler == 2 and report.components == 1
    assert report.signed_volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=10 / resolution**2)
    outward = ((mesh.vertices - center) * mesh.normals).sum(axis=1) / distance
    assert outward.min() > 0.8


def test_a_torus_has_genus_one():
    report = check(extract(fields.torus(0.3, 0.1), 64, start=16, split=32).mesh)
    assert report.sound and report.euler == 0
    assert report.signed_volume == pytest.approx(2 * np.pi**2 * 0.3 * 0.1**2, rel=0.02)


def test_a_surface_that_leaves_the_cube_closes_on_its_border():
    mesh = extract(ball((0, 0, 0), 0.6), 40, start=8, split=16).mesh
    assert check(mesh).sound
    np.testing.assert_allclose([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)], [[-0.5] * 3, [0.5] * 3])


def test_an_empty_field_gives_an_empty_mesh():
    result = extract(fields.constant(-1.0), 128, start=16, split=64)
    assert result.mesh.vertices.shape == result.mesh.faces.shape == result.mesh.normals.shape == (0, 3)
    assert result.active == {2: 0, 1: 0}


@pytest.mark.parametrize("resolution", [16, 33, 128])
def test_a_full_field_gives_the_closed_cube(resolution):
    mesh = extract(fields.constant(1.0), resolution, start=8, split=16).mesh
    report = check(mesh)
    assert report.sound and report.euler == 2
    np.testing.assert_allclose(np.abs(mesh.vertices).max(axis=0), 0.5, atol=1e-6)
    assert report.signed_volume == pytest.approx(1.0, abs=3 / resolution**2)  # the edges are bevelled


def test_no_point_is_evaluated_twice_or_outside_the_cube_and_every_request_has_one_shape():
    shapes, evaluated = set(), []

    def field(points):
        shapes.add(points.shape)
        evaluated.append(points)
        return THING(points)

    result = extract(field, 100, start=8, split=16, chunk=500)
    assert shapes == {(500, 3)}
    points = np.concatenate(evaluated)
    assert np.abs(points).max() < 0.5
    points = points[(points != 0).any(axis=1)]  # padding; no cell centre of an even grid is the origin
    assert len(points) == len(np.unique(points, axis=0)) == result.evaluated.sum()


def test_evaluations_grow_with_the_surface():
    counts = [int(extract(THING, r, start=8, split=16).evaluated[0]) for r in (64, 128, 256)]
    assert all(after <= 4.5 * before for before, after in itertools.pairwise(counts))
    assert counts[-1] < 256**3 / 30


def test_evaluations_are_hardly_more_than_the_corners_of_active_cells():
    result = extract(THING, 128, start=8, split=16)
    inside = np.pad(np.asarray(THING(grid_points(128))) > 0, 1)
    last = len(inside) - 1
    views = [tuple(slice(c, last + c) for c in corner) for corner in CORNERS]
    count = sum(inside[view].astype(int) for view in views)
    corners = np.zeros_like(inside)
    for view in views:
        corners[view] |= (count > 0) & (count < 8)
    needed = corners[1:-1, 1:-1, 1:-1].sum()
    assert needed <= result.evaluated[0] <= 1.2 * needed + 17**3


def test_memory_does_not_grow_with_the_volume():
    field = ball((0.1, 0.1, 0.1), 0.06)
    extract(field, 16)  # makes the tables
    tracemalloc.start()
    extract(field, 512, start=16, split=32)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 512**3 / 8  # not even one bit for each point


def test_one_compilation_serves_all_chunks_resolutions_and_objects():
    traces = 0

    def evaluate(folded, point, number):
        nonlocal traces
        traces += 1
        return folded["radius"] - jnp.linalg.norm(point - folded["center"])

    bind = evaluator(evaluate, chunk=512)
    volumes = []
    for radius, resolution in ((0.2, 16), (0.3, 50), (0.4, 64)):
        folded = {"radius": jnp.float32(radius), "center": jnp.zeros(3)}
        volumes.append(check(extract(bind(folded), resolution, start=8, split=16).mesh).signed_volume)
    assert traces == 1
    np.testing.assert_allclose(volumes, [4 / 3 * np.pi * r**3 for r in (0.2, 0.3, 0.4)], rtol=0.1)


def several(centers, radii, chunk=4096):
    """Balls, one for each object."""
    centers, radii = np.asarray(centers, np.float64), np.asarray(radii, np.float64)
    calls = []

    def evaluate(points, owners):
        calls.append(owners)
        return radii[owners] - np.linalg.norm(points - centers[owners], axis=-1)

    return ChunkedField(evaluate, chunk, len(radii)), calls


def test_objects_extracted_at_once_are_what_each_is_alone():
    centers, radii = [(0.1, 0, 0), (0, 0, 0), (0.3, 0.3, 0.3), (-0.1, 0.2, 0)], [0.3, -1.0, 0.4, 0.05]
    together, calls = several(centers, radii)
    result = extract(together, 50, start=8, split=16)
    alone, calls_alone = [], 0
    for center, radius in zip(centers, radii, strict=True):
        field, made = several([center], [radius])
        alone.append(extract(field, 50, start=8, split=16))
        calls_alone += len(made)
    for mesh, count, one in zip(result.meshes, result.evaluated, alone, strict=True):
        np.testing.assert_array_equal(mesh.vertices, one.mesh.vertices)
        np.testing.assert_array_equal(mesh.faces, one.mesh.faces)
        np.testing.assert_array_equal(mesh.normals, one.mesh.normals)
        assert count == one.evaluated[0]
    assert len(calls) < 0.8 * calls_alone  # they share chunks
    assert any(len(np.unique(owners)) > 1 for owners in calls)
    with pytest.raises(ValueError, match="unpack"):
        _ = result.mesh


def test_the_size_of_chunks_changes_nothing():
    field = ball((0.1, 0, 0), 0.3)
    meshes = [extract(chunked(field, chunk), 40, start=8, split=16).mesh for chunk in (1, 777, 10**5)]
    for mesh in meshes[1:]:
        np.testing.assert_array_equal(mesh.vertices, meshes[0].vertices)
        np.testing.assert_array_equal(mesh.faces, meshes[0].faces)


def test_growth_follows_a_rod_that_the_coarse_lattice_sees_only_at_its_foot(dense, assert_same_mesh):
    foot = any_of(ball((0, -0.35, 0), 0.1), slab((0.006, 0.4, 0.006), (0.051, 0.05, 0.02)))
    mesh, reference = extract(foot, 128, start=8, split=16).mesh, dense(foot, 128)
    assert mesh.vertices[:, 1].max() > 0.44
    assert_same_mesh(mesh, reference)


def test_the_known_limit_a_small_component_between_coarse_nodes_is_missed_until_start_is_finer():
    speck = any_of(ball((0.2, 0, 0), 0.2), ball((-0.3 + 2 / 128, -0.3 + 2 / 128, -0.3), 0.012))
    coarse, fine = (check(extract(speck, 128, start=start, split=16).mesh) for start in (8, 128))
    assert (coarse.components, fine.components) == (1, 2)
    assert coarse.sound and fine.sound


def test_a_sheet_that_hides_between_coarse_nodes_is_found_by_the_fall_of_the_field_towards_it(
    monkeypatch, dense, assert_same_mesh
):
    """Between two planes of coarse nodes, each 3.5 cells away; the field falls by 8 over the next coarse cell."""
    middle = Lattice(128).points(np.array([66.5, 0, 0]))[0]  # coarse nodes are at -1, 7, ... 63, 71, ...
    sheet = slab((0.6 / 128, 0.3, 0.3), (middle, 0, 0))
    mesh, reference = extract(sheet, 128).mesh, dense(sheet, 128)
    assert_same_mesh(mesh, reference)
    monkeypatch.setattr(active_cells, "NEAR", 0.0)
    assert not len(extract(sheet, 128).mesh.faces)


def test_strides_halve_from_start_to_split_and_end_at_one():
    assert sparse.strides(256, 16, 64) == ([16, 8, 4], [1])
    assert sparse.strides(1024, 16, 64) == ([64, 32, 16], [4, 1])
    assert sparse.strides(1024, 16, 16) == ([64], [16, 4, 1])
    assert sparse.strides(64, 16, 64) == ([4, 2, 1], [])
    assert sparse.strides(16, 32, 8) == ([1], [])
    for resolution, start, split in itertools.product(range(16, 700, 13), (8, 32), (16, 64)):
        halved, followed = sparse.strides(resolution, start, split)
        assert [*halved, *followed][-1] == 1
        for stride, cells in ((halved[0], start), (halved[-1], max(start, split))):
            assert stride == 1 or cells / np.sqrt(2) <= resolution / stride <= cells * np.sqrt(2)


def test_seconds_cover_the_whole_call_by_the_callers_clock():
    clock = itertools.count().__next__
    seconds = extract(THING, 64, start=8, split=16, clock=clock).seconds
    assert set(seconds) == {"coarse", "refine", "grow", "march", "normals", "evaluate"}
    assert all(spent > 0 for spent in seconds.values())
    assert extract(THING, 64, start=8, split=16).seconds == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 1}, "resolution"),
        ({"resolution": 10**6}, "resolution"),
        ({"resolution": 32, "start": 1}, "coarse lattice"),
        ({"resolution": 32, "chunk": 0}, "chunk"),
    ],
)
def test_settings_out_of_range_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        extract(THING, **options)


def test_a_field_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="finite"):
        extract(lambda points: np.where(points[:, 0] > 0.4, np.nan, -1.0), 32)
