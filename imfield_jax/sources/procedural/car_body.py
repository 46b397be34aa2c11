"""The painted shell of a car: lower body and cabin, each a loft of cross-sections along z.

Both can be slightly enlarged (`grow`): windows, lamps and seams are cut from the larger shell, so
that they follow the curvature of the body and protrude from the paint by less than a millimetre at
the scale of a model car, without being thin shells themselves.
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float64
from manifold3d import Manifold
from numpy.typing import ArrayLike

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_styles import Proportions

ARCH = 1.12  # radius of a wheel arch over that of its wheel
SUNK = 0.16  # metres by which the cabin extends down into the lower body


def at(p: Proportions, along: float) -> float:
    """z of a position given as a fraction of the length."""
    return (along - 0.5) * p.length


def top_line(p: Proportions, z: ArrayLike) -> Float64[np.ndarray, " ..."]:
    """Height of the lower body on its centre line: bonnet, shoulder under the windows, boot."""
    middle = 0.5 * (p.nose + p.cowl_up) + 0.022
    along = [0.0, 0.5 * p.cowl, p.cowl, p.roof_front, p.cabin_rear, max(1.0, p.cabin_rear + 0.01)]
    up = [p.nose, middle, p.cowl_up, p.belt, p.deck, p.tail]
    fine = np.linspace(-0.1, 1.1, 601)
    line = np.interp(fine, along, up)
    window = np.ones(31) / 31
    line[15:-15] = np.convolve(line, window, mode="valid")
    return p.height * np.interp(np.asarray(z) / p.length + 0.5, fine, line)


def _ease(distance: np.ndarray, reach: float) -> np.ndarray:
    """1 at an end of the car, 0 from `reach` inwards, falling like a quarter ellipse."""
    t = np.clip(1 - np.maximum(distance, 0) / reach, 0, 1)
    return 1 - np.sqrt(1 - t**2)


def half_width(p: Proportions, z: ArrayLike) -> Float64[np.ndarray, " ..."]:
    """Half the width of the lower body at its widest height."""
    front, rear = np.asarray(z) + p.length / 2, p.length / 2 - np.asarray(z)
    lost = p.nose_taper * _ease(front, 0.19 * p.length) + p.tail_taper * _ease(rear, 0.2 * p.length)
    return p.width / 2 * (1 - lost)


def axles(p: Proportions) -> tuple[float, float]:
    """z of the front and the rear axle."""
    return at(p, p.front_axle), at(p, min(p.front_axle + p.wheelbase, 0.86))


def _wing_line(p: Proportions, z: np.ndarray) -> np.ndarray:
    """Minimum height of the body over the wheels, so that they never protrude through a low bonnet."""
    reach = 1.9 * p.wheel_radius
    top = p.wheel_radius * (1 + ARCH) + 0.05
    return np.max([top - 0.22 * ((z - axle) / reach) ** 2 * 2 for axle in axles(p)], axis=0)


def _stations(p: Proportions) -> np.ndarray:
    quarter = 1 - np.cos(np.linspace(0, np.pi / 2, 7))
    front = -p.length / 2 + p.nose_round * quarter
    rear = p.length / 2 - p.tail_round * quarter
    count = int((rear[-1] - front[-1]) / 0.16)
    return np.concatenate([front[:-1], np.linspace(front[-1], rear[-1], count), rear[-2::-1]])


def body(p: Proportions, grow: float = 0.0) -> Manifold:
    """The lower body, without wheel arches."""
    z = _stations(p)
    front, rear = z + p.length / 2, p.length / 2 - z
    nose, tail = _ease(front, p.nose_round), _ease(rear, p.tail_round)
    tall = p.height * p.belt - p.clearance
    high = top_line(p, z) - tall * (p.nose_drop * nose + p.tail_drop * tail) + grow
    low = p.clearance + tall * (0.22 * nose + 0.22 * tail) - grow
    wide = half_width(p, z) * (1 - 0.05 * nose - 0.03 * tail) + grow
    crown = np.minimum(0.05, 0.1 * (high - low))
    wing = _wing_line(p, z) + grow
    fraction = np.array([0.0, 0.0, 0.12, 0.5, 1.0, 1.0, 1.0])  # of the height
    across = np.array([0.0, 0.80, 0.965, 1.0, 0.965, 0.62, 0.0])
    # [stations, 7, (x, y)]: the right half from the bottom to the top.
    corners = np.stack([wide[:, None] * across, low[:, None] + (high - low)[:, None] * fraction], axis=-1)
    corners[:, 4, 1] = np.maximum(high - crown, wing - 0.02)
    corners[:, 5, 1] = np.maximum(high - 0.4 * crown, wing)
    corners = np.concatenate([corners, (corners * (-1, 1))[:, 5:0:-1]], axis=1)
    setback = np.array([0.3, 0.06, 0.08, 0.3, p.edge, 0.2, 0.6, 0.2, p.edge, 0.3, 0.08, 0.06])
    rings = solids.rounded(corners, setback, 3)
    depth = z[:, None] + np.zeros(rings.shape[:2])
    bow = (rings[..., 0] / (p.width / 2)) ** 2
    depth += p.nose_bow * bow * np.clip(1 - front / (0.3 * p.length), 0, 1)[:, None]
    depth -= 0.4 * p.nose_bow * bow * np.clip(1 - rear / (0.3 * p.length), 0, 1)[:, None]
    depth += np.where(z < 0, -grow, grow)[:, None] * np.clip(np.abs(z) / p.length * 4 - 1, 0, 1)[:, None]
    return solids.loft(np.concatenate([rings, depth[..., None]], axis=-1))


def roof_line(p: Proportions) -> Float64[np.ndarray, "N 2"]:
    """Side view of the cabin from the foot of the windscreen to that of the rear window: (z, y)."""
    middle = 0.45 * p.roof_front + 0.55 * p.roof_rear
    corners = np.array(
        [
            (at(p, p.cowl), p.cowl_up * p.height - 0.06),
            (at(p, p.roof_front), p.height - p.arch),
            (at(p, middle), p.height),
            (at(p, p.roof_rear), p.height - p.roof_fall),
            (at(p, p.cabin_rear), p.deck * p.height - 0.06),
        ]
    )
    steep = at(p, p.cabin_rear) - at(p, p.roof_rear)
    setback = np.array([0, 0.42, 0.5, min(0.45, 0.1 + 0.6 * steep), 0])
    line = solids.rounded(corners, setback, 5).reshape(5, -1, 2)
    line = np.concatenate([line[:1, 0], line[1:4].reshape(-1, 2), line[4:, 0]])
    fine = [np.linspace(a, b, max(1, int((b[0] - a[0]) / 0.17)), endpoint=False) for a, b in itertools.pairwise(line)]
    return np.concatenate([*fine, line[-1:]])


def cabin_half_width(p: Proportions, z: ArrayLike, y: ArrayLike) -> Float64[np.ndarray, " ..."]:
    """Half the width of the cabin at a height: it leans inwards increasingly with height."""
    foot = half_width(p, z) - 0.055
    belt = top_line(p, z)
    t = np.clip((y - belt) / np.maximum(p.height - belt, 1e-6), 0, 1)
    middle = at(p, 0.5 * (p.cowl + p.cabin_rear))
    u = (np.asarray(z) - middle) / (at(p, p.cabin_rear) - middle)
    return foot * (1 - (1 - p.roof_width) * t**1.25) * (1 - 0.07 * np.clip(np.abs(u) - 0.2, 0, 1) ** 2)


def cabin(p: Proportions, grow: float = 0.0) -> Manifold:
    """The cabin with its roof, extending slightly into the lower body."""
    line = roof_line(p)
    z, high = line[:, 0], line[:, 1] + grow
    low = np.minimum(top_line(p, z), high) - SUNK
    crown = 0.05 * np.clip((high - low) / 0.5, 0.2, 1)
    level = np.array([0.0, 0.34, 0.68])
    heights = low[:, None] + (high - crown - low)[:, None] * np.append(level, 1.0)
    side = np.stack([cabin_half_width(p, z[:, None], heights) + grow, heights], axis=-1)
    top = np.stack([np.zeros_like(z), high], axis=-1)[:, None]
    corners = np.concatenate([side, top, (side * (-1, 1))[:, ::-1]], axis=1)
    setback = np.array([0.04, 0.1, 0.1, p.edge, 0.5, p.edge, 0.1, 0.1, 0.04])
    rings = solids.rounded(corners, setback, 3)
    depth = z[:, None] + np.zeros(rings.shape[:2])
    inward = 1 - (rings[..., 0] / (p.width / 2)) ** 2
    u = 2 * (z - z[0]) / (z[-1] - z[0]) - 1
    depth -= (0.14 * inward + grow) * np.clip(-u, 0, 1)[:, None]
    depth += (0.07 * inward + grow) * np.clip(u, 0, 1)[:, None]
    return solids.loft(np.concatenate([rings, depth[..., None]], axis=-1))
