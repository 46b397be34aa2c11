"""The files that hold a reconstruction: its mesh in several formats and levels of detail, textures and voxels."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator

import numpy as np

from imfield_jax.coordinates import HALF
from imfield_jax.images import encode_png
from imfield_jax.inference.batch import Reconstruction
from imfield_jax.mesh import export
from imfield_jax.mesh.voxels import voxels
from imfield_jax.sources.formats import binvox

VOXEL_FORMATS = ("binvox", "npy")
FORMATS = (*export.FORMATS, *VOXEL_FORMATS)


@dataclasses.dataclass(frozen=True)
class MeshFiles:
    """The files to write.

    formats: of `FORMATS`.   lods: number of levels of detail.   camera: put the predicted camera into GLB files.
    voxel_resolution: voxels per axis of the cube.   textures: OBJ files have textures, where meshes have.
    """

    formats: tuple[str, ...]
    style: export.Style
    lods: int
    camera: bool
    voxel_resolution: int
    textures: bool

    @property
    def has_voxels(self) -> bool:
        return any(kind in VOXEL_FORMATS for kind in self.formats)

    def names(self, name: str) -> list[str]:
        """The names of all files of an image, those of its mesh first; without colours it gets no textures."""
        return [file for file, *_ in self._plan(name)]

    def encode(self, made: Reconstruction) -> Iterator[tuple[str, bytes]]:
        """These files, one by one."""
        camera = made.camera if self.camera else None
        meshes = dict(zip(self._levels(made.name), (made.mesh, *made.lods), strict=True))
        for file, level, kind in self._plan(made.name):
            mesh = meshes[level]
            if kind == "mtl":
                yield file, export.encode_material(None if mesh.texture is None else export.texture_file(level))
            elif kind == "png":
                if mesh.texture is not None:
                    yield file, encode_png(mesh.texture.image)
            elif kind in VOXEL_FORMATS:
                yield file, _encode_voxels(voxels(mesh, self.voxel_resolution), kind)
            else:
                material = export.material_file(level if self.textures else made.name)  # levels share a plain one
                style = dataclasses.replace(self.style, material=material)
                yield file, export.encode(mesh, kind, level, camera, style)

    def _plan(self, name: str) -> Iterator[tuple[str, str, str]]:
        """The files of an image, the level of detail of each, and its kind."""
        levels, meshes = self._levels(name), [kind for kind in self.formats if kind in export.FORMATS]
        for level in levels:
            for kind in self.formats if level == name else meshes:
                yield f"{level}.{kind}", level, kind
        for level in levels if self.textures else levels[:1]:
            if "obj" in meshes:
                yield export.material_file(level), level, "mtl"
            if "obj" in meshes and self.textures:
                yield export.texture_file(level), level, "png"

    def _levels(self, name: str) -> list[str]:
        return [name, *(f"{name}_LOD{level}" for level in range(1, self.lods + 1))]


def _encode_voxels(full: np.ndarray, kind: str) -> bytes:
    """A file of voxels, indices (x, y, z), in the coordinates of the cube."""
    if kind == "binvox":
        return binvox.encode(binvox.Grid(full, np.full(3, -HALF), 2 * HALF))
    file = io.BytesIO()
    np.save(file, full)
    return file.getvalue()
