"""As `hsp`, with what is hollow from above filled, as IM-NET's authors prepared their later data: see `hsp.filled`."""

from __future__ import annotations

from functools import partial

from imfield_jax.data.sources import hsp

shapes = partial(hsp.shapes, fill=True)
