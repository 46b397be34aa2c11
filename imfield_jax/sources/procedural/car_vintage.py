"""Early cars, 1905 to 1930: upright bodies on frames, separate wings, running boards, large lamps."""

from __future__ import annotations

import itertools

import numpy as np

from imfield_jax.sources.procedural import car_chassis as chassis
from imfield_jax.sources.procedural import car_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_colors import BRASS, leather, window_glass
from imfield_jax.sources.procedural.car_trim import CHROME, PLASTIC
from imfield_jax.sources.procedural.furniture_colors import pick
from imfield_jax.sources.procedural.solids import Color, Piece

PAINTS = ((0.09, 0.09, 0.1), (0.1, 0.14, 0.3), (0.1, 0.24, 0.15), (0.42, 0.08, 0.1), (0.3, 0.16, 0.1),
          (0.75, 0.7, 0.58), (0.45, 0.46, 0.48), (0.62, 0.5, 0.2), (0.2, 0.36, 0.42))  # fmt: skip
CLOTHS = ((0.1, 0.1, 0.1), (0.62, 0.56, 0.42), (0.3, 0.24, 0.18))
# Style: the bonnet's length over the usual one, and metres needed behind it.
BONNETS = {"runabout": (0.85, 1.6), "tourer": (0.85, 1.95), "saloon": (1.0, 1.5),
           "speedster": (1.1, 1.75), "lorry": (0.8, 1.85)}  # fmt: skip


def early(rng: np.random.Generator) -> list[Piece]:
    """A runabout, tourer, speedster, saloon or light lorry of the first decades."""
    style = str(rng.choice(list(BONNETS), p=[0.26, 0.3, 0.22, 0.12, 0.1]))
    radius, tyre = float(rng.uniform(0.36, 0.43)), float(rng.uniform(0.1, 0.145))
    stretch, room = BONNETS[style]
    base = float(rng.uniform(2.2, 2.75)) if style == "runabout" else float(rng.uniform(2.55, 3.2))
    front = -base / 2
    frame, nose = radius + float(rng.uniform(0.12, 0.2)), front - float(rng.uniform(-0.08, 0.12))
    scuttle = nose + float(rng.uniform(0.95, 1.3)) * stretch
    car = chassis.Chassis(
        float(rng.uniform(0.77, 0.86)), radius, tyre, frame, front, base / 2, nose, scuttle,
        max(base / 2 + float(rng.uniform(0.15, 0.4)), scuttle + room),
        frame + float(rng.uniform(0.46, 0.6)), float(rng.uniform(0.56, 0.64)),
    )  # fmt: skip
    paint, metal = pick(rng, PAINTS), (BRASS if rng.random() < 0.45 else CHROME)
    wings = paint if rng.random() < 0.35 else PLASTIC
    pieces = chassis.frame(rng, car, wings) + chassis.bonnet(rng, car, paint, metal) + chassis.lamps(rng, car, metal)
    if style == "saloon":
        pieces += _saloon(rng, car, paint)
    else:
        pieces += _open_body(rng, car, style, paint, metal)
    return pieces


