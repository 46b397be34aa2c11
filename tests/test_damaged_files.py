"""Cut off and bit-flipped files of every kind that is read: refused in one line, or read as well as can be known.

Each kind is read by a worker process with limits of time and memory, so that a crash, a hang or an absurd size costs
one case and is told. What may be accepted is said with each kind: a format with checksums must never bring other
content than was written, one without cannot know that a digit changed, but what it brings must be well-formed.
MATLAB's, IM-NET's HDF5 and PyTorch's files are damaged beside the tests of their readers.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from imfield_jax.data import sampling
from imfield_jax.data.exchange import choy
from imfield_jax.data.record import Record
from imfield_jax.data.record_file import read_example, read_report, write_record
from imfield_jax.data.scene import Scene, place
from imfield_jax.data.sources import meshfile, shapenet
from imfield_jax.data.workers import run_jobs
from imfield_jax.inference.photo import read_picture

CASES = 60  # of each kind
SECONDS, MEBIBYTES = 30.0, 1536  # most of them for the imports of a new worker
MODEL = Path("02958343", "m")


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    make:   writes a small sound file and all that is read with it.
    read:   reads it; what comes back is nested of dictionaries, lists, arrays and what `repr` tells apart, and is
            well-formed, or an AssertionError is raised.
    exact:  what is read of a damaged file has to be what is read of the sound one; for a format with checksums.
    spared: keys of what is read that the damage must not change, for a part of it with checksums or in other files.
    """

    make: Callable[[Path], object]
    read: Callable[[Path], object]
    exact: bool = False
    spared: tuple[str, ...] = ()


# Sound files.


def ball(folder: Path) -> trimesh.Trimesh:
    mesh = trimesh.creation.icosphere(subdivisions=1)
    return mesh


def mesh_of(suffix: str, **options: object) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(as_bytes(ball(path).export(file_type=suffix, **options)))


def as_bytes(exported: bytes | str) -> bytes:
    return exported if isinstance(exported, bytes) else exported.encode()


def glb(path: Path) -> None:
    mesh = ball(path)
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=disc("RGB"), baseColorFactor=[255, 200, 99, 255])
    mesh.visual = trimesh.visual.TextureVisuals(uv=mesh.vertices[:, :2], material=material)
    path.write_bytes(mesh.export(file_type="glb"))


def textured(path: Path) -> None:
    """An OBJ of two materials, its MTL and its texture; `path` is any of the three."""
    mesh, folder = ball(path), path.parent
    lines = ["mtllib mesh.mtl"]
    lines += [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in mesh.vertices]
    lines += [f"vt {x:.3f} {y:.3f}" for x, y, _ in mesh.vertices]
    half = len(mesh.faces) // 2
    for name, faces in (("paint", mesh.faces[:half]), ("glass", mesh.faces[half:])):
        lines += [f"usemtl {name}"] + ["f " + " ".join(f"{i}/{i}" for i in face + 1) for face in faces]
    (folder / "mesh.obj").write_text("\n".join(lines))
    texture = "texture.jpg" if path.suffix == ".jpg" else "texture.png"
    (folder / "mesh.mtl").write_text(f"newmtl paint\nKd 0.5 0.4 0.3\nmap_Kd {texture}\nnewmtl glass\nKd 0 0 1\nd 0.4\n")
    disc("RGB").save(folder / texture)


