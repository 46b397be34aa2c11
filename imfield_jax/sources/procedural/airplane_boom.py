"""Airplanes with two tail booms."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.airplane_engines import bar, engine
from imfield_jax.sources.procedural.solids import Color, Piece


def twin_boom(rng: np.random.Generator) -> list[Piece]:
    """Two booms joined by a tailplane: fighters, light push-pull airplanes, observers, jets, freighters."""
    style = str(rng.choice(["fighter", "push-pull", "observer", "jet", "freighter"], p=[0.27, 0.23, 0.2, 0.18, 0.12]))
    length = {"fighter": 11.5, "push-pull": 9.1, "observer": 12.0, "jet": 9.6, "freighter": 26.0}[style]
    length *= float(rng.uniform(0.92, 1.08))
    span = length * float(rng.uniform(1.12, 1.38))
    thin = 0.9 * parts.thinnest(length, span)
    civil = style == "push-pull" or rng.random() < 0.1
    body = (
        (trim.WHITE if rng.random() < 0.6 else trim.vivid(rng))
        if civil
        else (trim.military(rng) if rng.random() < 0.75 else trim.STEEL)
    )
    accent = trim.vivid(rng) if civil or rng.random() < 0.2 else body
    high = style in ("push-pull", "observer", "freighter")
    nose = -length / 2
    wide = length * {"fighter": 0.042, "push-pull": 0.068, "observer": 0.047, "jet": 0.062, "freighter": 0.07}[style]
    tall = wide * {"fighter": 1.25, "push-pull": 1.1, "observer": 1.5, "jet": 0.95, "freighter": 1.15}[style]
    start = nose + length * {"fighter": 0.03, "observer": 0.0, "jet": 0.0}.get(style, 0.02)
    reach = length * {"fighter": 0.58, "push-pull": 0.55, "observer": 0.52, "jet": 0.72, "freighter": 0.62}[style]
    blunt = 0.5 if style in ("push-pull", "freighter") else 0.12
    end = 0.6 if style in ("freighter", "jet", "push-pull") else 0.15
    line = [
        (start, -0.2 * tall, blunt * wide, blunt * tall),
        (start + 0.12 * reach, -0.15 * tall, 0.62 * wide, 0.6 * tall),
        (start + 0.34 * reach, 0, wide, tall),
        (start + 0.66 * reach, 0, wide, 0.98 * tall),
        (start + 0.88 * reach, 0.08 * tall, 0.8 * wide, 0.8 * tall),
        (start + reach, 0.12 * tall, end * wide, end * tall),
    ]
    power = 2.8 if style in ("push-pull", "freighter", "observer") else 2.1
    pieces: list[Piece] = [(body, parts.fuselage(line, power))]
    chord = span * float(rng.uniform(0.125, 0.15))
    z_wing = start + reach * (0.42 if style != "jet" else 0.36)
    y_wing = 0.9 * tall if high else -0.1 * tall
    dihedral, lead = float(rng.uniform(0.5, 2.5) if high else rng.uniform(3, 5)), float(rng.uniform(2, 8))
    taper = float(rng.uniform(0.4, 0.6)) if style != "observer" else float(rng.uniform(0.85, 1.0))
    pieces.append((body, parts.wing(span, chord, taper, lead, dihedral, (y_wing, z_wing), thin, 0.0, 0.13)))
    disc = {"fighter": 0.15, "push-pull": 0.1, "observer": 0.115, "jet": 0.0, "freighter": 0.088}[style] * length
    x = (
        max(wide + 1.12 * disc, 0.17 * span)
        if style not in ("push-pull", "jet")
        else float(rng.uniform(0.14, 0.17)) * span
    )
    y = y_wing + np.tan(np.radians(dihedral)) * x
    pieces += _booms(rng, style, x, y, z_wing, chord, length, disc, thin, (body, accent))
    if style == "push-pull":
        blades = int(rng.choice([2, 2, 3]))
        for hub_z, pusher in ((start - 0.02, False), (start + reach + 0.02, True)):
            hub_y = -0.2 * tall if not pusher else 0.12 * tall
            size = 0.5 * wide
            pieces += engine(
                rng, (0, hub_y, hub_z), size, 0.25 * reach, disc, thin, (body, accent), blades, False, pusher
            )
        ends = (
            (0.8 * wide, -0.6 * tall, z_wing + 0.4 * chord),
            (0.29 * span, y_wing + np.tan(np.radians(dihedral)) * 0.29 * span, z_wing + 0.4 * chord),
        )
        pieces.append((body, bar(ends, thin)))
    return pieces + _pod_details(rng, style, line, power, start, reach, wide, tall, thin, body)


def _booms(
    rng: np.random.Generator,
    style: str,
    x: float,
    y: float,
    z_wing: float,
    chord: float,
    length: float,
    disc: float,
    thin: float,
    colors: tuple[Color, Color],
) -> list[Piece]:
    """Booms behind the wing, their engines, fins and the common tailplane."""
    body, accent = colors
    radius = max(0.62 * thin, 0.012 * length)
    rear = length / 2
    sunk = y - (0.2 * radius if style in ("push-pull", "jet") else 0.0)
    front = z_wing + 0.1 * chord
    thick = 2.2 if style == "fighter" else 1.3
    boom = solids.tube(
        [
            (x, sunk, front),
            (x, sunk, front + 0.8 * chord),
            (x, sunk + 0.01 * length, 0.5 * (front + chord + rear)),
            (x, sunk + 0.015 * length, rear - 0.02 * length),
        ],
        np.array([0.7 * thick, thick, 1.2, 0.9]) * radius,
        14,
    )
    pieces: list[Piece] = [(body, solids.mirrored(boom))]
    if disc and style != "push-pull":
        size = {"fighter": 0.032, "observer": 0.034, "freighter": 0.034}[style] * length
        hub = (x, sunk - 0.1 * size, z_wing - (0.75 if style == "fighter" else 0.55) * chord)
        blades = 4 if style == "freighter" else 3
        pieces += engine(
            rng, hub, size, 2.1 * chord, disc, thin, colors, blades, style == "freighter" and rng.random() < 0.8
        )
    root = length * float(rng.uniform(0.13, 0.16))
    height, z = length * float(rng.uniform(0.12, 0.155)), rear - root
    lean = float(rng.uniform(5, 28))
    low = sunk + 0.015 * length - (0.3 * height if style == "fighter" else 0.0)
    above = style == "observer" or (style != "fighter" and rng.random() < 0.25)
    fin = parts.fin(height * (1.25 if style == "fighter" else 1.0), root, 0.6, lean, (low, z), thin, x)
    pieces.append((accent if rng.random() < 0.4 else body, solids.mirrored(fin)))
    up = 0.96 * height if above else 0.0
    plane_y, plane_z = (
        sunk + 0.015 * length + up,
        z + 0.25 * root + (up * np.tan(np.radians(lean)) - 0.2 * root) * above,
    )
    out = x + (0.5 * height if style in ("fighter", "freighter") and rng.random() < 0.5 else 0.0)
    small = 0.62 * root
    plane = parts.foil([(-0.01 * x, plane_y, plane_z, small), (out, plane_y, plane_z, small)], thin, 0.1)
    return [*pieces, (body, solids.mirrored(plane))]


def _pod_details(
    rng: np.random.Generator,
    style: str,
    line: list[tuple[float, float, float, float]],
    power: float,
    start: float,
    reach: float,
    wide: float,
    tall: float,
    thin: float,
    body: Color,
) -> list[Piece]:
    """Glass of the pod; the intakes and the exhaust of a jet."""
    skin = parts.fuselage(line, power, 0.02 * wide)
    if style in ("push-pull", "freighter"):
        shape = (
            [(0.16, 0.15), (0.7, 0.2), (0.7, 0.7), (0.28, 0.78)]
            if style == "push-pull"
            else [(0.06, 0.15), (0.24, 0.25), (0.24, 0.7), (0.1, 0.7)]
        )
        glass = skin ^ solids.along_x(np.array(shape) * (reach, tall) + (start, 0), -9, 9)
        return [(trim.GLASS, glass)]
    size = (0.72 * wide, 0.62 * tall, float(rng.uniform(0.15, 0.19)) * reach * (1.25 if style == "observer" else 1.0))
    pieces: list[Piece] = [(trim.GLASS, solids.ball(size, (0, 0.75 * tall, start + 0.36 * reach), 24))]
    if style == "jet":
        duct = solids.block(
            (0.9 * wide, 0.7 * tall, 0.3 * reach), (1.1 * wide, 0, start + 0.48 * reach), 0.22 * tall, 3
        )
        mouth = solids.block(
            (0.6 * wide, 0.42 * tall, 0.3 * reach), (1.15 * wide, 0, start + 0.47 * reach - 0.06 * tall), 0.15 * tall, 3
        )
        pipe = solids.turned(
            [(0, -0.5 * wide), (0.5 * wide, -0.5 * wide), (0.46 * wide, 0.12 * wide), (0, 0.12 * wide)],
            "z",
            (0, 0.12 * tall, start + reach),
        )
        pieces += [(body, solids.mirrored(duct)), (trim.DARK, solids.mirrored(mouth)), (trim.DARK, pipe)]
    return pieces
