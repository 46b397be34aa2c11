"""Sound files that use what is not read."""

from __future__ import annotations


class Unsupported(ValueError):
    """Raised by the reader of a format for a file that is not damaged. The message has the way to convert it."""
