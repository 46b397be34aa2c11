"""Colours in views: a flat colour, texture or vertex colours give the same image; products are in linear light."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import trimesh
from PIL import Image

from imfield_jax.camera import Camera
from imfield_jax.preparation.rendering import diagonal, render_views
from imfield_jax.preparation.rendering.surface import surface_of
from imfield_jax.preparation.rendering.texture import prepared, sample
from imfield_jax.sources import color as srgb
from imfield_jax.sources.formats.meshfile import load_scene
from imfield_jax.sources.scene import Part, Scene, place

WHITE = (1.0, 1.0, 1.0, 1.0)
HUES = [(0.5, 0.5, 0.5), (0.8, 0.1, 0.02), (0.0, 0.3, 1.0), (0.05, 0.04, 0.06)]


def drawn(scene):
    scene, _ = place(scene, 0.9)
    return render_views(scene, [Camera(0.7, 0.45, 1.5 * diagonal(scene), 0.86)])[0].astype(int)


def ball(color=WHITE, texel=None, shade=None):
    mesh = trimesh.creation.icosphere(subdivisions=2)
    vertices, count = np.asarray(mesh.vertices), len(mesh.vertices)
    return Part(
        vertices,
        np.asarray(mesh.faces, np.int64),
        color,
        None if texel is None else vertices[:, :2].astype(np.float32),
        None if texel is None else np.broadcast_to(np.rint(255 * np.array(texel)), (4, 4, 4)).astype(np.uint8),
        None if shade is None else np.broadcast_to(np.array(shade, np.float32), (count, 4)),
    )


@pytest.mark.parametrize("hue", HUES)
def test_a_flat_color_looks_like_a_texture_and_like_vertex_colors_of_it(hue):
    flat = drawn(Scene((ball((*hue, 1.0)),)))
    for part in (ball(texel=(*hue, 1)), ball(shade=(*hue, 1)), ball((*hue, 1.0), texel=WHITE, shade=WHITE)):
        assert np.abs(drawn(Scene((part,))) - flat).max() <= 2


@pytest.mark.parametrize("first", HUES)
@pytest.mark.parametrize("second", HUES)
def test_colors_from_all_attributes_are_multiplied_in_linear_light(first, second):
    product = srgb.product(np.array(first), np.array(second))
    flat = drawn(Scene((ball((*product, 1.0)),)))
    for part in (
        ball((*first, 1.0), texel=(*second, 1)),
        ball((*first, 1.0), shade=(*second, 1)),
        ball(texel=(*first, 1), shade=(*second, 1)),
    ):
        assert np.abs(drawn(Scene((part,))) - flat).max() <= 3


@pytest.mark.parametrize("hue", HUES)
def test_a_factor_of_gltf_looks_like_a_texture_of_the_same_light(hue, tmp_path):
    """A regression: the linear factor was treated as sRGB, so flat models were too dark."""
    texel = np.rint(255 * np.array(hue)).astype(np.uint8)
    mesh = trimesh.creation.icosphere(subdivisions=2)
    views = []
    for texture in (None, Image.new("RGB", (4, 4), tuple(texel.tolist()))):
        material = trimesh.visual.material.PBRMaterial(baseColorFactor=[255] * 4, baseColorTexture=texture)
        mesh.visual = trimesh.visual.TextureVisuals(uv=mesh.vertices[:, :2], material=material)
        factor = [1, 1, 1, 1] if texture else [*srgb.linear(texel / 255).tolist(), 1]

        def with_factor(tree, factor=factor):
            tree["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"] = factor

        contents = trimesh.exchange.gltf.export_glb(mesh.scene(), tree_postprocessor=with_factor)
        (tmp_path / "a.glb").write_bytes(contents)
        views.append(drawn(load_scene(tmp_path / "a.glb")))
    assert np.abs(views[1] - views[0]).max() <= 2


def test_vertex_colors_appear_at_their_vertices_and_are_interpolated(tmp_path):
    """A PLY, red on the left and blue on the right: not one averaged colour, nor white."""
    mesh = trimesh.creation.box()
    mesh.visual.vertex_colors = np.where(mesh.vertices[:, :1] < 0, [255, 0, 0, 255], [0, 0, 255, 255])
    for suffix in ("ply", "obj", "off", "glb"):
        path = tmp_path / f"box.{suffix}"
        mesh.export(path)
        if suffix == "off":
            rows = path.read_text().splitlines()
            colors = mesh.visual.vertex_colors
            points = [f"{row} {' '.join(map(str, color))}" for row, color in zip(rows[2:10], colors, strict=True)]
            path.write_text("\n".join(["COFF", rows[1], *points, *rows[10:]]))
        scene, _ = place(load_scene(path), 0.9)
        assert scene.parts[0].color == WHITE  # which is what vertex colours multiply
        view = render_views(scene, [Camera(0.0, 0.0, 2.0, 0.86)])[0].astype(int)
        seen = view[68][view[68, :, 3] > 200]  # from the front, -z: +x is on the left
        assert seen[2, 2] > 2 * seen[2, 0] and seen[-3, 0] > 2 * seen[-3, 2]
        assert (np.diff(seen[:, 0]) >= -1).all() and seen[:, 1].max() <= 1


def test_translucent_vertex_colors_show_the_background():
    front = ball(shade=(1, 0, 0, 0.5))
    behind = dataclasses.replace(ball((0.0, 0.0, 1.0, 1.0)), vertices=0.5 * ball().vertices)
    view = drawn(Scene((front, behind)))
    assert view[68, 68, 2] > 30 and view[68, 68, 0] > 30


def test_parts_that_share_a_texture_keep_their_own_colors():
    texture = np.full((2, 2, 4), 255, np.uint8)
    parts = [dataclasses.replace(ball((*hue, 1.0), texel=WHITE), texture=texture) for hue in HUES]
    apart = (dataclasses.replace(part, vertices=part.vertices + 3 * i) for i, part in enumerate(parts))
    surface = surface_of(Scene(tuple(apart)))
    assert len(surface.textures) == len(HUES)
    for hue in HUES:
        assert any(np.abs(texels[0, 0, :3] / 255 - hue).max() < 0.01 for texels in surface.textures)


def test_a_tint_preserves_alpha_and_is_premultiplied():
    texture = np.array([[[200, 100, 50, 255], [255, 255, 255, 0]]], np.uint8)
    texel = sample(prepared(texture, (0.5, 0.5, 0.5)), np.array([[0.25, 0.5]]))[0]
    np.testing.assert_allclose(texel[:3], srgb.product(texture[0, 0, :3] / 255, np.full(3, 0.5)), atol=0.01)
    assert texel[3] == 1
