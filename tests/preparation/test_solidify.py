"""Solidification: exact where "inside" is unambiguous, and nearly so for corrupted copies of the same mesh."""

from __future__ import annotations

import igl
import numpy as np
import pytest
import trimesh
from scipy import ndimage

from imfield_jax.coordinates import grid_points
from imfield_jax.mesh.soup import first_copies
from imfield_jax.preparation.solidify import solidify, visibility
from imfield_jax.preparation.solidify.depth_maps import agreement
from imfield_jax.preparation.solidify.enclosed import enclosed_by
from imfield_jax.preparation.solidify.hidden import exposed, hidden, look
from imfield_jax.preparation.solidify.regions import filled, region_sizes, without_small
from imfield_jax.preparation.solidify.report import diagnose, warnings_about
from imfield_jax.preparation.solidify.topology import closed_patches, volumes, weld, without_boundary
from imfield_jax.preparation.solidify.voxelise import grown, shrunk, surface_voxels
from imfield_jax.preparation.solidify.winding import winding_grid
from imfield_jax.sources.scene import Part, Scene


def arrays(mesh):
    return np.array(mesh.vertices), np.array(mesh.faces, np.int64)


def box(sides, centre=(0.0, 0.0, 0.0), cuts=0):
    mesh = trimesh.creation.box(sides)
    for _ in range(cuts):
        mesh = mesh.subdivide()
    return mesh.vertices + np.array(centre), np.array(mesh.faces, np.int64)


def ball(radius, centre=(0.0, 0.0, 0.0), inside_out=False):
    vertices, faces = arrays(trimesh.creation.icosphere(3, radius))
    return vertices + np.array(centre), faces[:, ::-1] if inside_out else faces


def scene(*soups):
    return Scene(tuple(Part(vertices, faces) for vertices, faces in soups))


def joined(*soups):
    return Scene(tuple(Part(*soup) for soup in soups)).soup()


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def winding_by_solid_angles(vertices, faces, resolution):
    points = grid_points(resolution).reshape(-1, 3).astype(np.float64)
    return igl.winding_number(vertices, faces, points).reshape((resolution,) * 3)


def tilted(soup, seed):
    vertices, faces = soup
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return vertices @ (turn * np.sign(np.linalg.det(turn))).T, faces


CLOSED = {
    "ball": ball(0.41),
    "torus": tilted(arrays(trimesh.creation.torus(0.3, 0.11)), 0),
    "overlapping": joined(tilted(box((0.7, 0.2, 0.3)), 1), ball(0.2, (0.1, 0, 0)), ball(0.05, (0.1, 0, 0))),
    "sliver": tilted(box((0.6, 0.5, 0.04)), 2),
}


@pytest.mark.parametrize("name", CLOSED)
def test_column_crossings_equal_the_solid_angle_formula(name):
    vertices, faces = CLOSED[name]
    expected = winding_by_solid_angles(vertices, faces, 32)
    np.testing.assert_array_equal(winding_grid(vertices, faces, 32), np.rint(expected))


def test_rays_through_vertices_and_edges_are_counted_once():
    """Every vertex and edge of this octahedron lies on voxel centres; triangulation must not matter."""
    resolution, reach = 16, 5
    centre = (7 + 0.5) / resolution - 0.5
    corners = np.concatenate([np.eye(3), -np.eye(3)]) * reach / resolution + centre
    mesh = trimesh.convex.convex_hull(corners)
    distance = np.abs(np.indices((resolution,) * 3) - 7).sum(axis=0)
    for cut in (mesh, mesh.subdivide(), mesh.subdivide().subdivide()):
        winding = winding_grid(*arrays(cut), resolution)
        assert set(np.unique(winding)) == {0, 1}
        assert (winding[distance < reach] == 1).all() and (winding[distance > reach] == 0).all()
    shuffled = arrays(mesh)[1][::-1, [1, 2, 0]]
    np.testing.assert_array_equal(winding_grid(corners_of(mesh), shuffled, resolution), winding_grid(*arrays(mesh), 16))


def corners_of(mesh):
    return np.array(mesh.vertices)


