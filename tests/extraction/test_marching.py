"""Marching cubes against what it must be: closed, welded, outward, and where scikit-image puts it."""

from __future__ import annotations

import collections
import itertools

import numpy as np
import pytest
from skimage import measure

from imfield_jax.coordinates import grid_points, index_to_point
from imfield_jax.extraction import cubes, marching
from imfield_jax.extraction.lattice import CORNERS, Lattice
from imfield_jax.extraction.marching import march
from imfield_jax.mesh.check import check


def march_grid(grid):
    """Dense marching cubes of a [R]*3 float32 grid, every cell of the lattice looked at."""
    lattice, padded = Lattice(len(grid)), np.pad(grid, 1, constant_values=-np.inf)
    last = len(padded) - 1
    values = np.stack([padded[tuple(slice(c, last + c) for c in corner)] for corner in CORNERS], axis=-1)
    inside = values > 0
    active = inside.any(axis=-1) & ~inside.all(axis=-1)
    (mesh,) = march(lattice, lattice.keys(np.argwhere(active) - 1), values[active])
    return mesh


def directed_edges(faces):
    """How often each directed edge is used, counted one by one."""
    return collections.Counter((face[i], face[(i + 1) % 3]) for face in faces.tolist() for i in range(3))


def assert_closed_manifold(mesh):
    """Every edge has exactly two faces, in opposite directions."""
    edges = directed_edges(mesh.faces)
    assert set(edges.values()) <= {1}
    assert all((end, start) in edges for start, end in edges)


def ball(resolution, radius=0.35, center=(0.02, -0.03, 0.05)):
    return radius - np.linalg.norm(grid_points(resolution) - np.float32(center), axis=-1)


def ring(resolution):
    points = grid_points(resolution)
    return 0.11 - np.hypot(np.hypot(points[..., 0], points[..., 2]) - 0.28, points[..., 1])


def rows(array):
    """The rows of an array in lexicographic order."""
    return array[np.lexsort(array.T)]


def test_all_256_cases_close_around_their_own_corners():
    for case in range(1, 256):
        grid = np.array([(case >> corner & 1) - 0.5 for corner in range(8)], np.float32).reshape(2, 2, 2)
        mesh = march_grid(grid)
        assert_closed_manifold(mesh)
        assert check(mesh).signed_volume > 0


def test_neighbours_draw_the_same_segments_on_their_common_face_in_opposite_directions():
    table, counts = cubes.triangle_table()
    middles = CORNERS[cubes.EDGE_STARTS] + 0.5 * np.eye(3)[cubes.EDGE_AXES]

    def segments(case, axis, side):
        """Unpaired directed edges of the case's triangles on one face, in the face's own plane."""
        edges = directed_edges(table[case, : counts[case]])
        unpaired = [middles[list(edge)] for edge in edges if edge[::-1] not in edges]
        on_face = [np.delete(ends, axis, axis=1) for ends in unpaired if (ends[:, axis] == side).all()]
        return {tuple(map(tuple, ends)) for ends in on_face}

    for axis, case in itertools.product(range(3), range(256)):
        near = [case >> corner & 1 for corner in range(8) if CORNERS[corner, axis]]
        for fill in (0, 1):  # the neighbour's four other corners: all out, all in
            pattern = iter(near)
            neighbour = sum((fill if CORNERS[c, axis] else next(pattern)) << c for c in range(8))
            reverse = {(end, start) for start, end in segments(neighbour, axis, 0)}
            assert segments(case, axis, 1) == reverse


def test_no_diagonal_lies_on_a_face_of_the_cell():
    for case in range(256):
        for loop in cubes.loops(case):
            sides = {frozenset((loop[i - 1], loop[i])) for i in range(len(loop))}
            pairs = (itertools.combinations(triangle, 2) for triangle in cubes.triangulate(loop))
            diagonals = set(map(frozenset, itertools.chain(*pairs))) - sides
            assert len(diagonals) == len(loop) - 3
            assert not any(cubes.on_one_face(*diagonal) for diagonal in diagonals)


