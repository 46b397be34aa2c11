"""Truncated and bit-flipped files of every kind: refused in one line, or read as correctly as the format allows.

Each kind is read by a worker process with time and memory limits, so that a crash, a hang or an absurd size costs one
case and is reported. Each kind states what may be accepted: a format with checksums must never return other content
than was written; one without cannot detect an altered digit, but what it returns must be well-formed. Damage of
MATLAB's, IM-NET's HDF5 and PyTorch's files is tested with their readers.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import shutil
import struct
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pillow_heif
import trimesh
from PIL import Image

from imfield_jax.inference.photo import read_image
from imfield_jax.preparation import sampling
from imfield_jax.preparation.record import Record
from imfield_jax.preparation.record_file import read_example, read_report, write_record
from imfield_jax.preparation.workers import run_jobs
from imfield_jax.sources import occupancy_networks, shapenet
from imfield_jax.sources.formats import binvox, meshfile, renderings
from imfield_jax.sources.scene import Scene, place

CASES = 50  # of each kind
SECONDS, MEBIBYTES = 30.0, 1536  # most of them for the imports of a new worker
LOW = np.full(3, -1.0)
MODEL = Path("02958343", "m")


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of file.

    make:   writes a small intact file and all files that are read with it.
    read:   reads it: contents by name, as lists, dictionaries, arrays and values that `repr` distinguishes. Raises
            AssertionError for contents that are not well-formed.
    kept:   names of contents that no damage may change: they have checksums, or are in other files.
    """

    make: Callable[[Path], object]
    read: Callable[[Path], dict]
    kept: tuple[str, ...] = ()


# Intact files.


def ball() -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=1)


def mesh_of(suffix: str, **options: object) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(as_bytes(ball().export(file_type=suffix, **options)))


def as_bytes(exported: bytes | str) -> bytes:
    return exported if isinstance(exported, bytes) else exported.encode()


def glb(path: Path) -> None:
    mesh = ball()
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=disc("RGB"), baseColorFactor=[255, 200, 99, 255])
    mesh.visual = trimesh.visual.TextureVisuals(uv=mesh.vertices[:, :2], material=material)
    path.write_bytes(mesh.export(file_type="glb"))


def glb_as_text(path: Path) -> None:
    glb(path)
    files = trimesh.exchange.gltf.export_gltf(trimesh.load_scene(io.BytesIO(path.read_bytes()), file_type="glb"))
    for name, contents in files.items():
        (path if name.endswith(".gltf") else path.with_name(name)).write_bytes(contents)


def mixed_polygons(path: Path) -> None:
    """A binary PLY of triangles and quads, with colours."""
    head = ["ply", "format binary_little_endian 1.0", "element vertex 5", *(f"property float {axis}" for axis in "xyz")]
    head += [f"property uchar {name}" for name in ("red", "green", "blue")]
    head += ["element face 5", "property list uchar int vertex_indices", "end_header", ""]
    corners = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0.5, 0.5, 1)]
    body = b"".join(struct.pack("<3f3B", *corner, 9, 99, 199) for corner in corners)
    for face in ((3, 2, 1, 0), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)):
        body += struct.pack(f"<B{len(face)}i", len(face), *face)
    path.write_bytes("\n".join(head).encode() + body)


def textured(path: Path) -> None:
    """An OBJ of two materials, its MTL and its texture; `path` is any of the three."""
    mesh, folder = ball(), path.parent
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


def image_file(mode: str) -> Callable[[Path], object]:
    return lambda path: disc(mode).save(path)


def heic(path: Path) -> None:
    pillow_heif.from_pillow(disc("RGB")).save(path)


def make_renderings(path: Path) -> None:
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


def voxels(path: Path) -> None:
    binvox.write(
        path, binvox.Grid(np.hypot(*np.mgrid[-1:1:16j, -1:1:16j])[..., None] < np.linspace(0.2, 0.8, 16), LOW, 2.0)
    )


