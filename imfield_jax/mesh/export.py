"""Mesh files for modelling programs, viewers and slicers.

Coordinates are written as they are: y up, which is what GLB and OBJ expect, front towards -z. GLB
carries a plain material and normals, OBJ and PLY normals; STL has neither and stores each triangle
on its own. Units are the cube's unless the caller scales the mesh first.
"""

from __future__ import annotations

import os
import pathlib

import numpy as np

from imfield_jax.camera import Camera
from imfield_jax.files import write_atomic
from imfield_jax.framing import FRAMED_SIZE
from imfield_jax.mesh.normals import with_vertex_normals
from imfield_jax.types import Mesh

FORMATS = ("glb", "obj", "ply", "stl")

_COLOR = (0.72, 0.72, 0.74, 1.0)  # a light, neutral clay


def encode(mesh: Mesh, file_format: str, name: str = "mesh", camera: Camera | None = None) -> bytes:
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
    # Slow to import, and also imports ray tracers if they are installed.
    import trimesh
    from trimesh.exchange.obj import export_obj
    from trimesh.exchange.ply import export_ply
    from trimesh.exchange.stl import export_stl

    written = trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_normals=mesh.normals, process=False)
    if file_format == "obj":
        return f"o {_one_word(name)}\n{export_obj(written, include_normals=True, header=None)}".encode()
    if file_format == "ply":
        return export_ply(written, vertex_normal=True)
    if file_format == "stl":
        return export_stl(written)
    material = trimesh.visual.material.PBRMaterial(
        name="clay", baseColorFactor=_COLOR, metallicFactor=0.0, roughnessFactor=0.8
    )
    written.visual = trimesh.visual.TextureVisuals(material=material)
    scene = trimesh.Scene()
    scene.add_geometry(written, node_name=name, geom_name=name)
    if camera is not None:
        angle = np.degrees(camera.fov_radians)
        scene.camera = trimesh.scene.Camera(name="view", resolution=(FRAMED_SIZE, FRAMED_SIZE), fov=(angle, angle))
        scene.camera_transform = np.linalg.inv(camera.view_matrix())
    return scene.export(file_type="glb", include_normals=True)


def _one_word(name: str) -> str:
    """The name with underscores for spaces: some readers of OBJ take only the first word of the line."""
    return "_".join(name.split()) or "mesh"


def export(mesh: Mesh, path: str | os.PathLike) -> None:
    """Writes the mesh to a file whose suffix, one of `FORMATS`, names the format.

    Raises ValueError as `encode` does and OSError when the file cannot be written.
    """
    path = pathlib.Path(path)
    write_atomic(path, encode(mesh, path.suffix.lower().removeprefix("."), path.stem))
