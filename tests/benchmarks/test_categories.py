"""The comparison of models: unknown weights are refused before anything is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_unknown_weights_are_one_line():
    command = [sys.executable, "-m", "benchmarks.categories", "--data=none", "--weights=any,boat"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    expected = "error: --weights: expected a weights file or one of any, airplane, car, chair, found 'boat'\n"
    assert done.stderr == expected
