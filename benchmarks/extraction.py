"""Cost of a mesh by extraction method, with the same weights on the same machine.

    python -m benchmarks.extraction
    python -m benchmarks.extraction --run=runs/car_improved --data=data/car --resolutions=64,128,256

Every row is measured in its own process, which compiles first: the median of several rounds, with field evaluations
and triangles. Memory is the peak above that of the process before the first round. Deviation is from the surface of
the dense method, in cells: mean and maximum distance from the vertices of each surface to the other, the larger of
both directions, so that missed parts count.
"""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import numpy as np
from absl import flags

from benchmarks import rivals
from benchmarks.machine import matrix_peaks
from imfield_jax.commands.entry import run
from imfield_jax.extraction.chunked import ChunkedField
from imfield_jax.framing import to_unit
from imfield_jax.inference.model import OBJECTS, SHIPPED, run_weights, shipped_weights
from imfield_jax.inference.photo import read_image
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh.check import check
from imfield_jax.mesh.normals import with_vertex_normals
from imfield_jax.models.decoder import DecoderConfig
from imfield_jax.models.planes import PLANES, PlaneDecoderConfig
from imfield_jax.models.weights import load_weights
from imfield_jax.preparation import memory
from imfield_jax.types import Mesh

_CATEGORY = flags.DEFINE_string("category", "car", "Category of the shipped weights and of the sample image.")
_RUN = flags.DEFINE_string("run", None, "A training run's folder, instead of shipped weights.")
_DATA = flags.DEFINE_string("data", None, "Take the latent of a test shape of this dataset, from voxels.")
_SHAPE = flags.DEFINE_integer("shape", 0, "Index of the test shape.", lower_bound=0)
_RESOLUTIONS = flags.DEFINE_list("resolutions", ["64", "128", "256"], "Cells per axis.")
_METHODS = flags.DEFINE_list("methods", None, "Some of exact, fast, certified, dense, imnet, mise; default all.")
_DENSE_UP_TO = flags.DEFINE_integer("dense_up_to", 256, "Resolution above which only exact and fast are timed.")
_ROUNDS = flags.DEFINE_integer(
    "rounds", 3, "Timed runs of each row, only one if it takes a minute; twice as many of products."
)


_COLUMNS = (
    "method",
    "R",
    "seconds",
    "in the field",
    "points",
    "MiB",
    "triangles",
    "mean, maximum",
    "topology",
    "phases",
)
_PLAIN = {"refinement_iterations": 0, "floaters": "keep", "bridge_gap": 0.0}  # plain marching cubes


@dataclasses.dataclass(frozen=True)
class Row:
    """seconds: in total; in_field: of these, in field evaluations; memory: peak increase in MiB."""

    method: str
    resolution: int
    seconds: float
    in_field: float
    phases: dict[str, float]
    points: int
    memory: float
    mesh: Path


def main() -> None:
    methods = _METHODS.value or list(_METHODS_OF)
    resolutions = [int(resolution) for resolution in _RESOLUTIONS.value]
    unknown = [name for name in methods if name not in _METHODS_OF]
    if unknown:
        raise ValueError(f"--methods: expected some of {', '.join(_METHODS_OF)}, found {unknown[0]!r}")
    weights = run_weights(_RUN.value) if _RUN.value else shipped_weights(_CATEGORY.value)
    z = _latent(Reconstructor(load_weights(weights)))
    _machine(weights, z)
    with tempfile.TemporaryDirectory() as folder:
        print(f"\n| {' | '.join(_COLUMNS)} |\n{'| --- ' * len(_COLUMNS)}|")
        for resolution in resolutions:
            reference = None
            for method in sorted(methods, key=lambda name: name != "dense"):
                if resolution > _DENSE_UP_TO.value and method not in ("exact", "fast"):
                    continue
                row = _in_process(_timed, weights, z, method, resolution, _ROUNDS.value, folder)
                mesh = _loaded(row.mesh)
                reference = mesh if reference is None else reference
                _print(row, mesh, reference)
    _refinement(weights, z)
    _together(weights, z)


