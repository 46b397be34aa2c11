"""Bounds on the value of a decoder over a box, valid for all of its points.

Affine arithmetic (de Figueiredo and Stolfi 2004), as Sharp and Jacobson 2022 ("Spelunking the Deep") use it on
networks. Each unit is a linear function of noise symbols, unknowns in [-1, 1], plus an interval:

    unit = base + sum over symbols of coefficient * symbol +- radius.

The first three symbols are the position in the box. Linear layers keep that form. A leaky ReLU whose argument
may have either sign is replaced by its chord, and the radius of the unit grows by the maximum deviation.

Radii only add up, while coefficients of one symbol may cancel between paths through the network. With
radii alone the bounds of a trained decoder are thousands of times too wide; with a symbol for every unit they are
tight but too expensive. So the SYMBOLS largest radii of each layer become symbols of their own.

The bounds hold for the field as computed in floating point, not only for the exact function. The error of a
float32 sum of K products is less than (K + 2) u times the sum of their magnitudes, u = 2^-24, in any order (Higham
2002, section 3.1); twice that is added to each radius, once for the field and once for the bounds' own sums.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float

from imfield_jax.models.decoder import NEGATIVE_SLOPE, SURFACE_LOGITS, FoldedDecoder
from imfield_jax.types import Array

SYMBOLS = 48  # per layer
WAVE_SYMBOLS = 24  # for the sines and cosines of the point
_PRECISION = jax.lax.Precision.HIGHEST
_UNIT = 2.0**-24  # unit roundoff of float32


class _Form(NamedTuple):
    """Units in a box.

    lines: base, then a row of coefficients for each symbol, [1 + symbols, units].
    size:  upper bound on abs(unit).
    """

    lines: Float[jax.Array, "rows units"]
    radii: Float[jax.Array, " units"]
    size: Float[jax.Array, " units"]


def signed_logit_bounds(folded: FoldedDecoder, box: Float[Array, " 6"]) -> Float[jax.Array, " 2"]:
    """Bounds (low, high) on `signed_logit` in a box, given by its centre and half sides.

    With low > 0 the box is full, with high < 0 it is empty; otherwise its occupancy is unknown.
    """
    center, half = jnp.split(jnp.asarray(box), 2)
    features = hidden = _features(center, half, folded.octaves)  # the first layer has no hidden units before it
    for layer in folded.layers:
        terms = []
        if layer.hidden is not None:
            terms.append(_product(_leaky_relu(hidden), layer.hidden, SYMBOLS))
        if layer.point is not None:
            terms.append(_product(features, layer.point, WAVE_SYMBOLS if folded.octaves else 0))
        hidden = _sum(terms, layer.bias)
    middle = hidden.lines[0, 0] - SURFACE_LOGITS[folded.output]
    spread = _enough(_reach(hidden.lines, hidden.radii)[0] + _UNIT * jnp.abs(middle), 4)
    return jnp.stack([middle - spread, middle + spread])


def _enough(value: jax.Array, count: int) -> jax.Array:
    """A positive sum of `count` terms or products, rounded up."""
    return value * (1 + 2 * count * _UNIT)


def _reach(lines: jax.Array, radii: jax.Array) -> jax.Array:
    """Maximum deviation of each unit from its base: [1 + S, n], [n] -> [n]."""
    return _enough(jnp.abs(lines[1:]).sum(axis=0) + radii, len(lines))


def _product(units: _Form, kernel: Array, symbols: int) -> tuple[jax.Array, jax.Array]:
    """Lines and radii of units times a kernel [n, out]; the largest radii become symbols."""
    radii, promoted = jax.lax.top_k(units.radii, min(symbols, len(units.radii)))
    rounding = 2 * (kernel.shape[0] + 4) * _UNIT * units.size
    left = jnp.dot(units.radii.at[promoted].set(0.0) + rounding, jnp.abs(kernel), precision=_PRECISION)
    lines = jnp.dot(units.lines, kernel, precision=_PRECISION)
    return jnp.concatenate([lines, radii[:, None] * kernel[promoted]]), _enough(left, kernel.shape[0])


def _sum(terms: list[tuple[jax.Array, jax.Array]], bias: Array) -> _Form:
    """The sum of terms and bias. The symbols of the second term, the point's, are the first ones of the first term."""
    (lines, radii), *others = terms
    for more, radius in others:
        lines = jnp.concatenate([lines[: len(more)] + more, lines[len(more) :]])
        radii = radii + radius
    lines = jnp.concatenate([lines[:1] + bias[None], lines[1:]])
    reach = _reach(lines, radii)
    size = jnp.abs(lines[0]) + reach
    rounding = 8 * _UNIT * (size + jnp.abs(bias))
    return _Form(lines, radii + rounding, _enough(size + rounding, 4))


def _leaky_relu(units: _Form) -> _Form:
    base = units.lines[0]
    reach = _enough(units.size - jnp.abs(base), 4)
    low, high = base - reach, base + reach
    undecided = (low < 0) & (high > 0)
    slope = jnp.where(low >= 0, 1.0, NEGATIVE_SLOPE)
    slope = jnp.where(undecided, (high - NEGATIVE_SLOPE * low) / jnp.where(undecided, high - low, 1.0), slope)
    deviation = jnp.where(undecided, -low * (slope - NEGATIVE_SLOPE) / 2, 0.0)
    lines = units.lines * slope[None]
    lines = jnp.concatenate([lines[:1] + deviation[None], lines[1:]])
    return _Form(lines, units.radii * slope + deviation + 8 * _UNIT * units.size, units.size)


def _features(center: jax.Array, half: jax.Array, octaves: int) -> _Form:
    """`point_features` over the box."""
    parts, widths = [jnp.concatenate([center[None], jnp.diag(half)])], [2 * _UNIT * (jnp.abs(center) + half)]
    angles = [(jnp.pi * 2.0**octave * center, jnp.pi * 2.0**octave * half) for octave in range(octaves)]
    for value, slope in ((jnp.sin, jnp.cos), (jnp.cos, lambda angle: -jnp.sin(angle))):
        for angle, reach in angles:
            line, radius = _tangent(value(angle), slope(angle), reach)
            parts.append(line)
            widths.append(radius + 8 * _UNIT * (1 + jnp.abs(angle) + reach))  # angles are rounded, too
    lines, radii = jnp.concatenate(parts, axis=1), jnp.concatenate(widths)
    return _Form(lines, radii, jnp.abs(lines[0]) + _reach(lines, radii))


def _tangent(value: jax.Array, slope: jax.Array, reach: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A wave around an angle: its value and slope there, the angle's half-width, [3] each -> lines [4, 3], radii [3].

    Its second derivative is at most |value| + reach and at most 1. Where the tangent bounds it less tightly than
    [-1, 1], that interval is used.
    """
    deviation = reach**2 / 2 * jnp.minimum(1.0, jnp.abs(value) + reach)
    good = deviation < 1
    line = jnp.concatenate([value[None], jnp.diag(slope * reach)])
    return jnp.where(good[None], line, 0.0), _enough(jnp.where(good, deviation, 1.0), 8)
