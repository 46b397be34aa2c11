"""Parts of cars with open wheels or without a roof: hulls, mudguards, axles, lamps, seats, hoops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from manifold3d import CrossSection, Manifold
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_trim import LAMP, PLASTIC
from imfield_jax.sources.procedural.solids import Color, Piece
from imfield_jax.sources.procedural.wheels import wheel


def hull(
    stations: Sequence[tuple[float, float, float, float]],
    top: float = 3.0,
    bottom: float = 5.0,
    waist: float = 0.5,
    grow: float = 0.0,
) -> Manifold:
    """A smooth skin through stations of (z, half width, lowest, highest), z ascending.

    top, bottom: exponents of the superellipses of the sections: 2 is round, 6 is a box.
    waist: height of the widest place, fraction of the section's.
    """
    places = np.asarray(stations, np.float64)
    z = np.union1d(places[:, 0], np.linspace(places[0, 0], places[-1, 0], 36))
    wide, low, high = PchipInterpolator(places[:, 0], places[:, 1:])(z).T
    wide, low, high = wide + grow, low - grow, high + grow
    angle = (np.arange(32) + 0.5) * (2 * np.pi / 32)
    cosine, sine = np.cos(angle), np.sin(angle)
    power = 2 / np.where(sine > 0, top, bottom)
    x = np.sign(cosine) * np.abs(cosine) ** power
    y = np.sign(sine) * np.abs(sine) ** power * np.where(sine > 0, 1 - waist, waist) + waist
    rings = np.empty((len(z), 32, 3))
    rings[..., 0] = wide[:, None] * x
    rings[..., 1] = low[:, None] + (high - low)[:, None] * y
    rings[..., 2] = np.concatenate([z[:1] - grow, z[1:-1], z[-1:] + grow])[:, None]
    return solids.loft(rings)


def arc(z: float, y: float, radius: float, start: float, stop: float, steps: int = 14) -> Float64[np.ndarray, "N 2"]:
    """Points (z, y) on a circle in side view, from `start` to `stop` degrees: 0 is ahead, 90 above, 180 behind."""
    angle = np.radians(np.linspace(start, stop, steps))
    return np.stack([z - radius * np.cos(angle), y + radius * np.sin(angle)], axis=-1)


def ribbon(path: ArrayLike, low: float, high: float, thick: float, crown: float = 0.0) -> Manifold:
    """A plate that follows a path (z, y) in side view from x = low to x = high, arched by `crown` across."""
    path = np.asarray(path, np.float64)
    steps = np.diff(path, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    along = np.concatenate([steps[:1], steps[:-1] + steps[1:], steps[-1:]])
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=-1)  # upwards for a path towards +z
    u = np.array([-1, -0.94, -0.5, 0, 0.5, 0.94, 1])
    upper = np.array([0.15, 0.5, 0.5, 0.5, 0.5, 0.5, 0.15]) * thick - crown * u**2
    lower = np.array([-0.15, -0.5, -0.5, -0.5, -0.5, -0.5, -0.15]) * thick - crown * u**2
    across = np.concatenate([u, u[::-1]]) * (high - low) / 2 + (high + low) / 2
    offset = np.concatenate([upper, lower[::-1]])
    points = path[:, None] + offset[:, None] * normal[:, None]
    rings = np.concatenate([np.broadcast_to(across, points.shape[:2])[..., None], points[..., ::-1]], axis=-1)
    return solids.loft(rings)


def axle(
    design: int, radius: float, width: float, x: float, z: float, rim: Color, bar: float = 0.045, bars: Color = PLASTIC
) -> list[Piece]:
    """Two wheels on a bar; x is the middle of the right tyre. Equal designs give equal rims."""
    pieces = wheel(np.random.default_rng(design), radius, width, rim)
    placed = [(color, solids.mirrored(solid.translate((x, radius, z)))) for color, solid in pieces]
    return [*placed, (bars, solids.tube([(-x, radius, z), (x, radius, z)], bar))]


def arms(
    radius: float, hub: tuple[float, float], body: float, y: float, spread: float, bar: float, tall: float = 0.4
) -> Manifold:
    """Double wishbones between hubs at (x, z), a wheel's radius high, and the body at |x| = body, y."""
    x, z = hub
    links = []
    for rise in (-tall / 2, tall / 2):
        for end in (-1, 1):
            links.append(
                solids.tube([(x, radius * (1 + rise), z), (body, y + 0.5 * rise * radius, z + end * spread)], bar, 8)
            )
    upright = solids.block((0.07, radius * (tall + 0.25), 0.1), (x, radius, z), 0.02)
    return solids.mirrored(solids.union([*links, upright]))


