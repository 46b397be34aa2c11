"""Fields asked in equal chunks, so that one compiled function serves every request.

Extraction asks for as many points as the surface needs, another number each time. Padding requests
to whole chunks of one size keeps the shapes constant: XLA compiles once for all chunks, all
resolutions and, because an object's parameters are an argument, all objects. Each point of a chunk names
its object, so the objects of a batch fill chunks together.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable

import jax
import numpy as np

from imfield_jax.types import Array

CHUNK = 1024  # points; layer outputs stay in a CPU core's cache. Accelerators want more


@dataclasses.dataclass(frozen=True)
class ChunkedField:
    """The fields of some objects, always asked for `chunk` points at once.

    evaluate: points [chunk, 3] float32, numbers of their objects [chunk] int32 -> values [chunk, ...], numpy or jax.
    """

    evaluate: Callable[[np.ndarray, np.ndarray], Array]
    chunk: int = CHUNK
    objects: int = 1

    def __post_init__(self):
        if self.chunk < 1:
            raise ValueError(f"a chunk needs at least one point, not {self.chunk}")

    def stream(self, blocks: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Values of blocks of points [n <= chunk, 3] with their objects [n], in a row: [sum n, ...] float32.

        All blocks are handed over before the first answer is read, so a device with a queue works
        while the host prepares the next block.
        """
        asked = []
        for points, owners in blocks:
            padded, of = np.zeros((self.chunk, points.shape[1]), np.float32), np.zeros(self.chunk, np.int32)
            padded[: len(points)], of[: len(points)] = points, owners
            asked.append((self.evaluate(padded, of), len(points)))
        answers = [np.asarray(values, np.float32)[:count] for values, count in asked]
        return np.concatenate(answers) if answers else np.zeros(0, np.float32)

    def __call__(self, points: np.ndarray, owners: np.ndarray | int = 0) -> np.ndarray:
        """Values at points: [P, 3], numbers of their objects [P] or one for all -> [P, ...] float32."""
        owners = np.broadcast_to(owners, len(points))
        starts = range(0, len(points), self.chunk)
        return self.stream((points[i : i + self.chunk], owners[i : i + self.chunk]) for i in starts)


def chunked(field: Callable[[Array], Array], chunk: int = CHUNK) -> ChunkedField:
    """The field of one object asked in chunks; one that is chunked already keeps its own chunk and objects."""
    return field if isinstance(field, ChunkedField) else ChunkedField(lambda points, owners: field(points), chunk)


def evaluator(
    evaluate: Callable[[object, Array, Array], Array], chunk: int = CHUNK
) -> Callable[[object, int], ChunkedField]:
    """A factory of chunked fields that share one compiled function.

    evaluate: (parameters of some objects, point [3], number of its object []) -> [...].
    Make the factory once and call it with the parameters of each batch of objects and how many they are. The
    gradients of the fields come from the same factory: `evaluator(jax.grad(evaluate, argnums=1), chunk)`.
    """
    compiled = jax.jit(jax.vmap(evaluate, in_axes=(None, 0, 0)))
    return lambda folded, objects=1: ChunkedField(functools.partial(compiled, folded), chunk, objects)
