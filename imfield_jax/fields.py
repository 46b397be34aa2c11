"""Fields: functions from points to occupancy, the seam between networks and geometry.

A `Field` maps points [..., 3] in the cube to values [...], above `LEVEL` inside. Extraction and
metrics take any field, so an analytic sphere tests them in milliseconds and they never import a
network. `bind` turns a decoder and one latent into a field.

The analytic shapes are occupancy in the sense of a trained decoder: a sigmoid of the negated
signed distance, `sharpness` per unit of length, so the surface is at 0.5 and the gradient there
is defined. Signed distances follow Quilez, "Distance functions".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from imfield_jax.types import Array

Field = Callable[[Array], Array]


def bind(evaluate: Callable[[object, Array], Array], folded: object) -> Field:
    """The field of one object: `evaluate(folded, point [3]) -> []` vmapped over [..., 3] points."""

    def field(points):
        points = jnp.asarray(points)
        flat = points.reshape(-1, 3)
        return jax.vmap(evaluate, in_axes=(None, 0))(folded, flat).reshape(points.shape[:-1])

    return field


def _minus(points: Array, vector: Sequence[float]) -> Array:
    """[..., 3] points less one [3] vector, the broadcast spelled out: tests forbid rank promotion."""
    points = jnp.asarray(points)
    return points - jnp.broadcast_to(jnp.asarray(vector), points.shape)


def _occupancy(signed_distance: Array, sharpness: float) -> Array:
    return jax.nn.sigmoid(-sharpness * signed_distance)


def sphere(radius: float, center: Sequence[float] = (0.0, 0.0, 0.0), sharpness: float = 64.0) -> Field:
    """A ball."""
    return lambda points: _occupancy(jnp.linalg.norm(_minus(points, center), axis=-1) - radius, sharpness)


def box(half_sides: Sequence[float], center: Sequence[float] = (0.0, 0.0, 0.0), sharpness: float = 64.0) -> Field:
    """An axis-aligned box with the given half side lengths."""

    def field(points):
        excess = _minus(jnp.abs(_minus(points, center)), half_sides)
        outside = jnp.linalg.norm(jnp.maximum(excess, 0.0), axis=-1)
        inside = jnp.minimum(jnp.max(excess, axis=-1), 0.0)
        return _occupancy(outside + inside, sharpness)

    return field


def torus(
    major_radius: float, minor_radius: float, center: Sequence[float] = (0.0, 0.0, 0.0), sharpness: float = 64.0
) -> Field:
    """A torus around the y axis."""

    def field(points):
        local = _minus(points, center)
        ring = jnp.linalg.norm(local[..., jnp.array([0, 2])], axis=-1) - major_radius
        return _occupancy(jnp.hypot(ring, local[..., 1]) - minor_radius, sharpness)

    return field


def union(*fields: Field) -> Field:
    """Inside when inside any."""
    return lambda points: jnp.max(jnp.stack([field(points) for field in fields]), axis=0)


def constant(value: float) -> Field:
    """The same occupancy everywhere: the empty (0) and the full (1) field."""
    return lambda points: jnp.full(points.shape[:-1], value, jnp.float32)
