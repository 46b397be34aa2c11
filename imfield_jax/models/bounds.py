"""What a decoder can say within a box: bounds on its value at all points of the box at once.

Affine arithmetic (de Figueiredo and Stolfi 2004), as Sharp and Jacobson 2022 ("Spelunking the Deep") use it on
networks. Each unit is a linear function of symbols, which are numbers in [-1, 1] that nobody knows, plus
an interval:

    unit = base + sum over symbols of coefficient * symbol +- radius.

The first three symbols are the place in the box. Linear layers keep that form. A leaky ReLU whose argument
may have either sign is replaced by the line between its ends, and the radius of the unit grows by what that is off.

Radii only ever add up, while coefficients of one symbol cancel where its paths through the network do. With
radii alone the bounds of a trained decoder are thousands of times too wide; with a symbol for every unit they are
good and unaffordable. So the SYMBOLS largest radii of each layer become symbols of their own.

The bounds hold for the field as it is computed, not only for the function it stands for. A float32 sum of K
products is off by less than (K + 2) u times the sum of their sizes, u = 2^-24, in any order (Higham 2002, section 3.1);
twice that is added to each radius, once for the field and once for the bounds' own sums.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from imfield_jax.models.decoder import NEGATIVE_SLOPE, SURFACE_LOGITS, FoldedDecoder
from imfield_jax.types import Array

SYMBOLS = 48  # of a layer
WAVE_SYMBOLS = 12  # of the sines and cosines of the point
_PRECISION = jax.lax.Precision.HIGHEST
_UNIT = 2.0**-24  # rounding of float32, relative
_WAVE_ERROR = 4e-6  # of a computed sine or cosine: angles of up to 8 pi are rounded, too


@dataclasses.dataclass(frozen=True)
class _Form:
    """Units in a box. lines: base, then a row of coefficients for each symbol, [1 + S, n].   radii: [n].

    promoted: units [k] whose radii [k] are to become symbols, and are no longer among the radii.
    """

    lines: Array
    radii: Array
    promoted: Array
    sizes: Array

    @staticmethod
    def promoting(lines: Array, radii: Array, count: int) -> _Form:
        sizes, promoted = jax.lax.top_k(radii, min(count, len(radii)))
        return _Form(lines, radii.at[promoted].set(0.0), promoted, sizes)

    def reach(self) -> Array:
        """How far from the base each unit may be: [n]."""
        reach = jnp.abs(self.lines[1:]).sum(axis=0) + self.radii.at[self.promoted].add(self.sizes)
        return _enough(reach, len(self.lines) + 2)

    def times(self, kernel: Array) -> tuple[Array, Array, Array]:
        """The units times a kernel [n, out]: lines of the old symbols, lines of the promoted ones, radii."""
        rounding = 2 * (kernel.shape[0] + 4) * _UNIT
        size = jnp.abs(self.lines[0]) + self.reach()
        new = self.sizes[:, None] * kernel[self.promoted]
        radii = jnp.dot(self.radii + rounding * size, jnp.abs(kernel), precision=_PRECISION)
        return jnp.dot(self.lines, kernel, precision=_PRECISION), new, radii


def signed_logit_bounds(folded: FoldedDecoder, box: Array) -> Array:
    """Bounds on `signed_logit` in a box: centre and half sides [6] -> (low, high) [2].

    Above 0 the box is full, below 0 it is empty; otherwise nothing is known.
    """
    features = _features(box[:3], box[3:], folded.octaves)
    first, *others = folded.layers
    lines, waves, radii = features.times(first.point)
    shared = len(lines) + len(waves)  # the symbols that features have
    form = _biased(jnp.concatenate([lines, waves]), radii, first.bias)
    for layer in others:
        hidden = _leaky_relu(form)
        lines, new, radii = hidden.times(layer.hidden)
        if layer.point is not None:
            of_point, waves, of_radii = features.times(layer.point)
            of_point = jnp.concatenate([of_point, waves])
            lines = lines.at[:shared].add(of_point)
            radii = radii + of_radii
        form = _biased(jnp.concatenate([lines, new]), radii, layer.bias)
    middle = form.lines[0, 0] - SURFACE_LOGITS[folded.output]
    spread = _enough(form.reach()[0] + _UNIT * jnp.abs(middle), 4)
    return jnp.stack([middle - spread, middle + spread])


def _enough(value: Array, count: int) -> Array:
    """A positive sum of so many terms, or products, rounded up."""
    return value * (1 + 2 * count * _UNIT)


def _biased(lines: Array, radii: Array, bias: Array) -> _Form:
    added = 4 * _UNIT * (jnp.abs(bias) + jnp.abs(lines).sum(axis=0))
    return _Form.promoting(lines.at[0].add(bias), _enough(radii, 2) + added, 0)


def _features(center: Array, half: Array, octaves: int) -> _Form:
    """`point_features` over the box."""
    lines, radii = [jnp.concatenate([center[None], jnp.diag(half)])], [2 * _UNIT * (jnp.abs(center) + half)]
    angles = [(jnp.pi * 2.0**octave * center, jnp.pi * 2.0**octave * half) for octave in range(octaves)]
    for value, slope in ((jnp.sin, jnp.cos), (jnp.cos, lambda angle: -jnp.sin(angle))):
        for angle, reach in angles:
            line, radius = _tangent(value(angle), slope(angle), reach)
            lines.append(line)
            radii.append(radius)
    return _Form.promoting(jnp.concatenate(lines, axis=1), jnp.concatenate(radii), WAVE_SYMBOLS if octaves else 0)


def _tangent(value: Array, slope: Array, reach: Array) -> tuple[Array, Array]:
    """A wave around an angle: its value there, its slope, how far the angle goes, [3] each -> lines [4, 3], radii [3].

    It bends by at most its own size, |value| + reach or 1. Where its tangent tells less than that it is in [-1, 1],
    that is taken.
    """
    off = reach**2 / 2 * jnp.minimum(1.0, jnp.abs(value) + reach)
    good = off < 1
    line = jnp.concatenate([value[None], jnp.diag(slope * reach)])
    return jnp.where(good[None], line, 0.0), _enough(jnp.where(good, off, 1.0), 8) + _WAVE_ERROR


def _leaky_relu(form: _Form) -> _Form:
    base, reach = form.lines[0], form.reach()
    low, high = base - reach, base + reach
    undecided = (low < 0) & (high > 0)
    slope = jnp.where(low >= 0, 1.0, NEGATIVE_SLOPE)
    slope = jnp.where(undecided, (high - NEGATIVE_SLOPE * low) / jnp.where(undecided, high - low, 1.0), slope)
    off = jnp.where(undecided, -low * (slope - NEGATIVE_SLOPE) / 2, 0.0)
    rounding = 8 * _UNIT * (jnp.abs(base) + reach)
    return _Form.promoting((form.lines * slope[None]).at[0].add(off), form.radii * slope + off + rounding, SYMBOLS)
