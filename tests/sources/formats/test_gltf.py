"""glTF files against the specification: containers, accessors, nodes, extensions and colours."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import DracoPy
import numpy as np
import pytest
import trimesh
from PIL import Image

from imfield_jax.sources import color as srgb
from imfield_jax.sources.formats.meshfile import load_scene

CASES = Path(__file__).parents[2] / "cases"
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
FACES = np.array([[0, 1, 2], [0, 2, 3]], np.uint16)
CODES = {"f4": 5126, "u1": 5121, "u2": 5123, "u4": 5125, "i1": 5120, "i2": 5122}
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


class Writer:
    """A glTF file of one square, which tests extend."""

    def __init__(self, material=None, mode=4, indices=FACES, **attributes):
        self.data = b""
        self.tree = {"asset": {"version": "2.0"}, "buffers": [{}], "bufferViews": [], "accessors": []}
        self.primitive = {"mode": mode, "attributes": {}}
        if indices is not None:
            self.primitive["indices"] = self.accessor(indices.reshape(-1, 1))
        for name, values in {"POSITION": SQUARE, **attributes}.items():
            self.primitive["attributes"][name] = self.accessor(values)
        if material is not None:
            self.tree["materials"] = [material]
            self.primitive["material"] = 0
        self.tree |= {"meshes": [{"primitives": [self.primitive]}], "nodes": [{"mesh": 0}], "scenes": [{"nodes": [0]}]}

    def view(self, contents, **more):
        self.data += b"\0" * (-len(self.data) % 4)
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(contents), **more}
        self.tree["bufferViews"].append(view)
        self.data += contents
        return len(self.tree["bufferViews"]) - 1

    def accessor(self, values, **more):
        kind = CODES[values.dtype.str[1:]]
        entry = {"bufferView": self.view(values.tobytes()), "componentType": kind, "count": len(values)}
        normalized = {"normalized": True} if values.dtype.kind in "ui" and values.shape[1] > 1 else {}
        self.tree["accessors"].append({**entry, "type": KINDS[values.shape[1]], **normalized, **more})
        return len(self.tree["accessors"]) - 1

    def image(self, pixels):
        """Adds a texture; returns a reference to it."""
        file = io.BytesIO()
        Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "png")
        images, textures = self.tree.setdefault("images", []), self.tree.setdefault("textures", [])
        images.append({"bufferView": self.view(file.getvalue()), "mimeType": "image/png"})
        textures.append({"source": len(images) - 1})
        return {"index": len(textures) - 1}

    def load(self, folder, text=False):
        self.tree["buffers"][0]["byteLength"] = len(self.data)
        if text:
            uri = "data:application/octet-stream;base64," + base64.b64encode(self.data).decode()
            self.tree["buffers"][0].setdefault("uri", uri)
            (folder / "a.gltf").write_text(json.dumps(self.tree))
            return load_scene(folder / "a.gltf")
        head, data = json.dumps(self.tree).encode(), self.data + b"\0" * (-len(self.data) % 4)
        head += b" " * (-len(head) % 4)
        chunks = [(b"JSON", head), (b"????", b"1234"), (b"BIN\0", data)]
        body = b"".join(len(part).to_bytes(4, "little") + name + part for name, part in chunks)
        contents = b"glTF" + (2).to_bytes(4, "little") + (12 + len(body)).to_bytes(4, "little") + body
        (folder / "a.glb").write_bytes(contents)
        return load_scene(folder / "a.glb")


def base(**values):
    return {"pbrMetallicRoughness": values}


def gradient(height=4, width=8):
    row, column = np.mgrid[:height, :width]
    return np.stack([row * 60, column * 30, 255 - row * 40, np.full_like(row, 255)], axis=-1).astype(np.uint8)


def corners(scene):
    vertices, faces = scene.soup()
    return np.sort(vertices[faces].reshape(-1, 3), axis=0)


# Containers and accessors --------------------------------------------------------------------------


def test_binary_text_and_separate_files_give_the_same(tmp_path):
    image = gradient()
    loaded = []
    for way in ("binary", "data uri", "beside"):
        writer = Writer(TEXCOORD_0=SQUARE[:, :2].copy())
        writer.tree["materials"] = [base(baseColorTexture=writer.image(image))]
        writer.primitive["material"] = 0
        if way == "beside":
            (tmp_path / "my data.bin").write_bytes(writer.data)
            writer.tree["buffers"][0]["uri"] = "my%20data.bin"
            Image.fromarray(image).save(tmp_path / "wood grain.png")
            writer.tree["images"] = [{"uri": "wood%20grain.png"}]
        loaded.append(writer.load(tmp_path, text=way != "binary").parts[0])
    for part in loaded:
        np.testing.assert_array_equal(part.vertices, SQUARE)
        np.testing.assert_array_equal(part.texture, image)
        np.testing.assert_allclose(part.uv, [[0, 1], [1, 1], [1, 0], [0, 0]])  # theirs starts at the top


def test_a_missing_buffer_file_is_named_and_not_reported_as_damage(tmp_path):
    writer = Writer()
    writer.tree["buffers"][0]["uri"] = "gone.bin"
    with pytest.raises(ValueError, match=r"a\.gltf: expected its data in 'gone\.bin'") as caught:
        writer.load(tmp_path, text=True)
    assert "damaged" not in str(caught.value)


def test_strips_fans_strides_sparse_and_unindexed_triangles(tmp_path):
    expected = corners(Writer().load(tmp_path))
    order = np.array([0, 1, 3, 2], np.uint8)
    strip, fan = Writer(mode=5, indices=order), Writer(mode=6, indices=np.arange(4, dtype=np.uint32))
    loose = Writer(indices=None)
    loose.primitive["attributes"]["POSITION"] = loose.accessor(SQUARE[FACES].reshape(-1, 3))
    strided = Writer()
    rows = np.concatenate([SQUARE, np.full((4, 2), 9, np.float32)], axis=1)
    strided.tree["accessors"][1]["bufferView"] = strided.view(rows.tobytes(), byteStride=20)
    sparse = Writer()
    entry = {
        "count": 4,
        "indices": {"bufferView": sparse.view(np.arange(4, dtype="u1").tobytes()), "componentType": 5121},
    }
    entry["values"] = {"bufferView": sparse.view(SQUARE.tobytes())}
    del sparse.tree["accessors"][1]["bufferView"]
    sparse.tree["accessors"][1]["sparse"] = entry
    for writer in (strip, fan, loose, strided, sparse):
        scene = writer.load(tmp_path)
        np.testing.assert_array_equal(np.unique(corners(scene), axis=0), np.unique(expected, axis=0))
        a, b, c = np.moveaxis(scene.soup()[0][scene.soup()[1]], 1, 0)
        np.testing.assert_allclose(np.cross(b - a, c - a), [[0, 0, 1]] * 2)


def test_nodes_rotate_scale_translate_and_reflect(tmp_path):
    writer = Writer()
    half = np.sqrt(0.5)
    writer.tree["nodes"] = [
        {"children": [1], "translation": [0, 0, 5]},
        {"mesh": 0, "rotation": [0, half, 0, half], "scale": [2, 3, -1]},
        {"mesh": 0},  # of no scene
    ]
    scene = writer.load(tmp_path)
    (part,) = scene.parts
    np.testing.assert_allclose(part.vertices, [[0, 0, 5], [0, 0, 3], [0, 3, 3], [0, 3, 5]], atol=1e-12)
    a, b, c = np.moveaxis(part.vertices[part.faces], 1, 0)
    np.testing.assert_allclose(np.cross(b - a, c - a) / 6, [[-1, 0, 0]] * 2, atol=1e-12)  # the reflection flipped z


def test_a_skin_is_placed_by_its_joints_and_not_by_its_node(tmp_path):
    half = np.sqrt(0.5)
    moved = np.eye(4, dtype=np.float32)
    moved[:3, 3] = [-1, 0, 0]  # in the bind pose the joint is at x = 1
    writer = Writer(JOINTS_0=np.full((4, 4), 1, np.uint8), WEIGHTS_0=np.array([[0.5, 0.5, 0, 0]] * 4, np.float32))
    writer.tree["accessors"][writer.primitive["attributes"]["JOINTS_0"]].pop("normalized")
    bind = writer.view(np.stack([np.eye(4, dtype=np.float32), moved.T]).tobytes())
    writer.tree["accessors"].append({"bufferView": bind, "componentType": 5126, "count": 2, "type": "MAT4"})
    writer.tree["skins"] = [{"joints": [1, 2], "inverseBindMatrices": len(writer.tree["accessors"]) - 1}]
    writer.tree["nodes"] = [
        {"mesh": 0, "skin": 0, "translation": [7, 7, 7]},
        {},
        {"translation": [1, 0, 0], "rotation": [0, 0, half, half]},
    ]
    writer.tree["scenes"] = [{"nodes": [0, 1, 2]}]
    vertices = writer.load(tmp_path).parts[0].vertices
    np.testing.assert_allclose(vertices, [[1, -1, 0], [1, 0, 0], [0, 0, 0], [0, -1, 0]], atol=1e-6)


@pytest.mark.parametrize("place", ["nodes", "meshes"])
def test_morph_targets_with_a_weight_move_the_vertices(place, tmp_path):
    writer = Writer()
    up = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 4], [0, 0, 4]], np.float32)
    writer.primitive["targets"] = [{"POSITION": writer.accessor(up)}, {"POSITION": writer.accessor(up)}]
    assert not writer.load(tmp_path).parts[0].vertices[:, 2].any()
    writer.tree[place][0]["weights"] = [0.5, 0]
    np.testing.assert_allclose(writer.load(tmp_path).parts[0].vertices[:, 2], [0, 0, 2, 2])


@pytest.mark.parametrize("required", [False, True])
def test_all_instances_are_read(required, tmp_path):
    writer = Writer()
    at = writer.accessor(np.array([[0, 0, 0], [5, 0, 0]], np.float32))
    scale = writer.accessor(np.array([[1, 1, 1], [2, 2, 2]], np.float32))
    name = "EXT_mesh_gpu_instancing"
    writer.tree["nodes"][0] |= {"translation": [0, 1, 0], "extensions": {name: {"attributes": {"TRANSLATION": at}}}}
    writer.tree["nodes"][0]["extensions"][name]["attributes"]["SCALE"] = scale
    writer.tree["extensionsRequired"] = [name] if required else []
    first, second = writer.load(tmp_path).parts
    np.testing.assert_allclose(first.vertices - [0, 1, 0], SQUARE)
    np.testing.assert_allclose(second.vertices - [5, 1, 0], 2 * SQUARE)


def test_hidden_nodes_and_primitives_without_positions_are_skipped(tmp_path):
    writer = Writer()
    hidden = {"KHR_node_visibility": {"visible": False}}
    writer.tree["nodes"] += [{"children": [2], "extensions": hidden}, {"mesh": 0}]
    writer.tree["scenes"] = [{"nodes": [0, 1]}]
    writer.tree["meshes"][0]["primitives"].append({"attributes": {"NORMAL": 0}})
    assert len(writer.load(tmp_path).parts) == 1


def test_only_the_faces_that_refer_to_missing_vertices_are_left_out(tmp_path):
    scene = Writer(indices=np.array([0, 1, 2, 0, 2, 4], np.uint16)).load(tmp_path)
    assert len(scene.parts[0].faces) == 1 and "1 triangles left out" in scene.warnings[0]


@pytest.mark.parametrize("end", [-1, -40, 30])
def test_a_truncated_file_is_reported_as_truncated(end, tmp_path):
    Writer().load(tmp_path)
    (tmp_path / "b.glb").write_bytes((tmp_path / "a.glb").read_bytes()[:end])
    with pytest.raises(ValueError, match=r"b\.glb: .*truncated: header declares"):
        load_scene(tmp_path / "b.glb")


# Unsupported features --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["EXT_meshopt_compression", "KHR_gaussian_splatting", "ACME_secret"])
def test_unsupported_required_extensions_are_named(name, tmp_path):
    writer = Writer()
    writer.tree["extensionsUsed"] = writer.tree["extensionsRequired"] = ["KHR_mesh_quantization", name]
    with pytest.raises(ValueError, match=f"requires the glTF extension {name}, not supported") as caught:
        writer.load(tmp_path)
    message = str(caught.value)
    assert message.startswith(str(tmp_path)) and "export it again" in message and "damaged" not in message
    writer.tree["extensionsRequired"] = []
    assert len(writer.load(tmp_path).parts[0].faces) == 2


def test_data_that_only_an_extension_can_read_are_not_read_without_it(tmp_path):
    """As written by meshopt with an optional extension but without data to fall back on."""
    writer = Writer()
    fallback = {"byteLength": 4096, "extensions": {"EXT_meshopt_compression": {"fallback": True}}}
    writer.tree["buffers"].append(fallback)
    writer.tree["bufferViews"][1]["buffer"] = 1
    with pytest.raises(ValueError, match="can only be read with EXT_meshopt_compression") as caught:
        writer.load(tmp_path)
    assert "damaged" not in str(caught.value)


def test_gltf_1_is_reported_by_its_version_and_not_as_damaged(tmp_path):
    writer = Writer()
    for version in ("1.0", "1.1"):
        writer.tree["asset"]["version"] = version
        with pytest.raises(ValueError, match=f"expected glTF 2.0, found glTF {version}; convert it") as caught:
            writer.load(tmp_path, text=True)
        assert "damaged" not in str(caught.value)
    (tmp_path / "old.glb").write_bytes(b"glTF" + bytes([1, 0, 0, 0]) + bytes(40))
    with pytest.raises(ValueError, match=r"found glTF 1\.0; convert it"):
        load_scene(tmp_path / "old.glb")


def test_draco_meshes_are_decompressed_or_named(tmp_path):
    ball = trimesh.creation.icosphere(subdivisions=2)
    writer = Writer()
    packed = DracoPy.encode(ball.vertices.astype(np.float32), ball.faces.astype(np.uint32), preserve_order=True)
    view = writer.view(packed)
    writer.primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": view, "attributes": {"POSITION": 0}}}
    writer.tree["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    (part,) = writer.load(tmp_path).parts
    np.testing.assert_allclose(part.vertices, ball.vertices, atol=1e-3)
    np.testing.assert_array_equal(part.faces, ball.faces)
    with pytest.raises(ValueError, match=r"draco\.glb: .*KHR_draco_mesh_compression.*export it again without"):
        load_scene(CASES / "draco.glb")


def test_unsupported_images_leave_the_color_and_a_warning(tmp_path):
    writer = Writer(TEXCOORD_0=SQUARE[:, :2].copy())
    reference = writer.image(gradient())
    writer.tree["materials"] = [base(baseColorTexture=reference, baseColorFactor=[1, 0, 0, 1])]
    writer.primitive["material"] = 0
    writer.tree["textures"] = [{"extensions": {"KHR_texture_basisu": {"source": 0}}}]
    writer.tree["extensionsRequired"] = ["KHR_texture_basisu"]
    scene = writer.load(tmp_path)
    assert scene.parts[0].texture is None and scene.parts[0].color == (1, 0, 0, 1)
    assert "KHR_texture_basisu" in scene.warnings[0]
    writer.tree["textures"][0]["source"] = 0  # a PNG to fall back on
    assert writer.load(tmp_path).parts[0].texture is not None


# Colours -----------------------------------------------------------------------------------------------


def test_the_transfer_functions_are_those_of_the_standard():
    np.testing.assert_allclose(srgb.linear(np.array([0, 0.04045, 0.5, 1])), [0, 0.0031308, 0.2140411, 1], rtol=1e-5)
    values = np.linspace(0, 1, 256)
    np.testing.assert_allclose(srgb.stored(srgb.linear(values)), values, atol=1e-7)
    np.testing.assert_array_equal([srgb.stored(np.ones(1)), srgb.linear(np.ones(1))], 1)


def test_factors_and_vertex_colors_are_linear(tmp_path):
    part = Writer(base(baseColorFactor=[0.2140411, 0.0005, 1, 1])).load(tmp_path).parts[0]
    np.testing.assert_allclose(part.color, [0.5, 12.92 * 0.0005, 1, 1], atol=1e-6)
    for values in (
        np.full((4, 3), 0.2140411, np.float32),
        np.full((4, 4), 14027, np.uint16),
        np.full((4, 3), 55, np.uint8),
    ):
        part = Writer(base(), COLOR_0=values).load(tmp_path).parts[0]
        np.testing.assert_allclose(part.colors, [[0.5, 0.5, 0.5, 1]] * 4, atol=4e-3)
        assert part.color == (1, 1, 1, 1)


def modes(alpha, cutoff=None):
    return {"alphaMode": alpha, **({} if cutoff is None else {"alphaCutoff": cutoff})}


@pytest.mark.parametrize(
    ("mode", "opacity", "texel", "expected"),
    [
        ({}, 0.2, 100, (1.0, 255)),
        (modes("OPAQUE"), 0.0, 0, (1.0, 255)),
        (modes("BLEND"), 0.2, 100, (0.2, 100)),
        (modes("MASK"), 1.0, 127, (1.0, 0)),
        (modes("MASK"), 1.0, 128, (1.0, 255)),
        (modes("MASK"), 0.5, 200, (1.0, 0)),
        (modes("MASK", 0.1), 1.0, 30, (1.0, 255)),
        (modes("MASK", 0.9), 1.0, 200, (1.0, 0)),
    ],
)
def test_alpha_is_used_according_to_the_mode(mode, opacity, texel, expected, tmp_path):
    writer = Writer({}, TEXCOORD_0=SQUARE[:, :2].copy())
    image = np.full((2, 2, 4), texel)
    writer.tree["materials"] = [mode | base(baseColorFactor=[1, 1, 1, opacity], baseColorTexture=writer.image(image))]
    (part,) = writer.load(tmp_path).parts
    assert (round(part.color[3], 6), part.texture[0, 0, 3]) == expected


def test_emission_is_added_in_linear_light(tmp_path):
    glowing = {"emissiveFactor": [0.1, 0, 0]} | base(baseColorFactor=[0.2, 0.3, 0.4, 1])
    part = Writer(glowing).load(tmp_path).parts[0]
    np.testing.assert_allclose(srgb.linear(np.array(part.color[:3])), [0.3, 0.3, 0.4], atol=1e-6)
    writer = Writer({}, TEXCOORD_0=SQUARE[:, :2].copy())
    texture = writer.image(gradient())
    writer.tree["materials"] = [
        base(baseColorFactor=[0, 0, 0, 1]) | {"emissiveFactor": [1, 1, 1], "emissiveTexture": texture}
    ]
    part = writer.load(tmp_path).parts[0]  # as in models that should not be shaded
    assert np.abs(part.texture.astype(int) - gradient()).max() <= 1 and part.color == (1, 1, 1, 1)


def test_specular_glossiness_and_unlit_give_their_diffuse_color(tmp_path):
    gloss = {"extensions": {"KHR_materials_pbrSpecularGlossiness": {"diffuseFactor": [1, 0, 0.2140411, 1]}}}
    unlit = {"extensions": {"KHR_materials_unlit": {}}} | base(baseColorFactor=[1, 0, 0.2140411, 1])
    for material in (gloss, unlit):
        np.testing.assert_allclose(Writer(material).load(tmp_path).parts[0].color, [1, 0, 0.5, 1], atol=1e-6)


def test_a_texture_has_its_own_coordinates_and_a_transform(tmp_path):
    other = np.array([[0.5, 0], [1, 0], [1, 0.25], [0.5, 0.25]], np.float32)
    writer = Writer({}, TEXCOORD_0=SQUARE[:, :2].copy(), TEXCOORD_1=other)
    image = writer.image(gradient())
    writer.tree["materials"] = [base(baseColorTexture=image | {"texCoord": 1})]
    np.testing.assert_allclose(writer.load(tmp_path).parts[0].uv, other * [1, -1] + [0, 1])
    transform = {"offset": [0.1, 0.2], "rotation": np.pi / 2, "scale": [2, 3], "texCoord": 0}
    image["extensions"] = {"KHR_texture_transform": transform}
    writer.tree["materials"] = [base(baseColorTexture=image | {"texCoord": 1})]
    u, v = SQUARE[:, :2].T
    turned = np.stack([0.1 + 3 * v, 0.2 - 2 * u], axis=1)  # scaled, rotated counter-clockwise, moved; v points down
    np.testing.assert_allclose(writer.load(tmp_path).parts[0].uv, turned * [1, -1] + [0, 1], atol=1e-6)


def test_a_mesh_without_material_or_colors_is_grey(tmp_path):
    (part,) = Writer().load(tmp_path).parts
    assert part.color == (0.7, 0.7, 0.7, 1.0)
    assert Writer(COLOR_0=np.ones((4, 3), np.float32)).load(tmp_path).parts[0].color == (1, 1, 1, 1)


@pytest.mark.parametrize("kind", ["materials", "textures", "images"])
def test_a_reference_to_a_missing_entry_costs_only_that_entry(kind, tmp_path):
    writer = Writer()
    writer.tree["materials"] = [base(baseColorFactor=[1, 0, 0, 1], baseColorTexture=writer.image([[[9, 9, 9]]]))]
    writer.primitive["material"] = 0
    writer.tree[kind] = []
    scene = writer.load(tmp_path)
    assert scene.parts[0].texture is None
    assert scene.warnings == (f"textures left out: those of {kind} that are not in the file",)
