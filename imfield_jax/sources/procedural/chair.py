"""Chairs of nine kinds, from kitchen chairs and stools to office and easy chairs, and of six rare ones."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import chair_formed as formed
from imfield_jax.sources.procedural import chair_joined as joined
from imfield_jax.sources.procedural import chair_lounge as lounge
from imfield_jax.sources.procedural import chair_rare as rare
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.chair_shell import swivel_shell
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
RARE = {
    rare.bentwood: 0.2,
    rare.bar_chair: 0.16,
    rare.high_chair: 0.1,
    lounge.deck_chair: 0.17,
    lounge.wing_chair: 0.17,
    swivel_shell: 0.2,
}


def build(rng: np.random.Generator) -> Scene:
    """One random chair."""
    kind = rng.choice(len(KINDS), p=list(KINDS.values()))
    return solids.as_scene(list(KINDS)[kind](rng))


def build_rare(rng: np.random.Generator) -> Scene:
    """One random chair of a rare kind."""
    kind = rng.choice(len(RARE), p=list(RARE.values()))
    return solids.as_scene(list(RARE)[kind](rng))
