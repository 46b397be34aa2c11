"""What an exception of another library says, fit for a line: some quote the damaged file at any length."""

from __future__ import annotations

_LONGEST = 200  # characters


def reason(error: BaseException) -> str:
    """The message of an exception, in one line that is not too long; its kind when it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
