"""The comparison of designs: an unknown one is refused before anything is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_an_unknown_design_is_one_line():
    command = [sys.executable, "-m", "benchmarks.designs", "--designs=lifted,voxels"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    expected = "error: --designs: expected some of global, pixel, attention, lifted, taught, found 'voxels'\n"
    assert done.stderr == expected
