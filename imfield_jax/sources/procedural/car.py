"""Cars of eleven body styles: shell, glass, wheels, lamps and trim; and a choice of seven rare kinds."""

from __future__ import annotations

import dataclasses

import numpy as np
from manifold3d import CrossSection, JoinType, Manifold

from imfield_jax.sources.procedural import car_rally, solids
from imfield_jax.sources.procedural import car_trim as trim
from imfield_jax.sources.procedural.car_body import (
    ARCH,
    at,
    axles,
    body,
    cabin,
    cabin_half_width,
    half_width,
    roof_line,
    top_line,
)
from imfield_jax.sources.procedural.car_buggy import buggy
from imfield_jax.sources.procedural.car_colors import body_paint, bright_paint, window_glass
from imfield_jax.sources.procedural.car_kart import kart
from imfield_jax.sources.procedural.car_micro import micro
from imfield_jax.sources.procedural.car_open import light_sports
from imfield_jax.sources.procedural.car_racer import single_seater
from imfield_jax.sources.procedural.car_styles import Proportions, draw
from imfield_jax.sources.procedural.car_trim import GRILLE, PLASTIC, SKIN, TALL_REAR, Shell
from imfield_jax.sources.procedural.car_vintage import early
from imfield_jax.sources.procedural.solids import Color, Piece
from imfield_jax.sources.procedural.wheels import wheel
from imfield_jax.sources.scene import Scene


def build(rng: np.random.Generator) -> Scene:
    """One random car."""
    style, p = draw(rng)
    paint, glass = body_paint(rng), window_glass(rng)
    tyre_width = float(rng.uniform(0.62, 0.75)) * p.wheel_radius
    hollow = _arches(p, tyre_width)
    if style == "pickup":
        hollow += _load_bed(p) - _arches(p, tyre_width + 0.08, 1.25 * ARCH)
    shell = Shell(p, style, body(p, SKIN) - hollow, cabin(p, SKIN), hollow)
    painted = body(p) - hollow
    pieces: list[Piece] = []
    if style == "convertible":
        pieces += _open_cockpit(rng, shell, painted, paint, glass)
    else:
        roof = paint if style in ("van", "pickup", "sports") or rng.random() < 0.85 else GRILLE
        pieces += [(paint, painted), (roof, cabin(p))] if roof != paint else [(paint, painted + cabin(p))]
        pieces.append((glass, shell.cabin_skin ^ _windows(rng, shell)))
    pieces += _wheels(rng, p, tyre_width)
    pieces += (
        trim.front(rng, shell) + trim.rear(rng, shell) + trim.sides(rng, shell, paint) + trim.extras(rng, shell, paint)
    )
    return solids.as_scene(pieces)


def build_rare(rng: np.random.Generator) -> Scene:
    """One random car of a rare kind."""
    kind = rng.choice(len(RARE), p=list(RARE.values()))
    return solids.as_scene(list(RARE)[kind](rng))


def rally(rng: np.random.Generator) -> list[Piece]:
    """A closed touring car prepared for rallies."""
    style, p = car_rally.proportions(rng)
    paint, glass = body_paint(rng) if rng.random() < 0.5 else bright_paint(rng), window_glass(rng)
    flare, tyre_width = float(rng.uniform(0.045, 0.09)), float(rng.uniform(0.66, 0.78)) * p.wheel_radius
    wide = dataclasses.replace(p, width=p.width + 2 * flare)
    hollow = _arches(wide, tyre_width)
    shell = Shell(p, style, body(p, SKIN) - hollow, cabin(p, SKIN), hollow)
    pieces: list[Piece] = [(paint, (body(p) - hollow) + cabin(p))]
    pieces.append((glass, shell.cabin_skin ^ _windows(rng, shell)))
    pieces += _wheels(rng, wide, tyre_width)
    pieces += trim.front(rng, shell) + trim.rear(rng, shell) + trim.sides(rng, shell, paint)
    return pieces + car_rally.kit(rng, shell, paint, flare, tyre_width)


def _arches(p: Proportions, tyre_width: float, factor: float = ARCH) -> Manifold:
    """The wheel arches to cut from the body: four short cylinders, open downwards."""
    radius = factor * p.wheel_radius
    circle = CrossSection.circle(radius, 48).translate((0, p.wheel_radius))
    skirt = CrossSection.square((1.9 * radius, p.wheel_radius), False).translate((-0.95 * radius, -0.2))
    inside = p.width / 2 - tyre_width - 0.09
    cuts = [solids.along_x((circle + skirt).translate((z, 0)), inside, p.width / 2 + 0.2) for z in axles(p)]
    return solids.mirrored(cuts[0] + cuts[1])


def _wheels(rng: np.random.Generator, p: Proportions, tyre_width: float) -> list[Piece]:
    grey = round(float(rng.choice([0.35, 0.6, 0.72, 0.8])), 4)
    pieces = wheel(rng, p.wheel_radius, tyre_width, (grey, grey, grey, 1.0))
    offset = p.width / 2 - tyre_width / 2 - 0.025
    placed = []
    for z in axles(p):
        for color, solid in pieces:
            placed.append((color, solids.mirrored(solid.translate((offset, p.wheel_radius, z)))))
        axle = solids.tube([(-offset, p.wheel_radius, z), (offset, p.wheel_radius, z)], 0.07)
        placed.append((PLASTIC, axle))
    return placed


