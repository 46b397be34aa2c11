"""Trim on the shell of a car: lamps, grille, plates, doors, mirrors, rails, spoilers, bumpers."""

from __future__ import annotations

import dataclasses

import numpy as np
from manifold3d import CrossSection, Manifold

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.car_body import at, axles, body, cabin_half_width, half_width, roof_line, top_line
from imfield_jax.sources.procedural.car_styles import Proportions
from imfield_jax.sources.procedural.solids import Color, Piece

PLASTIC: Color = (0.11, 0.11, 0.12, 1.0)
GRILLE: Color = (0.05, 0.05, 0.06, 1.0)
LAMP: Color = (0.93, 0.95, 0.97, 1.0)
TAIL_LAMP: Color = (0.66, 0.05, 0.06, 1.0)
PLATE: Color = (0.90, 0.90, 0.86, 1.0)
CHROME: Color = (0.74, 0.76, 0.78, 1.0)
SKIN = 0.008  # metres by which lamps, glass and trim protrude from the paint
UTILITY = ("suv", "offroad", "pickup")
TALL_REAR = ("hatchback", "estate", "suv", "offroad", "van", "minivan")


@dataclasses.dataclass(frozen=True)
class Shell:
    """The solids that the trim is cut from.

    skin, cabin_skin: lower body and cabin, larger than the painted ones by SKIN.
    hollow: the volume cut from the lower body: wheel arches and load bed.
    """

    p: Proportions
    style: str
    skin: Manifold
    cabin_skin: Manifold
    hollow: Manifold


def _band(shell: Shell, low: float, high: float, z_low: float, z_high: float, inside: float = 0.0) -> Manifold:
    """The skin of the lower body between two heights and two stations, |x| at least `inside`."""
    box = Manifold.cube((9, high - low, z_high - z_low)).translate((-4.5, low, z_low))
    if inside:
        box = box - Manifold.cube((2 * inside, 9, 40), True)
    return shell.skin ^ box


def _plate(shell: Shell, y: float, end: int) -> Manifold:
    """A number plate on the nose (end -1) or the tail (+1), mostly sunk into the body."""
    hit = shell.skin.ray_cast((0, y, 9.0 * end), (0, y, 0))[0]
    return solids.block((0.48, 0.12, 0.09), (0, y, hit.position[2] - 0.033 * end), 0.01)


def front(rng: np.random.Generator, shell: Shell) -> list[Piece]:
    """Headlamps, grille, intake and plate."""
    p = shell.p
    nose = -p.length / 2
    low, high = (
        p.clearance,
        float(top_line(p, nose + 0.05)) - (p.nose_drop - 0.12) * 0.6 * (p.belt * p.height - p.clearance),
    )
    tall, wide = high - low, float(half_width(p, nose + 0.15))
    middle = low + tall * float(rng.uniform(0.66, 0.74))
    half = float(rng.uniform(0.055, 0.1))
    if rng.random() < 0.25 or shell.style == "offroad":
        round_lamp = CrossSection.circle(1.25 * half, 24).translate((0.76 * wide, middle))
        lamps = solids.along_z(round_lamp, nose - 1, nose + 0.6)
    else:
        slant = float(rng.uniform(0.0, 0.07))
        inner = float(rng.uniform(0.5, 0.66)) * wide
        quad = [
            (inner, middle - half),
            (2, middle - 0.5 * half + slant),
            (2, middle + half + slant),
            (inner, middle + 0.7 * half),
        ]
        lamps = solids.along_z(quad, nose - 1, nose + float(rng.uniform(0.38, 0.55)))
    pieces = [(LAMP, shell.skin ^ solids.mirrored(lamps))]
    grille = float(rng.uniform(0.3, 0.5)) * wide
    drop = float(rng.uniform(0.06, 0.2))
    mask = solids.rounded(
        np.array(
            [
                (-grille, middle + half),
                (grille, middle + half),
                (0.85 * grille, middle - drop),
                (-0.85 * grille, middle - drop),
            ]
        ),
        0.05,
    )
    if shell.style != "sports":
        pieces.append((GRILLE, shell.skin ^ solids.along_z(mask, nose - 1, nose + 0.4)))
    intake = float(rng.uniform(0.5, 0.8)) * wide
    mask = solids.rounded(
        np.array(
            [
                (-intake, low + 0.2 * tall),
                (intake, low + 0.2 * tall),
                (0.9 * intake, low + 0.36 * tall),
                (-0.9 * intake, low + 0.36 * tall),
            ]
        ),
        0.03,
    )
    pieces.append((GRILLE, shell.skin ^ solids.along_z(mask, nose - 1, nose + 0.4)))
    pieces.append((PLATE, _plate(shell, low + 0.44 * tall, -1)))
    return pieces


