"""The lower half of an early car: wheels, frame, wings, bonnet and lamps."""

from __future__ import annotations

import dataclasses

import numpy as np
from manifold3d import CrossSection, Manifold

from imfield_jax.sources.procedural import car_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_trim import GRILLE, PLASTIC, TAIL_LAMP
from imfield_jax.sources.procedural.furniture_colors import pick
from imfield_jax.sources.procedural.solids import Color, Piece
from imfield_jax.sources.procedural.wheels import TYRE

SPOKES = ((0.1, 0.1, 0.11), (0.62, 0.45, 0.22), (0.75, 0.7, 0.58), (0.5, 0.1, 0.1), (0.7, 0.72, 0.74))


@dataclasses.dataclass(frozen=True)
class Chassis:
    """Measures of an early car in metres; z of places along it."""

    half: float  # half the width over the wings
    radius: float
    tyre: float
    frame: float  # height of the frame's top
    front: float
    rear: float
    nose: float  # the radiator's face
    scuttle: float  # the rear end of the bonnet
    tail: float
    bonnet: float  # height of the bonnet
    body: float  # half the width of the body


def _spoked(radius: float, width: float, spokes: int, color: Color) -> list[Piece]:
    """A thin wheel about x: tyre, rim, spokes one can see through, hub."""
    thick = width * 0.95
    ring = solids.rounded(
        np.array(
            [(radius - thick, -width / 2), (radius, -width / 2), (radius, width / 2), (radius - thick, width / 2)]
        ),
        0.4 * width,
    )
    rim = solids.turned(
        [
            (radius - thick - 0.035, -0.3 * width),
            (radius - 0.8 * thick, -0.3 * width),
            (radius - 0.8 * thick, 0.3 * width),
            (radius - thick - 0.035, 0.3 * width),
        ],
        "x",
        segments=40,
    )
    spoke = CrossSection.square((0.042, radius - thick), False).translate((-0.021, 0))
    face = CrossSection.batch_boolean([spoke.rotate(360 / spokes * n) for n in range(spokes)], solids.OpType.Add)
    star = Manifold.extrude(face, 0.042).rotate((0, 90, 0)).translate((-0.021, 0, 0))
    hub = solids.turned(
        [(0, -0.55 * width), (0.07, -0.55 * width), (0.075, 0.4 * width), (0.05, 0.7 * width), (0, 0.7 * width)],
        "x",
        segments=20,
    )
    return [(TYRE, solids.turned(ring, "x", segments=40)), (color, rim + star + hub)]


