"""Tables of seven kinds: dining, coffee, pedestal, trestle and three-legged tables, desks and folded boards."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from manifold3d import Manifold

from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.furniture_colors import METALS, PAINTS, WOODS, pick, wood_or_paint
from imfield_jax.sources.procedural.solids import Piece
from imfield_jax.sources.scene import Scene


def build(rng: np.random.Generator) -> Scene:
    """One random table."""
    kind = rng.choice(len(KINDS), p=list(KINDS.values()))
    return solids.as_scene(list(KINDS)[kind](rng))


def dining(rng: np.random.Generator) -> list[Piece]:
    """A top on four legs, with or without an apron."""
    size = float(rng.uniform(0.6, 2.2)), float(rng.uniform(0.7, 0.78)), float(rng.uniform(0.6, 1.0))
    return _four_legged(rng, size, shelf=0.05)


def coffee(rng: np.random.Generator) -> list[Piece]:
    """A low table on four legs, often with a shelf."""
    size = float(rng.uniform(0.45, 1.3)), float(rng.uniform(0.32, 0.55)), float(rng.uniform(0.4, 0.75))
    return _four_legged(rng, size, shelf=0.5)


def _four_legged(rng: np.random.Generator, size: tuple[float, float, float], shelf: float) -> list[Piece]:
    """size: width, height and depth.   shelf: probability of a shelf between the legs."""
    wide, high, deep = size
    top_color, thick = wood_or_paint(rng), float(rng.uniform(0.02, 0.055))
    leg_color = top_color if rng.random() < 0.6 else pick(rng, METALS)
    plan = _plan(rng, wide, deep)
    bar = float(rng.uniform(0.016, 0.045))
    inset = bar + float(rng.choice([0.0, 0.03, 0.1]))
    x, z = wide / 2 - inset, deep / 2 - inset
    while not solids.covers(plan, x + bar, z + bar):
        x, z = 0.95 * x, 0.95 * z
    splay = float(rng.choice([0.0, 0.0, 0.04, 0.1]))
    segments = 4 if rng.random() < 0.6 else 12
    radii = np.array([float(rng.choice([1.0, 0.6])), 1.0]) * bar
    foot = x + splay, z + splay
    legs = [
        solids.tube([(foot[0], 0, end * foot[1]), (x, high - thick / 2, end * z)], radii, segments) for end in (-1, 1)
    ]
    pieces: list[Piece] = [(top_color, _top(rng, plan, high, thick)), (leg_color, solids.mirrored(legs[0] + legs[1]))]
    if rng.random() < 0.55:
        drop = float(rng.uniform(0.05, 0.13))
        pieces.append((leg_color, _frame(x, z, high - thick - drop, high - thick / 2, min(0.02, 0.9 * bar))))
        if rng.random() < 0.3:
            drawer = solids.block((0.8 * x, 0.75 * drop, 0.04), (0, high - thick - drop / 2, -z - 0.005), 0.004, 1)
            pieces.append((top_color, drawer))
    if rng.random() < shelf:
        y = float(rng.uniform(0.15, 0.4)) * high
        spread = 1 + splay * (1 - y / high) / min(x, z)
        board = solids.block((2 * spread * x, 0.022, 2 * spread * z), (0, y, 0), 0.005, 1)
        pieces.append((top_color, board))
    return pieces


def pedestal(rng: np.random.Generator) -> list[Piece]:
    """A top on a column with a foot: a disc, a cross or claws."""
    high, thick = float(rng.choice([0.45, 0.74, 1.05]) * rng.uniform(0.95, 1.05)), float(rng.uniform(0.02, 0.045))
    wide = float(rng.uniform(0.5, 1.3)) if high < 0.9 else float(rng.uniform(0.5, 0.75))
    plan = _round(wide, wide) if rng.random() < 0.7 else _rectangle(rng, wide, wide)
    color = wood_or_paint(rng)
    base_color = color if rng.random() < 0.5 else pick(rng, METALS)
    column = float(rng.uniform(0.025, 0.06))
    swell = float(rng.uniform(1.0, 1.8)) if rng.random() < 0.4 else 1.0
    low = [(0, 0.02), (column, 0.02), (column, 0.1), (swell * column, 0.3 * high), (column, 0.55 * high)]
    body = solids.turned([*low, (column, high - thick / 2), (0, high - thick / 2)], "y", segments=24)
    reach = float(rng.uniform(0.28, 0.4)) * wide
    style = str(rng.choice(["disc", "cross", "claws"]))
    if style == "disc":
        foot = solids.turned([(0, 0), (reach, 0), (reach, 0.02), (0.5 * reach, 0.045), (0, 0.06)], "y", segments=32)
    elif style == "cross":
        arm = solids.block((2 * reach, 0.05, 0.06), (0, 0.025, 0), 0.012)
        foot = solids.union([arm.rotate((0, angle, 0)) for angle in (45, 135)])
    else:
        claw = solids.tube(solids.bent([(0, 0.3 * high, 0), (0, 0.16, -0.4 * reach), (0, 0.02, -reach)], 0.1), 0.02, 8)
        foot = solids.union([claw.rotate((0, 90.0 * turn + 45, 0)) for turn in range(4)])
    return [(color, _top(rng, plan, high, thick)), (base_color, body + foot)]


def trestle(rng: np.random.Generator) -> list[Piece]:
    """A top on two trestles, joined by a stretcher: A-shaped, X-shaped or solid."""
    wide, high, deep = float(rng.uniform(1.1, 2.2)), float(rng.uniform(0.7, 0.78)), float(rng.uniform(0.6, 0.95))
    thick, bar = float(rng.uniform(0.025, 0.06)), float(rng.uniform(0.02, 0.04))
    color = wood_or_paint(rng)
    x, z, top = float(rng.uniform(0.3, 0.42)) * wide, 0.4 * deep, high - thick / 2
    style = str(rng.choice(["A", "X", "solid"]))
    if style == "solid":
        side = solids.block((2 * bar, top, 2 * z * float(rng.uniform(0.5, 1.0))), (x, top / 2, 0), 0.01, 1)
        side += solids.block((2.4 * bar, 0.06, 2 * z), (x, 0.03, 0), 0.01, 1)
    else:
        head = 0.3 * z if style == "A" else -z
        legs = [solids.tube([(x, 0, end * z), (x, top, end * head)], bar, 4) for end in (-1, 1)]
        rail = solids.tube([(x, top - bar, -abs(head)), (x, top - bar, abs(head))], bar, 4)
        side = solids.union([*legs, rail])
        if style == "A":
            y = 0.35 * top
            half = z + (head - z) * y / top
            side += solids.tube([(x, y, -half), (x, y, half)], 0.8 * bar, 4)
    y = 0.35 * top if style == "A" else 0.5 * top
    pieces: list[Piece] = [
        (color, _top(rng, _rectangle(rng, wide, deep), high, thick)),
        (color, solids.mirrored(side)),
        (color, solids.tube([(-x, y, 0), (x, y, 0)], 0.9 * bar, 4)),
    ]
    return pieces


def desk(rng: np.random.Generator) -> list[Piece]:
    """A top on drawers at both sides, or between panels, with a back panel."""
    wide, high, deep = float(rng.uniform(1.0, 1.8)), float(rng.uniform(0.72, 0.77)), float(rng.uniform(0.5, 0.8))
    thick, panel = float(rng.uniform(0.02, 0.04)), float(rng.uniform(0.018, 0.035))
    color = wood_or_paint(rng)
    front_color = color if rng.random() < 0.6 else pick(rng, PAINTS)
    top = high - thick / 2
    pieces: list[Piece] = [(color, _top(rng, _rectangle(rng, wide, deep), high, thick))]
    low = float(rng.choice([0.0, 0.0, 0.3])) * high
    backing = solids.block((wide - 0.08, top - low, panel), (0, (top + low) / 2, deep / 2 - 0.05), 0.003, 1)
    pieces.append((color, backing))
    if rng.random() < 0.65:
        chest = float(rng.uniform(0.3, 0.42))
        base = float(rng.choice([0.0, 0.08]))
        centre = wide / 2 - chest / 2 - 0.03
        body = solids.block((chest, top - base, deep - 0.06), (centre, (top + base) / 2, 0), 0.004, 1)
        if base:
            ends = (-deep / 2 + 0.08, deep / 2 - 0.08)
            feet = [
                solids.tube([(centre + dx, 0, z), (centre + dx, base + 0.02, z)], 0.018, 8)
                for z in ends
                for dx in (-chest / 2 + 0.05, chest / 2 - 0.05)
            ]
            body += solids.union(feet)
        count = int(rng.integers(2, 5))
        step = (top - thick - base - 0.03) / count
        fronts = [
            solids.block(
                (chest - 0.03, step - 0.02, 0.03), (centre, base + 0.02 + step * (n + 0.5), -deep / 2 + 0.03), 0.004, 1
            )
            for n in range(count)
        ]
        pieces += [(color, solids.mirrored(body)), (front_color, solids.mirrored(solids.union(fronts)))]
    else:
        side = solids.block((panel, top, deep - 0.04), (wide / 2 - 0.04, top / 2, 0), 0.003, 1)
        pieces.append((color, solids.mirrored(side)))
    if rng.random() < 0.25:
        shelf_high = float(rng.uniform(0.2, 0.5))
        hutch = solids.block((wide - 0.1, 0.02, 0.24), (0, high + shelf_high, deep / 2 - 0.14), 0.003, 1)
        ends = solids.block(
            (0.02, shelf_high + 0.02, 0.24), (wide / 2 - 0.06, high + shelf_high / 2, deep / 2 - 0.14), 0.003, 1
        )
        pieces.append((color, hutch + solids.mirrored(ends)))
    return pieces


def three_legged(rng: np.random.Generator) -> list[Piece]:
    """A small round table on three splayed legs."""
    wide, high, thick = float(rng.uniform(0.35, 0.8)), float(rng.uniform(0.4, 0.75)), float(rng.uniform(0.018, 0.04))
    color = wood_or_paint(rng)
    bar, splay = float(rng.uniform(0.012, 0.022)), float(rng.uniform(0.0, 0.12))
    reach = 0.38 * wide
    leg = solids.tube([(0, 0, -reach - splay), (0, high - thick / 2, -reach)], [0.8 * bar, bar], 10)
    legs = solids.union([leg.rotate((0, 120.0 * turn, 0)) for turn in range(3)])
    return [
        (color, _top(rng, _round(wide, wide), high, thick)),
        (color if rng.random() < 0.5 else pick(rng, METALS), legs),
    ]


def folded(rng: np.random.Generator) -> list[Piece]:
    """Top and sides of one board, with or without a shelf: a waterfall table, a cube, a console."""
    wide, high, deep = float(rng.uniform(0.4, 1.4)), float(rng.uniform(0.35, 0.85)), float(rng.uniform(0.3, 0.6))
    thick = float(rng.uniform(0.018, 0.06))
    color = pick(rng, PAINTS + WOODS)
    outer = solids.rounded(
        np.array([(-wide / 2, 0), (wide / 2, 0), (wide / 2, high), (-wide / 2, high)]),
        np.array([0.0, 0.0, 1.0, 1.0]) * float(rng.choice([0.0, 0.06, 0.15])),
        6,
    )
    half, inner_high = wide / 2 - thick, high - thick
    inner = solids.along_z([(-half, -1), (half, -1), (half, inner_high), (-half, inner_high)], -deep, deep)
    pieces: list[Piece] = [(color, solids.along_z(outer, -deep / 2, deep / 2) - inner)]
    if rng.random() < 0.5:
        y = float(rng.uniform(0.15, 0.6)) * high
        pieces.append((color, solids.block((wide - thick, thick, deep - 0.01), (0, y, 0), 0.002, 1)))
    if rng.random() < 0.25:
        back = solids.block((wide - thick, inner_high, 0.02), (0, inner_high / 2 + 0.01, deep / 2 - 0.02), 0.002, 1)
        pieces.append((color, back))
    return pieces


KINDS = {dining: 0.28, coffee: 0.18, pedestal: 0.16, trestle: 0.1, desk: 0.14, three_legged: 0.06, folded: 0.08}


def _plan(rng: np.random.Generator, wide: float, deep: float) -> Float64[np.ndarray, "N 2"]:
    """The outline of a top, (x, z): round, oval or a rectangle."""
    return _round(wide, deep) if rng.random() < 0.25 else _rectangle(rng, wide, deep)


def _round(wide: float, deep: float) -> Float64[np.ndarray, "N 2"]:
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    return np.stack([wide / 2 * np.cos(angle), deep / 2 * np.sin(angle)], axis=-1)


def _rectangle(rng: np.random.Generator, wide: float, deep: float) -> Float64[np.ndarray, "N 2"]:
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (wide / 2, deep / 2)
    return solids.rounded(corners, float(rng.choice([0.005, 0.03, 0.12])), 5)


def _top(rng: np.random.Generator, plan: Float64[np.ndarray, "N 2"], high: float, thick: float) -> Manifold:
    return solids.slab(plan, high - thick, high, float(rng.uniform(0.1, 0.45)) * thick)


def _frame(x: float, z: float, low: float, high: float, half: float) -> Manifold:
    """Four boards below a top, between the legs."""
    long = solids.block((2 * x, high - low, 2 * half), (0, (low + high) / 2, z), 0.002, 1)
    short = solids.block((2 * half, high - low, 2 * z), (x, (low + high) / 2, 0), 0.002, 1)
    return solids.union([long, long.mirror((0, 0, 1)), solids.mirrored(short)])
