"""imfield_jax: one picture of an object in, a clean 3D mesh out, at any resolution."""

from imfield_jax.extraction.sparse import Extraction, extract
from imfield_jax.inference.photo import read_picture
from imfield_jax.inference.reconstructor import Reconstructor, shipped_categories
from imfield_jax.mesh.export import encode as encode_mesh
from imfield_jax.types import Camera, Mesh

__all__ = [
    "Camera",
    "Extraction",
    "Mesh",
    "Reconstructor",
    "encode_mesh",
    "extract",
    "read_picture",
    "shipped_categories",
]
