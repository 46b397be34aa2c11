"""Reconstructions as files for printers: do slicers' checks pass, in full and with few faces, and what is lost?

    python -m benchmarks.printable --category=car --data=data/car --shapes=50

Each test shape is reconstructed from some views, written as STL and 3MF in full and with --max_faces, and read back by
trimesh. The table counts the files that are closed, manifold and outward, without faces that cross, and gives the
Chamfer distance to the full mesh next to that of the full mesh to itself, both from random points. The log names the
files that fail.
"""

from __future__ import annotations

import dataclasses
import io
import sys
import time
from collections.abc import Iterator

import numpy as np
import trimesh
from absl import flags, logging

from imfield_jax.commands.entry import run
from imfield_jax.commands.progress import Progress
from imfield_jax.dataset.storage import open_split
from imfield_jax.evaluation.metrics import chamfer_l1, match
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh.export import encode
from imfield_jax.mesh.print_check import print_check
from imfield_jax.mesh.sampling import SurfacePoints, sample_surface
from imfield_jax.mesh.simplify import simplified
from imfield_jax.types import Mesh

_CATEGORY = flags.DEFINE_string("category", "car", "Category of the shipped weights.")
_DATA = flags.DEFINE_list("data", ["data/car"], "Prepared datasets of held-out shapes.")
_SPLIT = flags.DEFINE_string("split", "test", "Their split.")
_SHAPES = flags.DEFINE_integer("shapes", 50, "Shapes of each dataset, at most.", lower_bound=1)
_VIEWS = flags.DEFINE_integer("views", 1, "Views of each shape, others for the next shape.", lower_bound=1)
_RESOLUTION = flags.DEFINE_integer("resolution", 256, "Cells per axis.", lower_bound=16)
_FACES = flags.DEFINE_integer("max_faces", 5000, "Faces of the simplified meshes.", lower_bound=100)


def main() -> None:
    model = Reconstructor.shipped(_CATEGORY.value)
    passed: dict[str, list[bool]] = {}
    distances: dict[str, list[float]] = {}
    seconds = []
    for name, view in _views():
        full = model.mesh(view, _RESOLUTION.value)
        started = time.perf_counter()
        few = simplified(full, _FACES.value)
        seconds.append(time.perf_counter() - started)
        for faces, mesh in (("all faces", full), (f"{_FACES.value:,} faces", few)):
            for kind in ("stl", "3mf"):
                found = print_check(_read(encode(mesh, kind), kind))
                passed.setdefault(f"{faces}, {kind}", []).append(found.passed)
                if not found.passed:
                    logging.info(
                        "%s, %s, %s: %s",
                        name,
                        faces,
                        kind,
                        "; ".join(line for verdict, line in found.lines() if verdict == "FAIL"),
                    )
            distances.setdefault(faces, []).append(chamfer_l1(match(_points(mesh, 0), _points(full, 1))))
    print("| files | pass | Chamfer-L1 to all faces |\n| --- | --- | --- |")
    for name, found in passed.items():
        distance = np.mean(distances[name.rsplit(",", 1)[0]])
        print(f"| {name} | {sum(found)} of {len(found)} | {distance:.5f} |")
    loss = max(np.subtract(*reversed(distances.values())))
    print(f"Largest loss of a mesh: {loss:.5f}; simplified in {np.mean(seconds):.2f} s")


def _views() -> Iterator[tuple[str, np.ndarray]]:
    for data in _DATA.value:
        split, progress = open_split(data, _SPLIT.value), Progress()
        shapes = min(_SHAPES.value, len(split))
        for number in range(shapes):
            row = split[number]
            for view in range(_VIEWS.value):
                chosen = (number + view * split.views // _VIEWS.value) % split.views
                yield f"{row.name}, view {chosen}", row.view(chosen)
            progress(f"reconstructing {data}", number + 1, shapes, "")


def _read(contents: bytes, kind: str) -> Mesh:
    """The mesh of a file, scaled into the cube."""
    read = trimesh.load_mesh(io.BytesIO(contents), file_type=kind)
    vertices = np.array(read.vertices, np.float32)
    return Mesh(vertices[:, [0, 2, 1]] * (-0.01, 0.01, 0.01) - (0, 0.5, 0), np.array(read.faces, np.int32))


def _points(mesh: Mesh, seed: int) -> SurfacePoints:
    return sample_surface(dataclasses.replace(mesh, normals=None), 100_000, np.random.default_rng(seed))


if __name__ == "__main__":
    run(sys.modules[__name__])
