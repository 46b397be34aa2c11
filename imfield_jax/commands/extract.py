"""Images to meshes.

    imfield extract                                       the sample image of the package
    imfield extract my.png other.jpg folder/ --category=chair --formats=glb,stl
    imfield extract --run=runs/car --data=data/car --split=test --count=16

--image=FILE is the same as FILE. Beside each mesh: <name>.input.png, exactly what the network saw, and
<name>.preview.png, four sides of the mesh; <name>.cutout.png, the object, if a background was removed; for all,
manifest.json, and for several images meshes.contact.png. A mesh that is already there, of the same image with the
same weights and settings, is kept.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from absl import flags, logging

from imfield_jax.commands import inputs, manifest
from imfield_jax.commands.contact import write_contact_sheets
from imfield_jax.commands.flag_values import refuse_unused
from imfield_jax.commands.inputs import Input
from imfield_jax.commands.manifest import Manifest
from imfield_jax.commands.mesh_files import FORMATS, VOXEL_FORMATS, MeshFiles
from imfield_jax.commands.output import output_folder
from imfield_jax.commands.progress import Progress
from imfield_jax.commands.weights_flags import chosen_weights
from imfield_jax.extraction.bridging import MAX_GAP
from imfield_jax.extraction.sparse import REFINEMENT_ITERATIONS
from imfield_jax.files import locked, write_atomic
from imfield_jax.images import encode_png
from imfield_jax.inference.batch import Reconstruction, Settings, check_possible, reconstruct
from imfield_jax.inference.cutout import AUTO, MATTES, MODEL, Matting
from imfield_jax.inference.learned_matte import LearnedMatte, identity
from imfield_jax.inference.model import DEFAULT, FLOATERS, PRECISIONS
from imfield_jax.inference.onnx_matte import IMAGENET_MEAN, IMAGENET_STD, OnnxMatte
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh import export, preview, turntable
from imfield_jax.mesh.export import Style
from imfield_jax.mesh.layout import PRINTED_MM
from imfield_jax.mesh.print_check import print_check
from imfield_jax.mesh.simplify import FEWEST_FACES
from imfield_jax.mesh.texture import LARGEST, SMALLEST
from imfield_jax.models.weights import load_weights

_IMAGE = flags.DEFINE_multi_string("image", None, "Image file or folder; may be repeated. Default: the sample image.")
_DATA = flags.DEFINE_string(
    "data", None, "Prepared dataset for --split; default data/<category>, or data/<name of the run>."
)
_SPLIT = flags.DEFINE_enum("split", None, ("train", "validation", "test"), "Take the images from a prepared dataset.")
_MATTE = flags.DEFINE_string(
    "matte",
    AUTO,
    "How the object is told from its background: alpha (the image's transparency), border (all that differs from a "
    "plain background), model (what our matting network takes for it), auto (the first of these that the image "
    "allows), or a file of another network: of train_matte (.npz), or in ONNX format (.onnx), for the extra onnx.",
)
_MATTE_MEAN = flags.DEFINE_list(
    "matte_mean", [str(value) for value in IMAGENET_MEAN], "Mean colour that the matting network expects."
)
_MATTE_STD = flags.DEFINE_list(
    "matte_std", [str(value) for value in IMAGENET_STD], "Deviation of colours that the matting network expects."
)
_SCRIBBLES = flags.DEFINE_string(
    "scribbles",
    None,
    "An image of the proportions of the one image that corrects its cut-out: white on the object, black on the "
    "background, transparent elsewhere.",
)
_COUNT = flags.DEFINE_integer("count", 8, "Number of shapes of the split, one image each.", lower_bound=1)
_CATEGORY = flags.DEFINE_string("category", None, f"Category of the shipped weights; default {DEFAULT}.")
_RUN = flags.DEFINE_string("run", None, "Folder of a training run, instead of shipped weights.")
_WEIGHTS = flags.DEFINE_string("weights", None, "Weights file (.npz), instead of shipped weights.")
_OUT = flags.DEFINE_string("out", "out", "Output folder.")
_FORMATS = flags.DEFINE_list("formats", ["glb", "obj"], f"Any of {', '.join(FORMATS)}; the last two hold voxels.")
_SIZE = flags.DEFINE_float(
    "size_mm",
    None,
    "Longest side of the mesh in millimetres; default: the cube's metre, and 100 in STL and 3MF.",
    0.1,
    1e6,
)
_UP = flags.DEFINE_enum(
    "up", None, ("y", "z"), "Axis that points up, the front towards +z or -y; default: the custom of each format."
)
_MAX_FACES = flags.DEFINE_integer("max_faces", None, "Most faces of the mesh; default: all.", FEWEST_FACES)
_LODS = flags.DEFINE_list(
    "lods",
    [],
    "Levels of detail besides the mesh, as falling numbers of faces: 10000,2000 makes NAME_LOD1 and NAME_LOD2.",
)
_COLOR = flags.DEFINE_bool(
    "color", False, "Put the colours of the picture on the mesh; where it is not seen they are a guess."
)
_TEXTURE = flags.DEFINE_integer(
    "texture",
    None,
    "With --color, put the colours into a texture of so many pixels per side, which --max_faces does not make coarser; "
    "in GLB and OBJ. For the extra texture.",
    lower_bound=SMALLEST,
    upper_bound=LARGEST,
)
_SPREAD = flags.DEFINE_bool(
    "spread", False, "Say at each vertex how far the surface moves when the picture is looked at a little differently."
)
_TO_PICTURE = flags.DEFINE_bool(
    "refine_to_picture",
    False,
    "Fit the shape and its camera to the outline of the object. What is not on the outline may suffer.",
)
_PRINT_CHECK = flags.DEFINE_bool(
    "print_check", False, "Examine each mesh as a slicer would get it, at --size_mm; exit status 1 if one has a fault."
)
_VOXELS = flags.DEFINE_integer("voxel_resolution", 64, "Voxels per axis in binvox and npy files.", 8, 512)
_TURNTABLE = flags.DEFINE_enum(
    "turntable",
    None,
    turntable.FORMATS,
    "Write an animation of the turning mesh, NAME.turntable.gif or .webp.",
)
_CAMERA = flags.DEFINE_bool("camera", False, "Put the camera of the image, as the network predicts it, into GLB files.")
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Recompute meshes that are already in the output folder.")
_RESOLUTION = flags.DEFINE_integer("resolution", 256, "Cells per axis.", lower_bound=16, upper_bound=2048)
_REFINEMENT = flags.DEFINE_integer(
    "refinement_iterations",
    REFINEMENT_ITERATIONS,
    "Steps that move each vertex onto the field's level set; 0 interpolates linearly, which leaves ripples on panels.",
    lower_bound=0,
    upper_bound=100,
)
_NORMALS = flags.DEFINE_enum(
    "normals", "faces", ("faces", "field"), "Vertex normals: mean over the adjacent faces, or gradient of the field."
)
_FLOATERS = flags.DEFINE_enum(
    "floaters",
    "remove",
    FLOATERS,
    "Floaters: loose pieces of less than 0.05 % of the volume that are also shorter than 0.05 of the cube.",
)
_BRIDGE_GAP = flags.DEFINE_float(
    "bridge_gap",
    MAX_GAP,
    "Join pieces, such as a wheel and its car, whose gap is at most this fraction of the cube; 0 joins none.",
    lower_bound=0.0,
    upper_bound=0.1,
)
_PRECISION = flags.DEFINE_enum(
    "precision", "exact", tuple(PRECISIONS), "Precision of the field: float32, or products of bfloat16 for speed."
)
_CERTIFY = flags.DEFINE_bool(
    "certify", False, "Prove that no part of the surface is missed; the proof is in the manifest. Slow."
)

ARGUMENTS = "[IMAGE or FOLDER ...]"
GROUPS = {
    "Images": (_IMAGE, _MATTE, _SCRIBBLES, _MATTE_MEAN, _MATTE_STD, _SPLIT, _DATA, _COUNT),
    "Weights": (_CATEGORY, _RUN, _WEIGHTS),
    "Output": (
        _OUT,
        _FORMATS,
        _SIZE,
        _UP,
        _MAX_FACES,
        _LODS,
        _COLOR,
        _TEXTURE,
        _SPREAD,
        _PRINT_CHECK,
        _VOXELS,
        _CAMERA,
        _TURNTABLE,
        _OVERWRITE,
    ),
    "Surface": (_RESOLUTION, _TO_PICTURE, _REFINEMENT, _NORMALS, _FLOATERS, _BRIDGE_GAP, _PRECISION, _CERTIFY),
}


def main(arguments: list[str]) -> int:
    """Returns the exit status: 1 if an image gave no mesh, or one with a fault that --print_check finds."""
    _check_flags()
    weights = chosen_weights(_WEIGHTS.value, _RUN.value, _CATEGORY.value)
    model = Reconstructor(load_weights(weights), _PRECISION.value)
    if _CAMERA.value and not model.weights.networks.predicts_cameras:
        raise ValueError(
            f"--camera: the networks of {weights.name} predict no camera, those of the preset planes do: leave it out"
        )
    matte = _matte()
    images, left_out = _images([*arguments, *(_IMAGE.value or [])], model, matte)
    files = MeshFiles(
        tuple(_FORMATS.value),
        Style(size_mm=_SIZE.value, up=_UP.value, normals=_NORMALS.value == "field"),
        len(_LODS.value),
        _CAMERA.value,
        _VOXELS.value,
        _TEXTURE.value is not None,
    )
    _check_distinct(images, files)
    out = output_folder(_OUT.value)
    settings = Settings(
        resolution=_RESOLUTION.value,
        refinement_iterations=_REFINEMENT.value,
        floaters=_FLOATERS.value,
        bridge_gap=_BRIDGE_GAP.value,
        field_normals=_NORMALS.value == "field",
        certify=_CERTIFY.value,
        max_faces=_MAX_FACES.value,
        lods=_lods(),
        color=_COLOR.value,
        texture=_TEXTURE.value,
        spread=_SPREAD.value,
        refine_to_picture=_TO_PICTURE.value,
    )
    check_possible(model, settings)
    about = {"file": weights.name, "sha256": inputs.sha256(weights.read_bytes()), **model.weights.about}
    wanted = {**dataclasses.asdict(settings), "precision": _PRECISION.value, "formats": _FORMATS.value}
    wanted |= {"size_mm": _SIZE.value, "up": _UP.value, "camera": _CAMERA.value}
    wanted |= {"print_check": _PRINT_CHECK.value, "turntable": _TURNTABLE.value}
    if files.has_voxels:
        wanted["voxel_resolution"] = _VOXELS.value
    if not _SPLIT.value:
        wanted["matte"] = _matte_settings(matte)
        if _SCRIBBLES.value:
            wanted["matte"] |= {"scribbles_sha256": inputs.sha256(Path(_SCRIBBLES.value).read_bytes())}
    with locked(out / ".lock", f"another process is writing meshes to {out}: wait for it, or choose another --out"):
        out_manifest = Manifest(out, about, wanted, left_out)
        unfinished = _unfinished(images, out_manifest)
        if not _OVERWRITE.value:
            for image in unfinished:
                out_manifest.check_writable(image.name, [*files.names(image.name), *_images_of(image.name)])
        out_manifest.write()
        try:
            made = _extract(model, unfinished, settings, files, out_manifest, out)
        finally:
            out_manifest.write()
        return _report(made, [image.name for image in images], out_manifest, out)


def _check_flags() -> None:
    unknown = [name for name in _FORMATS.value if name not in FORMATS]
    if unknown or not _FORMATS.value:
        raise ValueError(f"--formats: expected some of {', '.join(FORMATS)}, found {','.join(_FORMATS.value)!r}")
    if not set(_FORMATS.value) & set(VOXEL_FORMATS):
        refuse_unused(f"without the format {' or '.join(VOXEL_FORMATS)}", _VOXELS)
    if not set(_FORMATS.value) & set(export.FORMATS):
        refuse_unused("on voxels: name a format of meshes, too", _SIZE, _UP, _MAX_FACES, _LODS, _PRINT_CHECK)
    colorless = [kind for kind in _FORMATS.value if kind not in export.COLORED]
    if _COLOR.value and len(colorless) == len(_FORMATS.value):
        refuse_unused(f"without one of the formats {', '.join(export.COLORED)}", _COLOR)
    if _COLOR.value and colorless:
        logging.info("--color: %s files hold no colours", ", ".join(colorless))
    if not _COLOR.value:
        refuse_unused("without --color", _TEXTURE)
    if not set(_FORMATS.value) & set(export.TEXTURED):
        refuse_unused(f"without one of the formats {', '.join(export.TEXTURED)}", _TEXTURE)
    if not set(_FORMATS.value) & set(export.ATTRIBUTED):
        refuse_unused(f"without one of the formats {', '.join(export.ATTRIBUTED)}", _SPREAD)
    if _UP.value == "z" and "glb" in _FORMATS.value:
        logging.info("--up=z: GLB files stay y up, as their specification demands; programs turn them themselves")
    if _CERTIFY.value and _PRECISION.value != "exact":
        raise ValueError("--certify: only exact fields can be certified, leave --precision out")
    if "glb" not in _FORMATS.value:
        refuse_unused("without the format glb", _CAMERA)
    if not _MATTE.value.endswith(".onnx"):
        refuse_unused("without --matte=FILE.onnx", _MATTE_MEAN, _MATTE_STD)
    if _SPLIT.value:
        refuse_unused("on views of a dataset, whose mattes are known", _MATTE, _SCRIBBLES)
    else:
        refuse_unused("without --split=train, validation or test", _DATA, _COUNT)


def _lods() -> tuple[int, ...]:
    """The numbers of faces of --lods. Raises ValueError."""
    try:
        counts = tuple(int(count) for count in _LODS.value)
    except ValueError:
        counts = (0,)
    limits = (*(() if _MAX_FACES.value is None else (_MAX_FACES.value,)), *counts)
    if any(count < FEWEST_FACES for count in counts) or list(limits) != sorted(set(limits), reverse=True):
        raise ValueError(
            f"--lods: expected falling numbers of faces from {FEWEST_FACES} to below --max_faces, such as 10000,2000, "
            f"found {','.join(_LODS.value)}"
        )
    return counts


def _matte() -> str | LearnedMatte | OnnxMatte:
    """The value of --matte, its network loaded. Raises OSError or ValueError."""
    if _MATTE.value in MATTES:
        return _MATTE.value
    if _MATTE.value.endswith(".npz"):
        return LearnedMatte(_MATTE.value)
    if not _MATTE.value.endswith(".onnx"):
        raise ValueError(f"--matte: expected {', '.join(MATTES)}, a .npz or an .onnx file, found {_MATTE.value!r}")
    try:
        mean, std = ([float(value) for value in holder.value] for holder in (_MATTE_MEAN, _MATTE_STD))
    except ValueError:
        raise ValueError("--matte_mean, --matte_std: expected three numbers each, such as 0.5,0.5,0.5") from None
    return OnnxMatte(_MATTE.value, mean, std)


def _matte_settings(matte: str | LearnedMatte | OnnxMatte) -> dict:
    """All that cut-outs depend on: the way, and the network that cuts out or may have to."""
    if not isinstance(matte, str):
        return matte.about
    return {"way": matte, **(identity() if matte in (AUTO, MODEL) else {})}


def _images(paths: list[str], model: Reconstructor, matte: str | Matting) -> tuple[list[Input], list[str]]:
    """The images, and a line for each entry of a folder that is left out."""
    category = str(model.weights.about.get("category", DEFAULT))
    if paths and _SPLIT.value:
        raise ValueError("images and --split both choose what to reconstruct: give one of them")
    if _SPLIT.value:
        data = _DATA.value or f"data/{Path(_RUN.value).name if _RUN.value else category}"
        return inputs.of_split(data, _SPLIT.value, _COUNT.value), []
    images, left_out = inputs.of_files(paths or [inputs.sample(category)], model.crop, matte, _SCRIBBLES.value)
    for line in left_out:
        logging.warning("left out: %s", line)
    return images, left_out


def _check_distinct(images: list[Input], files: MeshFiles) -> None:
    """Raises ValueError if two images would be written to one file."""
    owners: dict[str, str] = {}
    for image in images:
        for file in files.names(image.name):
            if owners.setdefault(file, image.name) != image.name:
                raise ValueError(
                    f"{owners[file]} and {image.name} would both be written to {file}: rename one of the images"
                )


def _unfinished(images: list[Input], out_manifest: Manifest) -> list[Input]:
    """The images that still need a mesh."""
    if _OVERWRITE.value:
        return images
    kept = {
        image.name
        for image in images
        if image.name in out_manifest.results and out_manifest.done(image.name, image.digest())
    }
    if kept:
        logging.info("%d of %d meshes already exist (--overwrite recomputes them)", len(kept), len(images))
    return [image for image in images if image.name not in kept]


def _extract(
    model: Reconstructor, images: list[Input], settings: Settings, files: MeshFiles, out_manifest: Manifest, out: Path
) -> int:
    """Write the results of the images; returns the number of meshes."""
    progress, made = Progress(), 0
    for number, (image, result) in enumerate(zip(images, reconstruct(model, images, settings), strict=True), start=1):
        note = ""
        if isinstance(result, Reconstruction):
            started = time.perf_counter()
            out_manifest.begin(result.name)
            written = _write(result, files, out)
            checked = print_check(result.mesh, _SIZE.value or PRINTED_MM) if _PRINT_CHECK.value else None
            _remove_old_cutout(result, out_manifest.results.get(result.name, {}), out)
            seconds = {**result.seconds, "write": time.perf_counter() - started}
            out_manifest.add(result, image.source, image.digest(), written, seconds, checked)
            note, made = manifest.line(out_manifest.results[result.name], out), made + 1
        else:
            out_manifest.skip(result)
        progress("images", number, len(images), note)
    return made


def _write(made: Reconstruction, files: MeshFiles, out: Path) -> dict[str, str]:
    """The files of one image; returns the names of those that hold the mesh, each with its sha256."""
    written = {}
    for file, contents in files.encode(made):
        write_atomic(out / file, contents)
        written[file] = inputs.sha256(contents)
    images = {inputs.INPUT: made.view[..., 0], inputs.PREVIEW: preview.sides(made.mesh)}
    if made.cutout is not None:
        images[inputs.CUTOUT] = made.cutout
    for suffix, image in images.items():
        write_atomic(out / (made.name + suffix), encode_png(image))
    if _TURNTABLE.value:
        contents = turntable.encode_turntable(turntable.turntable(made.mesh), _TURNTABLE.value)
        write_atomic(out / f"{made.name}{inputs.TURNTABLE}{_TURNTABLE.value}", contents)
    return written


def _remove_old_cutout(made: Reconstruction, earlier: dict, out: Path) -> None:
    """Remove the cut-out of an earlier run, but no file of the user's, if the image has none now."""
    if made.cutout is None and earlier.get("cutout"):
        (out / (made.name + inputs.CUTOUT)).unlink(missing_ok=True)


def _images_of(name: str) -> list[str]:
    return [name + suffix for suffix in inputs.OUTPUTS]


def _report(made: int, images: list[str], out_manifest: Manifest, out: Path) -> int:
    """The last lines, and the exit status."""
    if out_manifest.skipped and len(images) == 1:
        raise ValueError(out_manifest.skipped[0])
    skipped = f", {_count(len(out_manifest.skipped), 'image')} skipped" if out_manifest.skipped else ""
    logging.info("%s written%s: see %s", _count(made, "mesh"), skipped, out / manifest.NAME)
    finished = [name for name in images if name in out_manifest.results]
    if len(finished) > 1:
        pages = write_contact_sheets(out, finished)
        logging.info("all on %s: %s", "one page" if len(pages) == 1 else f"{len(pages)} pages", pages[0])
    for reason in out_manifest.skipped:
        logging.info("skipped: %s", reason)
    faulty = [name for name in images if out_manifest.has_faults(name)]
    if faulty:
        logging.info("print check: %s with faults: %s", _count(len(faulty), "mesh"), ", ".join(faulty))
    return 1 if out_manifest.skipped or faulty else 0


def _count(number: int, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("sh") else "s")
    return f"{number} {noun if number == 1 else plural}"
