"""Seconds spent in named phases, measured by the caller's clock."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


class Phases:
    """Accumulates the time of each phase; does nothing without a clock.

    The time of a nested phase is subtracted from the outer one, so the seconds of all phases
    add up to the time spent in any.
    """

    def __init__(self, clock: Callable[[], float] | None):
        self._clock = clock
        self._inner = 0.0  # time of the phases that have ended inside the current one
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        if self._clock is None:
            yield
            return
        outer, self._inner = self._inner, 0.0
        start = self._clock()
        yield
        spent = self._clock() - start
        self.seconds[name] = self.seconds.get(name, 0.0) + spent - self._inner
        self._inner = outer + spent
