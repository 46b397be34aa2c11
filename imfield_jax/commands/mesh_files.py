"""The files that hold a reconstruction: its mesh in several formats and levels of detail, and its voxels."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator

import numpy as np

from imfield_jax.coordinates import HALF
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
    voxel_resolution: voxels per axis of the cube.
    """

    formats: tuple[str, ...]
    style: export.Style
    lods: int
    camera: bool
    voxel_resolution: int

    @property
    def has_voxels(self) -> bool:
        return any(kind in VOXEL_FORMATS for kind in self.formats)

    def names(self, name: str) -> list[str]:
        """The names of all files of an image, those of its mesh first."""
        meshes = [kind for kind in self.formats if kind in export.FORMATS]
        files = [f"{name}.{kind}" for kind in self.formats]
        files += [f"{level}.{kind}" for level in self._levels(name)[1:] for kind in meshes]
        return files + ([export.material_file(name)] if "obj" in meshes else [])

    def encode(self, made: Reconstruction) -> Iterator[tuple[str, bytes]]:
        """These files, one by one."""
        camera = made.camera if self.camera else None
        levels = dict(zip(self._levels(made.name), (made.mesh, *made.lods), strict=True))
        for file in self.names(made.name):
            stem, _, kind = file.rpartition(".")
            if kind == "mtl":
                yield file, export.encode_material()
            elif kind in VOXEL_FORMATS:
                yield file, _encode_voxels(voxels(made.mesh, self.voxel_resolution), kind)
            else:
                style = dataclasses.replace(self.style, material=export.material_file(made.name))
                yield file, export.encode(levels[stem], kind, stem, camera, style)

    def _levels(self, name: str) -> list[str]:
        return [name, *(f"{name}_LOD{level}" for level in range(1, self.lods + 1))]


def _encode_voxels(full: np.ndarray, kind: str) -> bytes:
    """A file of voxels, indices (x, y, z), in the coordinates of the cube."""
    if kind == "binvox":
        return binvox.encode(binvox.Grid(full, np.full(3, -HALF), 2 * HALF))
    file = io.BytesIO()
    np.save(file, full)
    return file.getvalue()