def headlamps(x: float, y: float, z: float, radius: float, shell: Color) -> list[Piece]:
    """A pair of round lamps that look forwards; z is that of the glass's rim."""
    bowl = [(0, 1.5), (0.45, 1.3), (0.85, 0.6), (1, 0.1), (1, -0.15), (0, -0.15)]
    lens = [(0, -0.42), (0.5, -0.36), (0.86, -0.15), (0.86, 0.1), (0, 0.1)]
    parts = [(shell, bowl), (LAMP, lens)]
    return [
        (color, solids.mirrored(solids.turned(radius * np.array(profile), "z", (x, y, z), 20)))
        for color, profile in parts
    ]


def discs(x: float, y: float, z: float, radius: float, thick: float) -> Manifold:
    """A pair of discs that look forwards and backwards: tail lamps."""
    profile = [(0, -thick / 2), (radius, -thick / 2), (radius, thick / 2), (0, thick / 2)]
    return solids.mirrored(solids.turned(profile, "z", (x, y, z), 16))


def seat(x: float, y: float, z: float, wide: float, high: float, rake: float = 14.0, head: bool = False) -> Manifold:
    """A seat whose cushion's top is at y and whose backrest stands at z."""
    back = solids.block((wide, high + 0.12, 0.14), (0, high / 2 - 0.06, 0), 0.05)
    if head:
        back = back + solids.block((0.5 * wide, 0.26, 0.11), (0, high + 0.06, 0), 0.04)
    cushion = solids.block((wide, 0.18, 0.52), (0, -0.09, -0.24), 0.05)
    return (cushion + back.rotate((rake, 0, 0))).translate((x, y, z))


def steering(x: float, y: float, z: float, radius: float, tilt: float, reach: float) -> Manifold:
    """A steering wheel at (x, y, z), its column pointing ahead and down by `tilt` degrees for `reach`."""
    ring = Manifold.revolve(CrossSection.circle(0.022, 8).translate((radius, 0)), 24)
    spoke = solids.block((2 * radius, 0.045, 0.035), (0, 0, 0), 0.01)
    column = solids.tube([(0, 0, 0), (0, 0, -reach)], 0.025, 8)
    return (ring + spoke + column).rotate((-tilt, 0, 0)).translate((x, y, z))


def hoop(x: float, foot: float, high: float, z: float, bar: float, lean: float = 0.0, narrow: float = 0.8) -> Manifold:
    """A bent tube across the car: feet at |x| and height `foot`, its top at `high` leaning back by `lean`."""
    path = [(-x, foot, z), (-narrow * x, high, z + lean), (narrow * x, high, z + lean), (x, foot, z)]
    return solids.tube(solids.bent(path, 0.6 * narrow * x, 5), bar)


def pane(wide: float, high: float, thick: float, rake: float, foot: tuple[float, float, float]) -> Manifold:
    """An upright plate standing on `foot`, leaning back by `rake` degrees."""
    plate = solids.block((wide, high, thick), (0, high / 2, 0), 0.4 * thick, 1)
    return plate.rotate((rake, 0, 0)).translate(foot)


def windscreen(
    wide: float, high: float, rake: float, foot: tuple[float, float, float], frame: Color, glass: Color
) -> list[Piece]:
    """A flat windscreen in a frame."""
    outer = pane(wide, high, 0.055, rake, foot)
    inner = solids.block((wide - 0.09, high - 0.09, 0.2), (0, high / 2, 0)).rotate((rake, 0, 0)).translate(foot)
    return [(frame, outer - inner), (glass, pane(wide - 0.04, high - 0.04, 0.042, rake, foot))]


def cockpit(tub: float, high: float, floor: float, z: float, hide: Color) -> tuple[Manifold, list[Piece]]:
    """The hole of the cockpit behind z, and the seat and steering wheel in it."""
    hole = solids.block((2 * tub, 1.0, 0.72), (0, floor + 0.66, z + 0.36), 0.16, 3)
    back = solids.block((1.5 * tub, 0.55, 0.14), (0, floor + 0.38, z + 0.66), 0.05)
    wheel = steering(0, high - 0.03, z + 0.16, 0.13, 8, 0.4)
    return hole, [(hide, back), (PLASTIC, wheel)]


def wing(
    rng: np.random.Generator,
    half: float,
    chord: float,
    y: float,
    z: float,
    planes: int,
    plate: float,
    colors: tuple[Color, Color],
) -> list[Piece]:
    """Planes one behind the other, rising rearwards, between end plates; z is the leading edge."""
    pieces: list[Piece] = []
    step, angle = chord / planes, float(rng.uniform(6, 14))
    rise = 0.0
    for number in range(planes):
        steep = np.radians(angle + 9 * number)
        path = [(z + step * number, y + rise), (z + step * (number + 1.06), y + rise + step * np.tan(steep))]
        rise += step * np.tan(steep)
        pieces.append((colors[0], ribbon(path, -half, half, 0.055)))
    side = solids.block((0.055, plate, chord + 0.06), (half, y + rise / 2, z + chord / 2 + 0.01), 0.015, 1)
    return [*pieces, (colors[1], solids.mirrored(side))]
