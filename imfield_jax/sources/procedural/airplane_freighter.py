"""Military transports: a high wing, a ramp under an upswept tail, wheels in sponsons."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_gear as gear
from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.airplane_engines import engine
from imfield_jax.sources.procedural.airplane_transport import hung_jet
from imfield_jax.sources.procedural.solids import Color, Piece


def military_transport(rng: np.random.Generator) -> list[Piece]:
    """A freighter with four or two turboprops, or four or two jets."""
    style = str(rng.choice(["four props", "two props", "four jets", "two jets"], p=[0.45, 0.2, 0.2, 0.15]))
    count, jets = (4 if "four" in style else 2), "jets" in style
    length = float(
        rng.uniform(36, 54) if style == "four jets" else rng.uniform(21, 26) if count == 2 else rng.uniform(28, 42)
    )
    radius = length * float(rng.uniform(0.058, 0.066) if jets else rng.uniform(0.064, 0.074))
    span = length * float(rng.uniform(0.92, 1.05) if jets else rng.uniform(1.1, 1.38))
    thin = parts.thinnest(length, span) * 0.9
    body = trim.military(rng) if rng.random() < 0.85 else trim.WHITE
    second = body if rng.random() < 0.7 else trim.military(rng)
    tail = float(rng.uniform(0.38, 0.44))
    high = jets or rng.random() < 0.4
    top = 0.98 if high else 0.85
    line = parts.streamline(length, radius, float(rng.uniform(0.13, 0.17)), tail, top, 0.45, 0.1, 1.02)
    pieces: list[Piece] = [(body, parts.fuselage(line, 2.25))]
    y_wing, z_wing = 0.98 * radius, length * float(rng.uniform(-0.17, -0.12))
    chord = span * (0.15 if jets else float(rng.uniform(0.105, 0.125)))
    lead, dihedral = (
        (float(rng.uniform(22, 29)), -3.0) if jets else (float(rng.uniform(0, 5)), float(rng.uniform(-1, 2.5)))
    )
    wing = parts.wing(
        span, chord, 0.35 if jets else float(rng.uniform(0.45, 0.6)), lead, dihedral, (y_wing, z_wing), thin, 0.1, 0.13
    )
    fairing = solids.ball((0.62 * radius, 0.36 * radius, 0.85 * chord), (0, 0.92 * radius, z_wing + 0.5 * chord), 26)
    pieces += [(body, wing), (body, fairing)]
    pieces += _tail(rng, length, radius, thin, body, second, high, top)
    wheels = rng.random() < 0.6
    pieces += _sponsons(rng, length, radius, z_wing + 0.6 * chord, thin, body, wheels)
    pieces += _openings(length, radius, tail, line, body)
    fractions = ((0.27, 0.53) if count == 4 else (0.29,)) if not jets else ((0.28, 0.54) if count == 4 else (0.31,))
    size = radius * (float(rng.uniform(0.36, 0.42)) if count == 4 else float(rng.uniform(0.46, 0.54)))
    blades, sunk = int(rng.choice([3, 4, 4, 6])), float(rng.uniform(0.0, 0.3))
    for fraction in fractions:
        x = fraction * span / 2
        y = y_wing + np.tan(np.radians(dihedral)) * x
        z = z_wing + np.tan(np.radians(lead)) * x
        if jets:
            hub = (x, y - 1.15 * size - 0.3 * thin, z - 2.1 * size)
            pieces += hung_jet(body, size, 4.0 * size, hub, y, thin, body)
        else:
            small = max(0.72 * size, 0.8 * thin)
            pieces += engine(
                rng,
                (x, y - sunk * small, z - 0.42 * chord),
                small,
                1.5 * chord,
                (0.107 if count == 4 else 0.112) * span,
                thin,
                (body, body if rng.random() < 0.6 else trim.STEEL),
                blades,
            )
    return pieces


def _tail(
    rng: np.random.Generator,
    length: float,
    radius: float,
    thin: float,
    body: Color,
    second: Color,
    high: bool,
    top: float,
) -> list[Piece]:
    """A tall fin with a fillet in front, the tailplane at its foot or on its tip."""
    height, root = length * float(rng.uniform(0.17, 0.21)), length * float(rng.uniform(0.14, 0.17))
    sweep = float(rng.uniform(28, 38)) if high else float(rng.uniform(14, 26))
    lean = np.tan(np.radians(sweep))
    y, z = 0.8 * top * radius, 0.49 * length - 1.05 * root
    taper = 0.7 if high else float(rng.uniform(0.4, 0.55))
    fillet = parts.foil(
        [(0, 0.72 * radius, z - 0.9 * root, 1.6 * root), (0, y + 0.24 * height, z + 0.2 * height * lean, 0.5 * root)],
        thin,
        0.05,
    )
    pieces = [(second, parts.fin(height, root, taper, sweep, (y, z), thin)), (body, fillet)]
    wide, chord = length * float(rng.uniform(0.34, 0.4)), 0.78 * root
    if high:
        place = (y + height - 0.2 * thin, z + lean * height - 0.08 * root)
        plane = parts.wing(0.92 * wide, 0.92 * chord, 0.5, 24, -2, place, thin)
    else:
        plane = parts.wing(wide, chord, 0.5, 9, 0, (y, z + 0.3 * root), thin)
    return [*pieces, (body, plane)]


def _sponsons(
    rng: np.random.Generator, length: float, radius: float, z: float, thin: float, body: Color, wheels: bool
) -> list[Piece]:
    """Bulges at the sides of the belly, with or without wheels below them."""
    reach, x, y = length * float(rng.uniform(0.12, 0.16)), 0.95 * radius, -0.68 * radius
    line = [
        (z - reach, 0, 0.06 * radius, 0.06 * radius),
        (z - 0.7 * reach, 0, 0.3 * radius, 0.28 * radius),
        (z - 0.1 * reach, 0, 0.42 * radius, 0.38 * radius),
        (z + 0.5 * reach, 0, 0.38 * radius, 0.36 * radius),
        (z + 1.2 * reach, 0.1 * radius, 0.05 * radius, 0.08 * radius),
    ]
    pod = parts.fuselage(line, 2.8, 0.0, 24, 18).translate((x, y, 0))
    pieces: list[Piece] = [(body, solids.mirrored(pod))]
    if wheels:
        size = 0.27 * radius
        wide, ground = max(1.2 * thin, 0.6 * size), -1.42 * radius
        main = [gear.wheel(size, wide, (x, ground + size, z + shift * size)) for shift in (-1.3, 1.3)]
        nose = gear.wheel(0.85 * size, 1.6 * wide, (0, ground + 0.85 * size, -0.37 * length))
        legs = [((x, ground + size, z + shift * size), (x, y, z + shift * size)) for shift in (-1.3, 1.3)]
        legs.append(((0, ground + size, -0.37 * length), (0, -0.6 * radius, -0.37 * length)))
        struts = [solids.mirrored(solids.tube(np.array(ends), 0.6 * thin, 8)) for ends in legs]
        pieces += [(trim.DARK, solids.mirrored(main[0] + main[1]) + nose), (trim.STEEL, solids.union(struts))]
    return pieces


def _openings(length: float, radius: float, tail: float, line: np.ndarray, body: Color) -> list[Piece]:
    """Glass of the cockpit, and the ramp in a darker shade."""
    skin = parts.fuselage(line, 2.25, 0.015 * radius)
    nose = -length / 2
    screen = solids.along_x(
        np.array([(0.2, -0.05), (1.2, 0.05), (1.75, 0.2), (1.75, 0.62), (0.6, 0.62)]) * radius + (nose, 0), -9, 9
    )
    low = solids.along_x(
        np.array([(-0.5, -0.45), (0.75, -0.45), (0.75, -0.28), (-0.5, -0.28)]) * radius + (nose, 0), -9, 9
    )
    start = length / 2 - 0.93 * tail * length
    ramp = trim.box((-0.62 * radius, -9, start), (0.62 * radius, -0.05 * radius, start + 0.55 * tail * length))
    red, green, blue = (round(0.72 * c, 4) for c in body[:3])
    shade: Color = (red, green, blue, 1.0)
    return [(trim.GLASS, skin ^ screen), (trim.GLASS, skin ^ low), (shade, skin ^ ramp)]
