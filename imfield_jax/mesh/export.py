"""Mesh files for modelling programs, viewers and slicers, laid out by the customs of each format, see `mesh.layout`.

GLB and OBJ carry a plain material, a texture, or the colours of vertices as PLY does; GLB and PLY normals. OBJ has a
smoothing group instead, from which programs make the same normals, unless it is asked for those of the field. STL has
neither and stores each triangle on its own.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from imfield_jax.camera import Camera
from imfield_jax.files import write_atomic
from imfield_jax.framing import FRAMED_SIZE
from imfield_jax.images import encode_png
from imfield_jax.mesh.layout import layout
from imfield_jax.mesh.normals import with_vertex_normals
from imfield_jax.mesh.threemf import encode_3mf
from imfield_jax.types import Mesh, Texture

FORMATS = ("glb", "obj", "ply", "stl", "3mf")
COLORED = ("glb", "obj", "ply")  # formats that hold the colours of vertices
TEXTURED = ("glb", "obj")
TEXTURE = ".texture.png"  # ends the name of an OBJ file's texture
ATTRIBUTED = ("glb", "ply")  # formats that hold other numbers per vertex

_COLOR = (0.36, 0.34, 0.32, 1.0)  # a neutral clay, linear; brighter ones drown in the light of viewers
_WHITE = (1.0, 1.0, 1.0, 1.0)
_MATERIAL = "clay"
_PER_VERTEX = ("vertices", "normals", "colors", "seen", "spread")
_DIGITS = 6  # of coordinates in text, after the first digit of the longest side


@dataclasses.dataclass(frozen=True)
class Style:
    """What the user may choose about a file.

    size_mm, up: see `layout`.
    normals:     OBJ files have the mesh's normals.
    material:    name of the file with the material of OBJ files, see `material_file`; without one they have none.
    """

    size_mm: float | None = None
    up: str | None = None
    normals: bool = False
    material: str | None = None


PLAIN = Style()


def encode(
    mesh: Mesh, file_format: str, name: str = "mesh", camera: Camera | None = None, style: Style = PLAIN
) -> bytes:
    """The contents of a file of one of `FORMATS`. A mesh without normals gets area-weighted ones.

    name: of the object inside the file, which modelling programs show; PLY and STL have none.
    camera: to put into a GLB file, of a square image; the other formats have no cameras.

    Raises ValueError for another format and for a mesh without faces, which these formats cannot hold.
    """
    if file_format not in FORMATS:
        raise ValueError(f"unknown mesh format {file_format!r}, expected one of {', '.join(FORMATS)}")
    if not len(mesh.faces):
        raise ValueError("the mesh is empty, there is nothing to export")
    if mesh.normals is None:
        mesh = with_vertex_normals(mesh)
    place = layout(mesh, file_format, style.size_mm, style.up)
    mesh = place.of(mesh)
    if file_format == "3mf":
        return encode_3mf(mesh, name)
    # Slow to import, and also imports ray tracers if they are installed.
    import trimesh
    from trimesh.exchange.obj import export_obj
    from trimesh.exchange.ply import export_ply
    from trimesh.exchange.stl import export_stl

    texture, places = mesh.texture if file_format in TEXTURED else None, None
    if texture is not None:
        mesh = dataclasses.replace(mesh, colors=None)  # programs multiply them with the texture
    if texture is not None and file_format == "glb":
        mesh, places = _cut(mesh, texture)
    written = trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_normals=mesh.normals, process=False)
    if mesh.colors is not None and file_format in ("obj", "ply"):
        written.visual = trimesh.visual.ColorVisuals(written, vertex_colors=mesh.colors)
    for attribute, values in (("seen", mesh.seen), ("spread", mesh.spread)):
        if values is not None and file_format in ATTRIBUTED:
            written.vertex_attributes[f"_{attribute.upper()}" if file_format == "glb" else attribute] = values
    if file_format == "obj":
        digits = _DIGITS - int(np.floor(np.log10(written.extents.max())))
        body = export_obj(written, include_normals=style.normals, digits=digits, header=None)
        if texture is not None:
            body = _with_texture(body, mesh.faces, texture, style.normals)
        head = f"mtllib {style.material}\nusemtl {_MATERIAL}\n" if style.material else ""
        return f"o {_one_word(name)}\n{head}s 1\n{body}".encode()
    if file_format == "ply":
        return export_ply(written, vertex_normal=True)
    if file_format == "stl":
        return export_stl(written)
    material = trimesh.visual.material.PBRMaterial(
        name=_MATERIAL,
        baseColorFactor=_COLOR if mesh.colors is None and texture is None else _WHITE,  # colours are multiplied by it
        baseColorTexture=None if texture is None else Image.fromarray(texture.image),
        metallicFactor=0.0,
        roughnessFactor=0.8,
    )
    written.visual = trimesh.visual.TextureVisuals(uv=places, material=material)
    if mesh.colors is not None:
        written.visual.vertex_attributes["color"] = _linear(mesh.colors)
    scene = trimesh.Scene()
    scene.add_geometry(written, node_name=name, geom_name=name)
    if camera is not None:
        angle = np.degrees(camera.fov_radians)
        scene.camera = trimesh.scene.Camera(name="view", resolution=(FRAMED_SIZE, FRAMED_SIZE), fov=(angle, angle))
        scene.camera_transform = place.of_pose(np.linalg.inv(camera.view_matrix()))
    return scene.export(file_type="glb", include_normals=True)


def _cut(mesh: Mesh, texture: Texture) -> tuple[Mesh, Float32[np.ndarray, "N 2"]]:
    """The mesh with vertices of its own for each chart, and where each of these lies in the texture."""
    corners = np.column_stack([mesh.faces.reshape(-1, 1), texture.corners.reshape(-1, 2)])
    _, first, of_corner = np.unique(corners, axis=0, return_index=True, return_inverse=True)
    vertex = mesh.faces.reshape(-1)[first]
    fields = {name: values[vertex] for name in _PER_VERTEX if (values := getattr(mesh, name)) is not None}
    faces = of_corner.reshape(-1, 3).astype(mesh.faces.dtype)
    return dataclasses.replace(mesh, faces=faces, **fields), texture.corners.reshape(-1, 2)[first]


def _with_texture(body: str, faces: np.ndarray, texture: Texture, normals: bool) -> str:
    """The lines of an OBJ file with places in the texture. They have numbers of their own: the surface stays whole."""
    places, number = np.unique(texture.corners.reshape(-1, 2), axis=0, return_inverse=True)
    corner = "{0}/{1}/{0}" if normals else "{0}/{1}"
    words = [corner.format(*pair) for pair in zip(faces.ravel() + 1, number.ravel() + 1, strict=True)]
    lines = [f"vt {u:.6f} {v:.6f}" for u, v in places]
    lines += ["f " + " ".join(words[start : start + 3]) for start in range(0, len(words), 3)]
    return body[: body.index("\nf ") + 1] + "\n".join(lines) + "\n"


def _linear(colors: UInt8[np.ndarray, "V 3"]) -> UInt8[np.ndarray, "V 4"]:
    """Opaque colours as glTF has them: linear light instead of sRGB (IEC 61966-2-1)."""
    value = colors / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return np.pad(np.rint(255 * linear).astype(np.uint8), ((0, 0), (0, 1)), constant_values=255)


def material_file(name: str) -> str:
    """The name of the file beside an OBJ file that has its material; without spaces, as some readers need it."""
    return f"{_one_word(name)}.mtl"


def texture_file(name: str) -> str:
    """The name of the file beside an OBJ file that has its texture."""
    return _one_word(name) + TEXTURE


def encode_material(texture: str | None = None) -> bytes:
    """The contents of the file with the material. texture: name of the file with the texture, if there is one."""
    if texture is not None:
        return f"newmtl {_MATERIAL}\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nd 1\nillum 1\nmap_Kd {texture}\n".encode()
    color = " ".join(f"{value ** (1 / 2.2):.2f}" for value in _COLOR[:3])  # as on the screen
    return f"newmtl {_MATERIAL}\nKa {color}\nKd {color}\nKs 0 0 0\nd 1\nillum 1\n".encode()


def _one_word(name: str) -> str:
    """The name with underscores for spaces: some readers of OBJ take only the first word of the line."""
    return "_".join(name.split()) or "mesh"


def export(mesh: Mesh, path: str | os.PathLike, style: Style = PLAIN) -> None:
    """Writes the mesh to a file whose suffix, one of `FORMATS`, names the format.

    Beside an OBJ file of a mesh with a texture it writes the texture and the material that refers to it.

    Raises ValueError as `encode` does and OSError when the file cannot be written.
    """
    path = pathlib.Path(path)
    file_format = path.suffix.lower().removeprefix(".")
    if mesh.texture is not None and file_format == "obj":
        material, texture = material_file(path.stem), texture_file(path.stem)
        write_atomic(path.with_name(texture), encode_png(mesh.texture.image))
        write_atomic(path.with_name(material), encode_material(texture))
        style = dataclasses.replace(style, material=material)
    write_atomic(path, encode(mesh, file_format, path.stem, style=style))
