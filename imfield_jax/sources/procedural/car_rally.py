"""What turns a touring car into a rally car: flares, scoop, wing, mud flaps, lamp pod, livery."""

from __future__ import annotations

import dataclasses

import numpy as np
from manifold3d import CrossSection, Manifold

from imfield_jax.sources.procedural import car_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_body import ARCH, at, axles, body, cabin
from imfield_jax.sources.procedural.car_colors import bright_paint
from imfield_jax.sources.procedural.car_styles import Proportions, draw_style
from imfield_jax.sources.procedural.car_trim import GRILLE, PLASTIC, SKIN, TALL_REAR, Shell
from imfield_jax.sources.procedural.solids import Color, Piece

WHITE: Color = (0.92, 0.92, 0.9, 1.0)


def proportions(rng: np.random.Generator) -> tuple[str, Proportions]:
    """A touring car by style, raised for rough roads."""
    style = str(rng.choice(["hatchback", "sedan", "coupe"], p=[0.55, 0.3, 0.15]))
    p = draw_style(rng, style)
    blunt = {"nose_taper": 0.5 * p.nose_taper, "tail_taper": 0.6 * p.tail_taper}  # the flares end in the body
    return style, dataclasses.replace(p, clearance=p.clearance + 0.02, length=min(p.length, 4.45), **blunt)


def kit(rng: np.random.Generator, shell: Shell, paint: Color, flare: float, tyre: float) -> list[Piece]:
    """All parts of a rally car on a shell whose wheels stand out by `flare` on either side."""
    p = shell.p
    whole = body(p) + cabin(p)
    second = WHITE if rng.random() < 0.4 else bright_paint(rng)
    pieces = _flares(rng, p, paint, flare)
    pieces += _livery(rng, shell, second)
    aft = [z + ARCH * p.wheel_radius + 0.035 for z in axles(p)]
    x = p.width / 2 + flare - tyre / 2 - 0.03
    flaps = [
        solids.block((tyre + 0.06, p.clearance + 0.1, 0.045), (x - 0.02, p.clearance / 2 + 0.12, z), 0.01, 1)
        for z in aft
    ]
    pieces.append((PLASTIC if rng.random() < 0.6 else second, solids.mirrored(solids.union(flaps))))
    if rng.random() < 0.75:
        z = at(p, p.roof_front) + 0.12
        y = _top(whole, 0.0, z)
        rear = _top(whole, 0.0, z + 0.5)
        scoop = [
            (z, 0.17, y - 0.06, y + 0.1),
            (z + 0.2, 0.18, y - 0.08, y + 0.1),
            (z + 0.5, 0.12, rear - 0.08, rear + 0.005),
        ]
        pieces += [
            (paint, parts.hull(scoop, 4, 6)),
            (GRILLE, solids.block((0.24, 0.06, 0.06), (0, y + 0.055, z + 0.01), 0.01)),
        ]
    if rng.random() < 0.85:
        pieces += _wing(rng, shell, whole, paint if rng.random() < 0.6 else second)
    if rng.random() < 0.5:
        pieces += _lamp_pod(rng, p, whole)
    if rng.random() < 0.6:
        z = at(p, 0.5 * p.cowl) + 0.12
        y = _top(whole, 0.0, z)
        vent = solids.block((float(rng.uniform(0.4, 0.7)), 0.09, 0.3), (0, y, z), 0.03)
        pieces.append((GRILLE if rng.random() < 0.6 else paint, vent))
    return pieces


def _top(solid: Manifold, x: float, z: float) -> float:
    """Height of a solid's surface at a place."""
    return float(solid.ray_cast((x, 9, z), (x, 0, z))[0].position[1])


def _flares(rng: np.random.Generator, p: Proportions, paint: Color, flare: float) -> list[Piece]:
    """Wide arches, round or boxy, and sills of the same width."""
    inner = ARCH * p.wheel_radius
    outer = inner + float(rng.uniform(0.1, 0.15))
    if rng.random() < 0.4 and p.height > 1.38:  # a low bonnet would end under boxes
        r, high = outer, p.wheel_radius + outer - 0.04
        shape = solids.outline(
            [
                (-1.15 * r, 0),
                (-1.05 * r, 0.8 * high),
                (-0.72 * r, high),
                (0.72 * r, high),
                (1.05 * r, 0.8 * high),
                (1.15 * r, 0),
            ]
        )
    else:
        shape = CrossSection.circle(outer, 40).translate((0, p.wheel_radius))
    hole = CrossSection.circle(inner, 48).translate((0, p.wheel_radius))
    hole = hole + CrossSection.square((1.9 * inner, p.wheel_radius), False).translate((-0.95 * inner, 0))
    ring = shape - hole - CrossSection.square((9, 2), False).translate((-4.5, p.clearance + 0.03 - 2))
    rings = [solids.along_x(ring.translate((z, 0)), p.width / 2 - 0.3, p.width / 2 + flare) for z in axles(p)]
    front, rear = (z + way * (inner + 0.03) for z, way in zip(axles(p), (1, -1), strict=True))
    sill = solids.block(
        (0.3, 0.13, rear - front + 0.1), (p.width / 2 + 0.5 * flare - 0.15, p.clearance + 0.1, (front + rear) / 2), 0.03
    )
    return [
        (paint, solids.mirrored(solids.union(rings))),
        (paint if rng.random() < 0.6 else PLASTIC, solids.mirrored(sill)),
    ]


