"""Vertices moved along their lattice edges to where the field itself is zero."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from imfield_jax.extraction.marching import Crossings, edge_indices, linear_shares
from imfield_jax.extraction.samples import Samples


def secant_shares(samples: Samples, cut: Crossings, rounds: int) -> Float[np.ndarray, " V"]:
    """How far along its edge each vertex is, in [0, 1], after `rounds` secants; 0 rounds are `linear_shares`.

    Linear interpolation is good where the field is straight between the ends. A decoder of leaky ReLUs has
    kinks, most of them where it was trained to change its mind: at the surface. Each round asks the field
    at all vertices. Their values narrow the brackets, so that no vertex leaves its edge and no triangle folds
    over, and the secant is taken anew, in the Illinois form (Dowell and Jarratt 1971), which halves the value of
    an end that stays, lest the bracket shrink from one side only. Vertices on the cube's border stay there.
    """
    shares = linear_shares(cut)
    moving = np.flatnonzero(cut.within)
    low, high = np.zeros(len(moving)), np.ones(len(moving))
    at_low, at_high = cut.lower[moving].astype(np.float64), cut.upper[moving].astype(np.float64)
    below = at_low > 0
    last = np.zeros(len(moving), np.int8)  # which end moved: -1 low, 1 high
    owners = samples.lattice.owners(cut.nodes[moving])
    for _ in range(rounds):
        middle = shares[moving]
        values = samples.ask(edge_indices(samples.lattice, cut, shares)[moving], owners).astype(np.float64)
        moves_low = (values > 0) == below
        at_high = np.where(moves_low & (last == -1), at_high / 2, at_high)
        at_low = np.where(~moves_low & (last == 1), at_low / 2, at_low)
        low, at_low = np.where(moves_low, middle, low), np.where(moves_low, values, at_low)
        high, at_high = np.where(moves_low, high, middle), np.where(moves_low, at_high, values)
        last = np.where(moves_low, -1, 1)
        shares[moving] = low + (high - low) * at_low / (at_low - at_high)
    return shares
