"""Fields asked in equal chunks, so that one compiled function serves every request.

Extraction asks for as many points as the surface needs, another number each time. Padding requests
to whole chunks of one size keeps the shapes constant: XLA compiles once for all chunks, all
resolutions and, because an object's parameters are an argument, all objects.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable

import jax
import numpy as np

from imfield_jax.types import Array

CHUNK = 1024  # points; layer outputs stay in a CPU core's cache. Accelerators want 2**16 and more


@dataclasses.dataclass(frozen=True)
class ChunkedField:
    """A field that is always asked for `chunk` points at once.

    evaluate: points [chunk, 3] float32 -> values [chunk, ...], numpy or jax.
    """

    evaluate: Callable[[np.ndarray], Array]
    chunk: int = CHUNK

    def __post_init__(self):
        if self.chunk < 1:
            raise ValueError(f"a chunk needs at least one point, not {self.chunk}")

    def stream(self, blocks: Iterable[np.ndarray]) -> np.ndarray:
        """Values of the points in blocks [n <= chunk, 3], one after the other: [sum n, ...] float32.

        All blocks are handed over before the first answer is read, so a device with a queue works
        while the host prepares the next block.
        """
        asked = []
        for block in blocks:
            padded = np.zeros((self.chunk, 3), np.float32)
            padded[: len(block)] = block
            asked.append((self.evaluate(padded), len(block)))
        answers = [np.asarray(values, np.float32)[:count] for values, count in asked]
        return np.concatenate(answers) if answers else np.zeros(0, np.float32)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Values at points: [P, 3] -> [P, ...] float32."""
        return self.stream(points[i : i + self.chunk] for i in range(0, len(points), self.chunk))


def chunked(field: Callable[[Array], Array], chunk: int = CHUNK) -> ChunkedField:
    """The field asked in chunks; one that is chunked already keeps its own chunk."""
    return field if isinstance(field, ChunkedField) else ChunkedField(field, chunk)


def evaluator(evaluate: Callable[[object, Array], Array], chunk: int = CHUNK) -> Callable[[object], ChunkedField]:
    """A factory of chunked fields that share one compiled function.

    evaluate: (folded parameters of one object, point [3]) -> [...], as `fields.bind` takes it.
    Make the factory once and call it with the folded parameters of each object. The gradient of the
    field comes from the same factory: `evaluator(jax.grad(evaluate, argnums=1), chunk)`.
    """
    compiled = jax.jit(jax.vmap(evaluate, in_axes=(None, 0)))
    return lambda folded: ChunkedField(functools.partial(compiled, folded), chunk)
