"""Materials of furniture as colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imfield_jax.sources.procedural.solids import Color

WOODS = ((0.55, 0.36, 0.20), (0.40, 0.24, 0.13), (0.72, 0.54, 0.34), (0.26, 0.16, 0.10), (0.62, 0.42, 0.27))
FABRICS = (
    (0.45, 0.13, 0.13),
    (0.18, 0.26, 0.42),
    (0.30, 0.38, 0.26),
    (0.62, 0.57, 0.48),
    (0.30, 0.30, 0.32),
    (0.68, 0.42, 0.16),
    (0.36, 0.22, 0.15),
    (0.14, 0.14, 0.15),
    (0.28, 0.45, 0.47),
    (0.78, 0.76, 0.72),
)
PAINTS = (
    (0.86, 0.86, 0.84),
    (0.10, 0.10, 0.11),
    (0.70, 0.16, 0.14),
    (0.18, 0.40, 0.62),
    (0.88, 0.68, 0.16),
    (0.30, 0.52, 0.36),
    (0.55, 0.57, 0.60),
)
METALS = ((0.72, 0.74, 0.76), (0.14, 0.14, 0.15), (0.40, 0.41, 0.43), (0.82, 0.82, 0.80))


def pick(rng: np.random.Generator, palette: Sequence[tuple[float, float, float]]) -> Color:
    base = np.array(palette[int(rng.integers(len(palette)))]) * rng.uniform(0.85, 1.15)
    return (*np.round(np.clip(base, 0.03, 0.97), 4).tolist(), 1.0)


def wood_or_paint(rng: np.random.Generator) -> Color:
    return pick(rng, WOODS if rng.random() < 0.72 else PAINTS)
