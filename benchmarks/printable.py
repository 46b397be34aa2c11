"""Reconstructions as files for printers: do slicers' checks pass, in full and with few faces, and what is lost?

    python -m benchmarks.printable --category=car --data=data/car --shapes=50

Each test shape is reconstructed from one view, written as STL and 3MF in full and with --max_faces, and read back by
trimesh. The table counts the files that are closed, manifold and outward, without faces that cross, and gives the
Chamfer distance to the full mesh next to that of the full mesh to itself, both from random points.
"""

from __future__ import annotations

import dataclasses
import io
import sys
import time

import numpy as np
import trimesh
from absl import flags

from imfield_jax.commands.entry import run
from imfield_jax.dataset.storage import open_split
from imfield_jax.evaluation.metrics import chamfer_l1, match
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh.export import encode
from imfield_jax.mesh.print_check import print_check
from imfield_jax.mesh.sampling import SurfacePoints, sample_surface
from imfield_jax.mesh.simplify import simplified
from imfield_jax.types import Mesh

_CATEGORY = flags.DEFINE_string("category", "car", "Category of the shipped weights.")
_DATA = flags.DEFINE_string("data", "data/car", "Prepared dataset of held-out shapes.")
_SPLIT = flags.DEFINE_string("split", "test", "Its split.")
_SHAPES = flags.DEFINE_integer("shapes", 50, "Shapes, one view of each.", lower_bound=1)
_RESOLUTION = flags.DEFINE_integer("resolution", 256, "Cells per axis.", lower_bound=16)
_FACES = flags.DEFINE_integer("max_faces", 5000, "Faces of the simplified meshes.", lower_bound=100)


def main() -> None:
    model, split = Reconstructor.shipped(_CATEGORY.value), open_split(_DATA.value, _SPLIT.value)
    passed: dict[str, list[bool]] = {}
    distances: dict[str, list[float]] = {}
    seconds = []
    for number in range(min(_SHAPES.value, len(split))):
        full = model.mesh(split[number].view(number % split.views), _RESOLUTION.value)
        started = time.perf_counter()
        few = simplified(full, _FACES.value)
        seconds.append(time.perf_counter() - started)
        for name, mesh in (("all faces", full), (f"{_FACES.value:,} faces", few)):
            for kind in ("stl", "3mf"):
                passed.setdefault(f"{name}, {kind}", []).append(print_check(_read(encode(mesh, kind), kind)).passed)
            distances.setdefault(name, []).append(chamfer_l1(match(_points(mesh, 0), _points(full, 1))))
    print("| files | pass | Chamfer-L1 to all faces |\n| --- | --- | --- |")
    for name, found in passed.items():
        distance = np.mean(distances[name.rsplit(",", 1)[0]])
        print(f"| {name} | {sum(found)} of {len(found)} | {distance:.5f} |")
    loss = max(np.subtract(*reversed(distances.values())))
    print(f"Largest loss of a shape: {loss:.5f}; simplified in {np.mean(seconds):.2f} s")


def _read(contents: bytes, kind: str) -> Mesh:
    """The mesh of a file, scaled into the cube."""
    read = trimesh.load_mesh(io.BytesIO(contents), file_type=kind)
    vertices = np.array(read.vertices, np.float32)
    return Mesh(vertices[:, [0, 2, 1]] * (-0.01, 0.01, 0.01) - (0, 0.5, 0), np.array(read.faces, np.int32))


def _points(mesh: Mesh, seed: int) -> SurfacePoints:
    return sample_surface(dataclasses.replace(mesh, normals=None), 100_000, np.random.default_rng(seed))


if __name__ == "__main__":
    run(sys.modules[__name__])
