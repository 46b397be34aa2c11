"""The estimated cost of ShapeNet is the measured mean times the number of models."""

from __future__ import annotations

import json
import subprocess
import sys

from imfield_jax.sources.synsets import CATEGORIES


def test_the_table_is_the_measured_mean_times_the_models(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "imfield_shapes").mkdir()
    (tmp_path / "work" / "a.npz").write_bytes(bytes(3_000_000))
    spread = {"total": 7200.0, "median": 1.0, "p95": 2.0, "most": 9.0}  # of 2 meshes: an hour each
    totals = {"shapes": 3, "ok": 1, "warned": 1, "failed": 1, "seconds": {"shape": spread}, "most_mebibytes": 700}
    (tmp_path / "report.json").write_text(json.dumps({"totals": totals}))
    command = [sys.executable, "-m", "benchmarks.preparation", f"--data={tmp_path}", "--cores=1,10"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows[2:-1] == [
        [f"| {name}", synset, f"{models:,}", f"{models:.1f}", "0.00", f"{1.5e-3 * models:.2f} |"]
        for name, (synset, models) in CATEGORIES.items()
    ]
    assert "- 10 cores: 5247.0 hours" in done.stdout
