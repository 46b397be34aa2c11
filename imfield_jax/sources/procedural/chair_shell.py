"""Lounge chairs that swivel: eggs, balls and buckets."""

from __future__ import annotations

import numpy as np
from manifold3d import Manifold
from scipy.interpolate import PchipInterpolator

from imfield_jax.sources.procedural import chair_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.furniture_colors import FABRICS, METALS, PAINTS, pick
from imfield_jax.sources.procedural.solids import Color, Piece


def swivel_shell(rng: np.random.Generator) -> list[Piece]:
    """A lounge chair in one shell on a star foot or a pedestal: an egg, a ball or a bucket."""
    style = str(rng.choice(["egg", "ball", "bucket"], p=[0.4, 0.25, 0.35]))
    outer: Color = pick(rng, PAINTS if style == "ball" or rng.random() < 0.4 else FABRICS)
    lining = outer if style == "egg" and rng.random() < 0.7 else pick(rng, FABRICS)
    metal = pick(rng, METALS)
    if style == "bucket":
        return _bucket(rng, outer, lining, metal)
    thick = 0.034
    if style == "ball":
        size = float(rng.uniform(0.44, 0.54))
        radii, middle = (size, size, size), size + float(rng.uniform(0.14, 0.2))
        cut = np.array([(-9.0, -9), (-0.62 * size, -9), (-0.2 * size, 9), (-9, 9)])
        opening = solids.along_x(cut, -9, 9)
        opening = opening.translate((0, middle, 0))
        seat, bottom = middle - 0.42 * size, middle - size
    else:
        radii = (float(rng.uniform(0.4, 0.46)), float(rng.uniform(0.5, 0.57)), float(rng.uniform(0.38, 0.43)))
        bottom = float(rng.uniform(0.22, 0.27))
        middle = bottom + radii[1]
        seat = 0.42
        arm, head = float(rng.uniform(0.56, 0.64)), bottom + 2 * radii[1]
        # From the lip of the seat over the arms, where it recedes, to the wings beside the head.
        lip = (-9.0, seat - 0.02), (-0.3, seat - 0.02), (-0.25, arm), (-0.08, arm + 0.06)
        wing = (-0.0, 0.5 * (arm + head)), (-0.07, head - 0.14), (0.06, head + 0.1), (0.06, 9.0), (-9.0, 9.0)
        opening = solids.along_x(solids.rounded(np.array([*lip, *wing]), 0.1, 6), -9, 9)
    whole, hollow, inside = (
        Manifold.sphere(1.0, 56).scale(tuple(r - t for r in radii)).translate((0, middle, 0))
        for t in (0, thick, 0.5 * thick)
    )
    shell = whole - hollow - opening
    deep = 0.34 if style == "ball" else 0.16
    cushion = inside ^ Manifold.cube((9, deep, 9), True).translate((0, seat + 0.04 - deep / 2, 0))
    reach = solids.block((9, 9, 9), (0, seat, 4.5 - 0.92 * radii[2])) - opening.translate((0, 0, 0.03))
    pieces: list[Piece] = [(outer, shell), (lining, cushion ^ reach)]
    if style == "ball":
        pieces.append(
            (
                lining,
                (
                    inside
                    ^ solids.block((1.3 * radii[0], 0.9 * radii[0], 9), (0, middle + 0.08, 4.5 + 0.62 * radii[0]), 0.05)
                ),
            )
        )
    if style == "ball" and rng.random() < 0.8:
        foot = float(rng.uniform(0.26, 0.34))
        profile = [
            (0, 0),
            (foot, 0),
            (foot, 0.018),
            (0.5 * foot, 0.05),
            (0.3 * foot, bottom),
            (0.42 * foot, bottom + 0.09),
            (0, bottom + 0.09),
        ]
        return [*pieces, (outer if rng.random() < 0.6 else metal, solids.turned(profile, "y", segments=40))]
    tilt = float(rng.uniform(3, 9)) if style == "egg" else 0.0
    turned = [
        (color, solid.translate((0, -bottom, 0)).rotate((tilt, 0, 0)).translate((0, bottom, 0)))
        for color, solid in pieces
    ]
    return [*turned, *_foot(rng, metal, bottom + 0.02)]