def frame(rng: np.random.Generator, car: Chassis, wings: Color) -> list[Piece]:
    """Wheels, axles, springs, frame, wings and running boards."""
    spokes = int(rng.choice([10, 12, 12, 14]))
    color = pick(rng, SPOKES)
    x = car.half - 0.09 - car.tyre / 2
    pieces: list[Piece] = []
    for z in (car.front, car.rear):
        for paint, solid in _spoked(car.radius, car.tyre, spokes, color):
            pieces.append((paint, solids.mirrored(solid.translate((x, car.radius, z)))))
        pieces.append((PLASTIC, solids.tube([(-x, car.radius, z), (x, car.radius, z)], 0.04)))
        spring = [(0.4, car.frame - 0.05, z - 0.42), (0.4, car.radius + 0.02, z), (0.4, car.frame - 0.05, z + 0.42)]
        pieces.append((PLASTIC, solids.mirrored(solids.tube(solids.bent(spring, 0.3), 0.035, 4))))
    pieces.append((PLASTIC, solids.ball((0.13, 0.13, 0.14), (0, car.radius, car.rear))))
    start, stop = min(car.nose, car.front - 0.43) - 0.02, max(car.tail - 0.1, car.rear + 0.42)
    rail = solids.block((0.08, 0.12, stop - start), (0.4, car.frame - 0.06, (start + stop) / 2), 0.02, 1)
    ties = [solids.block((0.84, 0.08, 0.08), (0, car.frame - 0.06, z)) for z in (start + 0.06, stop - 0.06)]
    pieces.append((PLASTIC, solids.mirrored(rail) + ties[0] + ties[1]))
    board = float(rng.uniform(0.3, 0.38))
    reach, thick = car.radius + float(rng.uniform(0.09, 0.14)), 0.05
    begin = float(rng.uniform(0, 50))
    ahead = parts.arc(car.front, car.radius, reach, begin, float(rng.uniform(105, 125)), 12)
    behind = parts.arc(car.rear, car.radius, reach, float(rng.uniform(28, 50)), float(rng.uniform(150, 195)), 14)
    foot, heel = car.front + 1.95 * car.radius, car.rear - 1.3 * car.radius
    level = np.array([(foot - 0.12, board + 0.09), (foot, board), (heel - 0.12, board), (heel, board + 0.06)])
    path = np.concatenate([ahead, level, behind]) if rng.random() < 0.75 else None
    inner, outer = x - car.tyre / 2 - 0.07, car.half
    if path is not None:
        wing = parts.ribbon(solids.bent(path, 0.07, 2), inner, outer, thick, float(rng.uniform(0.0, 0.03)))
    else:  # separate front and rear wings with a step between them
        wing = parts.ribbon(parts.arc(car.front, car.radius, reach, begin, 165), inner, outer, thick, 0.01)
        wing = wing + parts.ribbon(parts.arc(car.rear, car.radius, reach, 15, 175), inner, outer, thick, 0.01)
        wing = wing + solids.block((outer - inner, thick, 0.5), ((inner + outer) / 2, board, 0), 0.01, 1)
    stays = [
        solids.tube([(0.4, car.frame - 0.06, z), (inner + 0.05, car.radius + reach, z)], 0.024, 8)
        for z in (car.front, car.rear)
    ]
    for z in ((foot + heel) / 2 - 0.15, (foot + heel) / 2 + 0.15) if path is not None else (-0.12, 0.12):
        stays.append(solids.tube([(0.4, car.frame - 0.06, z), (inner + 0.05, board, z)], 0.03, 4))
    pieces.append((wings, solids.mirrored(wing + solids.union(stays))))
    if path is not None:
        apron = solids.outline([(foot - 0.05, board), (heel, board), (heel, car.frame), (foot - 0.05, car.frame)])
        pieces.append(
            (
                wings,
                solids.mirrored(solids.along_x(apron, inner - 0.05, inner + 0.02))
                + solids.mirrored(
                    solids.block(
                        (inner - 0.36, 0.05, heel - foot + 0.05),
                        ((inner + 0.36) / 2, car.frame - 0.04, (foot + heel) / 2),
                    )
                ),
            )
        )
    return pieces


def bonnet(rng: np.random.Generator, car: Chassis, paint: Color, metal: Color) -> list[Piece]:
    """The bonnet with its radiator in a bright shell."""
    slim = float(rng.uniform(0.25, 0.31))
    low, high = car.frame - 0.05, car.bonnet
    ends = float(rng.uniform(0.0, 0.06))
    stations = [(car.nose + 0.04, slim - 0.01, low, high - ends - 0.01), (car.scuttle, slim + 0.1, low, high)]
    power = float(rng.uniform(2.6, 6))
    pieces: list[Piece] = [(paint, parts.hull(stations, power, 9, 0.6))]
    dash = [(car.scuttle - 0.01, slim + 0.11, low, high + 0.01), (car.scuttle + 0.26, car.body, low, high + 0.07)]
    pieces.append((paint, parts.hull(dash, 4.5, 9, 0.6)))
    shape = [
        (car.nose, slim, low - 0.06, high - ends),
        (car.nose + 0.13, slim + 0.015, low - 0.06, high - ends + 0.015),
    ]
    pieces.append((metal, parts.hull(shape, power, 9, 0.6)))
    core = [
        (car.nose - 0.015, slim - 0.05, low, high - ends - 0.07),
        (car.nose + 0.05, slim - 0.05, low, high - ends - 0.07),
    ]
    pieces.append((GRILLE, parts.hull(core, power, 9, 0.6)))
    pieces.append(
        (
            metal,
            solids.turned(
                [(0, -0.05), (0.035, -0.05), (0.03, 0.06), (0, 0.08)], "y", (0, high - ends, car.nose + 0.065), 14
            ),
        )
    )
    if rng.random() < 0.5:
        slots = [
            solids.block((2, 0.2, 0.03), (0, (low + high) / 2, z))
            for z in np.arange(car.nose + 0.35, car.scuttle - 0.25, 0.09)
        ]
        pieces.append((PLASTIC, parts.hull(stations, power, 9, 0.6, 0.01) ^ solids.union(slots)))
    return pieces


