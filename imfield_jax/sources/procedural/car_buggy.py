"""Buggies: a tub on fat wheels for the beach, and a frame of tubes for the desert."""

from __future__ import annotations

import numpy as np
from manifold3d import CrossSection, Manifold

from imfield_jax.sources.procedural import car_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_colors import STEEL, bright_paint, leather, window_glass
from imfield_jax.sources.procedural.car_trim import CHROME, LAMP, PLASTIC, TAIL_LAMP
from imfield_jax.sources.procedural.solids import Color, Piece


def buggy(rng: np.random.Generator) -> list[Piece]:
    """A beach buggy or a tube-frame buggy."""
    return _beach(rng) if rng.random() < 0.5 else _frame(rng)


def _beach(rng: np.random.Generator) -> list[Piece]:
    """A plastic tub with round mudguards and its engine in the open, like the Meyers Manx."""
    paint, hide, glass = bright_paint(rng), leather(rng), window_glass(rng)
    metal: Color = CHROME if rng.random() < 0.6 else PLASTIC
    half = float(rng.uniform(0.78, 0.88))
    small, large = float(rng.uniform(0.3, 0.34)), float(rng.uniform(0.34, 0.4))
    narrow, fat = float(rng.uniform(0.2, 0.25)), float(rng.uniform(0.28, 0.37))
    floor, shoulder = float(rng.uniform(0.25, 0.31)), float(rng.uniform(0.82, 0.92))
    base = float(rng.uniform(2.0, 2.35))
    front, rear = -base / 2, base / 2
    nose, tail = front - float(rng.uniform(0.42, 0.56)), rear + float(rng.uniform(0.3, 0.42))
    scuttle, stop = front + float(rng.uniform(0.68, 0.82)), rear - float(rng.uniform(0.3, 0.4))
    tub = half - fat + 0.04
    stations = [
        (nose, 0.2, floor + 0.2, floor + 0.32),
        (nose + 0.12, 0.32, floor + 0.12, floor + 0.42),
        (front, 0.44, floor + 0.02, shoulder - 0.13),
        (scuttle, tub + 0.03, floor, shoulder),
        (stop, tub, floor, shoulder - 0.14),
        (rear + 0.12, tub - 0.04, floor + 0.12, shoulder - 0.08),
        (tail, tub - 0.14, floor + 0.28, shoulder - 0.2),
    ]
    body = parts.hull(stations, float(rng.uniform(2.8, 4.5)), 6)
    start = scuttle + 0.1
    hole = solids.block((2 * tub - 0.14, 1.2, stop - start), (0, floor + 0.68, (start + stop) / 2), 0.08)
    dip = solids.block((3, 0.6, 0.75), (0, shoulder + 0.12, scuttle + 0.62), 0.28, 3)
    pieces: list[Piece] = [(paint, body - hole - dip)]
    arch = parts.arc(front, small, 1.32 * small, float(rng.uniform(12, 30)), 158)
    guards = parts.ribbon(arch, 0.2, half + 0.02, 0.06, 0.04)
    arch = parts.arc(rear, large, 1.24 * large, 18, float(rng.uniform(130, 160)))
    guards = guards + parts.ribbon(arch, tub - 0.15, half + 0.02, 0.06, 0.03)
    pieces.append((paint, solids.mirrored(guards) - hole))
    grey = round(float(rng.choice([0.2, 0.6, 0.78])), 4)
    design = int(rng.integers(1 << 30))
    pieces += parts.axle(design, small, narrow, half - narrow / 2 - 0.02, front, (grey, grey, grey, 1.0), 0.05)
    pieces += parts.axle(design, large, fat, half - fat / 2, rear, (grey, grey, grey, 1.0), 0.06)
    seat = parts.seat(tub / 2, floor + 0.36, stop - 0.14, tub - 0.12, 0.5, 14, rng.random() < 0.6)
    pieces.append((hide, solids.mirrored(seat)))
    side = float(rng.choice([-1.0, 1.0])) * tub / 2
    pieces.append((PLASTIC, parts.steering(side, shoulder, start + 0.24, 0.17, 25, 0.45)))
    top = shoulder + float(rng.uniform(0.48, 0.62))
    pieces += _top(rng, (tub, floor, shoulder, top), (scuttle, stop, tail), metal, glass)
    lamp = float(rng.uniform(0.3, 0.4))
    radius = float(rng.uniform(0.085, 0.11))
    deck = shoulder - 0.13
    pieces += parts.headlamps(lamp, deck + 0.04, front - 0.05, radius, metal)
    stalk = solids.tube([(lamp, deck + 0.02, front), (0.8 * lamp, deck - 0.3, front + 0.05)], 0.03, 8)
    pieces.append((metal, solids.mirrored(stalk)))
    pieces.append((TAIL_LAMP, parts.discs(tub - 0.22, shoulder - 0.26, tail - 0.02, 0.05, 0.14)))
    pieces.append((STEEL, _engine(rng, 0.36, floor + 0.28, tail + 0.02)))
    width = 0.42
    bar = [
        (-width, floor + 0.2, front - 0.1),
        (-width, floor + 0.26, nose - 0.08),
        (width, floor + 0.26, nose - 0.08),
        (width, floor + 0.2, front - 0.1),
    ]
    pieces.append((metal, solids.tube(solids.bent(bar, 0.12), 0.03)))
    bar = [
        (-0.4, floor + 0.22, rear),
        (-0.4, floor + 0.12, tail + 0.3),
        (0.4, floor + 0.12, tail + 0.3),
        (0.4, floor + 0.22, rear),
    ]
    pieces.append((metal, solids.tube(solids.bent(bar, 0.12), 0.03)))
    return pieces


