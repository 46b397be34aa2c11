"""Progress on the screen: a bar in a terminal, an occasional log line elsewhere."""

from __future__ import annotations

import sys
import time

from absl import logging
from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """A `preparation.records.Progress`; notes are shown at once; activities of one step are not logged."""

    def __init__(self) -> None:
        self._bars = sys.stderr.isatty()
        self._bar: tqdm | None = None
        self._activity = ""
        self._logged = 0.0

    def __call__(self, activity: str, done: int, total: int, note: str) -> None:
        if self._bars:
            self._draw(activity, done, total, note)
        else:
            self._log(activity, done, total, note)

    def _draw(self, activity: str, done: int, total: int, note: str) -> None:
        if self._bar is None or activity != self._activity:
            self._activity, self._bar = activity, tqdm(total=total, initial=done, desc=activity, unit="")
        if note:
            self._bar.write(note, file=sys.stderr)
        self._bar.update(done - self._bar.n)
        if done == total:
            self._bar.close()
            self._bar, self._activity = None, ""

    def _log(self, activity: str, done: int, total: int, note: str) -> None:
        if note:
            logging.info("%s", note)
        news = activity != self._activity or done == total
        if total > 1 and (news or time.monotonic() - self._logged > _SECONDS_BETWEEN_LINES):
            logging.info("%s: %d of %d", activity, done, total)
            self._activity, self._logged = activity, time.monotonic()
