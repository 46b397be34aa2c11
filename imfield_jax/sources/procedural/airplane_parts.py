"""Parts of airplanes: fuselages, wings, engines, propellers.

Metres, nose towards -z. Surfaces are at least `thin` thick, a fraction of the airplane's size,
because a wing of true thickness is too thin for a 64^3 grid.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from manifold3d import Manifold
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from imfield_jax.sources.procedural import solids

THINNEST = 0.0125  # of the airplane's diagonal


def thinnest(length: float, span: float) -> float:
    return THINNEST * float(np.hypot(length, span))


def fuselage(
    stations: ArrayLike, power: float = 2.0, grow: float = 0.0, count: int = 44, segments: int = 28
) -> Manifold:
    """A body through cross-sections (z, height of the middle, half width, half height).

    power: 2 for ellipses, more for boxes with rounded edges.
    """
    stations = np.asarray(stations, np.float64)
    curve = PchipInterpolator(stations[:, 0], stations[:, 1:])
    # Denser where the ends curve most.
    z0, z1 = stations[0, 0], stations[-1, 0]
    fraction = (1 - np.cos(np.linspace(0, np.pi, count))) / 2
    z = z0 + (z1 - z0) * (0.6 * fraction + 0.4 * np.linspace(0, 1, count))
    y, wide, high = curve(z).T
    # No corner on the centre line, where fins and tailplanes have theirs.
    angle = (np.arange(segments) + 0.5) * (2 * np.pi / segments)
    cosine, sine = np.cos(angle), np.sin(angle)
    across = np.sign(cosine) * np.abs(cosine) ** (2 / power)
    up = np.sign(sine) * np.abs(sine) ** (2 / power)
    x = (wide + grow)[:, None] * across
    rise = y[:, None] + (high + grow)[:, None] * up
    depth = np.broadcast_to(z[:, None], x.shape) + np.where(np.arange(count) == 0, -grow, 0)[:, None]
    return solids.loft(np.stack([x, rise, depth], axis=-1))


def streamline(
    length: float,
    radius: float,
    nose: float,
    tail: float,
    upsweep: float,
    droop: float = 0.3,
    end: float = 0.12,
    ratio: float = 1.0,
) -> Float64[np.ndarray, "S 4"]:
    """Stations of a round body: a blunt nose, a tube, and a tail whose top stays level.

    nose, tail: fractions of the length.   upsweep: 0 tail on the centre line, 1 flat along the top.
    droop: distance of the nose tip below the centre line, in radii.   ratio: height over width.
    """
    t = np.array([0.0, 0.04, 0.14, 0.3, 0.55, 0.8, 1.0])
    front = np.sqrt(1 - (1 - t) ** 2.0) ** 0.95
    front[0] = 0.06
    z_front = -length / 2 + t * nose * length
    s = np.linspace(0, 1, 6)
    rear = 1 - (1 - end) * s**1.6
    z_rear = length / 2 - tail * length * (1 - s)
    z = np.concatenate([z_front, z_rear])
    r = radius * np.concatenate([front, rear])
    y = np.concatenate([-droop * radius * (1 - t) ** 2, upsweep * (radius * ratio) * (1 - rear)])
    return np.stack([z, y, r, r * ratio], axis=-1)


def foil(sections: ArrayLike, thin: float, ratio: float = 0.12) -> Manifold:
    """A wing or fin through sections (x, y, z of the leading edge, chord).

    Each section is an aerofoil of thickness max(thin, ratio * chord), perpendicular to the span.
    """
    given = np.asarray(sections, np.float64)
    # A narrower section at the tip rounds it off.
    step = given[-1] - given[-2]
    away = np.hypot(step[0], step[1])
    cap = given[-1] + step / away * 0.5 * thin
    cap[2:] = given[-1, 2] + 0.14 * given[-1, 3] + step[2] / away * 0.5 * thin, 0.76 * given[-1, 3]
    thick = np.append(np.maximum(thin, ratio * given[:, 3]), 0.35 * thin)
    capped = np.concatenate([given, cap[None]])
    t = (1 - np.cos(np.linspace(0, np.pi, 9))) / 2
    half = np.sqrt(np.clip(1 - ((0.3 - np.minimum(t, 0.3)) / 0.3) ** 2, 0, 1)) * (
        1 - 0.72 * np.clip((t - 0.3) / 0.7, 0, 1) ** 1.4
    )
    chordwise = np.concatenate([t, t[:0:-1]])
    across = 0.5 * np.concatenate([half, -half[:0:-1]])
    span = capped[-2, :2] - capped[0, :2]
    normal = np.array([-span[1], span[0]]) / np.hypot(*span)
    rise = thick[:, None] * across
    x = capped[:, 0, None] + normal[0] * rise
    y = capped[:, 1, None] + normal[1] * rise
    z = capped[:, 2, None] + capped[:, 3, None] * chordwise
    return solids.loft(np.stack([x, y, z], axis=-1))


def wing(
    span: float,
    root: float,
    taper: float,
    sweep: float,
    dihedral: float,
    place: tuple[float, float],
    thin: float,
    kink: float = 0.0,
    ratio: float = 0.12,
) -> Manifold:
    """Both halves of a wing.

    root: chord at the centre.   sweep: degrees of the leading edge.   place: (y, z) of the leading
    edge at the centre.   kink: extra chord at the root, as a fraction, decreasing to zero at a third of the span.
    """
    half = span / 2
    lean, rise = np.tan(np.radians(sweep)), np.tan(np.radians(dihedral))
    sections = []
    # The halves overlap: if they only touched, they would leave a seam.
    for fraction in (-0.02, 0.34, 1.0):
        chord = root * (1 - (1 - taper) * fraction) + root * kink * max(0.0, 1 - fraction / 0.34)
        sections.append((fraction * half, place[0] + rise * fraction * half, place[1] + lean * fraction * half, chord))
    return solids.mirrored(foil(sections, thin, ratio))


def planform(
    points: ArrayLike, place: tuple[float, float], dihedral: float, thin: float, ratio: float = 0.06
) -> Manifold:
    """Both halves of a wing of any outline: points (x, leading edge, trailing edge) from x = 0 to the tip.

    The edges are z behind `place`, which is (y, z) at the centre.
    """
    x, lead, trail = np.asarray(points, np.float64).T
    # The halves overlap by a strip that is the same in both: if they only touched, they would leave a seam.
    strip = 0.02 * x[-1]
    lead, trail = (np.concatenate([[np.interp(strip, x, edge)], edge]) for edge in (lead, trail))
    y = place[0] + np.tan(np.radians(dihedral)) * np.concatenate([[strip], x])
    x = np.concatenate([[-strip], x])
    return solids.mirrored(foil(np.stack([x, y, place[1] + lead, trail - lead], axis=-1), thin, ratio))


def fin(
    height: float,
    root: float,
    taper: float,
    sweep: float,
    place: tuple[float, float],
    thin: float,
    x: float = 0.0,
    cant: float = 0.0,
) -> Manifold:
    """A vertical tail above (x, y, z) = (x, *place), leaning outwards by `cant` degrees."""
    lean, out = np.tan(np.radians(sweep)), np.tan(np.radians(cant))
    y, z = place
    return foil([(x, y, z, root), (x + out * height, y + height, z + lean * height, root * taper)], thin, 0.1)


def jet(radius: float, length: float, center: solids.Point) -> tuple[Manifold, Manifold]:
    """A nacelle and its dark interior; `center` is the centre of the intake."""
    r, long = radius, length
    shell = solids.turned(
        [
            (0, 0.12 * long),
            (0.8 * r, 0.12 * long),
            (0.84 * r, 0.01 * long),
            (0.92 * r, 0),
            (r, 0.1 * long),
            (r, 0.45 * long),
            (0.86 * r, 0.75 * long),
            (0.66 * r, long),
            (0.6 * r, long),
            (0.58 * r, 0.93 * long),
            (0, 0.93 * long),
        ],
        "z",
        center,
        24,
    )
    core = solids.turned(
        [
            (0, 0.02 * long),
            (0.25 * r, 0.12 * long),
            (0.83 * r, 0.115 * long),
            (0.6 * r, 0.3 * long),
            (0.4 * r, 0.96 * long),
            (0.25 * r, 1.1 * long),
            (0, 1.12 * long),
        ],
        "z",
        center,
        20,
    )
    return shell, core


def propeller(
    rng: np.random.Generator, radius: float, center: solids.Point, thin: float, blades: int
) -> tuple[Manifold, Manifold]:
    """Blades, left-right symmetric about the centre of the hub, and the spinner."""
    chord = max(1.3 * thin, 0.13 * radius)
    blade = solids.tube(
        [(0, 0, 0), (0, 0.5 * radius, 0), (0, 0.92 * radius, 0), (0, radius, 0)],
        np.array([0.6, 1, 0.9, 0.5]) * chord / 2,
        10,
    )
    blade = blade.scale((1, 1, 0.96 * thin / chord))
    start = 0.0 if blades != 4 else float(rng.choice([0.0, 45.0]))
    if blades == 2:
        start = float(rng.choice([0.0, 90.0]))
    solid = solids.union(blade.rotate((0, 0, start + 360.0 / blades * i)) for i in range(blades))
    size = max(0.13 * radius, 0.8 * thin)
    nose = solids.turned(
        [
            (0, -1.7 * size),
            (0.45 * size, -1.4 * size),
            (0.85 * size, -0.7 * size),
            (size, 0.2 * size),
            (0.9 * size, 0.9 * size),
            (0, 0.9 * size),
        ],
        "z",
        center,
        18,
    )
    return solid.translate(tuple(center)), nose
