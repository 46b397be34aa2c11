"""3MF: components, transforms, colours, print supports and package names."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import trimesh

from imfield_jax.sources.formats.meshfile import load_scene
from imfield_jax.sources.scene import GREY

BOX = trimesh.creation.box(bounds=[[5, -3, 1], [8, 0, 3]])


def test_3mf_has_components_transforms_and_colors(tmp_path):
    vertices, triangles = BOX.vertices, BOX.faces
    points = "".join(f'<vertex x="{x}" y="{y}" z="{z}"/>' for x, y, z in vertices)
    faces = "".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in triangles)
    core = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
    model = f"""<model unit="millimeter" xmlns="{core}"><resources>
<basematerials id="5"><base name="Küche" displaycolor="#FF0000"/>
<base name="b" displaycolor="#0000FF80"/></basematerials>
<object id="1" pid="5" pindex="0"><mesh><vertices>{points}</vertices><triangles>{faces}
<triangle v1="0" v2="1" v3="{len(vertices)}" pid="5" p1="1"/><triangle v1="0" v2="1" v3="4" pid="5" p1="1"/>
</triangles>
</mesh></object>
<object id="2"><components><component objectid="1"/>
<component objectid="1" transform="-2 0 0 0 1 0 0 0 1 10 0 0"/></components></object>
</resources><build><item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 0 7"/></build></model>"""
    with zipfile.ZipFile(tmp_path / "a.3mf", "w") as archive:
        archive.writestr("_rels/.rels", '<R><R Target="/3D/a.model" Type="http://x/3dmodel"/></R>')
        archive.writestr("3D/a.model", model)
    first, second = load_scene(tmp_path / "a.3mf").parts
    np.testing.assert_allclose(first.vertices.min(axis=0), [5, -3, 8])
    np.testing.assert_allclose(second.vertices.max(axis=0)[0], 10 - 2 * 5)
    assert sorted({tuple(np.round(color, 2).tolist()) for color in first.colors}) == [(0, 0, 1, 0.5), (1, 0, 0, 1)]
    outward = [part.faces[:-1] for part in (first, second)]
    volumes = []
    for part, rows in zip((first, second), outward, strict=True):
        a, b, c = np.moveaxis((part.vertices - part.vertices.mean(axis=0))[rows], 1, 0)
        volumes.append(np.einsum("nd,nd->", a, np.cross(b, c)))
    assert volumes[1] == pytest.approx(2 * volumes[0])  # the reflection has not turned it inside out
    assert "1 of" in load_scene(tmp_path / "a.3mf").warnings[0]


def threemf(folder, resources="", item="", triangle="", kind="model", name="3D/a.model", target="/3D/a.model"):
    """A 3MF file of one triangle, with the additions of a test."""
    corners = "".join(f'<vertex x="{x}" y="{y}" z="0"/>' for x, y in ((0, 0), (1, 0), (0, 1)))
    face = f'<triangle v1="0" v2="1" v3="2" {triangle}/>'
    mesh = f"<mesh><vertices>{corners}</vertices><triangles>{face}</triangles></mesh>"
    spaces = 'xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02" xmlns:m="urn:m"'
    with zipfile.ZipFile(folder / "a.3mf", "w") as file:
        file.writestr("_rels/.rels", f'<a><Relationship Type="x/3dmodel" Target="{target}"/></a>')
        objects = f'<object id="1">{mesh}</object><object id="2" type="{kind}">{mesh}</object>'
        build = f'<build><item objectid="1"/>{item}</build>'
        file.writestr(name, f"<model {spaces}><resources>{resources}{objects}</resources>{build}</model>")
    return folder / "a.3mf"


@pytest.mark.parametrize(("kind", "parts"), [("model", 2), ("other", 2), ("support", 1), ("solidsupport", 1)])
def test_print_supports_of_a_3mf_file_are_left_out(kind, parts, tmp_path):
    scene = load_scene(threemf(tmp_path, item='<item objectid="2"/>', kind=kind))
    assert len(scene.parts) == parts
    assert scene.warnings == (() if parts == 2 else ("supports of the print left out: 1",))


def test_the_model_of_a_3mf_file_may_have_any_name(tmp_path):
    path = threemf(tmp_path, name="3D/my Küche.model", target="/3D/my%20K%C3%BCche.model")
    assert len(load_scene(path).soup()[1]) == 1


@pytest.mark.parametrize(
    ("group", "triangle", "color"),
    [
        ('<m:color color="#FF000080"/>', 'pid="5" p1="0"', (1, 0, 0, 128 / 255)),
        ('<m:color color="red"/>', 'pid="5" p1="0"', GREY),
        ('<m:color color="#FF"/>', 'pid="5" p1="0"', GREY),
        ('<m:color color="#FF0000"/>', 'pid="5" p1="1"', GREY),
        ('<m:color color="#FF0000"/>', 'pid="6" p1="0"', GREY),
    ],
)
def test_an_invalid_color_of_a_3mf_file_costs_only_the_color(group, triangle, color, tmp_path):
    path = threemf(tmp_path, f'<m:colorgroup id="5">{group}</m:colorgroup>', triangle=triangle)
    (part,) = load_scene(path).parts
    colors = np.tile(part.color, (3, 1)) if part.colors is None else part.colors
    np.testing.assert_allclose(colors, [color] * 3, rtol=1e-6)


@pytest.mark.parametrize(
    ("changes", "found"),
    [({"item": '<item objectid="7"/>'}, "refers to object 7"), ({"name": "3D/b.model"}, "refers to '3d/a.model'")],
)
def test_missing_entries_of_a_3mf_file_are_named(changes, found, tmp_path):
    with pytest.raises(ValueError, match=f"a.3mf: .*{found}"):
        load_scene(threemf(tmp_path, **changes))
