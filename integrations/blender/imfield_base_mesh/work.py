# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in a thread, so that Blender's interface goes on. The thread must not touch Blender's data."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .client import DOWNLOAD, Problem, Watch

# How much is done when a step begins; the seconds of a reconstruction lie mostly in its surface.
_BEGINS = {"sending": 0.05, "weights": 0.1, "image": 0.15, "surface": 0.3, "mesh": 0.6, DOWNLOAD: 0.9}


class Stopped(Exception):
    """Nobody waits for the work any longer."""


class Work:
    """A function that runs in a thread of its own.

    step: what it does.   done: how much of it, in [0, 1].   result: what it returned.   error: what it raised.
    """

    def __init__(self, function: Callable[[Watch], Any]):
        self.step, self.done = "starting", 0.0
        self.result: Any = None
        self.error: Exception | None = None
        self._function, self._stop = function, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ask the function to end; it does so at its next step."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        self._thread.join(seconds)
        return not self.running

    def _run(self) -> None:
        try:
            self.result = self._function(self._watch)
        except (Problem, ValueError, Stopped) as error:
            self.error = error
        except Exception as error:  # of this extension: the artist must hear of it
            self.error = Problem(f"Internal error: {type(error).__name__}: {error}")

    def _watch(self, step: str) -> None:
        if self._stop.is_set():
            raise Stopped
        self.step, self.done = step, max(self.done, _BEGINS.get(step, 0.0))
