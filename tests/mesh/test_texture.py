"""A mesh of few faces with a texture looks as the fine mesh whose vertices it was made of, in the files, too."""

from __future__ import annotations

import dataclasses
import io
import sys

import numpy as np
import pytest
import trimesh
from scipy import ndimage
from scipy.spatial import cKDTree

from imfield_jax.mesh.export import Style, encode, export
from imfield_jax.mesh.layout import layout
from imfield_jax.mesh.raster import visible
from imfield_jax.mesh.texture import check_xatlas, textured
from imfield_jax.types import Mesh

pytest.importorskip("xatlas", reason="NO XATLAS: no texture was made")
SIZE = 256


def pattern(points):
    """A colour for each place in space, smooth."""
    return np.rint(127 + 120 * np.sin(points * (5, 6, 7) + 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def fine():
    ball = trimesh.creation.icosphere(5, radius=0.4)
    vertices = np.asarray(ball.vertices, np.float32)
    return Mesh(vertices, np.asarray(ball.faces, np.int32), colors=pattern(vertices))


@pytest.fixture(scope="module")
def few(fine):
    """320 faces, with colours of the vertices, too, and a number at each."""
    ball = trimesh.creation.icosphere(2, radius=0.4)
    vertices = np.asarray(ball.vertices, np.float32)
    plain = Mesh(vertices, np.asarray(ball.faces, np.int32), colors=pattern(vertices), seen=np.ones(162, np.float32))
    return textured(plain, fine, SIZE)


def looked_up(image, places):
    """The colours of an image at places to the right and up, as renderers interpolate them."""
    size = np.array(image.shape[1::-1])
    column, row = (places * (1, -1) + (0, 1)).T * size[:, None] - 0.5
    return np.stack(
        [
            ndimage.map_coordinates(channel, (row, column), order=1, mode="nearest")
            for channel in image.transpose(2, 0, 1)
        ],
        axis=1,
    )


def test_everywhere_on_a_face_the_texture_has_the_colour_of_the_fine_mesh_there(few, rng):
    """Corners included: beyond the edge of a chart, where interpolation reaches, no other colour shows."""
    weights = np.concatenate([rng.dirichlet((1, 1, 1), (20, len(few.faces))), np.eye(3)[:, None].repeat(320, axis=1)])
    points = np.einsum("nfk,fkc->nfc", weights, few.vertices[few.faces]).reshape(-1, 3)
    points *= 0.4 / np.linalg.norm(points, axis=1, keepdims=True)  # the fine mesh's, above the flat face
    places = np.einsum("nfk,fkc->nfc", weights, few.texture.corners).reshape(-1, 2)
    off = np.abs(looked_up(few.texture.image.astype(float), places) - pattern(points)).max(axis=1)
    assert np.median(off) < 5 and np.percentile(off, 99) < 25 and off.max() < 60


def test_charts_do_not_overlap_and_fill_much_of_the_square(few):
    (ax, ay), (bx, by) = np.moveaxis(few.texture.corners[:, 1:] - few.texture.corners[:, :1], 0, -1)
    areas = np.abs(ax * by - ay * bx) / 2
    pixels = len(visible(few.texture.corners * 1024, np.ones((320, 3)), 1024)[0])
    assert areas.min() > 0 and areas.sum() > 0.4 and abs(pixels / areas.sum() / 1024**2 - 1) < 0.01


def test_a_texture_is_a_function_of_the_meshes(few, fine):
    again = textured(few, fine, SIZE).texture
    np.testing.assert_array_equal(again.image, few.texture.image)
    np.testing.assert_array_equal(again.corners, few.texture.corners)


@pytest.mark.parametrize("normals", [False, True])
@pytest.mark.parametrize("kind", ["glb", "obj"])
def test_readers_of_the_files_find_the_colours_at_the_same_places(few, kind, normals, tmp_path):
    path = tmp_path / f"a ball.{kind}"
    export(few, path, Style(normals=normals))
    read = trimesh.load(path, force="mesh")
    material = read.visual.material
    image = material.baseColorTexture if kind == "glb" else material.image
    assert image.size == (SIZE, SIZE)
    centres = looked_up(np.asarray(image.convert("RGB"), float), read.visual.uv[read.faces].mean(axis=1))
    turn = layout(few, kind).turn
    points = read.triangles_center @ turn
    points *= 0.4 / np.linalg.norm(points, axis=1, keepdims=True)
    off = np.abs(centres - pattern(points)).max(axis=1)
    assert len(read.faces) == 320 and np.median(off) < 5 and off.max() < 40
    assert "color" not in read.visual.vertex_attributes  # they would be multiplied with the texture
    whole = read.copy()
    whole.merge_vertices(merge_tex=True, merge_norm=True)
    assert whole.is_watertight and len(whole.vertices) == 162


def test_an_obj_file_stays_whole(few):
    lines = encode(few, "obj", style=Style(material="a.mtl")).decode().splitlines()
    assert sum(line.startswith("v ") for line in lines) == 162
    corners = [line.split()[1:] for line in lines if line.startswith("f ")]
    found = np.array([[int(corner.split("/")[0]) - 1 for corner in face] for face in corners])
    np.testing.assert_array_equal(found, few.faces)


def test_glb_keeps_what_is_known_of_each_vertex(few, rng):
    numbers = rng.random(162, np.float32)
    read = trimesh.load(io.BytesIO(encode(dataclasses.replace(few, spread=numbers), "glb")), "glb", force="mesh")
    distance, nearest = cKDTree(layout(few, "glb").of(few).vertices).query(read.vertices)
    assert len(nearest) > 162 and distance.max() < 1e-6
    np.testing.assert_array_equal(read.vertex_attributes["_SPREAD"].ravel(), numbers[nearest])


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "xatlas", None)
    with pytest.raises(
        ValueError, match=r"textures need the package xatlas: pip install -e '.\[texture\]' \(not on ARM"
    ):
        check_xatlas()