def _top(
    rng: np.random.Generator,
    heights: tuple[float, float, float, float],
    places: tuple[float, float, float],
    metal: Color,
    glass: Color,
) -> list[Piece]:
    """Windscreen, roll bar with stays and sometimes a cloth roof of a beach buggy."""
    (tub, floor, shoulder, top), (scuttle, stop, tail) = heights, places
    pieces: list[Piece] = []
    screen, rake = 0.92 * (top - shoulder), float(rng.uniform(18, 32))
    tall = screen / np.cos(np.radians(rake))
    foot = shoulder - 0.05
    pieces += parts.windscreen(2 * tub - 0.02, tall, rake, (0, foot, scuttle + 0.02), metal, glass)
    z = stop + 0.03
    hoop = parts.hoop(tub - 0.09, floor + 0.2, top, z, 0.035, 0, 0.92)
    stay = solids.tube([(tub - 0.16, top - 0.02, z), (tub - 0.2, shoulder - 0.3, tail - 0.15)], 0.028, 8)
    pieces.append((metal, hoop + solids.mirrored(stay)))
    head = scuttle + 0.02 + tall * np.sin(np.radians(rake))
    head_y = foot + tall * np.cos(np.radians(rake))
    if rng.random() < 0.6:
        rail = solids.tube([(tub - 0.12, top - 0.02, z), (tub - 0.12, head_y - 0.02, head)], 0.028, 8)
        pieces.append((metal, solids.mirrored(rail)))
        if rng.random() < 0.6:
            path = [(head - 0.06, head_y), ((head + z) / 2, max(top, head_y) + 0.04), (z + 0.06, top + 0.01)]
            cloth = parts.ribbon(solids.bent(np.array(path), 0.4), -tub + 0.03, tub - 0.03, 0.055, 0.02)
            pieces.append((bright_paint(rng) if rng.random() < 0.3 else leather(rng), cloth))
    return pieces