def test_every_cut_edge_of_a_case_is_used_by_exactly_one_loop():
    for case in range(256):
        bits = [case >> corner & 1 for corner in range(8)]
        ends = zip(cubes.EDGE_STARTS, cubes.AXIS_CORNERS[cubes.EDGE_AXES], strict=True)
        cut = [edge for edge, (start, step) in enumerate(ends) if bits[start] != bits[start + step]]
        assert sorted(itertools.chain(*cubes.loops(case))) == cut


@pytest.mark.parametrize("filled", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_noise_with_every_ambiguity_gives_a_closed_manifold(filled, rng):
    size = 1e-6 + rng.uniform(size=(14, 14, 14)).astype(np.float32)
    grid = np.where(rng.uniform(size=size.shape) < filled, size, -size)
    mesh = march_grid(grid)
    assert_closed_manifold(mesh)
    report = check(mesh)
    assert report.unused_vertices == report.degenerate_faces == 0
    assert report.signed_volume > 0


def test_noise_has_one_vertex_for_each_cut_edge_where_the_values_say(rng):
    grid = rng.normal(size=(9, 9, 9)).astype(np.float32)
    padded, expected = np.pad(grid, 1, constant_values=np.nan).astype(np.float64), []
    for index in np.ndindex(padded.shape):
        for axis in range(3):
            end = tuple(index + np.eye(3, dtype=int)[axis])
            if max(end) < len(padded) and (padded[index] > 0) != (padded[end] > 0):
                fraction = -padded[index] / (padded[end] - padded[index])
                fraction = 0.5 if np.isnan(fraction) else fraction  # the border of the cube
                expected.append(index + np.clip(fraction, 1e-4, 1 - 1e-4) * np.eye(3)[axis] - 1)
    expected = index_to_point(np.array(expected), 9).astype(np.float32)
    np.testing.assert_allclose(rows(march_grid(grid).vertices), rows(expected), atol=1e-6)


@pytest.mark.parametrize("shape", [ball, ring])
def test_smooth_shapes_agree_with_scikit_image(shape):
    resolution = 30
    grid = shape(resolution)
    mesh = march_grid(grid)
    vertices, faces, _, _ = measure.marching_cubes(grid.astype(np.float64), 0.0, gradient_direction="ascent")
    theirs = index_to_point(vertices, resolution).astype(np.float32)
    assert len(mesh.vertices) == len(theirs)
    order = [np.lexsort(np.round(array * 1e4).T) for array in (mesh.vertices, theirs)]
    np.testing.assert_allclose(mesh.vertices[order[0]], theirs[order[1]], atol=1e-5)
    ours, other = check(mesh), check(type(mesh)(theirs, faces.astype(np.int32)))
    assert ours.euler == other.euler == (2 if shape is ball else 0)
    # The same polygons on every face of the lattice, cut along other diagonals inside the cells.
    assert ours.signed_volume == pytest.approx(other.signed_volume, rel=2e-3)


def test_values_of_zero_count_as_outside_and_leave_no_coinciding_vertices(rng):
    grid = rng.choice(np.float32([-1, 0, 1]), size=(10, 10, 10))
    mesh = march_grid(grid)
    assert_closed_manifold(mesh)
    assert len(np.unique(mesh.vertices, axis=0)) == len(mesh.vertices)
    solid = march_grid(np.where(grid > 0, 1, -1).astype(np.float32))
    np.testing.assert_array_equal(mesh.faces, solid.faces)


def test_a_case_has_bit_c_for_corner_c():
    for corner in range(8):
        values = np.zeros((1, 8), np.float32)
        values[0, corner] = 1
        assert marching.cases(values) == [1 << corner]


def test_no_cells_give_an_empty_mesh():
    (mesh,) = march(Lattice(16), np.zeros(0, np.int64), np.zeros((0, 8), np.float32))
    assert mesh.vertices.shape == mesh.faces.shape == (0, 3)
    assert (mesh.vertices.dtype, mesh.faces.dtype) == (np.float32, np.int32)
