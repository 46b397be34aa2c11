"""The exception for intact files that use unsupported features."""

from __future__ import annotations


class Unsupported(ValueError):
    """Raised by the reader of a format for a file that is not damaged. The message explains how to convert it."""
