"""Fields: functions from points to signed values, the interface between networks and geometry.

A `Field` maps points [..., 3] in the cube to values [...]: positive inside, negative outside, 0 on the
surface. Their magnitude has no meaning, but extraction places vertices by linear interpolation, so
a field should be nearly linear where it changes its sign. Occupancy is not: a confident decoder jumps
from 0 to 1 within a cell. Its logit is (`decoder.signed_logit`).

Extraction and metrics take any field, so an analytic sphere tests them in milliseconds and they never
import a network. `bind` turns a decoder and one latent into a field. The analytic shapes are negated signed
distances (Quilez, "Distance functions").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from imfield_jax.types import Array

Folded = TypeVar("Folded")
Points = Float[Array, "*shape 3"]
Values = Float[Array, "*shape"]
Vector = Sequence[float] | Float[np.ndarray, " 3"]
Field = Callable[[Points], Values]


def bind(evaluate: Callable[[Folded, Float[jax.Array, " 3"]], Float[Array, ""]], folded: Folded) -> Field:
    """The field of one object: `evaluate(folded, point)` vmapped over points."""

    def field(points: Points) -> Values:
        points = jnp.asarray(points)
        flat = points.reshape(-1, 3)
        return jax.vmap(evaluate, in_axes=(None, 0))(folded, flat).reshape(points.shape[:-1])

    return field


def _minus(points: Points, vector: Vector) -> Float[jax.Array, "*shape 3"]:
    """Points minus one vector, broadcast explicitly: tests forbid rank promotion."""
    points = jnp.asarray(points)
    return points - jnp.broadcast_to(jnp.asarray(vector), points.shape)


def sphere(radius: float, center: Vector = (0.0, 0.0, 0.0)) -> Field:
    """A ball."""
    return lambda points: radius - jnp.linalg.norm(_minus(points, center), axis=-1)


def box(half_sides: Vector, center: Vector = (0.0, 0.0, 0.0)) -> Field:
    """An axis-aligned box with the given half side lengths."""

    def field(points: Points) -> Values:
        excess = _minus(jnp.abs(_minus(points, center)), half_sides)
        outside = jnp.linalg.norm(jnp.maximum(excess, 0.0), axis=-1)
        inside = jnp.minimum(jnp.max(excess, axis=-1), 0.0)
        return -(outside + inside)

    return field


def torus(major_radius: float, minor_radius: float, center: Vector = (0.0, 0.0, 0.0)) -> Field:
    """A torus around the y axis."""

    def field(points: Points) -> Values:
        local = _minus(points, center)
        ring = jnp.linalg.norm(local[..., jnp.array([0, 2])], axis=-1) - major_radius
        return minor_radius - jnp.hypot(ring, local[..., 1])

    return field


def union(*fields: Field) -> Field:
    """The union of fields: inside where any is."""
    return lambda points: jnp.max(jnp.stack([field(points) for field in fields]), axis=0)


def constant(value: float) -> Field:
    """The same value everywhere: an empty field (negative) or a full one (positive)."""
    return lambda points: jnp.full(points.shape[:-1], value, jnp.float32)