def _foot(rng: np.random.Generator, metal: Color, top: float) -> list[Piece]:
    """A star of four or five arms, or a disc, under a column."""
    if rng.random() < 0.25:
        return [(metal, parts.disc_base(rng, top))]
    count, reach = int(rng.choice([4, 4, 5])), float(rng.uniform(0.3, 0.37))
    angle = 45.0 if count == 4 else 0.0
    arm = solids.tube(np.array([(0, 0.075, 0), (0, 0.06, -0.3 * reach), (0, 0.02, -reach)]), [0.024, 0.022, 0.015], 10)
    arms = solids.union(arm.rotate((0, angle + 360.0 / count * i, 0)) for i in range(count))
    column = solids.turned([(0, 0.04), (0.032, 0.04), (0.028, top - 0.03), (0.07, top), (0, top)], "y", segments=22)
    return [(metal, arms.trim_by_plane((0, 1, 0), 0.0) + column)]


def _bucket(rng: np.random.Generator, outer: Color, lining: Color, metal: Color) -> list[Piece]:
    """A wide shell whose rims rise as arms and lower towards the head: a swan or a tulip."""
    seat, half = float(rng.uniform(0.36, 0.42)), float(rng.uniform(0.24, 0.28))
    back, lean = float(rng.uniform(0.4, 0.62)), float(rng.uniform(0.12, 0.22))
    wide = float(rng.uniform(0.62, 0.78))
    path = np.array(
        [
            (-half - 0.04, seat - 0.01),
            (-half + 0.12, seat + 0.005),
            (0.45 * half, seat - 0.02),
            (half, seat + 0.05),
            (half + 0.4 * lean, seat + 0.45 * back),
            (half + lean, seat + back),
        ]
    )
    curve = parts.resampled(solids.bent(path, 0.12, 5), 36)
    t = np.linspace(0, 1, len(curve))
    widths = wide * np.interp(t, [0, 0.12, 0.45, 0.65, 0.9, 1.0], [0.7, 0.84, 1.0, 0.94, 0.72, 0.62])
    widths *= np.sqrt(1 - 0.75 * np.clip((t - 0.82) / 0.18, 0, 1) ** 2.5 - 0.6 * np.clip(1 - t / 0.12, 0, 1) ** 2.5)
    arms, head = float(rng.uniform(0.2, 0.27)), float(rng.uniform(0.15, 0.5))
    rim = arms * PchipInterpolator([0, 0.1, 0.36, 0.52, 0.78, 1.0], [0.0, 0.15, 1.0, 0.95, head, 0.05])(t)
    # The rims rise forward and up along the whole path: along its normals they would meet in the bend.
    rise = np.array([-0.5, 0.87])

    def strip(rows: slice, share: float, above: float, thick: float) -> Manifold:
        """The middle `share` of the shell's width, moved up by `above`."""
        u = np.linspace(-share, share, 17)
        upper = above + rim[rows, None] * np.abs(u) ** 2.2
        lift = np.concatenate([upper + thick / 2, (upper - thick / 2)[:, ::-1]], axis=1)
        side = curve[rows, None] + lift[..., None] * rise
        x = widths[rows, None] / 2 * np.concatenate([u, 0.96 * u[::-1]])
        return solids.loft(np.stack([x, side[..., 1], side[..., 0]], axis=-1))

    pieces: list[Piece] = [(outer, strip(slice(None), 1.0, 0.0, float(rng.uniform(0.045, 0.06))))]
    if rng.random() < 0.6:
        pieces.append((lining, strip(slice(3, 22), 0.66, 0.034, 0.05)))
    if rng.random() < 0.4:
        flare = [
            (0, 0),
            (0.25, 0),
            (0.25, 0.012),
            (0.12, 0.03),
            (0.045, 0.1),
            (0.03, 0.55 * seat),
            (0.05, seat - 0.06),
            (0.11, seat),
            (0, seat),
        ]
        return [*pieces, (outer, solids.turned(flare, "y", segments=36))]
    return [*pieces, *_foot(rng, metal, seat)]