def _open_body(rng: np.random.Generator, car: chassis.Chassis, style: str, paint: Color, metal: Color) -> list[Piece]:
    """Tub or platform with seats, steering wheel, windscreen and, on many, a cloth top on posts."""
    hide, cloth, glass = leather(rng), pick(rng, CLOTHS), window_glass(rng)
    floor, belt = car.frame - 0.04, car.bonnet + float(rng.uniform(0.0, 0.1))
    start = car.scuttle + 0.2
    first = start + float(rng.uniform(0.72, 0.85))  # the backrest of the front seat
    pieces: list[Piece] = []
    high = float(rng.uniform(0.42, 0.55))
    seat_y = car.frame + float(rng.uniform(0.3, 0.38))
    if style == "tourer":
        end = car.tail
        shape = [
            (start, car.body, floor, belt),
            (end - 0.25, car.body, floor, belt),
            (end, car.body - 0.07, floor + 0.06, belt - 0.02),
        ]
        tub = parts.hull(shape, 12, 9)
        hole = solids.block(
            (2 * car.body - 0.12, 1.2, end - start - 0.22), (0, floor + 0.66, (start + end) / 2 - 0.02), 0.06
        )
        door = solids.block((4, 0.3, 0.45), (0, belt, first - 0.45), 0.12)
        pieces.append((paint, tub - hole - door if rng.random() < 0.5 else tub - hole))
        backs = [first, end - 0.2]
    elif style == "speedster":
        pieces.append(
            (
                paint,
                solids.block(
                    (2 * car.body - 0.1, 0.1, car.tail - start + 0.1),
                    (0, car.frame, (car.tail + start) / 2 - 0.05),
                    0.02,
                ),
            )
        )
        seat_y = car.frame + 0.2
        tank = solids.rounded(np.array([(0, -0.5), (0.27, -0.5), (0.27, 0.5), (0, 0.5)]), 0.05)
        pieces.append(
            (metal if rng.random() < 0.4 else paint, solids.turned(tank, "x", (0, car.frame + 0.28, first + 0.5), 24))
        )
        backs = [first]
    else:
        wall = first + 0.16
        tub = solids.block(
            (2 * car.body, belt - floor, wall - start), (0, (belt + floor) / 2, (start + wall) / 2), 0.05
        )
        hole = solids.block(
            (2 * car.body - 0.12, 1.2, wall - start - 0.14), (0, floor + 0.66, (start + wall) / 2 - 0.02), 0.05
        )
        door = solids.block((4, 0.8, 0.42), (0, car.frame + 0.45, start + 0.3), 0.1)
        pieces.append((paint, tub - hole - door if rng.random() < 0.6 else tub - hole))
        backs = [first]
        if style == "lorry":
            end = car.tail + 0.15
            wide = car.body + 0.08
            bed = solids.block((2 * wide, 0.42, end - wall + 0.04), (0, car.frame + 0.3, (end + wall) / 2), 0.02, 1)
            load = solids.block((2 * wide - 0.12, 0.6, end - wall - 0.1), (0, car.frame + 0.5, (end + wall) / 2))
            sill = solids.block((1.0, 0.2, end - wall), (0, car.frame + 0.06, (end + wall) / 2))
            pieces.append((pick(rng, ((0.42, 0.28, 0.16), (0.3, 0.2, 0.12))), bed - load + sill))
        else:
            drop = float(rng.uniform(0.05, 0.25))
            trunk = [
                (wall - 0.04, car.body - 0.02, floor, belt - drop),
                (car.tail - 0.15, car.body - 0.06, floor, belt - drop - 0.06),
                (car.tail, car.body - 0.12, floor + 0.04, belt - drop - 0.2),
            ]
            pieces.append((paint, parts.hull(trunk, 7, 9)))
    for z in backs:
        bench = rng.random() < 0.6 and style != "speedster"
        if bench:
            pieces.append((hide, parts.seat(0, seat_y, z, 2 * car.body - 0.14, high, 10)))
        else:
            pieces.append((hide, solids.mirrored(parts.seat(car.body / 2, seat_y, z, car.body - 0.12, high, 12))))
        base = solids.block(
            (2 * car.body - 0.16, seat_y - car.frame + 0.02, 0.5), (0, (seat_y + car.frame) / 2 - 0.06, z - 0.22)
        )
        pieces.append((paint, base))
    side = float(rng.choice([-1.0, 1.0])) * car.body / 2
    pieces.append((PLASTIC, parts.steering(side, seat_y + 0.36, start + 0.22, 0.2, 38, 0.5)))
    top = seat_y + float(rng.uniform(0.98, 1.1))
    cover = "none" if style == "speedster" else str(rng.choice(["up", "down", "none"], p=[0.55, 0.25, 0.2]))
    rake = float(rng.uniform(0, 14))
    if style == "speedster":
        if rng.random() < 0.6:
            disc = solids.turned(
                [(0, -0.024), (0.22, -0.024), (0.22, 0.024), (0, 0.024)],
                "z",
                (side, car.bonnet + 0.32, start + 0.02),
                28,
            )
            post = solids.tube(
                [(side, car.bonnet + 0.2, start + 0.02), (side, car.bonnet - 0.1, start - 0.02)], 0.03, 8
            )
            pieces += [(glass, disc), (metal, post)]
    elif cover == "up" or rng.random() < 0.7:
        tall = (top - car.bonnet) / np.cos(np.radians(rake)) - 0.03 if cover == "up" else float(rng.uniform(0.4, 0.55))
        pieces += parts.windscreen(
            2 * car.body - 0.06,
            tall,
            rake,
            (0, car.bonnet, start - 0.03),
            metal if rng.random() < 0.6 else PLASTIC,
            glass,
        )
    back = backs[-1] + 0.12
    rear_y = belt - 0.1
    if cover == "up":
        head = start + (top - car.bonnet) * np.tan(np.radians(rake))
        roof = np.array(
            [(head - 0.16, top - 0.03), (head + 0.1, top + 0.02), (back - 0.3, top + 0.03), (back + 0.14, top - 0.06)]
        )
        wide = car.body + 0.02
        pieces.append((cloth, parts.ribbon(solids.bent(roof, 0.2), -wide, wide, 0.06, 0.03)))
        fall = np.array([(back + 0.1, top - 0.05), (back + 0.1, rear_y)])
        pieces.append((cloth, parts.ribbon(fall, -wide + 0.02, wide - 0.02, 0.06)))
        posts = [
            solids.tube(
                [(wide - 0.06, top - 0.04, head + 0.03), (wide - 0.06, car.bonnet - 0.1, start - 0.02)], 0.025, 8
            )
        ]
        posts += [
            solids.tube([(wide - 0.05, top - 0.03, z), (wide - 0.08, rear_y - 0.05, back)], 0.024, 8)
            for z in (back - 0.25, back - 0.75)
        ]
        pieces.append((PLASTIC, solids.mirrored(solids.union(posts))))
    elif cover == "down":
        roll = solids.block((2 * car.body + 0.06, 0.2, 0.34), (0, belt + 0.04, back + 0.14), 0.09, 3)
        arm = solids.tube(
            [(car.body - 0.03, belt + 0.02, back + 0.12), (car.body - 0.03, belt - 0.25, back - 0.1)], 0.03, 8
        )
        pieces += [(cloth, roll), (PLASTIC, solids.mirrored(arm))]
    if style in ("tourer", "runabout") and rng.random() < 0.4:
        pieces += chassis.spare(car, pick(rng, chassis.SPOKES))
    return pieces


