"""Airplanes: airliners, business jets, fighters, light and old propeller airplanes."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.airplane_fighter import fighter
from imfield_jax.sources.procedural.airplane_light import light
from imfield_jax.sources.procedural.airplane_transport import airliner, business_jet, turboprop
from imfield_jax.sources.procedural.airplane_vintage import biplane, warbird
from imfield_jax.sources.scene import Scene

KINDS = {
    airliner: 0.27,
    business_jet: 0.08,
    fighter: 0.19,
    light: 0.18,
    warbird: 0.11,
    biplane: 0.07,
    turboprop: 0.10,
}


def build(rng: np.random.Generator) -> Scene:
    """One random airplane."""
    kind = rng.choice(len(KINDS), p=list(KINDS.values()))
    return solids.as_scene(list(KINDS)[kind](rng))