def _livery(rng: np.random.Generator, shell: Shell, second: Color) -> list[Piece]:
    """A second colour on the flanks or the bonnet, and round number plates on the doors."""
    p = shell.p
    belt = p.belt * p.height
    pieces: list[Piece] = []
    flank = Manifold.cube((9, 9, p.length - 0.9), True)  # without the lamps at both ends
    pattern = str(rng.choice(["band", "wedge", "stripes", "none"]))
    if pattern == "band":
        low = p.clearance + float(rng.uniform(0.15, 0.25))
        pieces.append((second, shell.skin ^ flank ^ Manifold.cube((9, 0.16, 9)).translate((-4.5, low, -4.5))))
    elif pattern == "wedge":
        z = float(rng.uniform(0.1, 0.8))
        shape = solids.outline([(z, 0), (p.length, 0), (p.length, 2), (z + 0.7, 2)])
        pieces.append(
            (
                second,
                (shell.skin + shell.cabin_skin)
                ^ flank
                ^ solids.along_x(shape, -2, 2)
                ^ Manifold.cube((9, belt - 0.03, 20)).translate((-4.5, 0, -10)),
            )
        )
    elif pattern == "stripes":
        band = Manifold.cube((0.2, 3, at(p, p.cowl) - at(p, 0))).translate((0.08, p.clearance + 0.3, at(p, 0)))
        pieces.append((second, shell.skin ^ solids.mirrored(band)))
    middle = at(p, p.roof_front) + 0.35
    plate = CrossSection.circle(0.21, 32).translate((middle, belt - 0.3))
    grown = body(p, 2 * SKIN) - shell.hollow
    pieces.append(
        (
            WHITE if second != WHITE else PLASTIC,
            grown ^ solids.along_x(plate, -2, 2) - Manifold.cube((p.width - 0.3, 9, 9), True),
        )
    )
    return pieces


def _wing(rng: np.random.Generator, shell: Shell, whole: Manifold, color: Color) -> list[Piece]:
    """A large wing at the end of the roof or over the boot, between end plates."""
    p = shell.p
    tall = shell.style in TALL_REAR
    z = at(p, p.roof_rear) - 0.05 if tall else p.length / 2 - 0.42
    half = float(rng.uniform(0.52, 0.62)) if tall else float(rng.uniform(0.62, 0.74))
    foot = _top(whole, 0.5 * half, z + 0.08)
    lift = float(rng.uniform(0.1, 0.2)) if tall else float(rng.uniform(0.22, 0.36))
    chord = float(rng.uniform(0.28, 0.38))
    y = foot + lift
    blade = parts.ribbon([(z, y - 0.03), (z + 0.5 * chord, y), (z + chord, y + 0.05)], -half, half, 0.055)
    plate = solids.block(
        (0.05, float(rng.uniform(0.18, 0.28)), chord + 0.04), (half, y - 0.02, z + chord / 2), 0.015, 1
    )
    post = solids.block((0.06, lift + 0.16, 0.2), (0.5 * half, y - lift / 2 - 0.08, z + 0.12), 0.015, 1)
    return [(color, blade + solids.mirrored(plate)), (PLASTIC, solids.mirrored(post))]


def _lamp_pod(rng: np.random.Generator, p: Proportions, whole: Manifold) -> list[Piece]:
    """Four night lamps in a pod on the bonnet's leading edge."""
    z = -p.length / 2 + p.nose_round + 0.06
    y = _top(whole, 0.2, z + 0.06)
    radius = float(rng.uniform(0.08, 0.105))
    pod = solids.block((8.4 * radius + 0.06, radius + 0.14, 0.24), (0, y + 0.5 * radius - 0.03, z + 0.12), 0.04)
    pieces: list[Piece] = [(PLASTIC if rng.random() < 0.5 else WHITE, pod)]
    for x in (1.05 * radius, 3.2 * radius):
        pieces += parts.headlamps(x, y + 0.75 * radius, z, radius, PLASTIC)
    return pieces
