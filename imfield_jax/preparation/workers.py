"""Worker processes that survive their jobs: an exception, a crash or a hang costs one job, not the run.

The pools of the standard library lose every pending job when one worker dies, and meshes from the
wild do make C libraries crash. Here each worker has one job and one pipe of its own, so it is always
known whose job killed it.
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

from imfield_jax.preparation import memory

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_STARTED = None  # sent when a job begins; everything else sent is an outcome


def usable_processors() -> int:
    """Those that this process may use, where the system tells; else all there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    def __init__(self, work: Callable[[Any], Any], mebibytes: int | None):
        context = multiprocessing.get_context("spawn")  # forked GL and numba do not work
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work, mebibytes), daemon=True)
        with _single_threaded(), _without_main():
            self.process.start()
        theirs.close()
        self.job: int | None = None
        self.deadline = float("inf")  # of the job; counts from when the process is up, which may take a while

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
    """Run `work(job)` for every job in `processes` worker processes; yields results as they come.

    work, jobs and results must be picklable; `work` must be importable by name, and not from the program itself. Each
    yield is (number of the job, result, ""), or (number, None, why) where the job raised, ended its process
    or ran longer than `seconds`. Workers are told to use one thread each, and may take `mebibytes` of memory each,
    see `memory.limit`.
    """
    pending = deque(range(len(jobs)))
    workers = [_Worker(work, mebibytes) for _ in range(min(processes, len(jobs)))]
    try:
        while pending or any(worker.job is not None for worker in workers):
            for worker in workers:
                if worker.job is None and pending:
                    worker.job = pending.popleft()
                    with contextlib.suppress(BrokenPipeError):  # a dead worker shows as such when read
                        worker.pipe.send(jobs[worker.job])
            busy = [worker for worker in workers if worker.job is not None]
            patience = min(worker.deadline for worker in busy) - time.monotonic()
            connection.wait([worker.pipe for worker in busy], None if patience == float("inf") else max(0, patience))
            for worker in busy:
                outcome = _outcome(worker, seconds)
                if outcome is None:
                    continue
                yield worker.job, *outcome
                worker.job = None
                if not worker.process.is_alive():
                    workers[workers.index(worker)] = _Worker(work, mebibytes)
    finally:
        for worker in workers:
            worker.stop()


def _outcome(worker: _Worker, seconds: float) -> tuple[Any, str] | None:
    """(result, "") or (None, why) once the worker's job has ended, else None."""
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


def _serve(pipe: connection.Connection, work: Callable[[Any], Any], mebibytes: int | None) -> None:
    """The life of a worker: ends when its parent does, however that ended."""
    if mebibytes:
        memory.limit(mebibytes)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            job = pipe.recv()
            pipe.send(_STARTED)
            pipe.send(_tried(work, job, mebibytes))


def _tried(work: Callable[[Any], Any], job: Any, mebibytes: int | None) -> tuple[Any, str]:
    try:
        return work(job), ""
    except MemoryError:
        return (
            None,
            f"it needs more memory than {f'the {mebibytes} MiB that' if mebibytes else 'what'} its process may have",
        )
    except Exception as error:  # whatever a mesh does to us is a line in the report
        kind = "" if isinstance(error, (ValueError, OSError)) else f"{type(error).__name__}: "
        return None, " ".join(f"{kind}{error}".split())


@contextlib.contextmanager
def _single_threaded() -> Iterator[None]:
    """Environment for a new process, which reads it before any of its own code could set it."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """A new process imports its parent's program too, and no job needs it.

    It may be one that brings TensorFlow, such as TFDS's own, or a script that would start all over again.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