def occupancies(path: Path) -> None:
    """A ball in the layout of Occupancy Networks; `path` is one of its files."""
    points = ball().vertices.repeat(5, axis=0)
    place = {"loc": np.zeros(3, np.float32), "scale": np.float32(0.03)}
    np.savez(path.with_name("pointcloud.npz"), points=points.astype(np.float16), normals=points, **place)
    inside = np.packbits(np.linalg.norm(points * 0.5, axis=1) < 1)
    np.savez(path.with_name("points.npz"), points=(points * 0.5).astype(np.float16), occupancies=inside, **place)
    images = path.with_name(occupancy_networks.IMAGES)
    images.mkdir()
    disc("RGB", 137).save(images / "000.jpg")


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
    """Reads a mesh as preparation does, and checks the assumptions of rendering and solidification."""
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
        assert part.colors is None or (part.colors.shape == (len(part.vertices), 4) and np.isfinite(part.colors).all())
        assert part.uv is None or (part.uv.shape == (len(part.vertices), 2) and np.isfinite(part.uv).all())
        assert part.texture is None or (part.texture.dtype == np.uint8 and part.texture.shape[2:] == (4,))
    return {
        "corners": [part.vertices[part.faces] for part in scene.parts],
        "colors": [(part.color, part.colors) for part in scene.parts],
        "textures": [part.texture for part in scene.parts if part.texture is not None],
    }


def read_png_texture(path: Path) -> dict:
    found = read_scene(path)
    for texture in found["textures"]:  # there may be none, but no other
        np.testing.assert_array_equal(texture, np.asarray(disc("RGB").convert("RGBA")))
    return found


def read_photo(path: Path) -> dict:
    rgba = read_image(path).rgba
    assert rgba.dtype == np.uint8 and rgba.shape[2:] == (4,) and max(rgba.shape) <= 1024
    return {"pixels": rgba}


def read_renderings(path: Path) -> dict:
    views, cameras = renderings.read_views(path.parent), renderings.read_cameras(path.parent)
    assert views.shape == (24, 137, 137, 4) and cameras.shape == (24, 4) and np.isfinite(cameras).all()
    return {"views": views, "cameras": cameras}


def read_record(path: Path) -> dict:
    """The report of a damaged record may be unreadable: then the shape is prepared again."""
    sound = {"status": "ok", "stamp": "1 byte", "warnings": []}
    assert read_report(path) in (None, sound)
    example = read_example(path)
    return {"example": example | {"views": [view.getvalue() for view in example["views"]]}}


def read_weights(path: Path) -> dict:
    from imfield_jax.models.weights import load_weights

    found = load_weights(path)
    return {"weights": [found.params, found.batch_stats, found.about, found.networks.preset]}


def read_occupancies(path: Path) -> dict:
    return occupancy_networks.read(path.parent).fields


def read_archive(path: Path) -> dict:
    scenes = [checked(place(shape.load(), None)[0]) for shape in shapenet.shapes(path.parent, "car")]
    return {key: [scene[key] for scene in scenes] for key in ("corners", "colors", "textures")}


def read_splits(path: Path) -> dict:
    return {"splits": [(shape.name, shape.split) for shape in shapenet.shapes(path.parent, "car")]}


KINDS = {
    "photo.png": Kind(image_file("RGBA"), read_photo, ("pixels",)),
    "palette.png": Kind(image_file("P"), read_photo, ("pixels",)),
    "photo.jpg": Kind(image_file("RGB"), read_photo),
    "photo.webp": Kind(image_file("RGBA"), read_photo),
    "photo.tif": Kind(image_file("RGBA"), read_photo),
    "photo.bmp": Kind(image_file("RGB"), read_photo),
    "photo.gif": Kind(image_file("P"), read_photo),
    "photo.avif": Kind(image_file("RGBA"), read_photo),
    "photo.heic": Kind(heic, read_photo),
    "07.png": Kind(make_renderings, read_renderings, ("views", "cameras")),
    "rendering_metadata.txt": Kind(make_renderings, read_renderings, ("views",)),
    "mesh.obj": Kind(textured, read_scene),
    "mesh.mtl": Kind(textured, read_scene, ("corners",)),
    "texture.png": Kind(textured, read_png_texture, ("corners",)),
    "texture.jpg": Kind(textured, read_scene, ("corners",)),
    "mesh.glb": Kind(glb, read_scene),
    "mesh.ply": Kind(mesh_of("ply"), read_scene),
    "text.ply": Kind(mesh_of("ply", encoding="ascii"), read_scene),
    "mixed.ply": Kind(mixed_polygons, read_scene),
    "mesh.gltf": Kind(glb_as_text, read_scene),
    "mesh.dae": Kind(mesh_of("dae"), read_scene),
    "mesh.3mf": Kind(mesh_of("3mf"), read_scene, ("corners",)),
    "mesh.stl": Kind(mesh_of("stl"), read_scene),
    "text.stl": Kind(mesh_of("stl_ascii"), read_scene),
    "mesh.off": Kind(mesh_of("off"), read_scene),
    "mesh.binvox": Kind(voxels, read_scene),
    "points.npz": Kind(occupancies, read_occupancies, ("solid", "views", "diagnostics")),
    "pointcloud.npz": Kind(occupancies, read_occupancies, ("solid", "views", "diagnostics")),
    "record.npz": Kind(record, read_record, ("example",)),
    "weights.npz": Kind(weights, read_weights, ("weights",)),
    # The list of a zip file's members has no checksum: a name that changed may hide materials and textures.
    "02958343.zip": Kind(archive, read_archive, ("corners",)),
    "all.csv": Kind(split_file, read_splits),
}


