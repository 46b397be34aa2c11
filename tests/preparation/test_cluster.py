"""Jobs under Beam have the outcomes of worker processes, and a failing job affects no other."""

from __future__ import annotations

import math
import os

import pytest

from imfield_jax.preparation import cluster, workers

pytest.importorskip("apache_beam")


@pytest.fixture
def run(tmp_path):
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    def ran(work, jobs):
        options = PipelineOptions(["--direct_running_mode=multi_processing", "--direct_num_workers=2"])
        where = tmp_path / "outcomes.json"
        return list(cluster.run_jobs(work, jobs, 1, 60.0, None, outcomes=where, runner=FnApiRunner(), options=options))

    return ran


def test_outcomes_are_those_of_worker_processes(run, monkeypatch):
    monkeypatch.setattr(cluster, "_MIN_BATCHES", 2)
    jobs = [4.0, -1.0, 0, 1, 9]
    spread = {number: outcome for number, *outcome in run(math.sqrt, jobs)}
    assert spread == {number: outcome for number, *outcome in workers.run_jobs(math.sqrt, jobs, 1)}
    assert spread[0] == [2.0, ""] and "math domain error" in spread[1][1]


def test_a_crash_costs_only_its_job(run):
    assert [(result, why) for _, result, why in run(os._exit, [3, 4])] == [
        (None, "its process died (exit status 3)"),
        (None, "its process died (exit status 4)"),
    ]