def _windows(rng: np.random.Generator, shell: Shell) -> Manifold:
    """The glass of the cabin's skin: side windows, windscreen and rear window."""
    p = shell.p
    middle = at(p, 0.5 * (p.roof_front + p.roof_rear))
    low, high = p.cowl_up * p.height + 0.03, p.height - p.arch - 0.05
    screen = _screen(p, at(p, p.cowl), at(p, p.roof_front), low, high)
    panes = [
        solids.along_x(_side_windows(rng, shell), -p.width, p.width),
        solids.along_z(screen, -p.length, middle),
    ]
    if shell.style != "van" or rng.random() < 0.5:
        low = p.deck * p.height + (0.07 if shell.style in TALL_REAR else 0.03)
        back = _screen(p, at(p, p.cabin_rear), at(p, p.roof_rear), low, p.height - p.roof_fall - 0.09)
        panes.append(solids.along_z(back, middle, p.length))
    return solids.union(panes)


def _screen(p: Proportions, z_foot: float, z_head: float, low: float, high: float) -> np.ndarray:
    """Front view of the windscreen or rear window, [4, (x, y)], leaving room for the pillars."""
    foot = float(cabin_half_width(p, z_foot, low)) - 0.09
    head = float(cabin_half_width(p, z_head, high)) - 0.09
    return solids.rounded(np.array([(-foot, low), (foot, low), (head, high), (-head, high)]), 0.06)


def _side_windows(rng: np.random.Generator, shell: Shell) -> CrossSection:
    """Side view of the door windows: the cabin's outline, inset, without the pillars."""
    p = shell.p
    line = roof_line(p)
    line = line[line[:, 1] > top_line(p, line[:, 0]) - 0.02]
    sill = np.stack([line[:, 0], top_line(p, line[:, 0])], axis=-1)
    frame = float(rng.uniform(0.065, 0.09))
    region = solids.outline(np.concatenate([line, sill[::-1]])).offset(-frame, JoinType.Miter).simplify(0.004)
    front, rear = at(p, p.roof_front), at(p, p.roof_rear)
    bar = float(rng.uniform(0.07, 0.1))
    stop = rear + {"sedan": 0.25, "coupe": 0.35, "sports": 0.2, "pickup": 0.0}.get(shell.style, 0.06)
    pillar = front + float(rng.uniform(0.42, 0.5)) * min(rear - front, 2.0) + 0.1
    bars = [pillar]
    if shell.style == "van" and rng.random() < 0.6:
        stop = pillar  # a panel van
    elif shell.style in ("estate", "suv", "minivan", "van", "offroad") or rng.random() < 0.3:
        bars.append(pillar + float(rng.uniform(0.75, 0.9)))
    if shell.style == "sports":
        stop = min(stop, pillar + 0.4)
    for z in bars:
        region = region - solids.outline([(z, 0), (z + bar, 0), (z + bar - 0.04, 3), (z - 0.04, 3)])
    return region - CrossSection.square((9, 9)).translate((stop, -1))


def _load_bed(p: Proportions) -> Manifold:
    """The load bed of a pickup, cut out behind the cabin."""
    front, rear = at(p, p.cabin_rear) + 0.1, p.length / 2 - 0.1
    high = float(top_line(p, rear))
    size = (2 * float(half_width(p, 0.0)) - 0.34, 0.96, rear - front)
    return solids.block(size, (0, high - 0.42 + 0.48, (front + rear) / 2), 0.05)


def _open_cockpit(rng: np.random.Generator, shell: Shell, painted: Manifold, paint: Color, glass: Color) -> list[Piece]:
    """Windscreen frame, tub, seats and folded roof of a convertible."""
    p = shell.p
    front, rear = at(p, p.cowl) + 0.42, at(p, p.cabin_rear) - 0.12
    inside = float(half_width(p, 0.0)) - 0.2
    sill = p.belt * p.height
    tub = solids.block((2 * inside, 0.9, rear - front), (0, sill + 0.05, (front + rear) / 2), 0.12)
    slab = 0.12
    full = cabin(p)
    ahead = solids.along_x([(-9, 0), (front + 0.1, 0), (at(p, p.roof_front) + 0.02, 3), (-9, 3)], -2, 2)
    frame = (full - full.translate((0, 0, slab))) ^ ahead
    low, high = p.cowl_up * p.height + 0.03, p.height - p.arch - 0.07
    mask = solids.along_z(_screen(p, at(p, p.cowl), at(p, p.roof_front), low, high), -9, 9)
    pane = (shell.cabin_skin - full.translate((0, 0, slab + 0.01))) ^ ahead ^ mask
    shade = float(rng.uniform(0.1, 0.6))
    leather = (round(shade, 4), round(0.72 * shade, 4), round(0.5 * shade, 4), 1.0)
    pieces = [(paint, painted - tub), (paint, frame), (glass, pane)]
    depth = rear - front
    for z in (front + 0.5 * depth, rear - 0.1)[: 2 if depth > 1.5 else 1]:
        back = solids.block((0.48, 0.66, 0.16), (0, 0, 0), 0.06) + solids.block((0.26, 0.24, 0.12), (0, 0.4, 0), 0.05)
        seat = solids.block((0.5, 0.3, 0.6), (0, -0.28, -0.25), 0.06) + back.rotate((12, 0, 0))
        pieces.append((leather, solids.mirrored(seat.translate((inside / 2 + 0.02, sill - 0.08, z + 0.05)))))
    hood = solids.block((1.7 * inside, 0.2, 0.42), (0, float(top_line(p, rear)) + 0.01, rear + 0.12), 0.09)
    pieces.append((leather if rng.random() < 0.5 else PLASTIC, hood))
    return pieces


RARE = {light_sports: 0.2, early: 0.22, buggy: 0.16, single_seater: 0.2, rally: 0.11, micro: 0.08, kart: 0.03}
