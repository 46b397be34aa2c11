"""Chairs of nine kinds, from kitchen chairs and stools to office and easy chairs."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import chair_formed as formed
from imfield_jax.sources.procedural import chair_joined as joined
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.scene import Scene

KINDS = {
    joined.dining: 0.28,
    joined.windsor: 0.07,
    joined.stool: 0.08,
    joined.folding: 0.06,
    joined.rocking: 0.06,
    formed.armchair: 0.14,
    formed.office: 0.12,
    formed.cantilever: 0.07,
    formed.moulded: 0.12,
}


def build(rng: np.random.Generator) -> Scene:
    """One random chair."""
    kind = rng.choice(len(KINDS), p=list(KINDS.values()))
    return solids.as_scene(list(KINDS)[kind](rng))