def rear(rng: np.random.Generator, shell: Shell) -> list[Piece]:
    """Tail lamps and plate."""
    p = shell.p
    tail = p.length / 2
    low, high = p.clearance, float(top_line(p, tail - 0.05)) - p.tail_drop * (p.belt * p.height - p.clearance)
    tall, wide = high - low, float(half_width(p, tail - 0.1))
    inner = wide * (float(rng.uniform(0.78, 0.86)) if shell.style in TALL_REAR else float(rng.uniform(0.5, 0.75)))
    head = high - float(rng.uniform(0.03, 0.07))
    foot = head - (float(rng.uniform(0.2, 0.32)) if shell.style in TALL_REAR else float(rng.uniform(0.11, 0.17)))
    lamps = solids.along_z(
        [(inner, foot), (2, foot), (2, head), (inner, head)], tail - float(rng.uniform(0.15, 0.3)), tail + 1
    )
    pieces = [(TAIL_LAMP, shell.skin ^ solids.mirrored(lamps))]
    pieces.append((PLATE, _plate(shell, low + 0.5 * tall, 1)))
    return pieces


def sides(rng: np.random.Generator, shell: Shell, paint: Color) -> list[Piece]:
    """Mirrors, door seams, handles, sills."""
    p = shell.p
    red, green, blue = (round(0.35 * c, 4) for c in paint[:3])
    seam: Color = (red, green, blue, 1.0)
    foot, head = at(p, p.cowl), at(p, p.roof_front)
    pieces: list[Piece] = []
    z = foot + 0.3 * (head - foot) + 0.12
    y = float(top_line(p, z)) + 0.1
    x = float(half_width(p, z))
    big = 1.25 if shell.style in (*UTILITY, "van") else 1.0
    mirror = solids.block((0.26, 0.15 * big, 0.12), (x + 0.06, y, z), 0.045)
    arm = solids.tube([(x - 0.13, y - 0.17, z + 0.02), (x + 0.04, y, z)], 0.035, 8)
    pieces.append((paint if rng.random() < 0.6 else PLASTIC, solids.mirrored(mirror + arm)))
    sill, belt = p.clearance + 0.12, p.belt * p.height - 0.06
    first = max(foot + 0.12, axles(p)[0] + p.wheel_radius * 1.25)
    stop = axles(p)[1] - 0.2
    doors = np.linspace(first, stop, 3) if stop - first > 1.9 else np.array([first, first + min(1.3, stop - first)])
    cuts = [Manifold.cube((9, belt - sill, 0.022)).translate((-4.5, sill, float(z))) for z in doors]
    bottom = Manifold.cube((9, 0.022, doors[-1] - doors[0] + 0.022)).translate((-4.5, sill, float(doors[0])))
    pieces.append((seam, shell.skin ^ solids.union([*cuts, bottom])))
    grip = [solids.block((0.1, 0.06, 0.2), (x - 0.045, belt - 0.09, float(z) - 0.22), 0.02) for z in doors[1:]]
    pieces.append((CHROME if rng.random() < 0.4 else seam, solids.mirrored(solids.union(grip))))
    if shell.style in UTILITY or rng.random() < 0.25:
        pieces.append((PLASTIC, _band(shell, 0.0, p.clearance + 0.1, -9, 9)))
    return pieces


