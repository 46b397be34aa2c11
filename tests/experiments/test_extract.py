"""Extraction as a user runs it, with a barely trained network, on good, bad and several images."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import pytest
import trimesh
from PIL import Image

from imfield_jax.files import locked
from imfield_jax.inference.learned_matte import shipped_matte
from imfield_jax.mesh.layout import PRINTED
from imfield_jax.sources.formats import binvox

RESOLUTION = "--resolution=32"
KINDS = ("glb", "obj", "stl", "ply", "3mf")


def cut_out(height, width):
    """A grey box on a transparent background."""
    image = np.zeros((height, width, 4), np.uint8)
    image[height // 4 : -height // 4, width // 4 : -width // 4] = (90, 120, 150, 255)
    return Image.fromarray(image)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder with two transparent images, one on a plain background, and a text file."""
    folder = tmp_path_factory.mktemp("images")
    cut_out(100, 160).save(folder / "2.png")
    cut_out(200, 120).save(folder / "10.webp", lossless=True)
    plain = Image.new("RGB", (120, 120), (230, 220, 210))
    plain.paste((60, 70, 80), (40, 40, 80, 90))
    plain.save(folder / "2-2.png")
    (folder / "notes.txt").write_text("not an image, and not named like one")
    return folder


@pytest.fixture(scope="module")
def extracted(straight_run, program, images, tmp_path_factory):
    """The output folder for `images` and one more image with a name that is in it already, and standard error."""
    more = tmp_path_factory.mktemp("more") / "2.png"
    cut_out(64, 64).save(more)
    out = tmp_path_factory.mktemp("out")
    flags = (f"--run={straight_run}", f"--out={out}", RESOLUTION, "--formats=glb,obj,stl,ply,3mf")
    done = program("extract", images, *flags, f"--image={more}")
    assert done.returncode == 0, done.stderr
    return out, done.stderr


def test_every_image_has_its_results(extracted):
    out, _ = extracted
    names = {"2-2", "2", "10", "2-3"}
    kinds = (*KINDS, "mtl", "input.png", "preview.png")
    results = {f"{n}.{kind}" for n in names for kind in kinds} | {"2-2.cutout.png"}  # whose background was removed
    assert {path.name for path in out.iterdir()} == results | {"manifest.json", ".lock", "meshes.contact.png"}
    for name in names:
        with Image.open(out / f"{name}.input.png") as view:
            assert view.size == (64, 64) and view.mode == "L"  # as the run was trained


def test_the_cut_out_is_the_object_alone(extracted, images):
    out, _ = extracted
    with Image.open(out / "2-2.cutout.png") as cutout, Image.open(images / "2-2.png") as image:
        pixels = np.asarray(cutout)
        np.testing.assert_array_equal(pixels[..., :3], np.asarray(image))
    inside = np.zeros((120, 120), bool)
    inside[40:90, 40:80] = True
    np.testing.assert_array_equal(pixels[..., 3] > 0, inside)


