"""Airplanes: airliners, business jets, fighters, light and old propeller airplanes, and rare kinds."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_rare as rare
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.airplane_boom import twin_boom
from imfield_jax.sources.procedural.airplane_delta import delta
from imfield_jax.sources.procedural.airplane_fighter import fighter
from imfield_jax.sources.procedural.airplane_freighter import military_transport
from imfield_jax.sources.procedural.airplane_light import light
from imfield_jax.sources.procedural.airplane_seaplane import floatplane, flying_boat
from imfield_jax.sources.procedural.airplane_transport import airliner, business_jet, turboprop
from imfield_jax.sources.procedural.airplane_vintage import biplane, warbird
from imfield_jax.sources.procedural.airplane_wing import flying_wing
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
RARE = {
    rare.glider: 0.14,
    flying_boat: 0.13,
    floatplane: 0.09,
    military_transport: 0.16,
    delta: 0.15,
    flying_wing: 0.12,
    twin_boom: 0.13,
    rare.triplane: 0.04,
    rare.ultralight: 0.04,
}


def build(rng: np.random.Generator) -> Scene:
    """One random airplane."""
    kind = rng.choice(len(KINDS), p=list(KINDS.values()))
    return solids.as_scene(list(KINDS)[kind](rng))


def build_rare(rng: np.random.Generator) -> Scene:
    """One random airplane of a rare kind."""
    kind = rng.choice(len(RARE), p=list(RARE.values()))
    return solids.as_scene(list(RARE)[kind](rng))