# Damage.


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """Truncated, 16 bytes zeroed, a byte replaced, or a bit flipped: anywhere, or in the first or last 300 bytes,
    which describe the rest."""
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


def digests(found: dict) -> dict[str, str]:
    return {key: digest(content) for key, content in found.items()}


def write_intact(folder: Path, name: str) -> None:
    """Writes an intact file, the files that are read with it, and digests of its contents."""
    intact = folder / name / "intact"
    intact.mkdir(parents=True)
    KINDS[name].make(intact / name)
    (folder / name / "digests.json").write_text(json.dumps(digests(KINDS[name].read(intact / name))))


def attempt(folder: str, name: str, seed: int) -> tuple[str, str, float]:
    """Read a damaged copy: its name, "refused", "same" or "other", and seconds. Runs in a worker process."""
    own = Path(folder, name, str(os.getpid()))
    if not own.exists():
        shutil.copytree(own.with_name("intact"), own)
    whole = (own.with_name("intact") / name).read_bytes()
    (own / name).write_bytes(damaged(whole, np.random.default_rng([seed, len(name)])))
    start = time.perf_counter()
    try:
        found = KINDS[name].read(own / name)
    except (OSError, ValueError) as error:
        text = str(error)
        assert len(text.splitlines()) == 1 and len(text) < 1000, f"not one line: {text!r}"
        assert name in text, f"the file is not named: {text!r}"
        return name, "refused", time.perf_counter() - start
    seconds = time.perf_counter() - start
    found, written = digests(found), json.loads(own.with_name("digests.json").read_text())
    changed = [key for key in written if found[key] != written[key]]
    assert not set(changed) & set(KINDS[name].kept), f"other {', '.join(changed)} than written were accepted"
    return name, "other" if changed else "same", seconds


def attempts(folder: Path, names: Sequence[str], seeds: range) -> tuple[Counter, dict[str, float], list[str]]:
    """The count of each (name, outcome), the longest time for each name, and all faults."""
    for name in names:
        write_intact(folder, name)
    cases = [(name, seed) for name in names for seed in seeds]
    here = f"__import__('runpy').run_path({__file__!r})['attempt']"  # workers cannot import this file as a module
    jobs = [f"{here}({str(folder)!r}, {name!r}, {seed})" for name, seed in cases]
    outcomes, longest, faults = Counter(), dict.fromkeys(names, 0.0), []
    for number, result, why in run_jobs(eval, jobs, 2, SECONDS, MEBIBYTES):
        if why:
            faults.append(f"{cases[number]}: {why}")
        else:
            name, outcome, seconds = result
            outcomes[name, outcome] += 1
            longest[name] = max(longest[name], seconds)
    return outcomes, longest, faults


def test_damage_is_refused_in_one_line_or_does_no_harm(tmp_path):
    outcomes, _, faults = attempts(tmp_path, list(KINDS), range(CASES))
    assert not faults, "\n".join(faults)
    assert outcomes.total() == CASES * len(KINDS)
    never = [name for name in KINDS if not outcomes[name, "refused"]]
    assert never == ["mesh.mtl", "texture.png", "texture.jpg"]  # a mesh is read without them
