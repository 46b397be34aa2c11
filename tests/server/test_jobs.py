"""One piece of work after the other, a queue with an end, and work that stops when nobody waits for it."""

from __future__ import annotations

import threading
import time

import pytest

from imfield_jax.server.jobs import Busy, Jobs, State


class Gate:
    """Work that starts, and goes on when it is told to."""

    def __init__(self):
        self.started, self.open = threading.Event(), threading.Event()

    def __call__(self, watch):
        self.started.set()
        while not self.open.wait(0.005):
            watch("waiting at the gate")
        return "through"


@pytest.fixture
def jobs():
    made = Jobs(waiting=2, kept=3, seconds=60)
    yield made
    made.close()


def finished(job):
    deadline = time.monotonic() + 10
    while job.open or job.ended is None:
        assert time.monotonic() < deadline, job
        time.sleep(0.002)
    return job


def test_work_is_done_in_order_one_at_a_time(jobs):
    gate, seen = Gate(), []
    first = jobs.submit(gate)
    gate.started.wait(10)
    second, third = (jobs.submit(lambda watch, name=name: seen.append(name)) for name in "ab")
    assert (first.state, second.state) == (State.RUNNING, State.WAITING)
    assert [jobs.place(job) for job in (first, second, third)] == [0, 1, 2] and jobs.queued == 2
    gate.open.set()
    assert finished(third).state == State.DONE and seen == ["a", "b"] and first.result == "through"


def test_a_full_queue_refuses_and_is_open_again_later(jobs):
    gate = Gate()
    jobs.submit(gate)
    gate.started.wait(10)
    waiting = [jobs.submit(lambda watch: None) for _ in range(2)]
    with pytest.raises(Busy):
        jobs.submit(lambda watch: None)
    jobs.cancel(waiting[0])
    assert waiting[0].state == State.CANCELLED and jobs.queued == 1
    again = jobs.submit(lambda watch: 7)
    gate.open.set()
    assert finished(again).result == 7


def test_running_work_stops_at_its_next_step(jobs):
    gate = Gate()
    job = jobs.submit(gate)
    gate.started.wait(10)
    jobs.cancel(job)
    assert finished(job).state == State.CANCELLED and job.result is None
    assert finished(jobs.submit(lambda watch: 1)).result == 1  # the worker goes on


def test_bad_input_is_told_and_bugs_are_not(jobs, caplog):
    def bad(watch):
        raise ValueError("the image is empty")

    def bug(watch):
        raise KeyError("/secret/path")

    assert finished(jobs.submit(bad)).error == "the image is empty"
    failed = finished(jobs.submit(bug))
    assert failed.state == State.FAILED and failed.error.startswith("internal error") and "secret" not in failed.error
    assert "/secret/path" in caplog.text


def test_ended_jobs_are_forgotten_when_they_are_many_or_old(jobs):
    made = [finished(jobs.submit(lambda watch: None)) for _ in range(5)]
    jobs.submit(lambda watch: None)
    kept = [job for job in made if jobs.get(job.id)]
    assert kept[-1] is made[-1] and len(kept) <= 3
    made[-1].ended -= 100
    assert jobs.get(made[-1].id) is None and jobs.get("nothing") is None


def test_closing_stops_what_runs():
    gate, jobs = Gate(), Jobs(waiting=1)
    job = jobs.submit(gate)
    gate.started.wait(10)
    jobs.close()
    assert job.state == State.CANCELLED