def _latent(model: Reconstructor) -> np.ndarray:
    if _DATA.value:
        from imfield_jax.dataset.storage import open_split

        return model.encode_voxels(
            open_split(_DATA.value, "test")[_SHAPE.value].voxels_of(model.inputs.voxel_size)[None]
        )[0]
    view = model.view(read_image(SHIPPED / f"{_CATEGORY.value}.png").rgba)
    return model.encode_views(to_unit(view)[None])[0]


def _print(row: Row, mesh: Mesh, reference: Mesh) -> None:
    mean, maximum = deviation(mesh, reference)
    report, expected = check(mesh), check(reference)
    same = (report.components, report.euler) == (expected.components, expected.euler)
    topology = ("same" if same else "other") + ("" if report.sound else ", not sound")
    phases = ", ".join(f"{name} {spent:.2f}" for name, spent in row.phases.items())
    print(
        f"| {row.method} | {row.resolution} | {row.seconds:.2f} | {row.in_field:.2f} | {row.points:,} "
        f"| {row.memory:.0f} | {len(mesh.faces):,} | {mean * row.resolution:.5f}, {maximum * row.resolution:.4f} "
        f"| {topology} | {phases} |",
        flush=True,
    )


def deviation(mesh: Mesh, reference: Mesh) -> tuple[float, float]:
    """Mean and maximum distance from the vertices of each surface to the other: the larger of both directions."""
    import igl

    if not len(mesh.faces) or not len(reference.faces):
        return float("nan"), float("nan")
    distances = []
    for one, other in ((mesh, reference), (reference, mesh)):
        args = (one.vertices.astype(np.float64), other.vertices.astype(np.float64), other.faces.astype(np.int64))
        distances.append(np.sqrt(igl.point_mesh_squared_distance(*args)[0]))
    return max(d.mean() for d in distances), max(d.max() for d in distances)


# One process for each row.


class Watched:
    """A field that counts its evaluations and their seconds."""

    def __init__(self, field: ChunkedField):
        self.points, self.seconds = 0, 0.0
        self._field = field

    def __call__(self, points: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        values = self._field(points)
        self.seconds += time.perf_counter() - start
        self.points += len(points)
        return values


Outcome = tuple[Mesh, int, float, dict[str, float]]  # field evaluations, seconds in the field, seconds by phase


def _ours(model: Reconstructor, z: np.ndarray, resolution: int, certify: bool = False) -> Outcome:
    extraction = model.extract(z, resolution, **_PLAIN, certify=certify, clock=time.perf_counter)
    in_field = extraction.seconds["evaluate"] + extraction.seconds.get("bound", 0.0)
    return extraction.mesh, int(extraction.evaluated.sum()), in_field, extraction.seconds


def _theirs(
    method: Callable[[rivals.Evaluate, int], Mesh], model: Reconstructor, z: np.ndarray, resolution: int
) -> Outcome:
    field = Watched(model.field(z))
    mesh = with_vertex_normals(method(field, resolution))
    return mesh, field.points, field.seconds, {}


_METHODS_OF: dict[str, tuple[str, Callable[[Reconstructor, np.ndarray, int], Outcome]]] = {
    "exact": ("exact", _ours),
    "fast": ("fast", _ours),
    "certified": ("exact", partial(_ours, certify=True)),
    "dense": ("exact", partial(_theirs, rivals.dense)),
    "imnet": ("exact", partial(_theirs, rivals.imnet)),
    "mise": ("exact", partial(_theirs, rivals.mise)),
}


def _timed(weights: Path, z: np.ndarray, method: str, resolution: int, rounds: int, folder: str) -> Row:
    precision, make = _METHODS_OF[method]
    model = Reconstructor(load_weights(weights), precision)
    make(model, z, 32)  # compiles
    memory.forget_peak()
    before = _peak_mebibytes()
    taken = []
    while not taken or (len(taken) < rounds and taken[0][0] < 60):
        start = time.perf_counter()
        outcome = make(model, z, resolution)
        taken.append((time.perf_counter() - start, *outcome[1:]))
    seconds, points, in_field, phases = sorted(taken, key=lambda one: one[0])[len(taken) // 2]
    peak = _peak_mebibytes() - before
    path = Path(folder) / f"{method}_{resolution}.npz"
    np.savez(path, vertices=outcome[0].vertices, faces=outcome[0].faces)
    return Row(method, resolution, seconds, in_field, phases, points, peak, path)


def _peak_mebibytes() -> float:
    """Peak memory of this process; NaN if the system does not report it."""
    peak = memory.peak_mebibytes()
    return float("nan") if peak is None else peak


def _loaded(path: Path) -> Mesh:
    with np.load(path) as arrays:
        return Mesh(arrays["vertices"], arrays["faces"])


def _in_process(work: Callable, *args: object) -> object:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, args)


# The machine, refinement, and many objects.


def _machine(weights: Path, z: np.ndarray) -> None:
    device, decoder = jax.devices()[0], load_weights(weights).networks.preset.decoder
    products = _products(decoder)
    print(f"{device.device_kind} ({device.platform}), jax {jax.__version__}, {weights}: {products:,} products a point")
    peaks = matrix_peaks(2 * _ROUNDS.value + 1)
    print("matrix products, GFLOP/s: " + ", ".join(f"{name} {peak:.0f}" for name, peak in peaks.items()))
    best = max(peak for name, peak in peaks.items() if "float32" in name)
    for precision in ("exact", "fast"):
        rate = _in_process(_rate, weights, z, precision, _ROUNDS.value + 2)
        flops = 2 * products * rate / 1e9
        print(f"{precision}: {rate:,.0f} points/s, {flops:.0f} GFLOP/s, {flops / best:.0%} of the best float32 product")


def _products(decoder: DecoderConfig | PlaneDecoderConfig) -> int:
    """Multiplications for one point, with the folded decoder of an object."""
    after_first = sum(a * b for a, b in itertools.pairwise((*decoder.widths, 1)))
    if isinstance(decoder, PlaneDecoderConfig):
        return after_first + len(PLANES) * 4 * decoder.widths[0]  # corners of a cell, whose features are interpolated
    fed = sum(decoder.widths[1:]) if decoder.skips else 0
    return after_first + decoder.point_width * (decoder.widths[0] + fed)


def _rate(weights: Path, z: np.ndarray, precision: str, rounds: int) -> float:
    """Points per second, the fastest of several rounds."""
    field = Reconstructor(load_weights(weights), precision).field(z)
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (8 * field.chunk, 3)).astype(np.float32)
    field(points)
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        field(points)
        seconds.append(time.perf_counter() - start)
    return len(points) / min(seconds)