def disc(mode: str, size: int = 64) -> Image.Image:
    y, x = np.mgrid[:size, :size]
    inside = np.hypot(x - size / 2, y - size / 2) < size / 3
    colors = np.stack([x * 255 // size, y * 200 // size, (x * y) % 99, np.full_like(x, 255)], axis=-1)
    return Image.fromarray(np.where(inside[..., None], colors, 0).astype(np.uint8)).convert(mode)


def picture(mode: str) -> Callable[[Path], object]:
    return lambda path: disc(mode).save(path)


def renderings(path: Path) -> None:
    for number in range(24):
        disc("RGBA", 137).save(path.with_name(f"{number:02d}.png"))
    lines = [f"{15 * number} 27.5 0 0.8 25" for number in range(24)]
    path.with_name("rendering_metadata.txt").write_text("\n".join(lines))


def record(path: Path) -> None:
    rng = np.random.default_rng(0)
    solid = np.zeros((256,) * 3, bool)
    solid[60:200, 90:150, 50:99] = True
    levels = {level: sampling.sample_level(solid, level, "exact", rng) for level in sampling.LEVEL_SIZES}
    made = Record(
        name="box/a",
        voxels=sampling.voxels64(solid),
        points={level: points for level, (points, _) in levels.items()},
        values={level: values for level, (_, values) in levels.items()},
        solid=solid,
        views=np.stack([np.asarray(disc("RGBA", 137))] * 2),
        cameras=np.ones((2, 4), np.float32),
        center=np.zeros(3, np.float32),
        scale=np.float32(1),
        diagnostics={},
    )
    write_record(path, made, {"status": "ok", "stamp": "1 byte", "warnings": []})


def weights(path: Path) -> None:
    import jax

    from imfield_jax.models.decoder import DecoderConfig
    from imfield_jax.models.image_encoder import ImageEncoderConfig
    from imfield_jax.models.networks import Networks
    from imfield_jax.models.presets import Preset
    from imfield_jax.models.voxel_encoder import VoxelEncoderConfig
    from imfield_jax.models.weights import Weights, save_weights

    decoder = DecoderConfig(4, (8, 4), skips=True, output="sigmoid", initial_std=None)
    encoders = VoxelEncoderConfig(4, width=2, affine=True, stem_stride=4), ImageEncoderConfig(4, width=2, stem_stride=4)
    networks = Networks(Preset("tiny", decoder, *encoders, framing="fit"))
    shapes = jax.eval_shape(networks.init, jax.random.key(0))
    save_weights(path, Weights(networks, *jax.tree.map(lambda leaf: np.ones(leaf.shape), shapes), {"category": "car"}))


def archive(path: Path) -> None:
    models = path.parent / MODEL / "models"
    models.mkdir(parents=True)
    textured(models / "mesh.obj")
    (models / "mesh.obj").rename(models / "model_normalized.obj")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for part in sorted(models.iterdir()):
            file.write(part, part.relative_to(path.parent))
    shutil.rmtree(path.parent / MODEL.parts[0])


def split_file(path: Path) -> None:
    (path.parent / MODEL / "models").mkdir(parents=True)
    path.write_text("id,synsetId,subSynsetId,modelId,split\n" + "1,02958343,02958343,m,test\n" * 9)


# Readers.


def read_scene(path: Path) -> dict:
    """As preparation does it. Checks what rendering and solidification rely on."""
    scene = meshfile.load_scene(path.parent / "mesh.obj" if path.suffix in (".mtl", ".png", ".jpg") else path)
    try:
        return checked(place(scene, 0.9)[0])
    except ValueError as error:  # whose reader knows which shape it is of
        raise ValueError(f"{path}: {error}") from error


def checked(scene: Scene) -> dict:
    for part in scene.parts:
        assert part.vertices.dtype == np.float64 and part.vertices.shape[1:] == (3,)
        assert part.faces.dtype == np.int64 and part.faces.shape[1:] == (3,)
        assert not len(part.faces) or (part.faces.min() >= 0 and part.faces.max() < len(part.vertices))
        assert np.isfinite(part.vertices[part.faces]).all()
        assert len(part.color) == 4 and all(0 <= channel <= 1 for channel in part.color)
        assert part.uv is None or (part.uv.shape == (len(part.vertices), 2) and np.isfinite(part.uv).all())
        assert part.texture is None or (part.texture.dtype == np.uint8 and part.texture.shape[2:] == (4,))
    corners = [part.vertices[part.faces] for part in scene.parts]
    return {"corners": corners, "colors": [part.color for part in scene.parts]} | {
        "textures": {digest(part.texture) for part in scene.parts if part.texture is not None}
    }


def read_photo(path: Path) -> object:
    rgba = read_picture(path).rgba
    assert rgba.dtype == np.uint8 and rgba.shape[2:] == (4,) and max(rgba.shape) <= 1024
    return rgba


def read_renderings(path: Path) -> object:
    views, cameras = choy.read_views(path.parent), choy.read_cameras(path.parent)
    assert views.shape == (24, 137, 137, 4) and cameras.shape == (24, 4) and np.isfinite(cameras).all()
    return {"views": views}


def read_record(path: Path) -> object:
    """The report of a damaged record may be gone: then the shape is prepared anew."""
    sound = {"status": "ok", "stamp": "1 byte", "warnings": []}
    assert read_report(path) in (None, sound)
    example = read_example(path)
    return example | {"views": [view.getvalue() for view in example["views"]]}


def read_weights(path: Path) -> object:
    from imfield_jax.models.weights import load_weights

    found = load_weights(path)
    return {"params": found.params, "statistics": found.batch_stats, "about": found.about, "of": found.networks.preset}


def read_shapenet(path: Path) -> object:
    scenes = [checked(place(shape.load(), None)[0]) for shape in shapenet.shapes(path.parent, "car")]
    return {"corners": [scene["corners"] for scene in scenes], "textures": [scene["textures"] for scene in scenes]}


def read_splits(path: Path) -> object:
    return [(shape.name, shape.split) for shape in shapenet.shapes(path.parent, "car")]


KINDS = {
    "photo.png": Kind(picture("RGBA"), read_photo, exact=True),
    "palette.png": Kind(picture("P"), read_photo, exact=True),
    "photo.jpg": Kind(picture("RGB"), read_photo),
    "photo.webp": Kind(picture("RGBA"), read_photo),
    "photo.tif": Kind(picture("RGBA"), read_photo),
    "photo.bmp": Kind(picture("RGB"), read_photo),
    "photo.gif": Kind(picture("P"), read_photo),
    "07.png": Kind(renderings, read_renderings, exact=True),
    "rendering_metadata.txt": Kind(renderings, read_renderings, spared=("views",)),
    "mesh.obj": Kind(textured, read_scene),
    "mesh.mtl": Kind(textured, read_scene, spared=("corners",)),
    "texture.png": Kind(textured, read_scene, spared=("corners",)),  # it may be missing then, see `accepted`
    "texture.jpg": Kind(textured, read_scene, spared=("corners",)),
    "mesh.glb": Kind(glb, read_scene),
    "mesh.ply": Kind(mesh_of("ply"), read_scene),
    "text.ply": Kind(mesh_of("ply", encoding="ascii"), read_scene),
    "mesh.stl": Kind(mesh_of("stl"), read_scene),
    "text.stl": Kind(mesh_of("stl_ascii"), read_scene),
    "mesh.off": Kind(mesh_of("off"), read_scene),
    "record.npz": Kind(record, read_record, exact=True),
    "weights.npz": Kind(weights, read_weights, exact=True),
    # The list of a zip file's members has no checksum: a name that changed may hide materials and textures.
    "02958343.zip": Kind(archive, read_shapenet, spared=("corners",)),
    "all.csv": Kind(split_file, read_splits),
}


# Damage.


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """Cut off anywhere or at the end, a bit flipped anywhere, or in the first or last 300 bytes, which lay out the
    rest, a byte replaced, or a piece overwritten by zeros."""
    way, size = rng.integers(6), len(whole)
    if way == 0:
        return whole[: rng.integers(size)]
    changed = bytearray(whole)
    if way == 1:
        start = int(rng.integers(size))
        changed[start : start + 16] = bytes(len(changed[start : start + 16]))
    elif way == 2:
        changed[rng.integers(size)] = rng.integers(256)
    else:
        low, high = ((0, size), (0, min(300, size)), (max(0, size - 300), size))[way - 3]
        changed[rng.integers(low, high)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def digest(content: object) -> str:
    """Equal for equal content, nested or not."""
    if isinstance(content, dict):
        content = [(key, digest(content[key])) for key in sorted(content)]
    elif isinstance(content, list | tuple):
        content = [digest(item) for item in content]
    elif isinstance(content, np.ndarray):
        content = (content.shape, str(content.dtype), hashlib.sha256(np.ascontiguousarray(content)).hexdigest())
    return hashlib.sha256(repr(content).encode()).hexdigest()


def attempt(name: str, folder: str, seed: int) -> tuple[str, float]:
    """Damage the file, read it, put it back: ("refused", "same" or "other", seconds)."""
    kind, path = KINDS[name], Path(folder, name)
    whole = Path(folder, "whole").read_bytes()
    sound = content_of(kind, path, whole)
    path.write_bytes(damaged(whole, np.random.default_rng([seed, len(name)])))
    start = time.perf_counter()
    try:
        found = kind.read(path)
    except (OSError, ValueError) as error:
        text = str(error)
        assert len(text.splitlines()) == 1, f"not one line: {text!r}"
        assert name in text, f"the file is not named: {text!r}"
        return "refused", time.perf_counter() - start
    seconds = time.perf_counter() - start
    same = digest(found) == digest(sound)
    assert same or not kind.exact, "other content than was written was accepted"
    assert all(digest(found[key]) == digest(sound[key]) for key in kind.spared), "what is in other files has changed"
    if path.name == "texture.png":
        assert found["textures"] <= sound["textures"], "another texture was accepted"
    return ("same" if same else "other"), seconds


def content_of(kind: Kind, path: Path, whole: bytes) -> object:
    path.write_bytes(whole)
    return kind.read(path)


def attempts(name: str, folder: Path, seeds: range) -> tuple[dict[str, int], list[str], float]:
    """How often each outcome came, every fault, and the longest time of one."""
    KINDS[name].make(folder / name)
    shutil.copy(folder / name, folder / "whole")
    call = f"__import__('runpy').run_path({__file__!r})['attempt']({name!r}, {str(folder)!r}, %d)"
    outcomes, faults, longest = {}, [], 0.0
    for number, result, why in run_jobs(eval, [call % seed for seed in seeds], 1, SECONDS, MEBIBYTES):
        if why:
            faults.append(f"{name} {seeds[number]}: {why}")
            continue
        outcomes[result[0]] = outcomes.get(result[0], 0) + 1
        longest = max(longest, result[1])
    return outcomes, faults, longest


@pytest.mark.parametrize("name", KINDS)
def test_damage_is_refused_in_one_line_or_does_no_harm(name, tmp_path):
    outcomes, faults, _ = attempts(name, tmp_path, range(CASES))
    assert not faults, "\n".join(faults)
    assert outcomes.keys() >= {"refused"} or KINDS[name].spared
