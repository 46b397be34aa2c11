"""Vertices moved along their lattice edges onto the level set, by regula falsi in its Illinois form."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from imfield_jax.extraction import table
from imfield_jax.extraction.marching import Crossings, edge_indices, linear_fractions
from imfield_jax.extraction.samples import Samples


def refined_fractions(samples: Samples, cut: Crossings, iterations: int) -> Float64[np.ndarray, " V"]:
    """The position of each vertex along its edge, in [0, 1]; 0 iterations give `linear_fractions`.

    Linear interpolation is good where the field is linear between the ends of the edge. A decoder of leaky ReLUs has
    kinks, most of them near the surface, where training made its output change. Each iteration evaluates the
    field at all vertices and narrows the bracket around each root, so no vertex leaves its edge and no triangle
    folds over. The Illinois algorithm (Dowell and Jarratt 1971) halves the function value at an endpoint that did
    not move, so that both ends of the bracket converge. Vertices on the cube's border stay there,
    and so do those beside replaced samples, where the field has no root.
    """
    fractions = linear_fractions(cut)
    moving = np.flatnonzero(cut.within & ~_replaced(samples, cut))
    low, high = np.zeros(len(moving)), np.ones(len(moving))
    at_low, at_high = cut.lower[moving].astype(np.float64), cut.upper[moving].astype(np.float64)
    below = at_low > 0
    last = np.zeros(len(moving), np.int8)  # which end moved: -1 low, 1 high
    owners = samples.lattice.owners(cut.nodes[moving])
    for _ in range(iterations):
        middle = fractions[moving]
        values = samples.evaluate(edge_indices(samples.lattice, cut, fractions)[moving], owners).astype(np.float64)
        moves_low = (values > 0) == below
        at_high = np.where(moves_low & (last == -1), at_high / 2, at_high)
        at_low = np.where(~moves_low & (last == 1), at_low / 2, at_low)
        low, at_low = np.where(moves_low, middle, low), np.where(moves_low, values, at_low)
        high, at_high = np.where(moves_low, high, middle), np.where(moves_low, at_high, values)
        last = np.where(moves_low, -1, 1)
        span = at_low - at_high
        found = span == 0  # the root itself, and the other end was halved until it was 0 too
        fractions[moving] = np.where(found, middle, low + (high - low) * at_low / np.where(found, 1, span))
    return fractions


def _replaced(samples: Samples, cut: Crossings) -> np.ndarray:
    """Whether an end of each edge has a replaced value: [V] bool."""
    ends = cut.nodes, cut.nodes + samples.lattice.steps[cut.axes]
    return np.any([table.find(samples.replaced, keys)[1] for keys in ends], axis=0)