def _refinement(weights: Path, z: np.ndarray) -> None:
    """Distance of vertices from the level set (value over slope of the field), by refinement iterations."""
    model = Reconstructor(load_weights(weights))
    resolution = min(256, max(int(one) for one in _RESOLUTIONS.value))
    print(f"\n| refinement iterations, {resolution}^3 | points | distance to the level set, cells: mean | 99th % |")
    print("| --- | --- | --- | --- |")
    for iterations in range(4):
        extraction = model.extract(z, resolution, **{**_PLAIN, "refinement_iterations": iterations})
        slopes = np.linalg.norm(model.gradient(z)(extraction.mesh.vertices), axis=1)
        deviations = np.abs(model.field(z)(extraction.mesh.vertices)) / slopes * resolution
        within = (
            np.abs(extraction.mesh.vertices).max(axis=1) < 0.5 - 1 / resolution
        )  # the cube's border is not a level set
        mean, maximum = deviations[within].mean(), np.percentile(deviations[within], 99)
        print(f"| {iterations} | {extraction.evaluated[0]:,} | {mean:.4f} | {maximum:.3f} |")


def _together(weights: Path, z: np.ndarray) -> None:
    """Seconds per object, for objects extracted one after another and in common chunks."""
    model = Reconstructor(load_weights(weights))
    model.extract(z, 32)
    print(f"\n| {OBJECTS} objects | seconds each alone | together |\n| --- | --- | --- |")
    for resolution in (one for one in (32, 64, 128) if one <= max(map(int, _RESOLUTIONS.value))):
        seconds = []
        for latents in ([z] * OBJECTS, [np.stack([z] * OBJECTS)]):
            start = time.perf_counter()
            for one in latents:
                model.extract(one, resolution, **_PLAIN)
            seconds.append((time.perf_counter() - start) / OBJECTS)
        print(f"| {resolution}^3 | {seconds[0]:.3f} | {seconds[1]:.3f} |", flush=True)


if __name__ == "__main__":
    run(sys.modules[__name__])
