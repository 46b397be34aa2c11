"""Lamps: table and floor lamps with shades, tripods, arcs, desk lamps, pendants, chandeliers and lanterns."""

from __future__ import annotations

import numpy as np
from manifold3d import Manifold

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.furniture_colors import FABRICS, METALS, PAINTS, WOODS, pick
from imfield_jax.sources.procedural.solids import Color, Piece
from imfield_jax.sources.scene import Scene


def build(rng: np.random.Generator) -> Scene:
    """One random lamp."""
    kind = rng.choice(len(KINDS), p=list(KINDS.values()))
    return solids.as_scene(list(KINDS)[kind](rng))


def table(rng: np.random.Generator) -> list[Piece]:
    """A turned or square body with a shade."""
    high, radius = float(rng.uniform(0.18, 0.42)), float(rng.uniform(0.05, 0.12))
    color = pick(rng, PAINTS + WOODS + METALS)
    style = str(rng.choice(["turned", "turned", "column", "box"]))
    if style == "box":
        body = solids.block((1.6 * radius, high, 1.6 * radius), (0, high / 2, 0), 0.01)
    elif style == "column":
        body = solids.turned([(0, 0), (radius, 0), (radius, 0.02), (0.016, 0.03), (0.016, high), (0, high)], "y")
    else:
        levels = np.linspace(0, 1, 24)
        waves = [
            float(rng.uniform(-0.4, 0.4)) * np.sin(np.pi * levels * (n + 1) + rng.uniform(0, np.pi)) for n in range(4)
        ]
        widths = radius * np.clip(0.75 + np.sum(waves, axis=0), 0.2, 1.3)
        profile = [(0.0, 0.0), *zip(widths.tolist(), (high * levels).tolist(), strict=True), (0.0, high)]
        body = solids.turned(profile, "y")
    shade = float(rng.uniform(1.2, 2.4)) * max(radius, 0.08), float(rng.uniform(0.14, 0.28))
    return [(color, body), *_shade(rng, high, *shade, pick(rng, METALS))]


def floor(rng: np.random.Generator) -> list[Piece]:
    """A pole on a foot, with a shade on top."""
    high, pole = float(rng.uniform(1.1, 1.6)), float(rng.uniform(0.012, 0.025))
    metal = pick(rng, METALS + WOODS)
    reach = float(rng.uniform(0.12, 0.2))
    foot = solids.turned([(0, 0), (reach, 0), (reach, 0.02), (0.3 * reach, 0.035), (0, 0.04)], "y")
    stem = solids.tube([(0, 0.02, 0), (0, high, 0)], pole)
    shade = float(rng.uniform(0.15, 0.28)), float(rng.uniform(0.18, 0.4))
    pieces: list[Piece] = [(metal, foot + stem), *_shade(rng, high, *shade, metal)]
    if rng.random() < 0.15:
        tray = solids.turned([(0, 0), (0.2, 0), (0.2, 0.02), (0, 0.02)], "y", (0, 0.45 * high, 0))
        pieces.append((metal, tray))
    return pieces


def tripod(rng: np.random.Generator) -> list[Piece]:
    """Three legs that meet below a shade."""
    high, reach, bar = float(rng.uniform(0.9, 1.4)), float(rng.uniform(0.22, 0.36)), float(rng.uniform(0.012, 0.02))
    wood = pick(rng, WOODS + METALS)
    leg = solids.tube([(0, 0, -reach), (0, high, -0.02)], bar, 8)
    legs = solids.union([leg.rotate((0, 120.0 * turn, 0)) for turn in range(3)])
    hub = solids.turned([(0, -0.03), (0.035, -0.03), (0.035, 0.02), (0, 0.02)], "y", (0, high, 0))
    shade = float(rng.uniform(0.18, 0.28)), float(rng.uniform(0.2, 0.36))
    return [(wood, legs + hub), *_shade(rng, high + 0.01, *shade, wood)]