def test_a_matting_network_of_the_users_is_part_of_the_settings(straight_run, program, matting_network, tmp_path):
    """The network takes red for the object; its cut-out goes when the image is read without it."""
    pixels = np.random.default_rng(0).integers(0, 256, (96, 96, 3)).astype(np.uint8)
    pixels[..., 0] = 0
    pixels[30:60, 20:70] = (255, 0, 0)
    alpha = np.zeros((96, 96), np.uint8)
    alpha[25:65, 15:75] = 255
    Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "a.png")
    file = matting_network(tmp_path / "red.onnx", (96, 96))
    flags = (tmp_path / "a.png", f"--run={straight_run}", RESOLUTION, "--formats=stl", f"--out={tmp_path}/out")
    done = program("extract", *flags, f"--matte={file}", "--matte_mean=0.5,0.5,0.5", "--matte_std=0.1,0.1,0.1")
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "out" / "a.cutout.png") as cutout:
        np.testing.assert_array_equal(np.asarray(cutout)[..., 3] >= 128, pixels[..., 0] == 255)
    [result] = _results(tmp_path / "out")
    assert result["settings"]["matte"]["file"] == "red.onnx" and result["settings"]["matte"]["std"] == [0.1] * 3
    assert result["cutout"] == "a.cutout.png"
    # The right half is not wanted.
    marks = np.tile(np.uint8([0, 0, 0, 255]), (32, 32, 1))
    marks[:, :16] = 0
    Image.fromarray(marks).save(tmp_path / "s.png")
    done = program("extract", *flags, f"--matte={file}", f"--scribbles={tmp_path}/s.png")
    assert done.returncode == 0, done.stderr
    [result] = _results(tmp_path / "out")
    assert len(result["settings"]["matte"]["scribbles_sha256"]) == 64
    assert "the cut-out was corrected by hand" in result["notes"]
    assert program("extract", *flags).returncode == 0
    [result] = _results(tmp_path / "out")
    assert result["cutout"] is None and not (tmp_path / "out" / "a.cutout.png").exists()
    assert result["settings"]["matte"] == {"way": "auto", **shipped_matte().about}  # it cuts out what has a background


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--matte=magic"], "--matte: expected auto, alpha, border, model, a .npz or an .onnx file, found 'magic'"),
        (["--matte=none.onnx"], "none.onnx does not exist: expected an ONNX file"),
        (["--matte_mean=1,2,3"], "--matte_mean: it has no effect without --matte=FILE.onnx: leave it out"),
        (["--matte=a.onnx", "--matte_std=a,b,c"], "--matte_mean, --matte_std: expected three numbers each"),
        (["--matte=alpha", "--split=test"], "--matte: it has no effect on views of a dataset"),
        (["--scribbles=none.png"], "none.png does not exist: expected an image file"),
        (["--scribbles=a.png", "tests/cases"], "--scribbles: expected one image, the one that they are drawn on"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_matte_that_cannot_be_had_is_one_line(program, tmp_path, flags, message):
    done = program("extract", *flags, f"--out={tmp_path}")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: {message}")


def test_output_lines_have_no_log_prefix(extracted):
    out, log = extracted
    lines = log.splitlines()
    files = re.escape(f"{out}/2-2.")
    expected = rf"2-2: [\d,]+ vertices, [\d,]+ faces, watertight(, \d+ separate pieces)?, [\d.]+ s: {files}.*"
    lines = [line for line in lines if not line.startswith("warning: ")]
    assert re.fullmatch(expected, lines[0]), lines[0]
    assert lines[-2].startswith("4 meshes written: see ") and lines[-2].endswith("manifest.json")
    assert lines[-1] == f"all on one page: {out}/meshes.contact.png"
    assert not any(re.match(r"[IWE]\d{4} ", line) for line in lines)


def test_meshes_are_named_after_their_image(extracted):
    out, _ = extracted
    assert (out / "2-3.obj").read_text().startswith("o 2-3\n")
    scene = trimesh.load_scene(out / "2-3.glb")
    assert list(scene.geometry) == ["2-3"] and list(scene.graph.nodes_geometry) == ["2-3"]


def test_the_preview_shows_four_sides(extracted):
    out, _ = extracted
    with Image.open(out / "2.preview.png") as preview:
        assert preview.width == 4 * preview.height


def test_the_manifest_lists_the_result_of_every_image(extracted, images, straight_run):
    out, _ = extracted
    manifest = json.loads((out / "manifest.json").read_text())
    weights = (straight_run / "weights.npz").read_bytes()
    assert manifest["weights"]["sha256"] == hashlib.sha256(weights).hexdigest()
    assert (manifest["weights"]["category"], manifest["weights"]["stage"]) == ("box", "finetune")
    assert manifest["skipped"] == []
    results = manifest["results"]
    assert [result["name"] for result in results] == ["2-2", "2", "10", "2-3"]
    assert results[1]["image_sha256"] == hashlib.sha256((images / "2.png").read_bytes()).hexdigest()
    assert results[1]["image"] == str(images / "2.png")
    assert any("no transparency" in note for note in results[0]["notes"])
    for result in results:
        assert list(result["files"]) == [f"{result['name']}.{kind}" for kind in (*KINDS, "mtl")]
        for kind in KINDS:
            mesh = trimesh.load(out / f"{result['name']}.{kind}", force="mesh")
            assert len(mesh.faces) == result["faces"]
            if kind in PRINTED:  # in millimetres
                assert mesh.extents.max() == pytest.approx(100, rel=1e-4) and mesh.bounds[0, 2] == pytest.approx(0)
            else:
                assert mesh.volume == pytest.approx(result["volume"], rel=1e-3)
        assert result["watertight"] and result["outward"] and result["volume"] > 0
        assert result["settings"]["resolution"] == 32 and result["weights_sha256"] == manifest["weights"]["sha256"]
        assert result["left_out"].keys() == {"pieces", "volume", "length"} and result["bridges"] >= 0
        assert result["field_evaluations"] > 0 and result["seconds"]["total"] > 0


def test_a_split_of_a_dataset_is_a_source_of_images(straight_run, dataset, program, tmp_path):
    flags = (f"--run={straight_run}", f"--data={dataset}", "--split=train", "--count=2", RESOLUTION, "--formats=stl")
    flags += ("--refinement_iterations=2", "--floaters=keep", "--bridge_gap=0", "--certify", "--normals=field")
    done = program("extract", *flags, f"--out={tmp_path}")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for result in manifest["results"]:
        settings, certificate = result["settings"], result["certificate"]
        assert "matte" not in settings
        assert (settings["refinement_iterations"], settings["floaters"], settings["bridge_gap"]) == (2, "keep", 0)
        assert settings["field_normals"] and settings["certify"]
        assert certificate["boxes"] > 0
        left = 1 - certificate["empty"] - certificate["full"]
        on_lattice = result["field_evaluations"] - 2 * result["vertices"]  # each iteration evaluates at every vertex
        assert 0.8 * left * 32**3 <= on_lattice <= 32**3
    assert [result["name"] for result in manifest["results"]] == ["box_train0", "box_train1"]
    for key in (lambda result: result["notes"][0], lambda result: result["image"]):
        assert list(map(key, manifest["results"])) == ["view 0 of box/train0", "view 1 of box/train1"]


def bad_images(folder):
    """Writes bad images; file name -> the expected error."""
    Image.new("RGB", (64, 64), (200, 200, 200)).save(folder / "no_alpha.png")
    cut_out(8, 8).save(folder / "tiny.png")
    (folder / "empty.png").write_bytes(b"")
    cut_out(100, 100).save(folder / "corrupt.png")
    (folder / "corrupt.png").write_bytes((folder / "corrupt.png").read_bytes()[:150])
    (folder / "text.png").write_text("not an image")
    Image.new("RGBA", (90, 90)).save(folder / "transparent.png")
    return {
        "no_alpha.png": "photograph it in front of a plain background; the matting network sees no object",
        "tiny.png": "has 8 x 8 pixels: each side needs 16 or more",
        "empty.png": "is empty (0 bytes)",
        "corrupt.png": "found a damaged file",
        "text.png": "is not an image",
        "transparent.png": "is entirely transparent",
    }


def test_bad_images_get_a_line_each_and_good_ones_their_mesh(straight_run, program, tmp_path):
    expected = bad_images(tmp_path)
    cut_out(90, 90).save(tmp_path / "good.png")
    out = tmp_path / "out"
    done = program("extract", f"--run={straight_run}", f"--image={tmp_path}", f"--out={out}", RESOLUTION)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    skipped = re.findall(r"^skipped: (.*)", done.stderr, re.MULTILINE)
    assert len(skipped) == len(expected)
    for name, message in expected.items():
        [line] = [line for line in skipped if f"/{name}" in line]
        assert message in line
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["skipped"] == skipped
    assert [result["name"] for result in manifest["results"]] == ["good"]
    assert "good: " in done.stderr
    lines = done.stderr.splitlines()
    assert lines[-7].startswith("1 mesh written, 6 images skipped: see ")
    assert lines[-6:] == [f"skipped: {reason}" for reason in skipped]


def test_two_runs_do_not_write_to_one_folder(straight_run, program, images, tmp_path):
    with locked(tmp_path / ".lock", "free"):
        refused = program("extract", images / "2.png", f"--run={straight_run}", f"--out={tmp_path}", RESOLUTION)
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("error: another process is writing meshes to")
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_single_bad_image_ends_with_its_error(straight_run, program, tmp_path):
    name = "corrupt.png"
    message = bad_images(tmp_path)[name]
    done = program("extract", f"--run={straight_run}", f"--image={tmp_path / name}", f"--out={tmp_path / 'out'}")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ") and name in last and message in last


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run=/nowhere"], "/nowhere/weights.npz does not exist: expected the folder of a training run"),
        (["--category=car", "--camera"], "--camera: the networks of .* predict no camera"),
        (["--camera", "--formats=obj"], "--camera: it has no effect without the format glb"),
        (["--formats=obj,fbx"], "--formats: expected some of .*, found 'obj,fbx'"),
        (["--voxel_resolution=32"], "--voxel_resolution: it has no effect without the format binvox or npy"),
        (["--formats=npy", "--size_mm=80"], "--size_mm: it has no effect on voxels: name a format of meshes, too"),
        (["--lods=2000,5000"], "--lods: expected falling numbers of faces from 100 to below --max_faces"),
        (["--lods=5000", "--max_faces=5000"], "--lods: expected falling numbers .* found 5000"),
        (["--lods=many"], "--lods: expected falling numbers .* found many"),
        (["--size_mm=0"], "flag --size_mm=0"),
        (["--texture=256"], "--texture: it has no effect without --color"),
        (
            ["--color", "--texture=256", "--formats=ply"],
            "--texture: it has no effect without one of the formats glb, obj",
        ),
        (["--color", "--formats=stl,3mf"], "--color: it has no effect without one of the formats glb, obj, ply"),
        (["--category=sofa"], "no weights for category 'sofa' come with this package"),
        (["--image=a.png", "--split=test"], "images and --split both choose what to reconstruct"),
        (["--run=runs/car", "--category=car"], "--run and --category each choose the weights"),
        (["--weights=absent.npz"], "--weights: absent.npz does not exist"),
        (["--out="], "--out=: expected a value, found none"),
        (["--out=setup.cfg"], "--out: setup.cfg is a file, expected a folder"),
        (["--nosuch=1"], "Unknown command line flag 'nosuch'"),
        (["--resolution=high"], "flag --resolution=high: invalid literal"),
        (["no, such.png"], "no, such.png does not exist"),
        (["--certify", "--precision=fast"], "--certify: only exact fields can be certified"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(program, flags, message):
    done = program("extract", *flags)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert re.match(f"error: {message}", line)


def test_a_category_without_a_sample_needs_an_image(straight_run, program, tmp_path):
    done = program("extract", f"--run={straight_run}", f"--out={tmp_path}")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no sample image of category 'box'")


def test_help_shows_the_usage(program):
    done = program("extract", "--help")
    assert done.returncode == 0
    assert "imfield extract my.png other.jpg folder/" in done.stdout
    assert "Surface:\n  --resolution=N\n      Cells per axis." in done.stdout
    assert "--split=train|validation|test\n      Take the images" in done.stdout


def test_with_only_an_output_folder_the_sample_becomes_a_sofa(program, tmp_path):
    """`make demo` at a lower resolution: the shipped weights and sample image."""
    done = program("extract", f"--out={tmp_path}", "--resolution=64")
    assert done.returncode == 0, done.stderr
    [result] = json.loads((tmp_path / "manifest.json").read_text())["results"]
    assert result["watertight"] and result["outward"]
    width, height, depth = trimesh.load_mesh(tmp_path / "any.obj").extents
    assert 1.5 < width / depth < 3 and 0.8 < depth / height < 2


def test_size_axes_faces_and_voxels_are_as_asked_for(program, tmp_path):
    flags = ("--formats=glb,obj,3mf,binvox,npy", "--size_mm=120", "--up=z", "--max_faces=4000", "--lods=2000,1000")
    command = ("extract", "--category=car", f"--out={tmp_path}", "--resolution=64", *flags)
    done = program(*command)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("--up=z: GLB files stay y up, as their specification demands")
    [result] = json.loads((tmp_path / "manifest.json").read_text())["results"]
    assert 2000 < result["faces"] <= 4000 and result["watertight"] and result["outward"]
    extents = trimesh.load_mesh(tmp_path / "car.3mf").extents
    assert extents.max() == pytest.approx(120, rel=1e-4)
    np.testing.assert_allclose(trimesh.load_mesh(tmp_path / "car.obj").extents, extents / 1000, rtol=1e-3)
    np.testing.assert_allclose(trimesh.load_mesh(tmp_path / "car.glb").extents, extents[[0, 2, 1]] / 1000, rtol=1e-3)
    for level, most in ((1, 2000), (2, 1000)):
        for kind in ("glb", "obj", "3mf"):
            mesh = trimesh.load(tmp_path / f"car_LOD{level}.{kind}", force="mesh")
            assert mesh.is_watertight and most / 2 < len(mesh.faces) <= most
    full, grid = np.load(tmp_path / "car.npy"), binvox.read(tmp_path / "car.binvox")
    np.testing.assert_array_equal(full, grid.full)
    assert full.shape == (64, 64, 64) and full.mean() == pytest.approx(result["volume"], rel=0.05)
    assert "1 of 1 meshes already exist" in program(*command).stderr


def test_each_level_of_detail_has_a_texture_of_its_own(program, tmp_path):
    flags = ("--color", "--texture=128", "--max_faces=1000", "--lods=400", "--formats=glb,obj,ply", "--resolution=48")
    command = ("extract", "--category=any", f"--out={tmp_path}", *flags)
    done = program(*command)
    assert done.returncode == 0, done.stderr
    [result] = json.loads((tmp_path / "manifest.json").read_text())["results"]
    kinds = ("glb", "obj", "ply", "mtl", "texture.png")
    assert set(result["files"]) == {f"{level}.{kind}" for level in ("any", "any_LOD1") for kind in kinds}
    images = []
    for level in ("any", "any_LOD1"):
        with Image.open(tmp_path / f"{level}.texture.png") as image:
            images.append(np.asarray(image))
        for kind in ("glb", "obj"):
            material = trimesh.load(tmp_path / f"{level}.{kind}", force="mesh").visual.material
            shown = material.baseColorTexture if kind == "glb" else material.image
            np.testing.assert_array_equal(np.asarray(shown.convert("RGB")), images[-1])
    assert images[0].shape == images[1].shape == (128, 128, 3) and (images[0] != images[1]).any()
    assert "1 of 1 meshes already exist" in program(*command).stderr


def test_a_print_check_is_in_the_log_the_manifest_and_the_exit_status(program, tmp_path):
    flags = ("--category=car", f"--out={tmp_path}", "--resolution=64", "--formats=stl", "--print_check", "--size_mm=80")
    done = program("extract", *flags)
    assert done.returncode == 0 and "\n  pass: no faces cross\n" in done.stderr
    [result] = json.loads((tmp_path / "manifest.json").read_text())["results"]
    assert result["print_check"]["passed"] and max(result["print_check"]["size"]) == pytest.approx(80, rel=1e-4)
    text = (tmp_path / "manifest.json").read_text().replace('"passed": true', '"passed": false')
    (tmp_path / "manifest.json").write_text(text)  # as a mesh with a fault would leave it: a kept result counts, too
    done = program("extract", *flags)
    assert done.returncode == 1 and "print check: 1 mesh with faults: car" in done.stderr


def test_images_whose_results_would_share_a_file_are_refused(straight_run, program, tmp_path):
    for name in ("car", "car_LOD1"):
        cut_out(60, 60).save(tmp_path / f"{name}.png")
    flags = (f"--run={straight_run}", f"--out={tmp_path}/out", RESOLUTION, "--lods=100")
    done = program("extract", tmp_path, *flags)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line == "error: car and car_LOD1 would both be written to car_LOD1.glb: rename one of the images"


@pytest.fixture
def one_image(straight_run, tmp_path):
    """A folder with an image whose name has a comma, and the arguments that write its mesh next to it."""
    cut_out(90, 90).save(tmp_path / "red, fast.png")
    return tmp_path, (f"--run={straight_run}", tmp_path, f"--out={tmp_path}", RESOLUTION, "--formats=stl")


def test_a_second_run_keeps_existing_results_and_ignores_its_own_outputs(program, one_image):
    folder, arguments = one_image
    first, second = (program("extract", *arguments) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert "red, fast: " in first.stderr and "red, fast: " not in second.stderr
    for kind in ("input", "preview"):
        assert f"warning: left out: {folder}/red, fast.{kind}.png: named like an output of extract" in second.stderr
    assert "1 of 1 meshes already exist" in second.stderr
    assert [line.partition(": ")[0] for line in json.loads((folder / "manifest.json").read_text())["left_out"]] == [
        *("manifest.json", "red, fast.stl"),
        *(f"{folder}/red, fast.{kind}.png" for kind in ("input", "preview")),
    ]
    endings = {"png", "stl", "input.png", "preview.png"}
    names = {"manifest.json", ".lock"} | {f"red, fast.{end}" for end in endings}
    assert {path.name for path in folder.iterdir()} == names
    assert [result["name"] for result in _results(folder)] == ["red, fast"]


@pytest.mark.parametrize("name", ["red, fast.stl", "red, fast.input.png"])
def test_a_file_of_the_user_is_not_overwritten(program, one_image, name):
    folder, arguments = one_image
    (folder / name).write_bytes(b"mine")
    done = program("extract", *arguments)
    assert done.returncode == 1
    assert f"error: {folder}/{name} exists and is not in manifest.json: choose another --out" in done.stderr
    assert (folder / name).read_bytes() == b"mine"
    assert program("extract", *arguments, "--overwrite").returncode == 0
    assert (folder / name).read_bytes() != b"mine"


def _results(folder):
    return json.loads((folder / "manifest.json").read_text())["results"]
