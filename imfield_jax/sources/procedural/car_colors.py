"""Paint, glass and upholstery of cars as colours."""

from __future__ import annotations

import colorsys

import numpy as np

from imfield_jax.sources.procedural.solids import Color

BRASS: Color = (0.72, 0.55, 0.22, 1.0)
STEEL: Color = (0.48, 0.49, 0.51, 1.0)
CARBON: Color = (0.09, 0.09, 0.1, 1.0)


def body_paint(rng: np.random.Generator) -> Color:
    """White, grey and black at realistic frequencies; else a colour."""
    if rng.random() < 0.5:
        grey = float(rng.choice([0.9, 0.78, 0.62, 0.45, 0.28, 0.14]))
        return (grey, grey, min(1.0, grey + 0.015), 1.0)
    hue = float(rng.choice([0.0, 0.01, 0.04, 0.08, 0.13, 0.3, 0.38, 0.52, 0.58, 0.62, 0.65, 0.95]))
    color = colorsys.hsv_to_rgb(hue, float(rng.uniform(0.45, 0.9)), float(rng.uniform(0.35, 0.9)))
    red, green, blue = (round(c, 4) for c in color)
    return red, green, blue, 1.0


def window_glass(rng: np.random.Generator) -> Color:
    """Nearly black, bluish."""
    dark = float(rng.uniform(0.08, 0.24))
    return (round(0.8 * dark, 4), round(0.95 * dark, 4), round(1.25 * dark, 4), 1.0)


def leather(rng: np.random.Generator) -> Color:
    """Black, brown, tan or red."""
    base = np.array([(0.1, 0.1, 0.11), (0.32, 0.2, 0.12), (0.55, 0.36, 0.2), (0.42, 0.09, 0.08)][int(rng.integers(4))])
    return (*np.round(base * rng.uniform(0.8, 1.15), 4).tolist(), 1.0)


def bright_paint(rng: np.random.Generator) -> Color:
    """A saturated colour, as on racing and beach cars."""
    hue = float(rng.choice([0.0, 0.02, 0.07, 0.13, 0.16, 0.3, 0.36, 0.5, 0.58, 0.62, 0.83]))
    color = colorsys.hsv_to_rgb(hue, float(rng.uniform(0.7, 0.95)), float(rng.uniform(0.55, 0.95)))
    red, green, blue = (round(c, 4) for c in color)
    return red, green, blue, 1.0


def two_colors(rng: np.random.Generator) -> tuple[Color, Color]:
    """Paint and a second colour for wings and noses."""
    paint = bright_paint(rng)
    if rng.random() < 0.3:
        shade = round(float(rng.choice([0.12, 0.6, 0.92])), 4)
        paint = (shade, shade, shade, 1.0)
    return paint, bright_paint(rng) if rng.random() < 0.5 else (paint if rng.random() < 0.5 else CARBON)
