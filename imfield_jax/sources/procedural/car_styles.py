"""Body styles of cars: the range from which each dimension of a style is drawn.

Metres by default. "Along" is a fraction of the length measured from the nose, "up" a
fraction of the height measured from the ground.
"""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Proportions:
    """The dimensions of one car. All float; see the module for "along" and "up"."""

    length: float
    width: float
    height: float
    clearance: float
    wheel_radius: float
    wheelbase: float  # fraction of the length
    front_axle: float  # along
    nose: float  # up: bonnet at its leading edge
    cowl_up: float  # up: foot of the windscreen
    belt: float  # up: lower edge of the side windows
    deck: float  # up: foot of the rear window
    tail: float  # up: rear edge of the boot
    cowl: float  # along: foot of the windscreen
    roof_front: float  # along: top of the windscreen
    roof_rear: float  # along: where the roof begins to fall
    cabin_rear: float  # along: foot of the rear window
    roof_fall: float  # of the roof line towards the rear
    arch: float  # crown of the roof between its ends
    roof_width: float  # over the width at the belt
    nose_taper: float  # reduction of the width at the nose, fraction
    tail_taper: float
    nose_round: float  # length of the rounding of the nose in side view
    tail_round: float
    nose_drop: float  # fraction of the nose's height that is rounded off
    tail_drop: float
    nose_bow: float  # protrusion of the centre of the nose in plan
    edge: float  # rounding of the shoulders and of the roof's edges


STEEPEST = 0.015  # minimum fraction of the length between the ends of a rear window

BASE = {
    "length": (4.4, 4.9), "width": (1.76, 1.88), "height": (1.40, 1.50), "clearance": (0.17, 0.22),
    "wheel_radius": (0.31, 0.35), "wheelbase": (0.575, 0.62), "front_axle": (0.175, 0.205),
    "nose": (0.46, 0.52), "cowl_up": (0.60, 0.65), "belt": (0.62, 0.67), "deck": (0.66, 0.71),
    "tail": (0.62, 0.70), "cowl": (0.265, 0.31), "roof_front": (0.42, 0.46), "roof_rear": (0.64, 0.69),
    "cabin_rear": (0.80, 0.86), "roof_fall": (0.01, 0.05), "arch": (0.02, 0.05),
    "roof_width": (0.70, 0.80), "nose_taper": (0.10, 0.2), "tail_taper": (0.06, 0.14),
    "nose_round": (0.12, 0.32), "tail_round": (0.08, 0.2), "nose_drop": (0.25, 0.45),
    "tail_drop": (0.1, 0.22), "nose_bow": (0.06, 0.22), "edge": (0.07, 0.14),
}  # fmt: skip