def test_boxes_with_faces_on_voxel_centres_tile_space():
    """Each centre on a shared face belongs to exactly one of two neighbours: a half-open rule on all axes."""
    edges = (np.array([2, 7, 13]) + 0.5) / 16 - 0.5
    total = np.zeros((16,) * 3, int)
    for x in range(2):
        for y in range(2):
            for z in range(2):
                low, high = edges[[x, y, z]], edges[[x + 1, y + 1, z + 1]]
                total += winding_grid(*box(high - low, (low + high) / 2), 16)
    assert total.sum() == 11**3 and total.max() == 1


def test_volume_is_exact_to_within_the_voxel_shell():
    for soup, volume, area in (
        (ball(0.4), 4 / 3 * np.pi * 0.4**3, 4 * np.pi * 0.4**2),
        (tilted(box((0.5, 0.4, 0.3)), 3), 0.06, 0.94),
    ):
        solid = solidify(scene(soup), 128)
        assert solid.diagnostics["path"] == "exact"
        assert solid.diagnostics["warnings"] == []
        assert abs(solid.occupancy.mean() - volume) < 0.1 * area / 128 + 0.01 * volume


def test_ball_is_where_it_should_be():
    centre = np.array([0.1, -0.15, 0.05])
    occupancy = solidify(scene(ball(0.3, centre)), 64).occupancy
    distance = np.linalg.norm(grid_points(64) - centre, axis=-1)
    assert occupancy[distance < 0.29].all() and not occupancy[distance > 0.3].any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_moving_and_mirroring_the_mesh_moves_and_mirrors_the_solid(axis):
    vertices, faces = tilted(joined(box((0.5, 0.2, 0.2)), ball(0.15, (0.2, 0.1, 0))), 4)
    solid = solidify(scene((vertices, faces)), 64).occupancy
    moved = solidify(scene((vertices + 3 / 64 * np.eye(3)[axis], faces)), 64).occupancy
    np.testing.assert_array_equal(moved, np.roll(solid, 3, axis))
    mirrored = vertices * np.where(np.arange(3) == axis, -1, 1)
    for winding in (faces, faces[:, ::-1]):  # inside out, robust path; outward, exact path
        np.testing.assert_array_equal(solidify(scene((mirrored, winding)), 64).occupancy, np.flip(solid, axis))


def chair():
    legs = [box((0.06, 0.4, 0.06), (x, -0.2, z), cuts=2) for x in (-0.21, 0.21) for z in (-0.21, 0.21)]
    return joined(box((0.5, 0.06, 0.5), cuts=3), box((0.5, 0.45, 0.06), (0, 0.225, 0.22), cuts=3), *legs)


def spoilt(soup, how):
    rng = np.random.default_rng(7)
    vertices, faces = soup
    if how in ("flipped", "all"):
        faces = np.where((rng.random(len(faces)) < 0.3)[:, None], faces[:, ::-1], faces)
    if how in ("holes", "all"):
        faces = faces[rng.random(len(faces)) > 0.02]
    if how == "soup":
        vertices = vertices[faces].reshape(-1, 3) + rng.normal(size=(3 * len(faces), 3)) * 2e-4
        faces = np.arange(len(vertices)).reshape(-1, 3)
    if how in ("doubled", "all"):
        faces = np.concatenate([faces, faces[:, ::-1]])
    if how == "inside out":
        faces = faces[:, ::-1]
    return vertices, faces


@pytest.fixture(scope="module")
def clean_chair():
    return solidify(scene(chair()), 128)


@pytest.mark.parametrize("how", ["flipped", "holes", "doubled", "inside out", "soup", "all"])
def test_spoilt_twins_give_the_solid_of_the_clean_mesh(clean_chair, how):
    solid = solidify(scene(spoilt(chair(), how)), 128)
    assert solid.diagnostics["path"] == "robust"
    assert solid.diagnostics["path_reason"]
    assert iou(solid.occupancy, clean_chair.occupancy) >= 0.98
    assert solid.diagnostics["component_count"] == 1


def test_robust_path_is_deterministic():
    twin = scene(spoilt(chair(), "holes"))
    first, again = solidify(twin, 32), solidify(twin, 32)
    np.testing.assert_array_equal(first.occupancy, again.occupancy)
    assert first.diagnostics == again.diagnostics


