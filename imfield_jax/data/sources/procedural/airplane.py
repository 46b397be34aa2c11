"""Airplanes: airliners, business jets, fighters, light and old propeller airplanes."""

from __future__ import annotations

import numpy as np

from imfield_jax.data.scene import Scene
from imfield_jax.data.sources.procedural import airplane_jets as jets
from imfield_jax.data.sources.procedural import airplane_propellers as propellers
from imfield_jax.data.sources.procedural import solids

KINDS = {
    jets.airliner: 0.27,
    jets.business_jet: 0.08,
    jets.fighter: 0.19,
    propellers.light: 0.18,
    propellers.warbird: 0.11,
    propellers.biplane: 0.07,
    propellers.turboprop: 0.10,
}


def build(rng: np.random.Generator) -> Scene:
    """One airplane, drawn from `rng`."""
    kind = rng.choice(len(KINDS), p=list(KINDS.values()))
    return solids.as_scene(list(KINDS)[kind](rng))
