"""Work that is done one piece after the other: a bounded queue, one worker, results that are kept for a while."""

from __future__ import annotations

import collections
import dataclasses
import enum
import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

Watch = Callable[[str], None]  # work calls it with the name of each step; it raises `Cancelled` to stop the work
Work = Callable[[Watch], Any]


class State(enum.StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Busy(Exception):
    """The queue is full."""


class Cancelled(Exception):
    """Nobody waits for the work any longer."""


@dataclasses.dataclass
class Job:
    """One piece of work.

    about:  what the caller wants to remember of it.
    step:   what it is doing.   result: what it returned, once done.   error: one line for the user, once failed.
    ended:  time.monotonic() at its end, or None.
    """

    work: Work | None
    about: Any = None
    id: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = State.WAITING
    step: str = ""
    result: Any = None
    error: str | None = None
    started: float | None = None
    ended: float | None = None
    _cancel: threading.Event = dataclasses.field(default_factory=threading.Event)

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (State.WAITING, State.RUNNING)

    def watch(self, step: str) -> None:
        """Records a step. Raises `Cancelled` if the job was cancelled."""
        if self._cancel.is_set():
            raise Cancelled
        self.step = step

    def cancel(self) -> None:
        self._cancel.set()

    def run(self) -> None:
        """Does the work; never raises."""
        assert self.work is not None
        self.started = time.monotonic()
        try:
            self.state = State.RUNNING
            self.watch("starting")
            self.result = self.work(self.watch)
            state = State.DONE
        except Cancelled:
            state = State.CANCELLED
        except (ValueError, OSError) as error:  # bad input: the message is for the user
            state, self.error = State.FAILED, str(error)
        except Exception:
            logging.exception("a reconstruction failed")
            state, self.error = State.FAILED, "internal error: the server's log says more"
        self.work, self.ended = None, time.monotonic()
        self.state = state


class Jobs:
    """A queue with one worker thread.

    waiting: jobs that may wait.   kept: ended jobs that stay.   seconds: for how long they stay.
    on_end:  called with each job that ended.
    """

    def __init__(
        self,
        waiting: int,
        kept: int = 32,
        seconds: float = 600.0,
        on_end: Callable[[Job], None] = lambda job: None,
    ):
        self._waiting, self._kept, self._seconds, self._on_end = waiting, kept, seconds, on_end
        self._jobs: collections.OrderedDict[str, Job] = collections.OrderedDict()
        self._queue: collections.deque[Job] = collections.deque()
        self._changed = threading.Condition()
        self._closed = False
        self._worker = threading.Thread(target=self._serve, name="reconstructions", daemon=True)
        self._worker.start()

    def submit(self, work: Work, about: Any = None) -> Job:
        """A job for this work, at the end of the queue. Raises `Busy` if the queue is full."""
        job = Job(work, about)
        with self._changed:
            if len(self._queue) >= self._waiting:
                raise Busy
            self._forget()
            self._jobs[job.id] = job
            self._queue.append(job)
            self._changed.notify()
        return job

    def get(self, name: str) -> Job | None:
        """The job of this id, while it is kept."""
        with self._changed:
            self._forget()
            return self._jobs.get(name)

    def cancel(self, job: Job) -> None:
        """Stop a job; one that waits leaves the queue at once."""
        job.cancel()
        with self._changed:
            if job not in self._queue:
                return
            self._queue.remove(job)
            job.state, job.work, job.ended = State.CANCELLED, None, time.monotonic()
        self._on_end(job)

    def place(self, job: Job) -> int:
        """How many jobs are before this one."""
        with self._changed:
            return self._queue.index(job) + 1 if job in self._queue else 0

    @property
    def queued(self) -> int:
        return len(self._queue)

    def close(self) -> None:
        """Stop all work and the worker."""
        with self._changed:
            self._closed = True
            for job in self._jobs.values():
                job.cancel()
            self._changed.notify()
        self._worker.join()

    def _forget(self) -> None:
        """Drop ended jobs that are too old or too many, the oldest first."""
        ended = [job for job in self._jobs.values() if job.ended is not None]
        oldest = time.monotonic() - self._seconds
        for number, job in enumerate(ended):
            if len(ended) - number > self._kept or (job.ended or 0) < oldest:
                del self._jobs[job.id]

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._queue)
                if self._closed:
                    return
                job = self._queue.popleft()
            job.run()
            self._on_end(job)
