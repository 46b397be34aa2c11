"""imfield_jax: one image of an object in, a clean 3D mesh out, at any resolution.

The public names are imported when they are first used, so that `import imfield_jax`, and every module that needs no
network, loads quickly and without JAX.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imfield_jax.camera import Camera
    from imfield_jax.extraction.sparse import Extraction, extract
    from imfield_jax.inference.model import shipped_categories
    from imfield_jax.inference.photo import read_image
    from imfield_jax.inference.reconstructor import Reconstructor, Result
    from imfield_jax.mesh.export import encode as encode_mesh
    from imfield_jax.types import Mesh

_HOMES = {  # name -> module, and its name there
    "Camera": ("camera", "Camera"),
    "Extraction": ("extraction.sparse", "Extraction"),
    "Mesh": ("types", "Mesh"),
    "Reconstructor": ("inference.reconstructor", "Reconstructor"),
    "Result": ("inference.reconstructor", "Result"),
    "encode_mesh": ("mesh.export", "encode"),
    "extract": ("extraction.sparse", "extract"),
    "read_image": ("inference.photo", "read_image"),
    "shipped_categories": ("inference.model", "shipped_categories"),
}

__all__ = [
    "Camera",
    "Extraction",
    "Mesh",
    "Reconstructor",
    "Result",
    "encode_mesh",
    "extract",
    "read_image",
    "shipped_categories",
]


def __getattr__(name: str) -> object:
    """A public name, from its module (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
