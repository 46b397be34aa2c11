"""OpenGL against ray tracing: seconds of 24 views of a shape by each, and how much the images differ.

    python -m benchmarks.rendering --meshes=data/cars,data/chairs

Procedural shapes first, then ten of the mesh files below each folder. Difference is the mean of |GL - rays| over
the four channels of pixels that either covers, of 255; coverage is the sum of |alpha difference| of a view, in pixels.
Both are timed after a first call, which starts them, in seconds of a core: Mesa draws on several.

On 2 shared cores of an AMD EPYC, Mesa 22.3 (llvmpipe), moderngl 5.13, embreex 4.4:

| shape | faces | GL, s | rays, s | difference | coverage, px |
| --- | --- | --- | --- | --- | --- |
| procedural car | 10,588 | 0.24 | 0.56 | 0.04 | 0.0 |
| procedural chair | 1,534 | 0.09 | 0.37 | 0.07 | 0.1 |
| procedural airplane | 7,212 | 0.11 | 0.23 | 0.08 | 0.0 |
| chrono_jeep_cherokee.glb | 79,200 | 0.59 | 2.64 | 0.06 | 0.1 |
| kenney_chaircushion.glb | 178 | 0.06 | 0.58 | 0.03 | 0.1 |
| kenney_loungesofa.glb | 123 | 0.08 | 0.69 | 0.02 | 0.0 |
| kenney_sedan.glb | 1,922 | 0.10 | 0.66 | 0.03 | 0.0 |
| minetest_delorean.glb | 2,376 | 0.13 | 0.84 | 0.07 | 0.0 |
| quat17_sofa.glb | 240 | 0.09 | 0.78 | 0.02 | 0.1 |
| quaternius_normalcar2.glb | 3,124 | 0.09 | 0.55 | 0.05 | 0.0 |
| vdrift_fe.glb | 4,922 | 0.14 | 0.79 | 0.06 | 0.1 |
| ysflight_b747.glb | 1,543 | 0.05 | 0.24 | 0.06 | 0.1 |
| ysflight_f4.glb | 1,053 | 0.05 | 0.24 | 0.03 | 0.1 |
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from types import ModuleType

import numpy as np
from absl import flags

from imfield_jax.camera import Camera
from imfield_jax.commands.entry import run
from imfield_jax.preparation.rendering import camera_ring, diagonal, gl, ray
from imfield_jax.preparation.rendering.surface import Surface, surface_of
from imfield_jax.sources.listing import list_shapes
from imfield_jax.sources.scene import Scene, place

_MESHES = flags.DEFINE_list("meshes", [], "Folders of mesh files.")
_PROCEDURAL = flags.DEFINE_string("procedural", "data/benchmark_meshes", "Folder that procedural meshes go to.")
_PER_FOLDER = 10


def main() -> None:
    print("| shape | faces | GL, s | rays, s | difference | coverage, px |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, scene in _scenes():
        surface, cameras = surface_of(scene), camera_ring(np.random.default_rng(0), diagonal(scene))
        for module in (gl, ray):
            module.render(surface, cameras[:1])
        drawn_in, drawn = _seconds(gl, surface, cameras)
        traced_in, traced = _seconds(ray, surface, cameras)
        covered = (drawn[..., 3] > 0) | (traced[..., 3] > 0)
        difference = np.abs(drawn.astype(int) - traced)
        silhouette = np.abs(drawn[..., 3].astype(int) - traced[..., 3]).sum() / 255 / len(cameras)
        print(
            f"| {name} | {len(surface.corners):,} | {drawn_in:.2f} | {traced_in:.2f} "
            f"| {difference[covered].mean():.2f} | {silhouette:.1f} |",
            flush=True,
        )


def _scenes() -> Iterator[tuple[str, Scene]]:
    for category in ("car", "chair", "airplane"):
        folder = f"{_PROCEDURAL.value}/{category}"
        shapes = list_shapes("procedural", category, folder, count=1, seed=0, cache_dir=folder, progress=_quiet)
        yield shapes[0].name, place(shapes[0].load(), shapes[0].longest_side)[0]
    for folder in _MESHES.value:
        shapes = list_shapes("folder", "mesh", folder, count=0, seed=0, cache_dir=folder, progress=_quiet)
        for shape in sorted(shapes, key=lambda shape: shape.name)[:: max(1, len(shapes) // _PER_FOLDER)][:_PER_FOLDER]:
            yield shape.name, place(shape.load(), shape.longest_side)[0]


def _quiet(done: int, total: int) -> None:
    pass


def _seconds(module: ModuleType, surface: Surface, cameras: list[Camera]) -> tuple[float, np.ndarray]:
    start = time.process_time()  # Mesa draws with several threads: seconds of a core, of which preparation uses all
    views = module.render(surface, cameras)
    return time.process_time() - start, views


if __name__ == "__main__":
    run(sys.modules[__name__])