def desk(rng: np.random.Generator) -> list[Piece]:
    """A jointed arm that reaches to the front, with a bell at its end."""
    metal = pick(rng, METALS + PAINTS)
    lower, upper = float(rng.uniform(0.2, 0.36)), float(rng.uniform(0.18, 0.34))
    lean, reach, bar = float(rng.uniform(-10, 35)), float(rng.uniform(35, 80)), float(rng.uniform(0.009, 0.016))
    foot = float(rng.uniform(0.07, 0.11))
    base = solids.turned([(0, 0), (foot, 0), (foot, 0.018), (0.4 * foot, 0.035), (0, 0.04)], "y", (0, 0, 0.0))
    elbow = np.array([0, 0.02 + lower * np.cos(np.radians(lean)), lower * np.sin(np.radians(lean))])
    tip = elbow + upper * np.array([0, np.cos(np.radians(reach)), -np.sin(np.radians(reach))])
    arms = solids.tube([(0, 0.02, 0), elbow], bar, 8) + solids.tube([elbow, tip], bar, 8)
    joint = solids.turned([(0, -0.02), (0.022, -0.02), (0.022, 0.02), (0, 0.02)], "x", tuple(elbow))
    wide, deep = float(rng.uniform(0.055, 0.09)), float(rng.uniform(0.1, 0.16))
    bell = _bell(rng, wide, deep).rotate((float(rng.uniform(-10, 35)), 0, 0)).translate(tuple(tip))
    return [(metal, solids.union([base, arms, joint])), (metal if rng.random() < 0.6 else pick(rng, PAINTS), bell)]


def arc(rng: np.random.Generator) -> list[Piece]:
    """A heavy foot, a pole bent to the front, and a shade that hangs from it."""
    high, reach, bar = float(rng.uniform(1.5, 2.0)), float(rng.uniform(0.6, 1.2)), float(rng.uniform(0.012, 0.02))
    metal = pick(rng, METALS)
    t = np.linspace(0, 1, 20)
    path = np.stack([np.zeros(20), 0.02 + high * np.sin(0.62 * np.pi * t) ** 0.8, -reach * t**2.2], axis=-1)
    foot = (
        solids.block((0.3, 0.08, 0.3), (0, 0.04, 0.02), 0.015)
        if rng.random() < 0.5
        else solids.turned([(0, 0), (0.17, 0), (0.17, 0.04), (0, 0.05)], "y")
    )
    bell = _bell(rng, float(rng.uniform(0.14, 0.24)), float(rng.uniform(0.14, 0.24))).translate(tuple(path[-1]))
    return [(metal, foot + solids.tube(path, bar, 10)), (pick(rng, METALS + PAINTS + FABRICS), bell)]


def pendant(rng: np.random.Generator) -> list[Piece]:
    """A bell, a drum or a globe on a rod from the ceiling."""
    drop = float(rng.uniform(0.25, 0.8))
    metal, color = pick(rng, METALS), pick(rng, METALS + PAINTS + FABRICS)
    plate = solids.turned([(0, -0.03), (0.05, -0.03), (0.06, 0), (0, 0)], "y", (0, drop, 0))
    rod = solids.tube([(0, 0, 0), (0, drop - 0.01, 0)], 0.008, 8)
    wide = float(rng.uniform(0.12, 0.3))
    if rng.random() < 0.25:
        head = solids.ball((wide / 1.5,) * 3, (0, -wide / 1.6, 0), 28)
    else:
        head = _bell(rng, wide, wide * float(rng.uniform(0.5, 1.4)))
    return [(metal, plate + rod), (color, head)]


def chandelier(rng: np.random.Generator) -> list[Piece]:
    """Curved arms around a stem, each with a candle or a cup."""
    count, reach = int(rng.choice([4, 6, 8])), float(rng.uniform(0.22, 0.42))
    sag, rod = float(rng.uniform(0.06, 0.16)), float(rng.uniform(0.3, 0.6))
    metal, glass = pick(rng, METALS), pick(rng, PAINTS + FABRICS)
    stem = solids.turned(
        [
            (0, -0.12),
            (0.025, -0.1),
            (0.04, -0.04),
            (0.018, 0.02),
            (0.03, 0.06),
            (0.012, 0.1),
            (0.012, rod),
            (0.05, rod),
            (0.05, rod + 0.02),
            (0, rod + 0.02),
        ],
        "y",
    )
    path = solids.bent([(0, 0, 0), (0, -sag, -0.45 * reach), (0, -0.4 * sag, -reach), (0, 0.03, -reach)], 0.12, 5)
    arm = solids.tube(path, 0.01, 8)
    if rng.random() < 0.5:
        light = solids.turned(
            [(0, 0), (0.03, 0), (0.03, 0.012), (0.012, 0.014), (0.012, 0.1), (0, 0.1)], "y", (0, 0.02, -reach), 14
        )
    else:
        light = solids.turned(
            [(0, 0), (0.03, 0), (0.05, 0.09), (0.042, 0.09), (0.02, 0.014), (0, 0.014)], "y", (0, 0.02, -reach), 16
        )
    turns = [360.0 * n / count + 180.0 / count for n in range(count)]
    arms = solids.union([arm.rotate((0, turn, 0)) for turn in turns])
    lights = solids.union([light.rotate((0, turn, 0)) for turn in turns])
    return [(metal, stem + arms), (glass, lights)]


