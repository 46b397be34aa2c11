"""What an operator decides about a server."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Config:
    """The limits of a server.

    token:          that requests have to show, or None for everybody.
    waiting:        reconstructions that may wait; more are refused.
    max_bytes:      of a request.   max_pixels: of a picture.   max_resolution: cells per axis.
    upload_seconds: for a request to arrive.
    kept, kept_seconds: results that stay, and for how long.
    """

    categories: tuple[str, ...]
    token: str | None = None
    waiting: int = 8
    max_bytes: int = 20 << 20
    max_pixels: int = 24_000_000
    max_resolution: int = 256
    upload_seconds: float = 30.0
    kept: int = 32
    kept_seconds: float = 600.0
