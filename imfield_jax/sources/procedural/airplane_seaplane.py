"""Airplanes that land on water: on a boat hull or on floats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from manifold3d import Manifold

from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.airplane_engines import bar, engine
from imfield_jax.sources.procedural.airplane_light import cabin
from imfield_jax.sources.procedural.solids import Color, Piece


def boat(front: float, step: float, rear: float, wide: float, deck: float, keel: float, bow: float) -> Manifold:
    """A planing bottom with a V keel and a step, below a deck at y = `deck`.

    front, step, rear: z.   keel: y at the step.   bow: y of the keel at its front end, as at the rear.
    """

    def body(stations: list[tuple[float, float, float]]) -> Manifold:
        rings = []
        for z, y, half in stations:
            high = deck - y
            section = [(0.0, y), (half, y + 0.34 * high), (half, y + 0.62 * high), (0.78 * half, deck)]
            section += [(-a, b) for a, b in section[:0:-1]]
            rings.append([(a, b, z) for a, b in section])
        return solids.loft(np.array(rings))

    long, deep = step - front, keel - bow
    ahead = [(0, 0.0, 0.1), (0.1, 0.42, 0.45), (0.3, 0.78, 0.82), (0.6, 0.97, 1.0), (1.0, 1.0, 0.98)]
    behind = [(-0.1, 0.78, 0.9), (0.35, 0.62, 0.72), (1.0, 0.1, 0.14)]
    return body([(front + t * long, bow + d * deep, w * wide) for t, d, w in ahead]) + body(
        [(step + t * (rear - step), bow + d * deep, w * wide) for t, d, w in behind]
    )


def flying_boat(rng: np.random.Generator) -> list[Piece]:
    """A boat with wings: two or four engines on a high or parasol wing, or a small one with a pylon."""
    style = str(rng.choice(["parasol", "shoulder", "four", "pylon"], p=[0.25, 0.3, 0.25, 0.2]))
    length = {"parasol": 19.0, "shoulder": 19.5, "four": 29.0, "pylon": 7.8}[style] * float(rng.uniform(0.9, 1.1))
    span = length * float(rng.uniform(1.35, 1.6) if style in ("parasol", "pylon") else rng.uniform(1.18, 1.42))
    thin = 0.85 * parts.thinnest(length, span)
    gray = rng.random() < 0.4
    body = trim.military(rng) if gray else (trim.WHITE if rng.random() < 0.5 else trim.vivid(rng))
    accent = trim.vivid(rng) if not gray else body if rng.random() < 0.6 else trim.military(rng)
    wide, high = length * float(rng.uniform(0.056, 0.066)), length * float(rng.uniform(0.068, 0.085))
    nose, step = -length / 2, length * float(rng.uniform(-0.02, 0.03))
    line = [
        (nose, 0.02 * length, 0.1 * wide, 0.14 * high),
        (nose + 0.05 * length, 0.012 * length, 0.55 * wide, 0.5 * high),
        (nose + 0.16 * length, 0.004 * length, 0.93 * wide, 0.88 * high),
        (nose + 0.3 * length, 0.004 * length, wide, high),
        (nose + 0.52 * length, 0.006 * length, 0.94 * wide, 0.95 * high),
        (nose + 0.76 * length, 0.03 * length, 0.55 * wide, 0.55 * high),
        (length / 2, 0.062 * length, 0.16 * wide, 0.2 * high),
    ]
    hull = boat(nose + 0.012 * length, step, 0.36 * length, 1.04 * wide, 0.2 * high, -1.32 * high, -0.02 * length)
    pieces: list[Piece] = [(body, parts.fuselage(line, 2.5)), (accent if rng.random() < 0.6 else body, hull)]
    chord = span * float(rng.uniform(0.105, 0.125))
    z_wing, lead = step - 0.52 * chord, float(rng.uniform(0, 5))
    y_wing = {"parasol": high + 0.065 * length, "pylon": 0.3 * high}.get(style, 0.93 * high)
    dihedral = float(rng.uniform(0, 1.5) if style != "pylon" else rng.uniform(3, 5))
    taper = float(rng.uniform(0.45, 0.75))
    wing = parts.wing(span, chord, taper, lead, dihedral, (y_wing, z_wing), thin, 0.0, 0.14)
    pieces += [(body, wing), *_boat_tail(rng, length, thin, body, accent)]
    pieces += _boat_windows(rng, line, length, wide, high)

    def under(x: float) -> tuple[float, float]:
        """(y, z) of the wing at x: the leading edge."""
        return y_wing + np.tan(np.radians(dihedral)) * x, z_wing + np.tan(np.radians(lead)) * x

    colors = (body, accent)
    if style == "pylon":
        y, z = high + float(rng.uniform(0.075, 0.1)) * length, z_wing + 0.75 * chord
        pusher = rng.random() < 0.7
        reach = 0.2 * length
        hub = (0.0, y, z + 0.5 * reach * (1 if pusher else -1))
        pieces += engine(
            rng, hub, 0.034 * length, reach, 0.115 * length, thin, colors, 2 + int(rng.random() < 0.4), False, pusher
        )
        mast = [(0, 0.5 * high, z - 0.06 * length, 0.17 * length), (0, y, z - 0.05 * length, 0.1 * length)]
        pieces.append((body, parts.foil(mast, 1.2 * thin, 0.0)))
    else:
        disc = length * {"parasol": 0.09, "shoulder": 0.09, "four": 0.062}[style]
        size = 0.36 * disc
        first = {"parasol": 1.22 * disc, "shoulder": wide + 1.15 * disc, "four": wide + 1.2 * disc}[style]
        blades, radial = int(rng.choice([3, 3, 4])), rng.random() < 0.65
        for x in (first, first + 2.3 * disc) if style == "four" else (first,):
            y, z = under(x)
            pieces += engine(
                rng, (x, y + 0.25 * size, z - 0.4 * chord), size, 1.15 * chord, disc, thin, colors, blades, radial
            )
    if style == "parasol":
        mast = [(0, 0.5 * high, z_wing - 0.1 * chord, 1.25 * chord), (0, y_wing, z_wing + 0.05 * chord, 0.85 * chord)]
        pieces.append((body, parts.foil(mast, 0.55 * wide, 0.0)))
        x = 0.19 * span
        y, z = under(x)
        for shift in (0.22, 0.68):
            foot = (0.85 * wide, 0.1 * high, z_wing + shift * chord)
            pieces.append((body, bar((foot, (x, y, z + shift * chord)), thin)))
    return pieces + _wing_floats(rng, length, span, high, chord, thin, accent, under)


def _wing_floats(
    rng: np.random.Generator,
    length: float,
    span: float,
    high: float,
    chord: float,
    thin: float,
    color: Color,
    under: Callable[[float], tuple[float, float]],
) -> list[Piece]:
    """A float on two struts below each outer wing."""
    x = 0.5 * span * float(rng.uniform(0.68, 0.84))
    y, z = under(x)
    reach, size = 0.155 * length, 0.021 * length
    deck = -0.35 * high
    line = boat(-0.45 * reach, 0.08 * reach, 0.55 * reach, size, size, -1.15 * size, -0.1 * size)
    top = parts.fuselage(
        [
            (-0.44 * reach, 0.3 * size, 0.1 * size, 0.1 * size),
            (-0.1 * reach, 0.45 * size, 0.9 * size, 0.9 * size),
            (0.55 * reach, 0.4 * size, 0.1 * size, 0.15 * size),
        ],
        2.2,
        0,
        16,
        14,
    )
    center = z + 0.42 * chord
    pieces: list[Piece] = [(color, solids.mirrored((line + top).translate((x, deck, center))))]
    for shift in (-0.16, 0.16):
        pieces.append(
            (color, bar(((x, deck, center + shift * reach), (x, y, center + shift * min(reach, 1.4 * chord))), thin))
        )
    return pieces


def _boat_tail(rng: np.random.Generator, length: float, thin: float, body: Color, accent: Color) -> list[Piece]:
    """A tall fin with the tailplane half way up or on top, or two fins at the ends of the tailplane."""
    style = str(rng.choice(["cross", "top", "twin"], p=[0.5, 0.25, 0.25]))
    height, root = length * float(rng.uniform(0.15, 0.19)), length * float(rng.uniform(0.15, 0.18))
    lean = float(rng.uniform(14, 30))
    slope = np.tan(np.radians(lean))
    y, z, wide = 0.055 * length, length / 2 - 0.97 * root, length * float(rng.uniform(0.32, 0.38))
    if style == "twin":
        place = (0.075 * length, z + 0.2 * root)
        plane = parts.wing(wide, 0.62 * root, 0.8, 5, 6, place, thin)
        tip = 0.075 * length + np.tan(np.radians(6)) * wide / 2
        fins = parts.fin(
            0.8 * height, 0.8 * root, 0.6, lean, (tip - 0.2 * height, place[1] - 0.1 * root), thin, 0.48 * wide
        )
        return [(body, plane), (accent, solids.mirrored(fins))]
    up = (0.42 if style == "cross" else 0.985) * height
    plane = parts.wing(
        wide, 0.66 * root, 0.65, 8, 0, (y + up, z + slope * up + (0.16 if style == "cross" else 0.0) * root), thin
    )
    return [(accent, parts.fin(height, root, 0.6, lean, (y, z), thin)), (body, plane)]


def _boat_windows(
    rng: np.random.Generator, line: list[tuple[float, float, float, float]], length: float, wide: float, high: float
) -> list[Piece]:
    """Glass of the cockpit, windows or blisters behind the wing."""
    skin = parts.fuselage(line, 2.5, 0.02 * wide)
    nose = -length / 2
    screen = [(0.1, 0.35), (0.2, 0.42), (0.235, 0.9), (0.15, 0.9)]
    shape = np.array(screen) * (length, high) + (nose, 0)
    pieces: list[Piece] = [(trim.GLASS, skin ^ solids.along_x(shape, -9, 9))]
    if rng.random() < 0.35:
        blister = solids.ball((0.4 * wide, 0.45 * high, 0.05 * length), (0.55 * wide, 0.45 * high, 0.14 * length), 20)
        return [*pieces, (trim.GLASS, solids.mirrored(blister))]
    count = int(rng.integers(3, 7))
    panes = [
        trim.box(
            (-9, 0.2 * high, nose + (0.29 + 0.06 * i) * length), (9, 0.48 * high, nose + (0.32 + 0.06 * i) * length)
        )
        for i in range(count)
    ]
    return [*pieces, (trim.GLASS, skin ^ Manifold.compose(panes))]


def floatplane(rng: np.random.Generator) -> list[Piece]:
    """A light airplane on two stepped floats, or a naval one on a central float."""
    central = rng.random() < 0.25
    length = float(rng.uniform(8.5, 12.5))
    span = length * float(rng.uniform(1.15, 1.42))
    thin = 0.85 * parts.thinnest(length, span)
    high, radial = not central and rng.random() < 0.8, central or rng.random() < 0.5
    body = trim.military(rng) if central else (trim.WHITE if rng.random() < 0.4 else trim.vivid(rng))
    accent = trim.vivid(rng) if not central else body if rng.random() < 0.6 else trim.military(rng)
    wide, tall = length * float(rng.uniform(0.062, 0.072)), length * float(rng.uniform(0.075, 0.09))
    nose, roof = -length / 2 + 0.1, 0.1
    first = 0.9 * wide if radial else 0.5 * wide
    power = float(rng.uniform(2.2, 3.2))
    line = [
        (nose, -0.05, first, first),
        (nose + 0.06 * length, -0.05, 1.02 * wide if radial else 0.8 * wide, 1.02 * wide if radial else 0.85 * wide),
        (nose + 0.17 * length, -0.03, 0.98 * wide, wide),
        (nose + 0.3 * length, roof, wide, tall),
        (nose + 0.46 * length, roof, wide, tall),
        (nose + 0.66 * length, 0.1, 0.6 * wide, 0.56 * tall),
        (length / 2, 0.2, 0.14 * wide, 0.2 * tall),
    ]
    pieces: list[Piece] = [(body, parts.fuselage(line, power))]
    chord = span * float(rng.uniform(0.12, 0.14))
    z_wing = nose + length * float(rng.uniform(0.25, 0.3))
    y_wing = roof + tall - 0.05 if high else roof - 0.5 * tall
    dihedral, taper = float(rng.uniform(1, 2.5) if high else rng.uniform(3, 5)), float(rng.uniform(0.6, 1.0))
    pieces.append((body, parts.wing(span, chord, taper, 1.0, dihedral, (y_wing, z_wing), thin, 0.0, 0.13)))
    if high:
        x = float(rng.uniform(0.24, 0.3)) * span
        ends = (
            (0.8 * wide, roof - 0.7 * tall, z_wing + 0.4 * chord),
            (x, y_wing + np.tan(np.radians(dihedral)) * x, z_wing + 0.4 * chord),
        )
        pieces.append((body, bar(ends, thin)))
    pieces += trim.small_tail(rng, length, span, 0.2, thin, body, accent)
    pieces += cabin(rng, line, power, nose, length, roof, tall, wide, high, accent)
    blades, spinner = parts.propeller(rng, 0.13 * length, (0, -0.05, nose - 0.06), thin, int(rng.choice([2, 3, 3])))
    pieces += [(trim.DARK, blades), (accent, spinner)]
    if radial:
        pieces.append(
            (
                trim.DARK,
                solids.turned([(0, -0.02), (0.78 * wide, -0.02), (0.78 * wide, 0.4), (0, 0.4)], "z", (0, -0.05, nose)),
            )
        )
    reach = length * float(rng.uniform(0.72, 0.84))
    size, belly = length * float(rng.uniform(0.036, 0.042)), roof - tall
    front = min(z_wing + 0.4 * chord - 0.55 * reach, nose + 0.1 * length)
    y, x = (
        belly - length * float(rng.uniform(0.085, 0.11)),
        0.0 if central else float(rng.uniform(0.125, 0.15)) * length,
    )
    if central:
        size *= 1.25
    pontoon = boat(front, front + 0.55 * reach, front + reach, size, 0.85 * size, -size, 0.35 * size)
    deck = parts.fuselage(
        [
            (front + 0.02 * reach, 0.62 * size, 0.15 * size, 0.15 * size),
            (front + 0.25 * reach, 0.6 * size, 0.8 * size, 0.5 * size),
            (front + 0.97 * reach, 0.6 * size, 0.15 * size, 0.15 * size),
        ],
        2.4,
        0,
        18,
        14,
    )
    float_color = accent if rng.random() < 0.4 else (body if rng.random() < 0.6 else trim.STEEL)
    pieces.append((float_color, solids.mirrored((pontoon + deck).translate((x, y, 0)))))
    places = front + 0.34 * reach, front + 0.66 * reach
    for z in places:
        if central:
            mast = [(0, y, z - 0.06 * length, 0.12 * length), (0, belly + 0.6 * tall, z - 0.06 * length, 0.12 * length)]
            pieces.append((body, parts.foil(mast, 1.2 * thin, 0.0)))
            continue
        pieces.append((trim.STEEL, bar(((x, y + 0.6 * size, z), (0.6 * wide, belly + 0.3 * tall, z)), thin)))
        pieces.append((trim.STEEL, bar(((-x, y + 0.5 * size, z), (x, y + 0.5 * size, z)), thin)))
    if not central:
        pieces.append(
            (trim.STEEL, bar(((x, y + 0.6 * size, places[0]), (0.55 * wide, belly + 0.3 * tall, places[1])), thin))
        )
        return pieces

    def under(at: float) -> tuple[float, float]:
        return y_wing + np.tan(np.radians(dihedral)) * at, z_wing

    return pieces + _wing_floats(rng, length, span, -y / 0.35 * 0.8, chord, thin, float_color, under)
