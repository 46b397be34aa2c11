"""Airplanes of FlightGear."""

from __future__ import annotations

import pickle
from collections import Counter

import pytest

from imfield_jax.sources import clusters, flightgear


def aircraft(root, name, size, nose=(-1, 0, 0)):
    """An AC3D arrow of the given proportions with an effect, padded to the size of a real file."""
    folder = root / "usr" / "AI" / "Aircraft" / name / "Models"
    folder.mkdir(parents=True)
    triangle = "SURF 0x20\nmat {}\nrefs 3\n0 0 0\n1 0 0\n2 0 0\nkids 0\n"
    corners = f"numvert 3\n{nose[0] * 3} {nose[1] * 3} {nose[2] * 3}\n0 {size} 0\n0 0 0\nnumsurf 1\n"
    text = 'AC3Db\nMATERIAL "m" rgb 1 1 1 trans 0\nMATERIAL "blur" rgb 1 1 1 trans 0.9\nOBJECT world\nkids 3\n'
    for part, material in (("fuselage", 0), ("PropDisc", 0), ("canopy", 1)):
        text += f'OBJECT poly\nname "{part}"\n{corners if part == "fuselage" else corners.replace("3 ", "9 ")}'
        text += triangle.format(material)
    (folder / f"{name}.ac").write_text(text + "\n" * flightgear.SMALLEST_FILE)
    (folder / "nav-light.ac").write_text(text + "\n" * flightgear.SMALLEST_FILE)
    (folder / "small.ac").write_text(text)


def test_flightgear_lists_airplanes_nose_first_without_effects(tmp_path, assert_front_is_minus_z):
    aircraft(tmp_path, "jet", 1)
    (shape,) = flightgear.shapes(tmp_path)
    assert shape.name == "airplane/jet-jet"
    assert "GPL-2+" in shape.credit
    scene = pickle.loads(pickle.dumps(shape)).load()
    assert len(scene.soup()[1]) == 1
    assert_front_is_minus_z(scene)


def test_flightgear_holds_out_whole_clusters_and_stores_them(tmp_path, monkeypatch):
    for i in range(12):
        aircraft(tmp_path, f"jet{i:02}", size=(0.2, 0.7, 1.4, 2.5, 5, 12)[i // 2])  # six pairs of exact copies
    shapes = flightgear.shapes(tmp_path)
    split = [shape.split for shape in shapes]
    assert split[0::2] == split[1::2]
    assert Counter(split) == {"train": 8, "validation": 2, "test": 2}, split
    monkeypatch.setattr(clusters, "chamfer_distances", None)  # nothing is computed the second time
    assert [shape.split for shape in flightgear.shapes(tmp_path)] == split


def test_flightgear_names_what_it_expected(tmp_path):
    with pytest.raises(ValueError, match="AI/Aircraft"):
        flightgear.shapes(tmp_path)
    with pytest.raises(ValueError, match="found 'boat'"):
        flightgear.shapes(tmp_path, "boat")
