"""The report of a preparation: totals, and the outcome of every mesh."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

import numpy as np

from imfield_jax.preparation.record import PHASES


def summary(
    settings: dict, reports: dict[str, dict], left_out: Sequence[str] = (), warnings: Sequence[str] = ()
) -> dict:
    """The contents of `report.json`.

    reports: by shape name: "status" ("ok", "warned": usable, but inspect it; "failed": left out), "split",
             "credit", and either "seconds" per phase, peak "mebibytes", "warnings" and "diagnostics" or an "error".
    left_out: lines about unread files. warnings: lines about the dataset as a whole.
    """
    statuses = Counter(report["status"] for report in reports.values())
    made = [report for report in reports.values() if report["status"] != "failed"]
    totals = {
        "shapes": len(reports),
        "ok": statuses["ok"],
        "warned": statuses["warned"],
        "failed": statuses["failed"],
        "left_out": len(left_out),
        "splits": dict(Counter(report["split"] for report in made)),
        "paths": dict(Counter(str(report["diagnostics"].get("path")) for report in made)),
        "seconds": {phase: _spread([report["seconds"][phase] for report in made]) for phase in PHASES}
        | {"shape": _spread([sum(report["seconds"].values()) for report in made])},
        "most_mebibytes": max((report.get("mebibytes") or 0 for report in made), default=0),
    }
    return {
        "settings": settings,
        "totals": totals,
        "warnings": list(warnings),
        "left_out": list(left_out),
        "shapes": reports,
    }


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {"total": 0.0, "median": 0.0, "p95": 0.0, "most": 0.0}
    return {
        "total": round(sum(values), 3),
        "median": round(statistics.median(values), 4),
        "p95": round(float(np.percentile(values, 95)), 4),
        "most": round(max(values), 4),
    }
