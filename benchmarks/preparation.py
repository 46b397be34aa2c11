"""Estimated cost of preparing ShapeNet, by category, from measurements on other meshes.

    imfield prepare --source=sweethome3d --category=furniture --labels=exact --count=320
    python -m benchmarks.preparation --data=data/furniture

Seconds and memory come from a preparation report, disk usage from its folders; each is averaged over the
meshes, on the assumption that those of ShapeNet are as costly. Nothing is prepared here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from absl import flags

from imfield_jax.commands.entry import run
from imfield_jax.dataset.storage import NAME
from imfield_jax.sources.synsets import CATEGORIES

_DATA = flags.DEFINE_string("data", None, "The output folder of a preparation.", required=True)
_CORES = flags.DEFINE_list("cores", ["1", "16", "64", "256"], "Numbers of cores to divide ShapeNet among.")
_HOUR, _MEGABYTE, _GIGABYTE = 3600, 1e6, 1e9


def main() -> None:
    data = Path(_DATA.value)
    totals = json.loads((data / "report.json").read_text())["totals"]
    count, spent = totals["ok"] + totals["warned"], totals["seconds"]["shape"]
    seconds, dataset, work = spent["total"] / count, _bytes(data / NAME) / count, _bytes(data / "work") / count
    print(f"{count} of {totals['shapes']} meshes prepared, {totals['warned']} with warnings, {totals['failed']} failed")
    print(f"core seconds per mesh: mean {seconds:.2f}, median {spent['median']:.2f}, p95 {spent['p95']:.1f}", end="")
    print(f", maximum {spent['most']:.1f}; memory of a worker: {totals['most_mebibytes']} MiB at most")
    print(f"disk per mesh: {dataset / _MEGABYTE:.3f} MB in the dataset, {work / _MEGABYTE:.3f} MB in the work folder\n")
    print("| category | synset | models | core hours | dataset, GB | work folder, GB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, (synset, models) in CATEGORIES.items():
        print(_row(name, synset, models, seconds, dataset, work))
    everything = sum(models for _, models in CATEGORIES.values())
    print(_row("all", "", everything, seconds, dataset, work))
    print(f"\n{everything:,} models:")
    for cores in map(int, _CORES.value):
        print(f"- {cores} core{'s' * (cores > 1)}: {everything * seconds / cores / _HOUR:.1f} hours")


def _row(name: str, synset: str, models: int, seconds: float, dataset: float, work: float) -> str:
    hours, sizes = models * seconds / _HOUR, [models * size / _GIGABYTE for size in (dataset, work)]
    return f"| {name} | {synset} | {models:,} | {hours:.1f} | {sizes[0]:.2f} | {sizes[1]:.2f} |"


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    run(sys.modules[__name__])