def _saloon(rng: np.random.Generator, car: chassis.Chassis, paint: Color) -> list[Piece]:
    """A closed upright body with a flat roof, windows on all sides and often a black upper half."""
    glass = window_glass(rng)
    upper = PLASTIC if rng.random() < 0.5 else paint
    floor, belt = car.frame - 0.04, car.bonnet + float(rng.uniform(0.04, 0.12))
    top = belt + float(rng.uniform(0.62, 0.74))
    start, end = car.scuttle + 0.2, car.tail - float(rng.uniform(0.0, 0.2))
    two = rng.random() < 0.35
    if two:
        end = start + float(rng.uniform(1.15, 1.35))
    wide, edge = car.body + 0.03, float(rng.uniform(0.06, 0.14))
    middle, long = (start + end) / 2, end - start
    lower = solids.block((2 * wide, belt - floor, long), (0, (belt + floor) / 2, middle), 0.05)
    house = solids.block((2 * wide - 0.04, top - belt + 0.2, long - 0.02), (0, (top + belt - 0.2) / 2, middle), edge, 3)
    roof = solids.block((2 * wide, 0.1, long + 0.06), (0, top - 0.04, middle - 0.02), 0.045)
    visor = solids.block((2 * wide - 0.1, 0.05, 0.26), (0, top - 0.08, start - 0.08), 0.01, 1)
    pieces: list[Piece] = [(paint, lower), (upper, house + roof + (visor if rng.random() < 0.6 else roof))]
    skin = solids.block((2 * wide - 0.02, top - belt, long), (0, (top + belt) / 2, middle))
    low, high = belt + 0.06, top - 0.16
    count = 2 if two else int(rng.integers(2, 4))
    bounds = np.linspace(start + 0.07, end - 0.1, count + 1)
    views = [
        solids.rounded(np.array([(a + 0.045, low), (b - 0.045, low), (b - 0.045, high), (a + 0.045, high)]), 0.03)
        for a, b in itertools.pairwise(bounds)
    ]
    panes = [solids.along_x(view, -2, 2) for view in views]
    front = solids.rounded(
        np.array([(-wide + 0.12, low - 0.02), (wide - 0.12, low - 0.02), (wide - 0.12, high), (-wide + 0.12, high)]),
        0.03,
    )
    rear = solids.rounded(
        np.array([(-0.32, low + 0.08), (0.32, low + 0.08), (0.32, high - 0.02), (-0.32, high - 0.02)]), 0.05
    )
    ends = [solids.along_z(front, start - 1, middle), solids.along_z(rear, middle, end + 1)]
    pieces.append((glass, skin ^ solids.union(panes + ends)))
    grips = [solids.block((0.05, 0.045, 0.12), (wide, belt - 0.1, b - 0.14), 0.01, 1) for b in bounds[1:]]
    pieces.append((CHROME, solids.mirrored(solids.union(grips))))
    if end < car.tail - 0.02:
        shape = [
            (end - 0.05, wide - 0.04, floor, belt - 0.06),
            (car.tail - 0.1, wide - 0.1, floor, belt - 0.14),
            (car.tail, wide - 0.16, floor + 0.05, belt - 0.26),
        ]
        if two or car.tail - end > 0.12:
            pieces.append((paint, parts.hull(shape, 6, 9)))
    if rng.random() < 0.5:
        pieces += chassis.spare(car, pick(rng, chassis.SPOKES))
    return pieces
