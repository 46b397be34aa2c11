"""SIGTERM, with which clusters take a machine away: the work saves and ends within the time that is left."""

from __future__ import annotations

import os
import signal
import threading
from types import TracebackType

from absl import logging


class Preemption:
    """Notices SIGTERM while its block runs; the work asks `requested` as often as it can save.

    seconds: after which the process ends with status 0 even if the work has not noticed, as while XLA compiles. That
    is as if it were killed, which checkpoints survive, but without the status of an error, which some clusters take
    as a reason not to start the work again.
    """

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._requested, self._ended = threading.Event(), threading.Event()

    def requested(self) -> bool:
        return self._requested.is_set()

    def __enter__(self) -> Preemption:
        # Python runs handlers between two instructions of the main thread only, so a pipe wakes a thread at once.
        self._reads, writes = os.pipe()
        os.set_blocking(writes, False)
        self._handler = signal.signal(signal.SIGTERM, lambda number, frame: None)
        self._writes, self._woken = writes, signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        signal.set_wakeup_fd(self._woken)
        signal.signal(signal.SIGTERM, self._handler)
        os.close(self._writes)  # ends the thread
        self._thread.join()
        os.close(self._reads)

    def _wait(self) -> None:
        while numbers := os.read(self._reads, 64):
            if signal.SIGTERM in numbers:
                break
        else:
            return
        logging.info("SIGTERM: saving a checkpoint and stopping")
        self._requested.set()
        if not self._ended.wait(self._seconds):
            logging.warning("stopped without another checkpoint: rerun the same command to resume")
            logging.flush()
            os._exit(0)
