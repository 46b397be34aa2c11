"""The surface that extraction misses, by start lattice, and a check of the certified mode.

    python -m benchmarks.completeness --category=chair --data=data/chair --resolution=256 --count=20
    python -m benchmarks.completeness --category=chair --data=data/chair --resolution=128 --count=17 --dense

Latents are encoded from images of test shapes, evenly spread over the split. Every mesh is compared with the certified
one, once with all pieces and once without floaters, as extract writes them; --dense compares the certified mesh with
marching cubes on the whole grid, which evaluates the field everywhere.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
from absl import flags

from benchmarks import rivals
from imfield_jax.commands.entry import run
from imfield_jax.commands.progress import Progress
from imfield_jax.dataset.storage import open_split
from imfield_jax.extraction.sparse import SPLIT, START, extract
from imfield_jax.framing import to_unit
from imfield_jax.inference.model import run_weights, shipped_weights
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh.check import check
from imfield_jax.mesh.floaters import without_floaters
from imfield_jax.models.weights import load_weights
from imfield_jax.types import Mesh

_CATEGORY = flags.DEFINE_string("category", "car", "Category of the shipped weights.")
_RUN = flags.DEFINE_string("run", None, "A training run's folder, instead of shipped weights.")
_DATA = flags.DEFINE_string("data", None, "Dataset with the images; default data/<category>.")
_VIEW = flags.DEFINE_integer("view", 23, "Index of the view of each shape; -1 encodes voxels instead.", lower_bound=-1)
_RESOLUTION = flags.DEFINE_integer("resolution", 256, "Cells per axis.")
_STARTS = flags.DEFINE_list(
    "starts",
    ["16/16", "32/32", "64/64", "16/32", "16/64", "16/128", "32/128"],
    "Cells per axis of lattices to start from, and of those where halving ends.",
)
_COUNT = flags.DEFINE_integer("count", 20, "Number of shapes.", lower_bound=1)
_DENSE = flags.DEFINE_bool("dense", False, "Compare the certified mesh with that of the whole grid.")
_SAME = 1e-6  # cube units: the float32 field's rounding, which depends on a point's place in its chunk


@dataclasses.dataclass
class Tally:
    """Totals over latents. cells, components: numbers missed; largest: most cells missed for one latent.

    same: number of meshes equal to the certified one; same_clean: the same after removing floaters from both.
    """

    same: int = 0
    same_clean: int = 0
    cells: int = 0
    components: int = 0
    largest: int = 0
    points: int = 0


def main() -> None:
    weights = run_weights(_RUN.value) if _RUN.value else shipped_weights(_CATEGORY.value)
    model = Reconstructor(load_weights(weights))
    latents = _latents(model)
    starts = [tuple(int(cells) for cells in start.split("/")) for start in _STARTS.value]
    tallies = {start: Tally() for start in starts}
    certified_points, boxes, proved, like_dense, cells, components = 0, 0, 0.0, 0, 0, 0
    progress = Progress()
    for number, z in enumerate(latents, start=1):
        truth = extract(model.field(z), _RESOLUTION.value, bounds=model.bounds(z))
        certified_points += int(truth.evaluated[0])
        boxes += truth.certificate.boxes
        proved += truth.certificate.empty + truth.certificate.full
        if _DENSE.value:
            like_dense += same(truth.mesh, rivals.dense(model.field(z), _RESOLUTION.value))
        cells += truth.active[1]
        components += (whole := check(truth.mesh).components)
        for (start, split), tally in tallies.items():
            plain = extract(model.field(z), _RESOLUTION.value, start=start, split=split)
            missed = truth.active[1] - plain.active[1]
            tally.same += same(plain.mesh, truth.mesh)
            tally.same_clean += same(without_floaters(plain.mesh)[0], without_floaters(truth.mesh)[0])
            tally.cells += missed
            tally.largest = max(tally.largest, missed)
            tally.components += whole - check(plain.mesh).components
            tally.points += int(plain.evaluated[0])
        progress("latents", number, len(latents), "")
    count = len(latents)
    print(f"{weights.stem}, {_RESOLUTION.value}^3, {count} latents, {cells:,} active cells, {components} components")
    if _DENSE.value:
        print(f"certified meshes equal to those of the whole grid, to {_SAME}: {like_dense} of {count}")
    print("| start | same mesh | same without floaters | cells missed | maximum per shape | pieces missed | points |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (start, split), tally in tallies.items():
        default = " (default)" if (start, split) == (START, SPLIT) else ""
        print(
            f"| {start}/{split}{default} | {tally.same} of {count} | {tally.same_clean} of {count} "
            f"| {tally.cells / cells:.3%} | {tally.largest} | {tally.components} | {tally.points // count:,} |"
        )
    print(f"| certified | {count} of {count} | {count} of {count} | 0 | 0 | 0 | {certified_points // count:,} |")
    print(f"certified: {boxes // count:,} boxes bounded and {proved / count:.1%} of the cells proved, on average")


def _latents(model: Reconstructor) -> np.ndarray:
    split = open_split(_DATA.value or f"data/{_CATEGORY.value}", "test")
    rows = np.linspace(0, len(split) - 1, min(_COUNT.value, len(split))).round().astype(int).tolist()
    if _VIEW.value < 0:
        return np.concatenate(
            [model.encode_voxels(split[row].voxels_of(model.inputs.voxel_size)[None]) for row in rows]
        )
    views = [to_unit(model.view(split[row].view(_VIEW.value))) for row in rows]
    return np.concatenate([model.encode_views(view[None]) for view in views])


def same(mesh: Mesh, reference: Mesh) -> bool:
    """Whether two meshes are equal vertex by vertex; both are in lattice order."""
    return (
        mesh.vertices.shape == reference.vertices.shape
        and bool(np.abs(mesh.vertices - reference.vertices).max(initial=0) <= _SAME)
        and bool((mesh.faces == reference.faces).all())
    )


if __name__ == "__main__":
    run(sys.modules[__name__])