STYLES = {
    "sedan": {},
    "hatchback": {
        "length": (3.6, 4.3), "width": (1.66, 1.82), "height": (1.42, 1.56), "wheelbase": (0.60, 0.645),
        "front_axle": (0.175, 0.2), "cowl": (0.23, 0.28), "roof_front": (0.38, 0.44),
        "roof_rear": (0.80, 0.87), "cabin_rear": (0.94, 0.965), "roof_fall": (0.04, 0.12),
        "deck": (0.62, 0.68), "tail": (0.58, 0.64),
    },
    "estate": {
        "length": (4.5, 4.95), "height": (1.44, 1.53), "roof_rear": (0.86, 0.91),
        "cabin_rear": (0.945, 0.97), "roof_fall": (0.03, 0.08), "deck": (0.62, 0.67),
        "tail": (0.58, 0.64), "cowl": (0.26, 0.30),
    },
    "suv": {
        "length": (4.3, 4.95), "width": (1.82, 1.98), "height": (1.64, 1.82), "clearance": (0.24, 0.32),
        "wheel_radius": (0.36, 0.41), "nose": (0.53, 0.6), "cowl_up": (0.62, 0.67), "belt": (0.63, 0.68),
        "deck": (0.62, 0.66), "tail": (0.58, 0.63), "cowl": (0.25, 0.30), "roof_front": (0.37, 0.42),
        "roof_rear": (0.85, 0.91), "cabin_rear": (0.945, 0.97), "roof_fall": (0.03, 0.12),
        "nose_drop": (0.2, 0.35), "nose_round": (0.1, 0.22), "nose_bow": (0.04, 0.14),
    },
    "offroad": {
        "length": (3.9, 4.6), "width": (1.78, 1.92), "height": (1.80, 1.98), "clearance": (0.30, 0.38),
        "wheel_radius": (0.38, 0.44), "nose": (0.56, 0.61), "cowl_up": (0.60, 0.64), "belt": (0.61, 0.65),
        "deck": (0.61, 0.64), "tail": (0.60, 0.62), "cowl": (0.28, 0.33), "roof_front": (0.33, 0.37),
        "roof_rear": (0.94, 0.96), "cabin_rear": (0.97, 0.985), "roof_fall": (0.0, 0.02),
        "arch": (0.0, 0.02), "roof_width": (0.86, 0.94), "nose_taper": (0.03, 0.08),
        "tail_taper": (0.0, 0.04), "nose_round": (0.05, 0.1), "tail_round": (0.04, 0.08),
        "nose_drop": (0.1, 0.2), "tail_drop": (0.04, 0.1), "nose_bow": (0.0, 0.05), "edge": (0.04, 0.08),
    },
    "pickup": {
        "length": (4.95, 5.7), "width": (1.82, 2.0), "height": (1.72, 1.88), "clearance": (0.27, 0.36),
        "wheel_radius": (0.36, 0.42), "wheelbase": (0.58, 0.62), "front_axle": (0.165, 0.185),
        "nose": (0.54, 0.6), "cowl_up": (0.61, 0.65), "belt": (0.62, 0.66), "deck": (0.60, 0.64),
        "tail": (0.60, 0.63), "cowl": (0.235, 0.27), "roof_front": (0.32, 0.36),
        "roof_rear": (0.42, 0.60), "cabin_rear": (0.0, 0.0), "roof_fall": (0.0, 0.03),
        "roof_width": (0.76, 0.84), "nose_taper": (0.06, 0.12), "tail_taper": (0.0, 0.03),
        "tail_round": (0.04, 0.08), "tail_drop": (0.02, 0.06), "nose_drop": (0.15, 0.3),
        "nose_round": (0.1, 0.2), "nose_bow": (0.03, 0.1),
    },
    "van": {
        "length": (4.6, 5.6), "width": (1.85, 2.02), "height": (1.92, 2.3), "clearance": (0.2, 0.27),
        "wheel_radius": (0.32, 0.36), "wheelbase": (0.58, 0.64), "front_axle": (0.165, 0.19),
        "nose": (0.43, 0.48), "cowl_up": (0.54, 0.58), "belt": (0.53, 0.57), "deck": (0.52, 0.55),
        "tail": (0.51, 0.54), "cowl": (0.12, 0.19), "roof_front": (0.24, 0.32),
        "roof_rear": (0.95, 0.965), "cabin_rear": (0.975, 0.985), "roof_fall": (0.0, 0.04),
        "roof_width": (0.84, 0.93), "nose_taper": (0.08, 0.16), "tail_taper": (0.0, 0.04),
        "nose_drop": (0.2, 0.35), "tail_round": (0.04, 0.08), "tail_drop": (0.03, 0.08),
    },
    "minivan": {
        "length": (4.2, 4.95), "width": (1.78, 1.95), "height": (1.60, 1.78), "nose": (0.42, 0.48),
        "cowl_up": (0.56, 0.61), "belt": (0.57, 0.62), "deck": (0.57, 0.62), "tail": (0.54, 0.58),
        "cowl": (0.16, 0.22), "roof_front": (0.36, 0.43), "roof_rear": (0.84, 0.91),
        "cabin_rear": (0.95, 0.97), "roof_fall": (0.03, 0.1), "roof_width": (0.74, 0.82),
        "arch": (0.03, 0.07), "front_axle": (0.175, 0.2),
    },
    "coupe": {
        "length": (4.15, 4.75), "width": (1.78, 1.92), "height": (1.24, 1.36), "clearance": (0.14, 0.17),
        "wheel_radius": (0.32, 0.36), "nose": (0.45, 0.52), "cowl_up": (0.61, 0.66), "belt": (0.64, 0.69),
        "deck": (0.66, 0.73), "tail": (0.60, 0.69), "cowl": (0.31, 0.38), "roof_front": (0.47, 0.52),
        "roof_rear": (0.60, 0.66), "cabin_rear": (0.84, 0.93), "roof_fall": (0.02, 0.06),
        "arch": (0.03, 0.06), "roof_width": (0.64, 0.74), "front_axle": (0.165, 0.195),
        "nose_bow": (0.12, 0.28),
    },
    "sports": {
        "length": (4.2, 4.7), "width": (1.86, 2.02), "height": (1.12, 1.22), "clearance": (0.12, 0.15),
        "wheel_radius": (0.31, 0.345), "wheelbase": (0.57, 0.61), "front_axle": (0.2, 0.23),
        "nose": (0.46, 0.54), "cowl_up": (0.58, 0.64), "belt": (0.64, 0.7), "deck": (0.72, 0.8),
        "tail": (0.64, 0.74), "cowl": (0.24, 0.30), "roof_front": (0.43, 0.48), "roof_rear": (0.53, 0.58),
        "cabin_rear": (0.78, 0.9), "roof_fall": (0.01, 0.05), "arch": (0.02, 0.05),
        "roof_width": (0.6, 0.7), "nose_taper": (0.12, 0.22), "nose_drop": (0.4, 0.6),
        "nose_round": (0.3, 0.55), "nose_bow": (0.15, 0.32), "tail_drop": (0.1, 0.2),
    },
    "convertible": {
        "length": (3.9, 4.6), "width": (1.7, 1.86), "height": (1.22, 1.32), "clearance": (0.14, 0.17),
        "nose": (0.46, 0.53), "cowl_up": (0.64, 0.69), "belt": (0.66, 0.7), "deck": (0.66, 0.71),
        "tail": (0.60, 0.68), "cowl": (0.32, 0.37), "roof_front": (0.42, 0.46), "roof_rear": (0.6, 0.64),
        "cabin_rear": (0.7, 0.76), "roof_width": (0.74, 0.82),
    },
}  # fmt: skip


def draw(rng: np.random.Generator) -> tuple[str, Proportions]:
    """A style by name and one car of it, every dimension uniform in its range.

    The exception is a foot of the rear window in front of the roof's rear end: it moves to just
    behind the roof, which gives pickups their upright rear window.
    """
    style = list(STYLES)[int(rng.integers(len(STYLES)))]
    return style, draw_style(rng, style)


def draw_style(rng: np.random.Generator, style: str) -> Proportions:
    """One car of a style."""
    ranges = BASE | STYLES[style]
    drawn = {name: float(rng.uniform(*ranges[name])) for name in BASE}
    drawn["cabin_rear"] = max(drawn["cabin_rear"], drawn["roof_rear"] + STEEPEST)
    return Proportions(**drawn)