def test_both_paths_agree_on_a_closed_mesh():
    soup = tilted(joined(box((0.6, 0.3, 0.3), cuts=3), ball(0.2, (0.3, 0, 0))), 5)
    exact = solidify(scene(soup), 128)
    robust = solidify(scene(spoilt(soup, "holes")), 128)
    assert (exact.diagnostics["path"], robust.diagnostics["path"]) == ("exact", "robust")
    assert iou(exact.occupancy, robust.occupancy) > 0.985


def test_nested_and_overlapping_bodies_are_a_union():
    solid = solidify(scene(ball(0.4), ball(0.2), box((0.9, 0.1, 0.1))), 64)
    assert solid.diagnostics["path"] == "exact"
    union = solidify(scene(ball(0.4)), 64).occupancy | solidify(scene(box((0.9, 0.1, 0.1))), 64).occupancy
    np.testing.assert_array_equal(solid.occupancy, union)


def test_sealed_cavities_are_solid():
    """A hollow ball, and a cabinet of six boards: nothing outside shows that they are hollow."""
    hollow = solidify(scene(ball(0.4), ball(0.3, inside_out=True)), 64).occupancy
    np.testing.assert_array_equal(hollow, solidify(scene(ball(0.4)), 64).occupancy)
    boards = [
        box(np.where(np.arange(3) == axis, 0.06, 0.66), 0.3 * side * np.eye(3)[axis])
        for axis in range(3)
        for side in (-1, 1)
    ]
    cabinet = solidify(scene(*boards), 64)
    assert cabinet.diagnostics["path"] == "exact"
    assert cabinet.occupancy[32, 32, 32]


def test_walls_between_adjacent_bodies_are_not_sheets():
    low = box((0.3, 0.3, 0.3), (0, -0.15, 0))
    high = low[0] * [1, -1, 1], low[1][:, ::-1]
    solid = solidify(scene(low, high), 64)
    assert solid.diagnostics["path"] == "exact" and solid.diagnostics["duplicate_faces"] == 2
    np.testing.assert_array_equal(solid.occupancy, solidify(scene(box((0.3, 0.6, 0.3))), 64).occupancy)


def sheet(side, height):
    vertices = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) * side / 2 + np.array([0, height, 0])
    return vertices, np.array([[0, 2, 1], [0, 3, 2]])


def test_a_double_sided_sheet_next_to_closed_bodies_is_kept():
    vertices, faces = sheet(0.8, 0.31)
    doubled = vertices, np.concatenate([faces, faces[:, ::-1]])
    standing_alone = ball(0.2)
    touching = box((0.2, 0.2, 0.2), vertices[0] + 0.1 * np.array([1, -1, 1]))  # shares a corner with the sheet
    for body in (standing_alone, touching):
        solid = solidify(scene(body, doubled), 64)
        assert solid.diagnostics["path"] == "robust"
        assert solid.occupancy[10:54, 51, 10:54].all()


def test_an_open_sheet_is_one_voxel_thick():
    solid = solidify(scene(sheet(0.8, 0.31)), 64)
    assert solid.diagnostics["sheet_share"] == 1
    assert any("sheets" in warning for warning in solid.diagnostics["warnings"])
    np.testing.assert_array_equal(np.unique(np.nonzero(solid.occupancy)[1]), [51])


def test_a_rod_thinner_than_a_voxel_stays_in_one_piece():
    rod = tilted(box((0.8, 0.006, 0.006)), 6)
    solid = solidify(scene(rod), 64)
    assert solid.diagnostics["path"] == "exact"
    assert solid.diagnostics["component_count"] == 1
    assert solid.diagnostics["lost_surface_share"] == 0


def test_an_open_floor_is_closed_by_hidden_volume():
    """A car-like box with a hole in its floor: most of the interior is never visible."""
    vertices, faces = box((0.8, 0.4, 0.4), cuts=2)
    vertices, faces = weld(vertices, faces)
    floor = (vertices[faces][:, :, 1] < -0.199).all(axis=1)
    closed = solidify(scene((vertices, faces)), 64).occupancy
    small_hole = floor & (np.abs(vertices[faces].mean(axis=1)[:, [0, 2]]) < 0.1).all(axis=1)
    assert 0 < small_hole.sum() < floor.sum()
    assert iou(solidify(scene((vertices, faces[~small_hole])), 64).occupancy, closed) > 0.95


