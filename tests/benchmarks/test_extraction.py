"""The extraction benchmark as a user runs it: its table has the known values."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*flags):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.extraction", *flags], cwd=ROOT, capture_output=True, text=True
    )


def test_exact_equals_dense_with_fewer_evaluations_and_refinement_is_closer():
    done = run("--resolutions=32", "--methods=dense,exact,imnet", "--rounds=1")
    assert done.returncode == 0, done.stderr
    rows = {cells[0]: cells for line in done.stdout.splitlines() if len(cells := line.strip("| ").split(" | ")) > 8}
    points = {method: int(rows[method][4].replace(",", "")) for method in ("dense", "exact", "imnet")}
    assert points["dense"] == 32**3 > points["exact"] > 0
    assert rows["exact"][7] == "0.00000, 0.0000" and rows["exact"][8] == "same"
    assert all(float(rows[method][2]) > 0 for method in points)
    off = [float(mean) for mean in re.findall(r"^\| [0-3] \| [\d,]+ \| ([\d.]+) \|", done.stdout, re.MULTILINE)]
    assert len(off) == 4 and off == sorted(off, reverse=True)
    assert re.search(r"exact: [\d,]+ points/s, \d+ GFLOP/s, \d+% of the best float32 product", done.stdout)


def test_an_unknown_method_is_one_line():
    done = run("--methods=exact,octree")
    assert done.returncode == 1
    assert (
        done.stderr == "error: --methods: expected some of exact, fast, certified, dense, imnet, mise, found 'octree'\n"
    )