def _engine(rng: np.random.Generator, half: float, y: float, z: float) -> Manifold:
    """A flat air-cooled engine with its fan housing and exhausts, reaching back from z."""
    block = solids.block((2 * half, 0.22, 0.36), (0, y, z - 0.02), 0.04)
    fan = solids.turned([(0, -0.14), (0.2, -0.14), (0.2, 0.1), (0.12, 0.14), (0, 0.14)], "z", (0, y + 0.2, z), 24)
    heads = solids.mirrored(solids.block((0.2, 0.16, 0.3), (half, y, z - 0.02), 0.03))
    solid_parts = [block, fan, heads, solids.block((0.16, 0.3, 0.2), (0, y + 0.05, z - 0.12))]
    x = 0.75 * half
    if rng.random() < 0.5:
        pipe = [(x, y - 0.04, z + 0.05), (x, y - 0.04, z + 0.26), (0.4 * x, y + 0.42, z + 0.34)]
    else:
        pipe = [(x, y - 0.04, z + 0.05), (x, y - 0.05, z + 0.22), (0.25 * x, y - 0.05, z + 0.4)]
    solid_parts.append(solids.mirrored(solids.tube(solids.bent(pipe, 0.12), 0.04)))
    return solids.union(solid_parts)


def _frame(rng: np.random.Generator) -> list[Piece]:
    """Seats and an engine in a cage of tubes between long suspension arms: a sand rail."""
    paint = bright_paint(rng) if rng.random() < 0.7 else PLASTIC
    panel, hide = bright_paint(rng), leather(rng)
    half, bar = float(rng.uniform(0.82, 0.98)), float(rng.uniform(0.026, 0.034))
    small, large = float(rng.uniform(0.33, 0.4)), float(rng.uniform(0.37, 0.45))
    narrow, fat = float(rng.uniform(0.17, 0.27)), float(rng.uniform(0.28, 0.4))
    base, floor = float(rng.uniform(2.2, 2.75)), float(rng.uniform(0.3, 0.42))
    front, rear = -base / 2, base / 2
    nose, tail = front - float(rng.uniform(0.15, 0.3)), rear + float(rng.uniform(0.3, 0.45))
    wide, slim = float(rng.uniform(0.5, 0.58)), float(rng.uniform(0.16, 0.24))
    belt, top = floor + float(rng.uniform(0.42, 0.52)), floor + float(rng.uniform(1.05, 1.22))
    dash, back = front + float(rng.uniform(0.75, 0.95)), rear - float(rng.uniform(0.45, 0.6))
    head, lean = dash + float(rng.uniform(0.3, 0.42)), 0.1
    roof = wide - 0.12
    above = [
        [(slim, floor + 0.08, nose), (wide, floor, dash - 0.05), (wide, floor, back + 0.05), (0.3, floor + 0.04, tail)],
        [(slim, floor + 0.3, nose + 0.04), (wide, belt, dash), (wide, belt, back), (0.34, belt - 0.12, tail)],
        [(slim, floor + 0.06, nose), (slim, floor + 0.32, nose + 0.04)],
        [(wide, floor, dash), (wide, belt, dash), (roof, top - 0.03, head), (roof, top, back + lean),
         (wide, belt, back), (wide, floor, back)],
        [(roof, top - 0.01, back + lean), (0.34, belt - 0.12, tail - 0.02), (0.3, floor + 0.02, tail - 0.02)],
        [(wide, floor, dash), (wide, belt, 0.45 * dash + 0.55 * back), (wide, floor, back)],
    ]  # fmt: skip
    tubes = [solids.mirrored(solids.tube(np.array(path), bar, 8)) for path in above]
    for x, y, z in ((slim, floor + 0.08, nose), (slim, floor + 0.3, nose + 0.04), (wide, floor, dash),
                    (wide, belt, dash), (roof, top - 0.03, head), (roof, top, back + lean), (wide, belt, back),
                    (wide, floor, back), (0.34, belt - 0.12, tail), (0.3, floor + 0.04, tail)):  # fmt: skip
        tubes.append(solids.tube([(-x, y, z), (x, y, z)], bar, 8))
    cross = solids.tube([(wide, belt, back), (-roof, top, back + lean)], bar, 8)
    tubes.append(solids.mirrored(cross))
    pieces: list[Piece] = [(paint, solids.union(tubes))]
    pan = np.array(
        [
            (slim, nose),
            (wide, dash),
            (wide, back),
            (0.32, tail),
            (-0.32, tail),
            (-wide, back),
            (-wide, dash),
            (-slim, nose),
        ]
    )
    pieces.append((PLASTIC, solids.slab(pan, floor - 0.01, floor + 0.035, 0.005)))
    design, grey = int(rng.integers(1 << 30)), round(float(rng.choice([0.2, 0.6, 0.78])), 4)
    pieces += parts.axle(design, small, narrow, half - narrow / 2, front, (grey, grey, grey, 1.0), 0.035)
    pieces += parts.axle(design, large, fat, half - fat / 2, rear, (grey, grey, grey, 1.0), 0.045)
    link: Color = STEEL if rng.random() < 0.5 else paint
    at_front = slim + (wide - slim) * (front - nose) / (dash - nose) - 0.02
    pieces.append((link, parts.arms(small, (half - narrow - 0.03, front), at_front, floor + 0.14, 0.2, bar, 0.3)))
    trail = solids.tube([(half - fat - 0.04, large, rear), (wide - 0.02, floor, back - 0.02)], 1.4 * bar, 8)
    shock = solids.tube([(half - fat - 0.05, large, rear - 0.06), (0.36, belt + 0.02, rear - 0.1)], 1.6 * bar, 8)
    brace = solids.tube(
        [(0.36, belt + 0.02, rear - 0.1), (0.36, belt - 0.08, rear - 0.05), (0.36, floor, rear)], bar, 8
    )
    front_shock = solids.tube(
        [(half - narrow - 0.05, small, front), (at_front, floor + 0.42, front + 0.2), (at_front, floor, front + 0.22)],
        1.3 * bar,
        8,
    )
    pieces.append((link, solids.mirrored(trail + shock + brace + front_shock)))
    seat = parts.seat(wide / 2, floor + 0.2, back - 0.16, wide - 0.1, 0.62, 16, True)
    pieces.append((hide, solids.mirrored(seat)))
    side = float(rng.choice([-1.0, 1.0])) * wide / 2
    pieces.append((PLASTIC, parts.steering(side, belt + 0.08, dash + 0.22, 0.16, 20, 0.34)))
    pieces.append((PLASTIC, solids.block((2 * wide, 0.16, 0.1), (0, belt - 0.05, dash), 0.03)))
    pieces.append((STEEL, _engine(rng, 0.34, floor + 0.24, rear + 0.05)))
    if rng.random() < 0.7:
        stations = [
            (nose - 0.05, slim + 0.02, floor + 0.05, floor + 0.32),
            (dash, wide + 0.01, floor + 0.03, belt + 0.05),
        ]
        pieces.append((panel, parts.hull(stations, 4, 6)))
    if rng.random() < 0.5:
        door = solids.outline([(dash - 0.05, floor), (back, floor), (back + 0.02, belt), (dash - 0.05, belt)])
        pieces.append((panel, solids.mirrored(solids.along_x(door, wide - 0.02, wide + 0.03))))
    if rng.random() < 0.6:
        path = [(head - 0.05, top - 0.02), (back + lean + 0.04, top + 0.01)]
        pieces.append((panel, parts.ribbon(path, -roof - 0.02, roof + 0.02, 0.05)))
    radius, count = float(rng.uniform(0.07, 0.1)), int(rng.integers(1, 3))
    for number in range(count):
        x = roof * (0.75 - 0.5 * number)
        pieces += parts.headlamps(x, top + 0.04 + 0.7 * radius, head + 0.02, radius, PLASTIC)
        pieces.append(
            (
                PLASTIC,
                solids.mirrored(solids.tube([(x, top - 0.05, head + 0.03), (x, top + 0.08, head + 0.03)], 0.03, 8)),
            )
        )
    if rng.random() < 0.5:
        lens = solids.mirrored(
            solids.along_z(
                CrossSection.circle(0.07, 16).translate((slim - 0.06, floor + 0.19)), nose - 0.09, nose + 0.1
            )
        )
        pieces += [(LAMP, lens), (PLASTIC, solids.block((2 * slim, 0.05, 0.06), (0, floor + 0.19, nose + 0.03)))]
    pieces.append((TAIL_LAMP, parts.discs(0.3, belt - 0.1, tail + 0.03, 0.05, 0.09)))
    return pieces
