"""Flying wings, which have no tailplane and hardly a fuselage."""

from __future__ import annotations

import numpy as np

from imfield_jax.sources.procedural import airplane_parts as parts
from imfield_jax.sources.procedural import airplane_trim as trim
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.airplane_engines import engine
from imfield_jax.sources.procedural.solids import Color, Piece

NOZZLE: Color = (0.22, 0.22, 0.23, 1.0)


def flying_wing(rng: np.random.Generator) -> list[Piece]:
    """A stealth bomber, a jet or propeller wing of the 1940s, or a blended body."""
    style = str(rng.choice(["stealth", "jets", "propellers", "blended"], p=[0.35, 0.25, 0.2, 0.2]))
    half = float(rng.uniform(22, 27)) if style != "blended" else float(rng.uniform(24, 34))
    sweep = float(rng.uniform(30, 36)) if style == "stealth" else float(rng.uniform(24, 30))
    lean = np.tan(np.radians(sweep))
    thin = 0.0165 * half
    if style == "stealth":
        return _stealth(rng, half, lean, thin)
    color = trim.military(rng) if rng.random() < 0.4 else (trim.WHITE if style == "blended" else trim.STEEL)
    second = trim.vivid(rng) if color == trim.WHITE else color
    if style == "blended":
        lean = np.tan(np.radians(sweep + 6))
        outline = [
            (0, 0, 0.92),
            (0.14, 0.16, 0.9),
            (0.3, 0.36, 0.8),
            (0.42, 0.44, 0.7),
            (1, 0.44 + 0.58 * lean, 0.58 + 0.58 * lean),
        ]
    else:
        root = float(rng.uniform(0.44, 0.5))
        outline = [(0, 0, root + 0.05), (0.12, 0.12 * lean, root), (1, lean, lean + float(rng.uniform(0.12, 0.16)))]
    points = np.array(outline) * half
    back, front = points[0, 2], -points[-1, 2] / 2
    pieces: list[Piece] = [(color, parts.planform(points, (0, front), float(rng.uniform(0.5, 2)), thin, 0.15))]
    if style == "blended":
        return pieces + _blended(rng, half, points, front, thin, color, second)
    long = float(rng.uniform(0.75, 1.0)) * back
    pod = [
        (front - 0.04 * half, 0, 0.012 * half, 0.012 * half),
        (front + 0.06 * half, 0.01 * half, 0.05 * half, 0.05 * half),
        (front + 0.2 * half, 0.015 * half, 0.065 * half, 0.062 * half),
        (front + long + 0.08 * half, 0, 0.012 * half, 0.012 * half),
    ]
    canopy = solids.ball((0.035 * half, 0.04 * half, 0.075 * half), (0, 0.06 * half, front + 0.12 * half), 22)
    pieces += [(color, parts.fuselage(pod, 2.1)), (trim.GLASS, canopy)]
    places = (0.16, 0.3) if rng.random() < 0.6 else (0.2,)
    trail = np.interp(np.array(places) * half, points[:, 0], points[:, 2]) + front
    for place, end in zip(places, trail, strict=True):
        x = place * half
        if style == "propellers":
            pieces += engine(
                rng,
                (x, 0.01 * half, end + 0.1 * half),
                0.038 * half,
                0.34 * half,
                0.062 * half,
                thin,
                (color, second),
                int(rng.choice([3, 4])),
                pusher=True,
            )
        else:
            lead = front + lean * x
            duct = [
                (0, 0),
                (0.028 * half, 0),
                (0.033 * half, 0.05 * half),
                (0.032 * half, 0.3 * half),
                (0.025 * half, end - lead + 0.08 * half),
                (0, end - lead + 0.08 * half),
            ]
            hole = [
                (0, -0.004 * half),
                (0.021 * half, -0.004 * half),
                (0.02 * half, end - lead + 0.085 * half),
                (0, end - lead + 0.085 * half),
            ]
            pieces += [
                (color, solids.mirrored(solids.turned(duct, "z", (x, 0.015 * half, lead - 0.02 * half)))),
                (trim.DARK, solids.mirrored(solids.turned(hole, "z", (x, 0.015 * half, lead - 0.02 * half)))),
            ]
    if rng.random() < 0.6:
        for place, end in zip(places, trail, strict=True):
            one = parts.fin(0.085 * half, 0.13 * half, 0.5, 35, (0.0, end - 0.14 * half), thin, (place + 0.05) * half)
            pieces.append((color, solids.mirrored(one)))
    return pieces


