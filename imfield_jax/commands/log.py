"""Plain log lines: the message, with the prefix "warning: " or "error: " at those levels."""

from __future__ import annotations

import logging as python_logging
from pathlib import Path

from absl import logging


class _Plain(python_logging.Formatter):
    """Drops the level, date, thread and source line that absl prints."""

    def format(self, record: python_logging.LogRecord) -> str:
        message = super().format(record)
        if record.levelno >= python_logging.ERROR:
            return f"error: {message}"
        return f"warning: {message}" if record.levelno >= python_logging.WARNING else message


def start() -> None:
    """Send the log to standard error as plain lines."""
    logging.use_absl_handler()
    handler = logging.get_absl_handler()
    handler.setFormatter(_Plain())
    handler.addFilter(_is_ours)


def _is_ours(record: python_logging.LogRecord) -> bool:
    """Drops INFO messages of libraries: Orbax logs a page per checkpoint, JAX each missing device."""
    package = Path(__file__).parent.parent
    return package in Path(record.pathname).parents or record.levelno >= python_logging.WARNING
