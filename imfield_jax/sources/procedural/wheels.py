"""Wheels: a tyre with a recess, and a rim of spokes in it."""

from __future__ import annotations

import numpy as np
from manifold3d import CrossSection, Manifold

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.solids import Color, Piece

TYRE: Color = (0.07, 0.07, 0.075, 1.0)


def _rim_face(rng: np.random.Generator, radius: float) -> CrossSection:
    """Front view of a rim: a ring and a hub, joined by spokes or by a disc with holes."""
    ring = CrossSection.circle(radius, 32) - CrossSection.circle(0.84 * radius, 24)
    hub = CrossSection.circle(0.3 * radius, 16)
    count = int(rng.choice([5, 6, 7, 8, 10]))
    angles = 360 / count * np.arange(count)
    if rng.random() < 0.3:
        hole = CrossSection.circle(radius * min(0.19, 0.9 / count), 10).translate((0.58 * radius, 0))
        holes = [hole.rotate(float(angle)) for angle in angles]
        return CrossSection.circle(radius, 32) - CrossSection.batch_boolean(holes, solids.OpType.Add)
    inner, outer = rng.uniform(0.11, 0.16), rng.uniform(0.08, 0.17)
    spoke = solids.outline(radius * np.array([(0, -inner), (0.9, -outer), (0.9, outer), (0, inner)]))
    spokes = [spoke.rotate(float(angle)) for angle in angles]
    return CrossSection.batch_boolean([ring, hub, *spokes], solids.OpType.Add)


def wheel(rng: np.random.Generator, radius: float, width: float, rim: Color) -> list[Piece]:
    """A wheel about the x axis whose outer face looks towards +x."""
    fraction = float(rng.uniform(0.62, 0.72))  # of the radius that is rim
    half, inner = width / 2, fraction * radius
    tyre = np.array(
        [
            (0, -half),
            (0.9 * radius, -half),
            (radius, -0.65 * half),
            (radius, 0.6 * half),
            (0.97 * radius, 0.85 * half),
            (0.88 * radius, half),
            (inner, half),
            (0.97 * inner, 0.55 * half),
            (0, 0.55 * half),
        ]
    )
    # In the front view, x points left for a viewer looking along -x; rims are symmetric enough.
    face = Manifold.extrude(_rim_face(rng, inner), 0.62 * half).rotate((0, 90, 0)).translate((0.3 * half, 0, 0))
    cap = solids.turned([(0, 0), (0.2 * inner, 0), (0.16 * inner, half), (0, half)], "x", segments=16)
    return [(TYRE, solids.turned(tyre, "x", segments=36)), (rim, face + cap)]
