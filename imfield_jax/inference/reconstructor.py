"""Pictures to meshes in one call.

from imfield_jax import Reconstructor
result = Reconstructor.shipped()("photo.png", resolution=256)
result.save("object.glb")
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imfield_jax.extraction.bridging import MAX_GAP
from imfield_jax.extraction.chunked import ChunkedField
from imfield_jax.extraction.sparse import REFINEMENT_ITERATIONS
from imfield_jax.inference.batch import Failure, Item, Reconstruction, Settings, reconstruct
from imfield_jax.inference.cutout import AUTO, Matting
from imfield_jax.inference.image_file import Source
from imfield_jax.inference.model import DEFAULT, Model, run_weights, shipped_weights, whole_number
from imfield_jax.inference.photo import Photo, read_image
from imfield_jax.mesh.export import Style, export
from imfield_jax.models.weights import load_weights
from imfield_jax.types import Mesh

if TYPE_CHECKING:
    import trimesh


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result(Reconstruction):
    """The mesh of one picture. model: that made it."""

    model: Model

    @cached_property
    def field(self) -> ChunkedField:
        """Whose surface the mesh is, positive inside, for points [P, 3] in the cube. Made when first asked for."""
        return self.model.field(self.latent)

    @property
    def trimesh(self) -> trimesh.Trimesh:
        """The mesh for the library trimesh, in the cube: y up, front -z."""
        import trimesh  # slow to load

        mesh = self.mesh
        return trimesh.Trimesh(
            mesh.vertices, mesh.faces, vertex_normals=mesh.normals, vertex_colors=mesh.colors, process=False
        )

    def save(self, path: str | os.PathLike, *, size_mm: float | None = None, up: str | None = None) -> None:
        """Writes the mesh to a file whose suffix names the format, laid out as `mesh.layout` says.

        Raises ValueError for an unknown format, OSError when the file cannot be written.
        """
        export(self.mesh, path, Style(size_mm=size_mm, up=up))


class Reconstructor(Model):
    """Pictures of objects to meshes, by a model that compiles once for all pictures and resolutions."""

    @classmethod
    def shipped(cls, category: str = DEFAULT, precision: str = "exact") -> Reconstructor:
        """With the weights that come with the package, see `shipped_weights`."""
        return cls(load_weights(shipped_weights(category)), precision)

    @classmethod
    def load(cls, path: str | os.PathLike, precision: str = "exact") -> Reconstructor:
        """With the weights of a file that training or `publish` wrote. Raises OSError or ValueError naming it."""
        return cls(load_weights(path), precision)

    @classmethod
    def of_run(cls, run: str | os.PathLike, precision: str = "exact") -> Reconstructor:
        """With the newest weights of a training run's folder, see `run_weights`."""
        return cls(load_weights(run_weights(run)), precision)

    def __call__(
        self,
        picture: Source | Photo,
        resolution: int = 256,
        *,
        matte: str | Matting = AUTO,
        scribbles: Source | None = None,
        max_faces: int | None = None,
        color: bool = False,
        texture: int | None = None,
        spread: bool = False,
        refine_to_picture: bool = False,
        refinement_iterations: int = REFINEMENT_ITERATIONS,
        floaters: str = "remove",
        bridge_gap: float = MAX_GAP,
        field_normals: bool = False,
        watch: Callable[[str], None] = lambda step: None,
    ) -> Result:
        """A picture to a closed mesh and all that is known about it.

        picture:   a file, its contents, an image, an array, see `Source`, or what `read_image` returns.
        matte:     how the object is told from its background, see `find_object`.
        scribbles: an image that corrects the cut-out, see `read_image`.
        max_faces: of the mesh, see `simplified`; None keeps all.
        color:     the mesh has the colours of the picture, see `mesh.coloring`.
        texture:   with color, pixels per side of an image of the colours, finer than few vertices, see `mesh.texture`.
        spread:    the mesh says how sure it is, see `inference.spread`.
        refine_to_picture: the latent is fitted to the outline of the object, see `inference.refinement`.
        watch:     called with the name of each step, several times during long ones; what it raises ends the work.
        The other options are those of `extract`.

        Raises OSError or ValueError in one line if the picture cannot be used, shows no object of the category, or
        cannot have so few faces.
        """
        watch("image")
        if isinstance(picture, Photo):
            if scribbles is not None:
                raise ValueError("scribbles correct the cut-out of a picture; a Photo is cut out already")
            photo = picture
        else:
            photo = read_image(picture, crop=self.crop, matte=matte, scribbles=scribbles)
        name = Path(picture).stem if isinstance(picture, (str, os.PathLike)) else "image"
        settings = Settings(
            resolution=whole_number(resolution),
            refinement_iterations=refinement_iterations,
            floaters=floaters,
            bridge_gap=bridge_gap,
            field_normals=field_normals,
            max_faces=max_faces,
            color=color,
            texture=texture,
            spread=spread,
            refine_to_picture=refine_to_picture,
        )
        [made] = reconstruct(self, [Item(name, lambda: photo)], settings, watch)
        if isinstance(made, Failure):
            raise ValueError(made.reason)
        parts = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
        return Result(**parts, model=self)

    def mesh(self, picture: Source | Photo, resolution: int = 256, **options: Any) -> Mesh:
        """The mesh alone."""
        return self(picture, resolution, **options).mesh
