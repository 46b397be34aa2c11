"""Fields evaluated in chunks of equal size, so that one compiled function serves every request.

Extraction evaluates a different number of points each time. Padding requests to whole chunks of one size
keeps the shapes constant: XLA compiles once for all chunks, all resolutions and, because an object's parameters
are an argument, all objects. Each point of a chunk names its object, so the objects of a batch fill chunks together.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar, runtime_checkable

import jax
import numpy as np
from jaxtyping import Float, Float32, Int, Int32

from imfield_jax.fields import Field
from imfield_jax.types import Array

Folded = TypeVar("Folded", contravariant=True)  # parameters of some objects
CHUNK = 1024  # points; layer outputs stay in a CPU core's cache. Accelerators need more


@dataclasses.dataclass(frozen=True)
class ChunkedField:
    """The fields of some objects, evaluated at `chunk` points at a time.

    evaluate: points (or boxes) and the numbers of their objects -> values. All have `chunk` rows.
    """

    evaluate: Callable[[Float32[np.ndarray, "chunk C"], Int32[np.ndarray, " chunk"]], Float[Array, " chunk *shape"]]
    chunk: int = CHUNK
    objects: int = 1

    def __post_init__(self) -> None:
        if self.chunk < 1:
            raise ValueError(f"a chunk needs at least one point, not {self.chunk}")

    def stream(
        self, blocks: Iterable[tuple[Float[np.ndarray, "n C"], Int[np.ndarray, " n"]]]
    ) -> Float32[np.ndarray, " P *shape"]:
        """Values of blocks of at most `chunk` points with their objects, one block after the other.

        All blocks are dispatched before the first result is read, so a device with a queue works
        while the host prepares the next block.
        """
        pending = []
        for points, owners in blocks:
            padded, of = np.zeros((self.chunk, points.shape[1]), np.float32), np.zeros(self.chunk, np.int32)
            padded[: len(points)], of[: len(points)] = points, owners
            pending.append((self.evaluate(padded, of), len(points)))
        results = [np.asarray(values, np.float32)[:count] for values, count in pending]
        return np.concatenate(results) if results else np.zeros(0, np.float32)

    def __call__(
        self, points: Float[np.ndarray, "P C"], owners: Int[np.ndarray, " P"] | int = 0
    ) -> Float32[np.ndarray, " P *shape"]:
        """Values at points. owners: numbers of their objects, or one for all."""
        owners = np.broadcast_to(owners, len(points))
        starts = range(0, len(points), self.chunk)
        return self.stream((points[i : i + self.chunk], owners[i : i + self.chunk]) for i in starts)


def chunked(field: Field | ChunkedField, chunk: int = CHUNK) -> ChunkedField:
    """The field of one object in chunks; a chunked field is returned as it is."""
    return field if isinstance(field, ChunkedField) else ChunkedField(lambda points, owners: field(points), chunk)


@runtime_checkable
class FieldsOf(Protocol[Folded]):
    """A function from the parameters of some objects and their number to their fields."""

    def __call__(self, folded: Folded, objects: int = 1) -> ChunkedField: ...


def evaluator(
    evaluate: Callable[[Folded, Float[Array, " C"], Int32[Array, ""]], Float[Array, "*shape"]], chunk: int = CHUNK
) -> FieldsOf[Folded]:
    """A factory of chunked fields that share one compiled function.

    evaluate: (parameters of some objects, point, number of its object) -> value.
    Create the factory once and call it with the parameters and the number of objects of each batch. The
    gradients of the fields come from the same factory: `evaluator(jax.grad(evaluate, argnums=1), chunk)`.
    """
    compiled = jax.jit(jax.vmap(evaluate, in_axes=(None, 0, 0)))

    def fields_of(folded: Folded, objects: int = 1) -> ChunkedField:
        return ChunkedField(functools.partial(compiled, folded), chunk, objects)

    return fields_of