def test_hidden_volume_is_the_inside_of_a_closed_box():
    vertices, faces = box((0.5, 0.3, 0.4))
    everything = np.ones((32,) * 3, bool)
    sights = look(vertices, faces, 32)
    unseen = hidden(sights, everything)
    inside = winding_grid(vertices, faces, 32) > 0
    assert unseen[inside].all() and not unseen[~grown(grown(inside))].any()
    assert not exposed(sights, inside, 0.0).any() and not exposed(sights, ~inside, 1.0).any()
    above = np.zeros_like(inside)
    above[16, 20, 16] = True  # a point on the middle of a plate is visible from half of all directions
    sights = look(*box((0.95, 0.15, 0.95)), 32)
    assert exposed(sights, above, 0.4).any() and not exposed(sights, above, 0.6).any()


def test_a_winding_number_does_not_bulge_into_the_open():
    """Three sheets that face down have a winding number of 1.5 above them, where space is visible in all views."""
    vertices, faces = joined(*(sheet(0.9, height) for height in (0.0, -0.02, -0.04)))
    faces = faces[:, ::-1]
    middle = np.array([[0.0, 0.1, 0.0]])
    assert igl.winding_number(vertices, faces, middle) > 1
    nothing = np.zeros((64,) * 3, bool)
    assert not enclosed_by(vertices, faces, look(vertices, faces, 64), nothing)[:, 35:].any()
    assert enclosed_by(vertices, faces, [], nothing)[32, 35, 32]  # without views it would be solid


def test_invisible_space_is_solid_even_where_winding_numbers_are_outside():
    """A box without a floor and one side, both covered by closed slabs at the distance of a crack."""
    vertices, faces = box((0.5, 0.4, 0.5), (0.1, 0.1, 0))
    middles = vertices[faces].mean(axis=1)
    faces = faces[(middles[:, 1] > -0.09) & (middles[:, 0] > -0.14)]
    slabs = [box((0.9, 0.1, 0.9), (0, -0.16, 0)), box((0.1, 0.5, 0.9), (-0.21, 0.1, 0))]
    solid = solidify(scene((vertices, faces), *slabs), 64).occupancy
    assert solid[26:50, 29:50, 20:44].all()


def test_interior_faces_are_dropped_for_any_winding():
    inner = ball(0.15, inside_out=True)
    solid = solidify(scene(spoilt(box((0.7, 0.7, 0.7), cuts=3), "holes"), inner), 64)
    outer = solidify(scene(box((0.7, 0.7, 0.7))), 64)
    assert iou(solid.occupancy, outer.occupancy) > 0.97


def test_closed_meshes_take_the_exact_path_and_others_report_the_reason():
    vertices, faces = box((0.5, 0.5, 0.5))
    whole = solidify(scene((vertices, faces)), 32)
    assert whole.diagnostics["path"] == "exact" and whole.diagnostics["path_reason"] == ""
    assert whole.diagnostics["warnings"] == []
    broken = solidify(scene((vertices, faces[1:])), 32)
    assert broken.diagnostics["path"] == "robust" and "open" in broken.diagnostics["path_reason"]


def test_reaching_the_border_is_reported():
    for soup in (box((1.2, 0.2, 0.2)), box((1.0, 0.2, 0.2))):
        report = solidify(scene(soup), 32).diagnostics
        assert report["touches_border"] == 1
        assert any("border" in warning for warning in report["warnings"])


def test_a_solid_unlike_its_mesh_is_reported():
    vertices, faces = ball(0.4)
    wrong = winding_grid(*box((0.3, 0.3, 0.3)), 64) > 0
    figures = diagnose(vertices, faces, wrong) | {"sheet_share": 0.0}
    assert figures["silhouette_iou"] < 0.5
    assert any("look like" in warning for warning in warnings_about(figures))
    nothing = diagnose(vertices, faces, np.zeros((64,) * 3, bool)) | {"sheet_share": 0.0}
    assert warnings_about(nothing) == ["The solid is empty."]


