"""Print checks of solids whose measures are known, and of each fault by itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import trimesh

from imfield_jax import fields
from imfield_jax.extraction.sparse import extract
from imfield_jax.mesh.print_check import PrintCheck, print_check
from imfield_jax.mesh.thickness import walls
from imfield_jax.types import Mesh


def box(extents, center=(0, 0, 0), divided: int = 2) -> trimesh.Trimesh:
    """In the cube: width along x, height along y."""
    made = trimesh.creation.box(extents)
    made.apply_translation(center)
    for _ in range(divided):
        made = made.subdivide()
    return made


def mesh_of(*solids: trimesh.Trimesh) -> Mesh:
    whole = trimesh.util.concatenate(list(solids))
    return Mesh(np.array(whole.vertices, np.float32), np.array(whole.faces, np.int32))


def faults_of(checked: PrintCheck) -> dict[str, str]:
    """Sentence -> FAIL or advice, of all that is not as it should be."""
    return {text: verdict for verdict, text in checked.lines() if verdict in ("FAIL", "advice")}


def faults(mesh: Mesh) -> dict[str, str]:
    return faults_of(print_check(mesh, 100))


def test_a_box_passes_and_has_its_measures():
    checked = print_check(mesh_of(box((0.5, 0.2, 0.4), (0.1, 0.2, 0.3))), 50)
    assert checked.passed and not faults(mesh_of(box((0.5, 0.2, 0.4))))
    np.testing.assert_allclose(checked.size, (50, 40, 20), rtol=1e-5)
    assert checked.volume == pytest.approx(50 * 40 * 20, rel=1e-5)
    assert checked.area == pytest.approx(2 * (50 * 40 + 50 * 20 + 40 * 20), rel=1e-5)
    np.testing.assert_allclose(checked.center_of_mass, (0, 0, 10), atol=1e-3)
    assert checked.smallest_wall == pytest.approx(20, rel=0.1) and checked.overhang == 0 and checked.stands


def test_every_fault_and_only_it_is_found():
    good = mesh_of(box((0.5, 0.5, 0.5)))
    opened = faults(dataclasses.replace(good, faces=good.faces[1:]))
    assert [text for text, verdict in opened.items() if verdict == "FAIL"] == ["open: 3 edges have one face"]
    assert ("faces point inward, or enclose nothing", "FAIL") in faults(
        dataclasses.replace(good, faces=good.faces[:, ::-1])
    ).items()
    crossing = faults(mesh_of(box((0.5, 0.5, 0.5)), box((0.3, 0.5, 0.2), (0.13, 0, 0.21))))
    assert any(text.endswith("pairs of faces cross") and verdict == "FAIL" for text, verdict in crossing.items())
    touching = mesh_of(box((0.2, 0.2, 0.2), divided=0), box((0.2, 0.2, 0.2), (0.2, 0.2, 0), divided=0))  # at an edge
    assert any(text.startswith("not manifold") for text in faults(touching))


def test_advice_leaves_the_surface_without_fault():
    cases = {
        "2 separate pieces": mesh_of(box((0.3, 0.3, 0.3)), box((0.3, 0.3, 0.3), (0.4, 0, 0))),
        "1 closed cavities": extract(lambda points: 0.05 - abs(fields.sphere(0.35)(points)), 32).mesh,
        "walls down to 0.": mesh_of(box((0.8, 0.8, 0.005), divided=4)),
        "tips over": mesh_of(trimesh.boolean.union([box((0.1, 0.5, 0.1)), box((0.5, 0.1, 0.1), (0.2, 0.2, 0))])),
    }
    for sentence, mesh in cases.items():
        checked = print_check(mesh)
        found = faults_of(checked)
        assert checked.passed and any(text.startswith(sentence) for text in found), sentence
        assert set(found.values()) == {"advice"}


def test_overhangs_are_shares_of_the_surface_that_lean_out():
    """Of a mushroom, the underside of the cap overhangs; of a pyramid nothing, of one on its tip its four sides."""
    mushroom = mesh_of(trimesh.boolean.union([box((0.1, 0.4, 0.1)), box((0.5, 0.1, 0.5), (0, 0.25, 0))]))
    checked = print_check(mushroom)
    size = 100 / 0.5  # mm per unit
    assert checked.overhang * checked.area == pytest.approx((0.5**2 - 0.1**2) * size**2, rel=1e-3)
    points = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1], [0, 0.5, 0]]) * 0.3
    pyramid = trimesh.convex.convex_hull(points)
    assert print_check(mesh_of(pyramid)).overhang == 0
    pyramid.apply_transform(np.diag([1, -1, -1, 1]))
    upside_down = print_check(mesh_of(pyramid))
    assert (
        upside_down.overhang == pytest.approx(np.sqrt(1.25) / (1 + np.sqrt(1.25)), rel=0.01) and not upside_down.stands
    )


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (fields.box((0.4, 0.02, 0.3)), 0.04),
        (fields.sphere(0.3), 0.6),
        (fields.torus(0.3, 0.05), 0.1),
        (lambda points: 0.05 - abs(fields.sphere(0.35)(points)), 0.1),
    ],
    ids=["slab", "ball", "ring", "shell"],
)
def test_walls_are_as_thick_as_they_are(field, expected, rng):
    found = walls(extract(field, 96).mesh, rng, balls=1000)
    assert len(found) > 200
    assert np.quantile(found, 0.01) > 0.9 * expected and found.max() < 1.02 * expected


def test_a_size_scales_what_has_a_length():
    mesh = extract(fields.torus(0.3, 0.05), 48).mesh
    small, large = print_check(mesh, 50), print_check(mesh, 100)
    assert large.volume == pytest.approx(8 * small.volume, rel=1e-4)
    assert large.smallest_wall == pytest.approx(2 * small.smallest_wall, rel=1e-3)
    assert large.overhang == pytest.approx(small.overhang, abs=0.05)  # the lowest layer is a larger part of it


def test_nothing_cannot_be_printed():
    with pytest.raises(ValueError, match="nothing to print"):
        print_check(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
