"""A scene as Wavefront text, in the file names of ShapeNetCore.v2."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imfield_jax.sources.procedural.solids import DECIMALS
from imfield_jax.sources.scene import Scene

MESH_NAME = "model_normalized.obj"


def mesh_text(scene: Scene) -> str:
    """The OBJ file: one group and one material per part."""
    lines = [f"mtllib {Path(MESH_NAME).with_suffix('.mtl')}"]
    offset = 1
    for number, part in enumerate(scene.parts):
        lines += [f"g part{number}", f"usemtl material{number}"]
        lines += [f"v {x:.{DECIMALS}f} {y:.{DECIMALS}f} {z:.{DECIMALS}f}" for x, y, z in part.vertices.tolist()]
        lines += [f"f {a} {b} {c}" for a, b, c in (part.faces + offset).tolist()]
        offset += len(part.vertices)
    return "\n".join(lines) + "\n"


def material_text(scene: Scene) -> str:
    """The MTL file: diffuse colour and opacity."""
    lines = []
    for number, part in enumerate(scene.parts):
        red, green, blue, opacity = np.round(part.color, 4).tolist()
        lines += [
            f"newmtl material{number}",
            f"Kd {red:g} {green:g} {blue:g}",
            "Ks 0 0 0",
            f"d {opacity:g}",
            "",
        ]
    return "\n".join(lines)


def write_obj(folder: Path, scene: Scene) -> None:
    """Write `model_normalized.obj` and its MTL into `folder`, which must exist."""
    mesh = folder / MESH_NAME
    mesh.with_suffix(".mtl").write_text(material_text(scene), encoding="ascii")
    mesh.write_text(mesh_text(scene), encoding="ascii")