def extras(rng: np.random.Generator, shell: Shell, paint: Color) -> list[Piece]:
    """Optional trim: flares, roof rails, spoilers, bumpers, a spare wheel."""
    p, style = shell.p, shell.style
    pieces: list[Piece] = []
    if style in UTILITY and rng.random() < 0.7:
        ring = CrossSection.circle(1.17 * p.wheel_radius + 0.08, 40) - CrossSection.circle(1.16 * p.wheel_radius, 40)
        ring = ring.translate((0, p.wheel_radius)) - CrossSection.square((9, 2), False).translate(
            (-4.5, p.clearance - 2)
        )
        flares = [solids.along_x(ring.translate((z, 0)), p.width / 2 - 0.25, p.width / 2 + 0.03) for z in axles(p)]
        pieces.append((PLASTIC, solids.mirrored(flares[0] + flares[1])))
    if style in ("suv", "estate", "offroad", "minivan") and rng.random() < 0.6:
        front, rear = at(p, p.roof_front) + 0.2, at(p, p.roof_rear) - 0.1
        along = np.linspace(front, rear, 6)
        line = roof_line(p)
        above = np.interp(along, line[:, 0], line[:, 1]) - 0.02
        aside = cabin_half_width(p, along, np.full(6, p.height)) * 0.86
        rail = solids.tube(np.stack([aside, above + 0.035, along], axis=-1), 0.045, 8)
        pieces.append((CHROME if rng.random() < 0.5 else PLASTIC, solids.mirrored(rail)))
    if style in ("hatchback", "suv", "minivan", "estate") and rng.random() < 0.4:
        z, y = at(p, p.roof_rear), p.height - p.roof_fall
        x = float(cabin_half_width(p, z, y)) - 0.08
        lip = solids.block((2 * x, 0.075, 0.4), (0, y - 0.055, z + 0.1), 0.03)
        pieces.append((paint, lip))
    if (style == "sports" and rng.random() < 0.6) or (style in ("coupe", "sedan") and rng.random() < 0.2):
        z, y = p.length / 2 - 0.22, float(top_line(p, p.length / 2 - 0.25))
        wide = float(half_width(p, z)) * 0.9
        lift = float(rng.uniform(0.1, 0.24))
        wing = solids.block((2 * wide, 0.07, 0.26), (0, y + lift, z), 0.03)
        post = solids.block((0.09, lift + 0.2, 0.16), (0.62 * wide, y + lift / 2 - 0.08, z), 0.03)
        pieces.append((paint if rng.random() < 0.6 else PLASTIC, wing + solids.mirrored(post)))
    if style == "offroad" and rng.random() < 0.7:
        spare = solids.turned(
            solids.rounded(np.array([(0, -0.12), (0.37, -0.12), (0.37, 0.12), (0, 0.12)]), 0.05),
            "z",
            segments=32,
        )
        hub = solids.turned([(0, -0.1), (0.22, -0.1), (0.2, 0.14), (0, 0.14)], "z", segments=24)
        place = (0, 0.55 * p.height, p.length / 2 + 0.07)
        pieces += [(PLASTIC, spare.translate(place)), (CHROME, hub.translate(place))]
    if style in ("pickup", "offroad", "van") or (style in ("estate", "suv", "minivan") and rng.random() < 0.25):
        large = body(p, 0.06) - shell.hollow
        ends = Manifold.cube((9, 0.24, 9)).translate((-4.5, p.clearance + 0.03, 0))
        half = p.length / 2
        ends = ends.translate((0, 0, half - 0.28)) + ends.translate((0, 0, 0.4 - half - 9))
        pieces.append((CHROME if rng.random() < 0.3 else PLASTIC, large ^ ends))
    return pieces
