"""Workers: no failure of a job affects other jobs, and it is reported for the right one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from imfield_jax.preparation.workers import run_jobs

# Jobs are expressions for the built-in `eval`, which every process can import.
GOOD = ["1 + 1", "__import__('os').environ['OMP_NUM_THREADS']", "2 + 2", "3 + 3"]
BAD = {
    "int('two\\nlines')": r"invalid literal for int() with base 10: 'two\nlines'",
    "{}['a fault of ours']": "KeyError: 'a fault of ours'",
    "__import__('os').kill(__import__('os').getpid(), 11)": "its process died (SIGSEGV)",
    "__import__('os')._exit(3)": "its process died (exit status 3)",
    "__import__('time').sleep(60)": "gave up after 3 seconds",
}


@pytest.mark.parametrize("processes", [1, 3])
def test_failing_jobs_do_not_affect_others(processes, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    jobs = [job for pair in zip(BAD, [*GOOD, "4 + 4"], strict=True) for job in pair]
    outcomes = {jobs[number]: (result, why) for number, result, why in run_jobs(eval, jobs, processes, seconds=3.0)}
    assert {job: why for job, (_, why) in outcomes.items() if why} == BAD
    assert [outcomes[job][0] for job in GOOD] == [2, "1", 4, 6]
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_a_job_that_needs_too_much_memory_does_not_affect_others():
    jobs = ["len(bytes(2 ** 20))", "len(bytes(2 ** 31))", "len(bytes(2 ** 21))"]
    outcomes = {number: (result, why) for number, result, why in run_jobs(eval, jobs, 1, mebibytes=1024)}
    assert outcomes == {
        0: (2**20, ""),
        1: (None, "out of memory (limit 1024 MiB per process)"),
        2: (2**21, ""),
    }


def test_workers_that_die_as_soon_as_they_have_a_job_lose_no_other():
    """This breaks pools whose workers share one pipe: the death is seen before the message that names the job."""
    jobs = ["__import__('os')._exit(3)", "1 + 1", "__import__('os').kill(__import__('os').getpid(), 9)"] * 4
    outcomes = {number: why for number, _, why in run_jobs(eval, jobs, 2)}
    expected = ["its process died (exit status 3)", "", "its process died (SIGKILL)"] * 4
    assert [outcomes[number] for number in range(len(jobs))] == expected


def test_no_jobs_need_no_workers():
    assert list(run_jobs(eval, [], 2)) == []


def test_a_program_is_not_run_again_in_its_workers(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import math\n"
        "from imfield_jax.preparation.workers import run_jobs\n"
        "print(list(run_jobs(math.sqrt, [4.0], processes=1)))\n"  # at the top level, where it would run again
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=100)
    assert done.stdout == "[(0, 2.0, '')]\n", done.stderr