def lamps(rng: np.random.Generator, car: Chassis, metal: Color) -> list[Piece]:
    """Large headlamps on a bar, small lamps on the scuttle, red ones at the rear, sometimes bumpers."""
    radius = float(rng.uniform(0.1, 0.135))
    x, y, z = (
        float(rng.uniform(0.42, 0.5)),
        car.bonnet - float(rng.uniform(0.1, 0.24)),
        car.nose - float(rng.uniform(0.0, 0.1)),
    )
    shell = metal if rng.random() < 0.75 else PLASTIC
    pieces = parts.headlamps(x, y, z, radius, shell)
    bar = solids.tube(
        [(x, y, z + 0.06), (x, y - radius - 0.04, z + 0.06), (0.38, car.frame - 0.06, z + 0.12)], 0.026, 8
    )
    across = solids.tube([(-x, y - 0.4 * radius, z + 0.08), (x, y - 0.4 * radius, z + 0.08)], 0.024, 8)
    pieces.append((shell, solids.mirrored(bar) + across))
    link = solids.block((0.5, 0.07, 0.2), (0, y - 0.4 * radius, car.nose + 0.04))
    pieces.append((PLASTIC, link))
    if rng.random() < 0.6:
        side = parts.headlamps(car.body + 0.05, car.bonnet + 0.06, car.scuttle + 0.12, 0.06, metal)
        pieces += side
        foot = solids.tube(
            [
                (car.body + 0.05, car.bonnet + 0.05, car.scuttle + 0.17),
                (car.body - 0.1, car.bonnet - 0.12, car.scuttle + 0.22),
            ],
            0.026,
            8,
        )
        pieces.append((metal, solids.mirrored(foot)))
    pieces.append((TAIL_LAMP, parts.discs(0.42, car.frame + 0.04, car.tail + 0.02, 0.055, 0.12)))
    end = max(car.tail - 0.02, car.rear + 0.42)
    bracket = solids.block(
        (0.1, 0.12, end - car.tail + 0.25), (0.42, car.frame - 0.02, (end + car.tail - 0.25) / 2 + 0.04)
    )
    pieces.append((PLASTIC, solids.mirrored(bracket)))
    if rng.random() < 0.35:
        start = min(car.nose, car.front - 0.43)
        for z, end_z in (
            (start + 0.1, start - 0.22),
            (max(car.tail, car.rear + 0.42) - 0.2, max(car.tail, car.rear + 0.42) + 0.16),
        ):
            blade = solids.block((1.5, 0.07, 0.045), (0, car.frame - 0.06, end_z), 0.01, 1)
            arm = solids.tube([(0.4, car.frame - 0.06, z), (0.4, car.frame - 0.06, end_z)], 0.028, 4)
            pieces.append((metal, blade + solids.mirrored(arm)))
    return pieces


def spare(car: Chassis, color: Color) -> list[Piece]:
    """A spare wheel upright behind the body."""
    place = (0.0, car.frame + car.radius - 0.02, car.tail + 0.5 * car.tyre)
    wheel = _spoked(0.94 * car.radius, car.tyre, 12, color)
    hold = solids.block((0.12, 0.12, 0.3), (place[0], place[1], place[2] - 0.12))
    stand = solids.block((0.1, 0.5, 0.1), (0, car.frame + 0.12, car.tail - 0.02))
    return [(paint, solid.rotate((0, -90, 0)).translate(place)) for paint, solid in wheel] + [(PLASTIC, hold + stand)]
