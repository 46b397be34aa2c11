"""Micro cars on three or four small wheels."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from manifold3d import CrossSection, Manifold

from imfield_jax.sources.procedural import car_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_colors import body_paint, leather, window_glass
from imfield_jax.sources.procedural.car_trim import CHROME, GRILLE, PLASTIC, TAIL_LAMP
from imfield_jax.sources.procedural.furniture_colors import pick
from imfield_jax.sources.procedural.solids import Color, Piece
from imfield_jax.sources.procedural.wheels import wheel

PASTELS = (
    (0.75, 0.2, 0.16),
    (0.55, 0.72, 0.75),
    (0.86, 0.8, 0.62),
    (0.5, 0.66, 0.5),
    (0.88, 0.72, 0.25),
    (0.2, 0.36, 0.55),
)


def micro(rng: np.random.Generator) -> list[Piece]:
    """A bubble car, a tandem with a dome, or a tiny saloon."""
    style = rng.choice(3, p=[0.4, 0.25, 0.35])
    return (_bubble, _tandem, _saloon)[style](rng)


def _rim(rng: np.random.Generator, paint: Color) -> Color:
    return (CHROME, (0.85, 0.84, 0.8, 1.0), paint)[int(rng.integers(3))]


def _single(design: int, radius: float, width: float, z: float, rim: Color) -> list[Piece]:
    """One wheel in the middle, the same from both sides."""
    pieces = wheel(np.random.default_rng(design), radius, width, rim)
    return [(color, solids.mirrored(solid).translate((0, radius, z))) for color, solid in pieces]


def _well(radius: float, z: float, inside: float, outside: float) -> Manifold:
    """A wheel arch, open downwards."""
    shape = CrossSection.circle(1.16 * radius, 36).translate((0, radius)) + CrossSection.square(
        (2.2 * radius, radius), False
    ).translate((-1.1 * radius, -0.3))
    return solids.along_x(shape.translate((z, 0)), inside, outside)


def _band(points: list[tuple[float, float]], setback: float) -> CrossSection:
    return solids.outline(solids.rounded(np.array(points), setback, 4))


def _pane(wide: float, low: float, narrow: float, high: float, setback: float) -> Float64[np.ndarray, "N 2"]:
    """The outline of a window in front view, of these half widths at its lower and its upper edge."""
    return solids.rounded(np.array([(-wide, low), (wide, low), (narrow, high), (-narrow, high)]), setback)


def _bubble(rng: np.random.Generator) -> list[Piece]:
    """An egg whose front is the door, the rear wheels close together or a single one, like an Isetta."""
    paint, glass = pick(rng, PASTELS), window_glass(rng)
    lower = paint if rng.random() < 0.5 else pick(rng, PASTELS)
    length, half, high = float(rng.uniform(2.2, 2.5)), float(rng.uniform(0.66, 0.72)), float(rng.uniform(1.3, 1.42))
    radius, tyre = float(rng.uniform(0.235, 0.27)), float(rng.uniform(0.11, 0.14))
    floor = float(rng.uniform(0.17, 0.21))
    nose, tail = -length / 2, length / 2
    front, rear = nose + float(rng.uniform(0.42, 0.5)), tail - float(rng.uniform(0.42, 0.5))
    taper = float(rng.uniform(0.5, 0.66))
    stations = [
        (nose, 0.2, 0.42, 0.72),
        (nose + 0.05, 0.42 * half / 0.7, 0.32, 0.92),
        (nose + 0.2, 0.86 * half, floor + 0.04, 1.14),
        (nose + 0.45, 0.98 * half, floor, high - 0.07),
        (0.0, half, floor, high),
        (0.35, 0.97 * half, floor, high - 0.06),
        (tail - 0.4, 0.85 * half, floor + 0.02, high - 0.34),
        (tail - 0.1, taper * half, floor + 0.12, 0.72),
        (tail, 0.5 * taper * half, floor + 0.26, 0.55),
    ]
    top, bottom = float(rng.uniform(2.5, 3.2)), float(rng.uniform(2.8, 3.8))
    body = parts.hull(stations, top, bottom, 0.42)
    skin = parts.hull(stations, top, bottom, 0.42, 0.012)
    wells = solids.mirrored(_well(radius, front, half - tyre - 0.1, 2))
    single = rng.random() < 0.3
    track = 0.0 if single else float(rng.uniform(0.24, 0.32))
    inner = solids.block((2 * (track + tyre / 2 + 0.05), 2.3 * radius + 0.1, 2.3 * radius), (0, radius, rear), 0.05)
    hollow = wells + inner
    pieces: list[Piece] = [(paint, body - hollow)]
    belt = float(rng.uniform(0.72, 0.8))
    if lower != paint:
        under = Manifold.cube((4, belt - 0.06, 4)).translate((-2, 0, -2))
        pieces.append((lower, (skin ^ under) - hollow))
    bar = Manifold.cube((4, 0.045, 4)).translate((-2, belt - 0.07, -2))
    if rng.random() < 0.6:
        pieces.append((CHROME, (parts.hull(stations, top, bottom, 0.42, 0.018) ^ bar) - hollow))
    head = high - 0.2
    side = _band(
        [(nose + 0.42, belt), (0.42, belt), (0.38, head - 0.04), (0.0, head + 0.02), (nose + 0.5, head - 0.02)], 0.09
    )
    back = _band([(0.5, belt), (0.82, belt), (0.76, head - 0.26), (0.5, head - 0.1)], 0.06)
    screen = _pane(0.8 * half, belt + 0.03, 0.66 * half, high - 0.17, 0.1)
    rear_view = _pane(0.6 * half, belt + 0.06, 0.45 * half, high - 0.2, 0.08)
    panes = [solids.along_x(side, -2, 2), solids.along_x(back, -2, 2)]
    panes += [solids.along_z(screen, nose - 1, nose + 0.36), solids.along_z(rear_view, 0.55, tail + 1)]
    pieces.append((glass, skin ^ solids.union(panes)))
    red, green, blue = (round(0.4 * c, 4) for c in paint[:3])
    gap = Manifold.cube((0.03, belt - floor - 0.2, 0.5)).translate((0.78 * half, floor + 0.12, nose))
    gaps = solids.mirrored(gap) + Manifold.cube((1.56 * half, 0.03, 0.5)).translate((-0.78 * half, floor + 0.12, nose))
    pieces.append(((red, green, blue, 1.0), skin ^ gaps))
    pieces += parts.headlamps(half, 0.68, nose + 0.26, 0.085, paint if rng.random() < 0.6 else CHROME)
    arm = solids.tube([(half, 0.68, nose + 0.34), (0.6 * half, 0.66, nose + 0.42)], 0.04, 8)
    pieces.append((paint, solids.mirrored(arm)))
    lamp = CrossSection.circle(0.05, 16).translate((0.62 * half, 0.5))
    pieces.append((TAIL_LAMP, skin ^ solids.mirrored(solids.along_z(lamp, rear - 0.1, tail + 1))))
    design, rim = int(rng.integers(1 << 30)), _rim(rng, paint)
    pieces += parts.axle(design, radius, tyre, half - tyre / 2 - 0.02, front, rim, 0.05)
    if single:
        pieces += _single(design, radius, tyre, rear, rim)
        fork = solids.mirrored(solids.block((0.07, 0.09, 0.7), (tyre + 0.05, radius, rear - 0.3)))
        pieces.append((PLASTIC, fork + solids.block((2 * tyre + 0.2, 0.09, 0.09), (0, radius, rear))))
    else:
        pieces += parts.axle(design, radius, tyre, track, rear, rim, 0.05)
        pieces.append((PLASTIC, solids.block((0.12, 0.1, 0.7), (0, radius + 0.02, rear - 0.34), 0.02)))
    if rng.random() < 0.5:
        path = [
            (-0.55 * half, 0.36, nose + 0.2),
            (-0.5 * half, 0.36, nose - 0.04),
            (0.5 * half, 0.36, nose - 0.04),
            (0.55 * half, 0.36, nose + 0.2),
        ]
        pieces.append((CHROME, solids.tube(solids.bent(path, 0.12), 0.025)))
    return pieces


def _tandem(rng: np.random.Generator) -> list[Piece]:
    """Two seats in a row under a dome, front wheels in pods, one wheel at the rear, like a Messerschmitt."""
    paint, glass, hide = pick(rng, PASTELS), window_glass(rng), leather(rng)
    length, half = float(rng.uniform(2.65, 2.95)), float(rng.uniform(0.58, 0.65))
    radius, tyre, floor = float(rng.uniform(0.2, 0.235)), float(rng.uniform(0.1, 0.125)), float(rng.uniform(0.15, 0.19))
    high, tub = float(rng.uniform(1.15, 1.26)), float(rng.uniform(0.36, 0.41))
    nose, tail = -length / 2, length / 2
    front, rear = nose + float(rng.uniform(0.55, 0.65)), tail - float(rng.uniform(0.4, 0.5))
    belt = float(rng.uniform(0.7, 0.76))
    stations = [
        (nose, 0.1, 0.36, 0.46),
        (nose + 0.08, 0.2, 0.27, 0.53),
        (front, 0.33, floor + 0.02, belt - 0.08),
        (front + 0.5, tub, floor, belt),
        (rear - 0.5, tub, floor, belt),
        (rear, 0.28, floor + 0.06, belt - 0.1),
        (tail, 0.1, 0.34, 0.46),
    ]
    body = parts.hull(stations, 3.2, 4.0)
    pods = [
        (front - 0.42, 0.06, 0.34, 0.4),
        (front - 0.28, 0.12, floor + 0.05, 2.1 * radius + 0.02),
        (front, 0.15, floor, 2.16 * radius + 0.08),
        (front + 0.4, 0.12, floor + 0.02, 2.0 * radius),
        (front + 0.85, 0.04, floor + 0.1, 0.34),
    ]
    center = half - 0.14
    pod = parts.hull(pods, 3.5, 5).translate((center, 0, 0))
    shelf = solids.block((center, 0.2, 0.6), (center / 2, 0.36, front + 0.05), 0.06)
    wells = solids.mirrored(_well(radius, front, half - 0.15 - tyre / 2, 2)) + solids.block(
        (tyre + 0.14, 2.3 * radius, 2.4 * radius), (0, radius, rear)
    )
    pieces: list[Piece] = [(paint, body + solids.mirrored(pod + shelf) - wells)]
    start, stop = front + float(rng.uniform(0.1, 0.25)), rear - float(rng.uniform(0.0, 0.15))
    dome = [
        (start, 0.16, belt - 0.22, belt - 0.02),
        (start + 0.12, 0.26, belt - 0.22, belt + 0.16),
        (start + 0.5, tub - 0.05, belt - 0.22, high - 0.04),
        (start + 0.85, tub - 0.04, belt - 0.22, high),
        (stop - 0.3, 0.28, belt - 0.22, belt + 0.22),
        (stop, 0.14, belt - 0.24, belt - 0.06),
    ]
    if rng.random() < 0.7:
        pieces.append((glass, parts.hull(dome, 2.4, 4, 0.4)))
        rib = Manifold.cube((2, 2, 0.05)).translate((-1, 0, start + 0.4))
        ribs = rib + rib.translate((0, 0, stop - start - 0.85))
        pieces.append((paint, parts.hull(dome, 2.4, 4, 0.4, 0.012) ^ ribs))
    else:
        hole = solids.block(
            (2 * tub - 0.14, 0.8, stop - start - 0.25), (0, floor + 0.5, (start + stop) / 2 + 0.03), 0.1
        )
        pieces[0] = (paint, pieces[0][1] - hole)
        for z in (start + 0.75, stop - 0.22):
            pieces.append((hide, parts.seat(0, floor + 0.24, z, 0.46, 0.46, 10)))
        pieces += parts.windscreen(0.6, 0.34, 30, (0, belt - 0.06, start + 0.04), CHROME, glass)
        pieces.append((PLASTIC, parts.steering(0, belt, start + 0.28, 0.15, 30, 0.4)))
    pieces += parts.headlamps(center, 2.16 * radius + 0.03, front - 0.24, 0.075, paint)
    pieces.append((TAIL_LAMP, parts.discs(0.17, belt - 0.26, tail - 0.2, 0.045, 0.2)))
    design, rim = int(rng.integers(1 << 30)), _rim(rng, paint)
    pieces += parts.axle(design, radius, tyre, half - 0.14, front, rim, 0.045)
    pieces += _single(design, radius, tyre, rear, rim)
    pieces.append((PLASTIC, solids.block((tyre + 0.4, 0.08, 0.08), (0, radius, rear))))
    return pieces


def _saloon(rng: np.random.Generator) -> list[Piece]:
    """A closed round body on four small wheels, like the Fiat 500 and the Goggomobil."""
    paint = pick(rng, PASTELS) if rng.random() < 0.6 else body_paint(rng)
    glass = window_glass(rng)
    length, half, high = float(rng.uniform(2.5, 3.1)), float(rng.uniform(0.62, 0.7)), float(rng.uniform(1.28, 1.38))
    radius, tyre, floor = (
        float(rng.uniform(0.23, 0.265)),
        float(rng.uniform(0.115, 0.145)),
        float(rng.uniform(0.16, 0.2)),
    )
    nose, tail = -length / 2, length / 2
    front, rear = nose + float(rng.uniform(0.46, 0.56)), tail - float(rng.uniform(0.46, 0.56))
    belt = float(rng.uniform(0.76, 0.83))
    stations = [
        (nose, 0.34, 0.36, 0.55),
        (nose + 0.06, 0.46, 0.27, 0.64),
        (nose + 0.25, 0.9 * half, floor + 0.02, belt - 0.1),
        (front + 0.2, 0.98 * half, floor, belt - 0.03),
        (0.0, half, floor, belt + 0.02),
        (rear, 0.98 * half, floor, belt),
        (tail - 0.22, 0.88 * half, floor + 0.02, belt - 0.08),
        (tail - 0.05, 0.68 * half, floor + 0.1, belt - 0.24),
        (tail, 0.5 * half, floor + 0.16, belt - 0.32),
    ]
    top = float(rng.uniform(2.8, 4.5))
    body, skin = parts.hull(stations, top, 5), parts.hull(stations, top, 5, grow=0.012)
    wells = solids.mirrored(_well(radius, front, half - tyre - 0.1, 2) + _well(radius, rear, half - tyre - 0.1, 2))
    lip = float(rng.uniform(0.0, 0.3))  # how far the roof runs to the rear
    start, stop = front + float(rng.uniform(0.12, 0.32)), tail - float(rng.uniform(0.1, 0.4)) * (1 - lip)
    head = start + float(rng.uniform(0.32, 0.45))
    end = min(max(head + 0.75, stop - 0.55), stop - 0.3)
    house = [
        (start, 0.74 * half, belt - 0.28, belt - 0.08),
        (0.5 * (start + head), 0.84 * half, belt - 0.28, belt + 0.5 * (high - belt)),
        (head, 0.87 * half, belt - 0.28, high - 0.05),
        (0.5 * (head + end), 0.88 * half, belt - 0.28, high),
        (end, 0.86 * half, belt - 0.28, high - 0.06),
        (0.5 * (stop + end), 0.8 * half, belt - 0.28, belt + 0.52 * (high - belt)),
        (stop, 0.66 * half, belt - 0.3, belt - 0.1),
    ]
    power = float(rng.uniform(3.0, 4.5))
    cabin, pane = parts.hull(house, power, 6, 0.3), parts.hull(house, power, 6, 0.3, 0.012)
    roof = paint if rng.random() < 0.6 else (pick(rng, PASTELS) if rng.random() < 0.4 else PLASTIC)
    pieces: list[Piece] = [(paint, body - wells), (paint, cabin)]
    if roof != paint:
        pieces.append((roof, pane ^ Manifold.cube((4, 1, 6)).translate((-2, high - 0.13, -3))))
    low, up = belt + 0.04, high - 0.17
    mid = 0.5 * (head + end)
    if rng.random() < 0.5:
        views = [_band([(head - 0.06, low), (mid + 0.28, low), (mid + 0.26, up), (head + 0.07, up)], 0.05)]
        views.append(_band([(mid + 0.35, low), (end + 0.1, low), (end - 0.02, up), (mid + 0.33, up)], 0.05))
    else:
        views = [_band([(head - 0.06, low), (end + 0.06, low), (end - 0.04, up), (head + 0.07, up)], 0.06)]
    panes = [solids.along_x(view, -2, 2) for view in views]
    across = 0.72 * half
    screen = solids.rounded(
        np.array(
            [(-across, low - 0.04), (across, low - 0.04), (0.88 * across, high - 0.13), (-0.88 * across, high - 0.13)]
        ),
        0.07,
    )
    panes += [
        solids.along_z(screen, nose, head - 0.03),
        solids.along_z(screen * (0.85, 1) + (0, 0.02), end + 0.03, tail),
    ]
    pieces.append((glass, pane ^ solids.union(panes)))
    lamp = float(rng.uniform(0.07, 0.09))
    pieces += parts.headlamps(0.68 * half, 0.58, nose + 0.07, lamp, paint if rng.random() < 0.4 else CHROME)
    lens = solids.mirrored(solids.along_z(_round(0.045, 0.74 * half, 0.55), rear + 0.1, tail + 1))
    pieces.append((TAIL_LAMP, skin ^ lens))
    pieces.append((CHROME, skin ^ solids.block((0.5, 0.045, 1.0), (0, 0.46, nose))))
    sill, z = floor + 0.1, head + 0.02
    cuts = [Manifold.cube((4, belt - sill, 0.02)).translate((-2, sill, z + d)) for d in (-0.16, 0.62)]
    red, green, blue = (round(0.4 * c, 4) for c in paint[:3])
    pieces.append(((red, green, blue, 1.0), (skin ^ solids.union(cuts)) - wells))
    if rng.random() < 0.7:
        for z, way in ((nose, -1), (tail, 1)):
            path = [
                (-0.8 * half, 0.33, z - 0.26 * way),
                (-0.72 * half, 0.33, z + 0.03 * way),
                (0.72 * half, 0.33, z + 0.03 * way),
                (0.8 * half, 0.33, z - 0.26 * way),
            ]
            pieces.append((CHROME, solids.tube(solids.bent(path, 0.14), 0.03)))
    else:
        pieces.append((GRILLE, skin ^ solids.block((0.6, 0.1, 1.0), (0, 0.36, nose), 0.03)))
    design, rim = int(rng.integers(1 << 30)), _rim(rng, paint)
    for z in (front, rear):
        pieces += parts.axle(design, radius, tyre, half - tyre / 2 - 0.025, z, rim, 0.055)
    return pieces


def _round(radius: float, x: float, y: float) -> CrossSection:
    return CrossSection.circle(radius, 20).translate((x, y))
