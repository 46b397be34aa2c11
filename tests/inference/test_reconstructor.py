"""Pictures to meshes with a decoder whose field is known: a box that its latent moves along x."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest
import trimesh
from PIL import Image

from imfield_jax.framing import to_unit
from imfield_jax.inference import model as model_module
from imfield_jax.inference.model import DEFAULT, OBJECTS, run_weights, shipped_categories
from imfield_jax.inference.photo import Photo
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh.check import check
from imfield_jax.models.networks import Networks
from imfield_jax.models.weights import Weights, save_weights

pytestmark = pytest.mark.usefixtures("quick_compilation")

LATENT = 8  # and the layers of `box_decoder` are those of `tiny_preset`
HALF_SIDES = np.array([0.2, 0.1, 0.3])
LEAK = 0.02
# Three pairs of faces leak LEAK * -2 * half side each, which the face that a point is beyond has to make good.
GROWTH = 2 * LEAK * HALF_SIDES.sum() / (1 - LEAK)


def box_decoder() -> dict[str, np.ndarray]:
    """Units of layer 1: how far beyond each of the six faces; layer 2 adds them up; layer 3 turns the sign.

    The sum is made 1 larger, and 1 smaller again, so that layer 2 has no kink at the surface.
    """
    shapes = {1: (3 + LATENT, 16), 2: (16 + 3 + LATENT, 8), 3: (8, 1)}
    params = {f"layer_{n}_kernel": np.zeros(shape, np.float32) for n, shape in shapes.items()}
    params |= {f"layer_{n}_bias": np.zeros(shape[1], np.float32) for n, shape in shapes.items()}
    for axis, half_side in enumerate(HALF_SIDES):
        for unit, sign in ((2 * axis, 1), (2 * axis + 1, -1)):
            params["layer_1_kernel"][axis, unit] = sign
            params["layer_1_bias"][unit] = -half_side
            if axis == 0:  # the centre is at z[0] - 0.5
                params["layer_1_kernel"][3, unit] = -sign
                params["layer_1_bias"][unit] += sign * 0.5
    params["layer_2_kernel"][:6, 0] = 1
    params["layer_2_bias"][0] = 1
    params["layer_3_kernel"][0, 0] = -20
    params["layer_3_bias"][0] = 20
    return params


@pytest.fixture(scope="module")
def weights(tiny_preset, filled) -> Weights:
    networks = Networks(tiny_preset)
    params, batch_stats = filled(networks)
    return Weights(networks, {**params, "decoder": box_decoder()}, batch_stats, {"category": "box"})


@pytest.fixture(scope="module")
def model(weights):
    return Reconstructor(weights)


@pytest.fixture
def rgba(rng):
    image = np.zeros((90, 140, 4), np.uint8)
    image[20:70, 30:120, :3] = rng.integers(200, size=(50, 90, 3), dtype=np.uint8)
    image[20:70, 30:120, 3] = 255
    return image


def latent(center):
    return np.array([center + 0.5, *np.full(LATENT - 1, 0.5)], np.float32)


def assert_is_box(mesh, center):
    report = check(mesh)
    assert report.watertight and report.components == 1
    assert report.signed_volume > 0
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    np.testing.assert_allclose((low + high) / 2, [center, 0, 0], atol=2e-3)
    np.testing.assert_allclose((high - low) / 2, HALF_SIDES + GROWTH, atol=2e-3)


@pytest.mark.parametrize("center", [0.0, -0.15])
def test_the_field_of_the_latent_comes_out_in_its_place(model, center):
    assert_is_box(model.extract(latent(center), 64).mesh, center)


def test_how_sure_the_decoder_is_does_not_move_its_surface(model, weights):
    """Trained decoders leap from 0 to 1 within a cell; the surface must not come out in steps for it."""
    decoder = weights.params["decoder"]
    last = {name: 100 * value if name.startswith("layer_3") else value for name, value in decoder.items()}
    sure = Reconstructor(dataclasses.replace(weights, params={**weights.params, "decoder": last}))
    meshes = [one.extract(latent(0.03), 48).mesh for one in (model, sure)]
    np.testing.assert_array_equal(meshes[0].faces, meshes[1].faces)
    np.testing.assert_allclose(meshes[0].vertices, meshes[1].vertices, atol=1e-5)


def test_the_field_is_that_of_the_unfolded_network(model, weights, rng):
    points = rng.uniform(-0.5, 0.5, (50, 3)).astype(np.float32)
    z = rng.uniform(0, 1, LATENT).astype(np.float32)
    logits = jax.jit(weights.networks.logits)(weights.params, z[None], points[None])[0]
    np.testing.assert_allclose(model.field(z)(points), logits, rtol=1e-4, atol=1e-5)


def test_an_image_goes_through_encoder_and_decoder(model, weights, rgba, tmp_path):
    Image.fromarray(rgba).save(tmp_path / "image.png")
    mesh = model.mesh(tmp_path / "image.png", resolution=32)
    np.testing.assert_array_equal(model.mesh(rgba, resolution=32).vertices, mesh.vertices)
    # What the encoder is shown here is what it is shown in training.
    view = to_unit(model.view(rgba)[None])
    z = jax.jit(weights.networks.encode_views)(weights.params, weights.batch_stats, view)
    np.testing.assert_allclose(model.encode_views(view), z, rtol=1e-4)
    np.testing.assert_array_equal(model.extract(model.encode_views(view)[0], 32).mesh.vertices, mesh.vertices)
    assert_is_box(mesh, float(z[0, 0]) - 0.5)


def test_meshes_take_the_options_of_extraction_and_images_that_were_read(model, rgba, tmp_path):
    z = model.encode_views(to_unit(model.view(rgba)[None]))[0]
    options = {"refinement_iterations": 0, "floaters": "keep", "bridge_gap": 0.0}
    expected = model.extract(z, 32, **options).mesh
    np.testing.assert_array_equal(model.mesh(Photo(rgba, []), 32, **options).vertices, expected.vertices)
    assert not np.array_equal(model.mesh(rgba, 32).vertices, expected.vertices)  # refined


def test_a_picture_may_be_a_file_its_contents_an_image_or_pixels(model, rgba, tmp_path):
    path = tmp_path / "my box.png"
    Image.fromarray(rgba).save(path)
    expected = model(path, 32)
    with Image.open(path) as image:
        for picture in (str(path), path.read_bytes(), image, rgba, Photo(rgba, [])):
            made = model(picture, resolution=32)
            np.testing.assert_array_equal(made.mesh.vertices, expected.mesh.vertices)
            assert made.name == ("my box" if isinstance(picture, str) else "image")


def test_a_result_is_all_that_is_known_about_the_picture(model, rgba, tmp_path):
    made = model(rgba, 32, max_faces=100)
    np.testing.assert_array_equal(made.view, model.view(rgba))
    np.testing.assert_array_equal(made.latent, model.encode_views(to_unit(made.view)[None])[0])
    assert made.report.sound and made.report.faces == len(made.mesh.faces) <= 100
    assert made.trimesh.is_watertight and made.trimesh.volume == pytest.approx(made.report.signed_volume, rel=1e-4)
    assert made.field(np.array([[made.latent[0] - 0.5, 0, 0]], np.float32)) > 0  # the middle of the box
    assert made.camera is None and made.cutout is None
    made.save(tmp_path / "box.stl", size_mm=30)
    assert trimesh.load_mesh(tmp_path / "box.stl").extents.max() == pytest.approx(30, rel=1e-4)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((40, 40, 4), np.uint8), "the image: .*transparent"),
        (np.zeros((40, 40, 2), np.uint8), r"expected an image as a file or .*, found uint8 \[40, 40, 2\]"),
        (np.zeros((40, 40, 4)), r"found float64 \[40, 40, 4\]"),
        (np.zeros((4, 4, 4), np.uint8), "the image has 4 x 4 pixels: each side needs 16 or more"),
        (Image.new("RGB", (4000, 20)), "the image has 4000 x 20 pixels: a strip"),
        (b"", r"the image is empty \(0 bytes\)"),
        (b"GIF89a of nothing", "the image is (not an image|damaged)"),
    ],
    ids=["transparent", "two channels", "floats", "tiny", "strip", "empty", "damaged"],
)
def test_a_picture_that_cannot_be_used_is_one_line(model, picture, message, unchecked):
    with pytest.raises(ValueError, match=message) as caught:
        model(picture, 32)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("resolution", [64.0, "64", None])
def test_a_resolution_that_is_no_integer_is_one_line(model, rgba, resolution, unchecked):
    with pytest.raises(TypeError, match=f"resolution: expected a whole number of cells per axis, found {resolution!r}"):
        model.mesh(rgba, resolution=resolution)


def test_scribbles_on_what_is_cut_out_already_are_refused(model):
    rgba = np.full((40, 40, 4), 255, np.uint8)
    with pytest.raises(ValueError, match="a Photo is cut out already"):
        model(Photo(rgba, []), 32, scribbles=rgba)


def test_unknown_ways_with_floaters_are_refused(model):
    with pytest.raises(ValueError, match="floaters: expected remove or keep, found 'hide'"):
        model.extract(latent(0.0), 32, floaters="hide")


def test_voxels_are_encoded_as_in_training(model, weights, rng):
    voxels = rng.integers(2, size=(2, 64, 64, 64), dtype=np.uint8)
    expected = jax.jit(weights.networks.encode_voxels)(weights.params, voxels)
    np.testing.assert_allclose(model.encode_voxels(voxels), expected, rtol=1e-4)


def test_one_compilation_serves_all_objects_and_resolutions(weights):
    model = Reconstructor(weights)
    for center, resolution in ((0.0, 16), (0.1, 16), (0.1, 48)):
        model.extract(latent(center), resolution)
    compiled = model.field(latent(0.0)).evaluate.func
    assert model.field(latent(0.1)).evaluate.func is compiled
    assert compiled._cache_size() == 1


def test_latents_extracted_at_once_are_what_each_is_alone(model):
    latents = np.stack([latent(center) for center in (0.0, -0.15, 0.1)])
    together = model.extract(latents, 32)
    for z, mesh in zip(latents, together.meshes, strict=True):
        alone = model.extract(z, 32).mesh
        np.testing.assert_array_equal(mesh.faces, alone.faces)
        np.testing.assert_allclose(mesh.vertices, alone.vertices, atol=1e-6)
    with pytest.raises(ValueError, match=f"expected 1 to {OBJECTS} latents, found {OBJECTS + 1}"):
        model.field(np.repeat(latents[:1], OBJECTS + 1, axis=0))


def test_fast_fields_are_near_the_exact_ones_and_not_the_same(model, weights, rng):
    fast = Reconstructor(weights, precision="fast")
    points = rng.uniform(-0.5, 0.5, (500, 3)).astype(np.float32)
    values, exact = fast.field(latent(0.0))(points), model.field(latent(0.0))(points)
    assert 0 < np.abs(values - exact).max() < 0.05 * np.abs(exact).max()
    assert_is_box(fast.extract(latent(0.0), 64).mesh, 0.0)
    with pytest.raises(ValueError, match="precision: expected exact or fast, found 'half'"):
        Reconstructor(weights, precision="half")


def test_certified_meshes_are_the_plain_ones_where_nothing_was_missed(model):
    plain, certified = (model.extract(latent(0.05), 40, certify=certify) for certify in (False, True))
    np.testing.assert_array_equal(plain.mesh.faces, certified.mesh.faces)
    np.testing.assert_allclose(plain.mesh.vertices, certified.mesh.vertices, atol=1e-6)
    assert plain.certificate is None and certified.certificate.empty > 0.1
    with pytest.raises(ValueError, match="bounds need precision exact, found fast"):
        Reconstructor(model.weights, precision="fast").extract(latent(0.05), 40, certify=True)


def test_normals_of_the_field_are_those_of_the_box(model):
    """Away from its edges; each of two objects has its own."""
    latents = np.stack([latent(0.0), latent(-0.15)])
    for mesh, center in zip(model.extract(latents, 64, field_normals=True).meshes, (0.0, -0.15), strict=True):
        towards = (mesh.vertices - np.float32([center, 0, 0])) / (HALF_SIDES + GROWTH).astype(np.float32)
        flat = np.sort(np.abs(towards), axis=1)[:, 1] < 0.8
        faces = np.sign(towards) * (np.abs(towards) == np.abs(towards).max(axis=1, keepdims=True))
        assert flat.mean() > 0.3
        np.testing.assert_allclose(mesh.normals[flat], faces[flat], atol=1e-3)


def test_a_run_folder_is_read_and_one_without_weights_is_refused(weights, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"weights\.npz does not exist: expected the folder of a training run"):
        Reconstructor.of_run(tmp_path)
    save_weights(run_weights_path := tmp_path / "weights.npz", weights)
    assert run_weights(tmp_path) == run_weights_path
    assert Reconstructor.of_run(tmp_path).weights.about == {"category": "box"}


def test_categories_are_those_that_have_weights(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(model_module, "SHIPPED", tmp_path)
    for category in ("chair", "box", DEFAULT):
        save_weights(tmp_path / f"{category}.npz", weights)
    assert shipped_categories() == [DEFAULT, "box", "chair"]
    assert_is_box(Reconstructor.shipped("box").extract(latent(0.0), 32).mesh, 0.0)
    with pytest.raises(
        ValueError, match="no weights for category 'sofa' come with this package, only for any, box, chair"
    ):
        Reconstructor.shipped("sofa")