def test_agreement_is_near_one_for_a_faithful_solid_and_detects_a_filled_bowl():
    vertices, faces = tilted(box((0.6, 0.4, 0.3)), 8)
    silhouette, depth = agreement(vertices, faces, winding_grid(vertices, faces, 128) > 0)
    assert silhouette > 0.98 and depth > 0.98
    bowl = joined(*(box((0.05, 0.5, 0.6), (x, 0, 0)) for x in (-0.3, 0.3)))
    filled_in = winding_grid(*box((0.65, 0.5, 0.6)), 128) > 0
    assert agreement(*bowl, filled_in)[1] < 0.9


def test_unusable_meshes_are_refused():
    vertices, faces = box((0.5, 0.5, 0.5))
    with pytest.raises(ValueError, match="no triangle"):
        solidify(scene((vertices * 0, faces)), 32)
    with pytest.raises(ValueError, match="no triangle"):
        solidify(Scene(()), 32)
    with pytest.raises(ValueError, match="finite"):
        solidify(scene((vertices * np.nan, faces)), 32)
    with pytest.raises(ValueError, match="place it"):
        solidify(scene((vertices * 1e5, faces)), 32)


def test_regions_are_those_of_scipy():
    rng = np.random.default_rng(0)
    for density in (0.1, 0.35, 0.7, 0.95):
        mask = rng.random((14, 11, 17)) < density
        np.testing.assert_array_equal(filled(mask), ndimage.binary_fill_holes(mask))
        labels, _ = ndimage.label(mask)
        sizes = np.bincount(labels.ravel())
        np.testing.assert_array_equal(region_sizes(mask), np.sort(sizes[1:])[::-1])
        np.testing.assert_array_equal(without_small(mask, 3), mask & (sizes[labels] >= 3))


def test_growing_is_a_maximum_filter_and_shrinking_its_dual():
    mask = np.random.default_rng(1).random((9, 9, 9)) < 0.3
    np.testing.assert_array_equal(grown(mask), ndimage.maximum_filter(mask, 3))
    np.testing.assert_array_equal(shrunk(~mask), ~grown(mask))


def test_surface_voxels_are_those_a_face_meets():
    vertices, faces = tilted(arrays(trimesh.creation.torus(0.3, 0.1, 12, 8)), 9)
    marked = surface_voxels(vertices, faces, 24)
    points, _ = trimesh.sample.sample_surface(trimesh.Trimesh(vertices, faces), 400_000, seed=0)
    met = np.zeros_like(marked)
    met[tuple(((points + 0.5) * 24).astype(int).T)] = True
    assert marked[met].all()  # no voxel is missed
    assert (marked & ~met).sum() < 0.05 * marked.sum()  # and hardly any is set unnecessarily
    square, *_ = igl.point_mesh_squared_distance(grid_points(24)[marked].astype(np.float64), vertices, faces)
    assert np.sqrt(square.max()) <= np.sqrt(3) / 2 / 24 + 1e-6


def test_closed_patches_turn_outward_and_open_ones_stay():
    vertices, faces = weld(*joined(spoilt(ball(0.2, (0.2, 0, 0)), "flipped"), sheet(0.3, -0.3)))
    turned, is_closed = closed_patches(vertices, faces)
    assert is_closed.sum() == len(faces) - 2
    np.testing.assert_array_equal(turned[~is_closed], faces[~is_closed])
    labels = np.zeros(is_closed.sum(), np.int64)
    assert without_boundary(turned[is_closed], labels)[0] and not without_boundary(faces[is_closed], labels)[0]
    assert volumes(vertices, turned[is_closed], labels)[0] > 0.9 * 4 / 3 * np.pi * 0.2**3


def test_copies_are_found_for_any_winding():
    faces = np.array([[0, 1, 2], [3, 4, 5], [2, 1, 0], [1, 2, 0], [3, 4, 6]])
    np.testing.assert_array_equal(first_copies(faces), [True, True, False, False, True])


def test_the_visibility_of_a_face_does_not_depend_on_the_number_tested_at_once(monkeypatch):
    vertices, faces = joined(ball(0.3), box((0.5, 0.1, 0.1)))
    found = []
    for at_once in (visibility._AT_ONCE, 1001):
        monkeypatch.setattr(visibility, "_AT_ONCE", at_once)
        rng = np.random.default_rng(0)
        found.append(visibility.face_visibility(vertices, faces, np.arange(len(faces)), rng))
    np.testing.assert_array_equal(*found)
