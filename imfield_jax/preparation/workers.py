"""Fault-tolerant worker processes: an exception, a crash or a hang costs one job, not the run.

Meshes from the wild make C libraries crash, and the pools of the standard library lose every pending job when one
worker dies. So does pebble.ProcessPool (5.2.3) occasionally: its workers share one pipe, and a worker that dies before
the pool has read which job it took breaks the pool. Of 180 jobs, 120 of which crash, on two processes of a busy
machine, it lost 142; these workers lost none (and take 0.7 s for 5,000 empty jobs, against 1.8 s). Here each worker has
one job and its own pipe, so the job that killed it is always known.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
import types
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from typing import Any

from imfield_jax.preparation import disk, memory

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_STARTED = None  # sent when a job starts; every other message is an outcome


def usable_processors() -> int:
    """Processors available to this process; all of the machine if the system does not report that."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    def __init__(self, work: Callable[[Any], Any], mebibytes: int | None):
        context = multiprocessing.get_context("spawn")  # a forked numba does not work
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, mebibytes), daemon=True)
        with _without_main():
            self.process.start()
        theirs.close()
        self._send(work)
        self.job: int | None = None
        self.deadline = float("inf")  # of the job; counts from when the process has started, which may take a while

    def take(self, number: int, job: Any) -> None:
        self.job = number
        self._send(job)

    def _send(self, message: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # a dead worker is detected on reading
            self.pipe.send(message)

    def stop(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


def run_jobs(
    work: Callable[[Any], Any],
    jobs: Sequence[Any],
    processes: int,
    seconds: float = float("inf"),
    mebibytes: int | None = None,
) -> Iterator[tuple[int, Any, str]]:
    """Run `work(job)` for every job in `processes` worker processes; yields results as they arrive.

    work, jobs and results must be picklable; `work` must be importable by name, and not from the main program. Yields
    (index of the job, result, ""), or (index, None, why) if the job raised, ended its process or ran longer than
    `seconds`. Workers use one thread each and at most `mebibytes` of memory each, see `memory.limit`.

    Raises OSError when a job finds the disk full, as the others would too.
    """
    pending = deque(range(len(jobs)))
    workers = [_Worker(work, mebibytes) for _ in range(min(processes, len(jobs)))]
    try:
        while pending or any(worker.job is not None for worker in workers):
            for worker in workers:
                if worker.job is None and pending:
                    number = pending.popleft()
                    worker.take(number, jobs[number])
            busy = [(worker, worker.job) for worker in workers if worker.job is not None]
            patience = min(worker.deadline for worker, _ in busy) - time.monotonic()
            connection.wait([worker.pipe for worker, _ in busy], None if patience == float("inf") else max(0, patience))
            for worker, number in busy:
                outcome = _outcome(worker, seconds)
                if outcome is None:
                    continue
                worker.job = None
                result, why = outcome
                if isinstance(why, OSError):
                    raise why
                yield number, result, why
                if not worker.process.is_alive():
                    workers[workers.index(worker)] = _Worker(work, mebibytes)
    finally:
        for worker in workers:
            worker.stop()


def _outcome(worker: _Worker, seconds: float) -> tuple[Any, str | OSError] | None:
    """(result, "") or (None, why) once the worker's job has ended, else None; why is an OSError for a full disk."""
    if worker.pipe.poll():
        try:
            message = worker.pipe.recv()
            worker.deadline = time.monotonic() + seconds if message is _STARTED else float("inf")
            return None if message is _STARTED else message
        except (EOFError, ConnectionResetError):
            worker.stop()
            return None, f"its process died ({_reason(worker.process.exitcode)})"
    if time.monotonic() > worker.deadline:
        worker.stop()
        return None, f"gave up after {seconds:.0f} seconds"
    return None


def _reason(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return signal.Signals(-exit_code).name
    return f"exit status {exit_code}"


def _serve(pipe: connection.Connection, mebibytes: int | None) -> None:
    """A worker's main loop, until the parent's end of the pipe is closed, however the parent ended."""
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # read when libraries load, first when `work` is received
    if mebibytes:
        memory.limit(mebibytes)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        work = pipe.recv()
        while True:
            job = pipe.recv()
            pipe.send(_STARTED)
            pipe.send(_tried(work, job, mebibytes))


def _tried(work: Callable[[Any], Any], job: Any, mebibytes: int | None) -> tuple[Any, str | OSError]:
    try:
        return work(job), ""
    except MemoryError:
        return None, f"out of memory (limit {mebibytes} MiB per process)" if mebibytes else "out of memory"
    except Exception as error:  # any failure of a mesh becomes a line in the report
        if isinstance(error, OSError) and error.errno in disk.FULL:
            return None, OSError(error.errno, error.strerror, error.filename)
        kind = "" if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: "
        return None, " ".join(f"{kind}{error}".split())


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep a new process from importing its parent's main program, which no job needs.

    That program may import TensorFlow, as TFDS's own does, or be a script that would run again.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
