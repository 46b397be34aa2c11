"""Ctrl-C: one line and exit status 130 at any moment."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

STATUS = 130  # what shells report for SIGINT
_PAUSE = 0.02  # seconds until a discarded interrupt is repeated


class Interrupts:
    """The handler of SIGINT.

    The first signal raises KeyboardInterrupt, so that files and checkpoints are closed, and a second one ends the
    process at once. So does the first one before the command's work and during an import: nothing can be lost then,
    and some libraries swallow an exception there or crash. Python itself discards an exception in a finaliser or a
    callback of the garbage collector (JAX has one): the signal is then repeated after a short pause.

    seen: whether a signal was received.   hint: what the user can do next.
    """

    def __init__(self, hint: str):
        self.seen = False
        self._raises = False
        self._hint = hint
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # unless the shell ignores it
            signal.signal(signal.SIGINT, self._handle)
            sys.unraisablehook = self._repeat

    def raise_from_now_on(self) -> None:
        self._raises = True

    def leave(self) -> None:
        """End the process without the interpreter's shutdown: XLA crashes there while it compiles in the background."""
        if "multiprocessing" in sys.modules:  # not imported here: it takes long enough to be interrupted
            for child in sys.modules["multiprocessing"].active_children():
                child.terminate()
        line = f"interrupted; {self._hint}" if self._hint else "interrupted"
        newline = "\n" if sys.stderr.isatty() else ""  # below a progress bar and the terminal's ^C
        try:
            sys.stderr.write(f"{newline}{line}\n")
            sys.stderr.flush()
            sys.stdout.flush()
        finally:
            os._exit(STATUS)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.seen or not self._raises or _importing(frame):
            self.leave()
        self.seen = True
        raise KeyboardInterrupt

    def _repeat(self, unraisable: sys.UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            sys.__unraisablehook__(unraisable)
            return
        self.seen = False
        signal.signal(signal.SIGALRM, self._handle)
        signal.setitimer(signal.ITIMER_REAL, _PAUSE)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