def lantern(rng: np.random.Generator) -> list[Piece]:
    """Glass between posts under a roof, with a ring on top or on a post."""
    wide, high = float(rng.uniform(0.12, 0.2)), float(rng.uniform(0.18, 0.32))
    metal, glass = pick(rng, METALS[1:3] + PAINTS[1:2]), (0.9, 0.88, 0.75, 1.0)
    half, bar = wide / 2, 0.008
    posts = [solids.tube([(x, 0, z), (x, high, z)], bar, 4) for x in (-half, half) for z in (-half, half)]
    roof = solids.loft(
        np.array(
            [
                [(sx * s * half, y, sz * s * half) for sx, sz in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
                for s, y in (
                    (1.25, high - 0.005),
                    (1.25, high + 0.01),
                    (0.25, high + 0.45 * wide),
                    (0.25, high + 0.5 * wide),
                )
            ]
        )
    )
    plate = solids.block((1.15 * wide, 0.02, 1.15 * wide), (0, 0.0, 0), 0.003, 1)
    body = solids.block((wide - 0.004, high, wide - 0.004), (0, high / 2, 0))
    pieces: list[Piece] = [(metal, solids.union([*posts, roof, plate])), (glass, body)]
    if rng.random() < 0.5:
        post = float(rng.uniform(0.6, 1.6))
        stand = solids.turned(
            [(0, -post), (0.1, -post), (0.08, -post + 0.05), (0.022, -post + 0.1), (0.018, 0), (0, 0)], "y"
        )
        pieces.append((metal, stand))
    else:
        ring = Manifold.revolve(
            solids.outline(
                [(0.03 + 0.006 * np.cos(a), 0.006 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 10, endpoint=False)]
            ),
            24,
        )
        pieces.append((metal, ring.translate((0, high + 0.5 * wide + 0.028, 0))))
    return pieces


KINDS = {
    table: 0.3,
    floor: 0.18,
    tripod: 0.07,
    desk: 0.13,
    arc: 0.06,
    pendant: 0.12,
    chandelier: 0.07,
    lantern: 0.07,
}


def _shade(rng: np.random.Generator, y: float, radius: float, high: float, metal: Color) -> list[Piece]:
    """A drum or cone of cloth around the top of a stem at height y, held by three wires, with a bulb."""
    taper, thick = float(rng.choice([1.0, 0.8, 0.55])), 0.008
    low = y + float(rng.uniform(-0.02, 0.03))
    if rng.random() < 0.15:
        globe = solids.ball((radius, radius, radius), (0, y + 0.9 * radius, 0), 28)
        return [((0.92, 0.9, 0.86, 1.0), globe)]
    cloth = pick(rng, FABRICS + PAINTS[:1])
    top = taper * radius
    wall = solids.turned([(radius - thick, low), (radius, low), (top, low + high), (top - thick, low + high)], "y")
    hold = low + 0.55 * high
    at = radius + (top - radius) * 0.55 - thick / 2
    wire = solids.tube([(0, hold, 0), (0, hold, -at)], 0.006, 6)
    wires = solids.union([wire.rotate((0, 120.0 * turn, 0)) for turn in range(3)])
    bulb = solids.tube([(0, y - 0.01, 0), (0, hold, 0)], 0.01, 8) + solids.ball((0.03, 0.04, 0.03), (0, hold, 0), 14)
    return [(cloth, wall), (metal, wires + bulb)]


def _bell(rng: np.random.Generator, wide: float, deep: float) -> Manifold:
    """A shade open at the bottom that hangs from the origin: a cone, a dome or a drum."""
    thick = max(0.006, 0.04 * wide)
    style = str(rng.choice(["cone", "dome", "drum"]))
    t = np.linspace(0, 1, 9)
    if style == "cone":
        radii = 0.25 * wide + 0.75 * wide * t
    elif style == "dome":
        radii = wide * np.sqrt(np.clip(1 - (1 - t) ** 2, 0.02, 1))
    else:
        radii = np.full(9, wide)
    outer = list(zip(radii.tolist(), (-deep * t).tolist(), strict=True))
    inner = [(max(radius - thick, 0.004), min(y, -thick)) for radius, y in outer]
    profile = [(0.0, 0.012), (0.015, 0.012), *outer, *inner[::-1], (0.0, -thick)]
    return solids.turned(profile, "y", segments=36)