def _stealth(rng: np.random.Generator, half: float, lean: float, thin: float) -> list[Piece]:
    """A wing with a sawtooth rear edge, a smooth hump and two flat intakes."""
    deep, notch = float(rng.uniform(0.78, 0.86)), float(rng.uniform(0.15, 0.2))
    joint = float(rng.uniform(0.52, 0.62))
    tooth = 0.62 * joint
    inner = float(rng.uniform(0.2, 0.24))
    outline = [
        (0, 0, deep),
        (notch, notch * lean, deep - 0.65 * notch),
        (tooth, tooth * lean, deep - 0.03),
        (joint, joint * lean, joint * lean + inner),
        (1, lean, lean + inner - 0.06),
    ]
    if rng.random() < 0.35:  # one tooth: a smaller, simpler airplane
        outline = [(0, 0, deep + 0.05), (joint, joint * lean, joint * lean + inner), (1, lean, lean + inner - 0.04)]
    points = np.array(outline) * half
    front = -0.5 * max(points[:, 2])
    shade = float(rng.uniform(0.13, 0.3))
    color: Color = (round(shade, 4), round(1.03 * shade, 4), round(1.1 * shade, 4), 1.0)
    hump = [
        (front + 0.02 * half, 0, 0.02 * half, 0.01 * half),
        (front + 0.16 * half, 0.02 * half, 0.085 * half, 0.055 * half),
        (front + 0.36 * half, 0.02 * half, 0.1 * half, 0.06 * half),
        (front + 0.78 * deep * half, 0, 0.03 * half, 0.015 * half),
    ]
    body = parts.fuselage(hump, 2.0)
    pieces = [(color, parts.planform(points, (0, front), 0.3, thin, 0.1)), (color, body)]
    x, z = 0.16 * half, front + 0.33 * half
    duct = solids.ball((0.06 * half, 0.05 * half, 0.2 * half), (x, 0.015 * half, z), 22) ^ trim.box(
        (-99, -99, z - 0.12 * half), (99, 99, 99)
    )
    mouth = solids.ball((0.05 * half, 0.024 * half, 0.06 * half), (x, 0.036 * half, z - 0.08 * half), 18)
    pieces += [(color, solids.mirrored(duct)), (trim.DARK, solids.mirrored(mouth))]
    pane = trim.box((-99, 0.045 * half, front + 0.09 * half), (99, 99, front + 0.165 * half))
    return [*pieces, (trim.GLASS, parts.fuselage(hump, 2.0, 0.004 * half) ^ pane)]


def _blended(
    rng: np.random.Generator, half: float, points: np.ndarray, front: float, thin: float, color: Color, second: Color
) -> list[Piece]:
    """The fins, jets and windows of a wide body that merges into its wing."""
    body = solids.ball((0.2 * half, 0.085 * half, 0.42 * half), (0, 0.01 * half, front + 0.44 * half), 36)
    pieces: list[Piece] = [(color, body)]
    if rng.random() < 0.6:
        x, lead, trail = points[-1]
        winglet = [
            (x - 0.3 * thin, 0.015 * half, front + lead, trail - lead),
            (1.05 * half, 0.13 * half, front + lead + 0.1 * half, 0.06 * half),
        ]
        pieces.append((second, solids.mirrored(parts.foil(winglet, thin))))
    else:
        fin = parts.fin(0.12 * half, 0.17 * half, 0.5, 38, (0.0, front + 0.7 * half), thin, 0.22 * half, 12)
        pieces.append((second, solids.mirrored(fin)))
    size = 0.048 * half
    for x in (0.0, 0.125) if rng.random() < 0.5 else (0.085,):
        middle = (x * half, 0.138 * half, front + 0.62 * half)
        shell, core = parts.jet(size, 4.2 * size, middle)
        stub = parts.foil(
            [
                (x * half, 0.0, front + 0.64 * half, 0.16 * half),
                (x * half, 0.12 * half, front + 0.67 * half, 0.12 * half),
            ],
            thin,
            0.0,
        )
        pieces += [(color, solids.mirrored(shell + stub)), (trim.DARK, solids.mirrored(core))]
    skin = solids.ball((0.203 * half, 0.088 * half, 0.423 * half), (0, 0.01 * half, front + 0.44 * half), 36)
    return [*pieces, (trim.GLASS, skin ^ trim.box((-99, 0.03 * half, -99), (99, 0.05 * half, front + 0.14 * half)))]
