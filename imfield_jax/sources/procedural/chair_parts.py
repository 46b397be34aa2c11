"""Parts of chairs: seats, legs, backs, arms and bases.

Metres; the sitter faces -z, so the back is at +z. A back is built upright about z = 0
with its lower edge at y = 0, and then tilted and moved into position by `lean`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from manifold3d import Manifold

from imfield_jax.sources.procedural import solids


@dataclasses.dataclass(frozen=True)
class Frame:
    """The dimensions common to all parts of one chair.

    height: of the top of the seat.   back: length of the back above the seat.
    rake:   angle of the back, degrees.   bar: half the thickness of legs and posts.
    """

    width: float
    depth: float
    height: float
    thickness: float
    back: float
    rake: float
    bar: float

    @property
    def rear(self) -> float:
        """z of the centre of the back posts."""
        return self.depth / 2 - self.bar


def draw_frame(rng: np.random.Generator) -> Frame:
    """An ordinary upright chair."""
    return Frame(
        width=float(rng.uniform(0.39, 0.54)),
        depth=float(rng.uniform(0.39, 0.5)),
        height=float(rng.uniform(0.41, 0.5)),
        thickness=float(rng.uniform(0.032, 0.07)),
        back=float(rng.uniform(0.34, 0.66)),
        rake=float(rng.uniform(2, 15)),
        bar=float(rng.uniform(0.016, 0.026)),
    )


def above_legs(f: Frame, corners: Sequence[tuple[float, float]]) -> Frame:
    """The frame with its back moved to where the rear legs meet the seat."""
    return dataclasses.replace(f, depth=2 * (corners[1][1] + f.bar))


def lean(f: Frame, back: Manifold) -> Manifold:
    return back.rotate((f.rake, 0, 0)).translate((0, f.height - f.thickness / 2, f.rear))


def seat_plan(rng: np.random.Generator, f: Frame) -> Float64[np.ndarray, "N 2"]:
    """Plan of a seat, (x, z): round, or four-sided and narrower at the back."""
    if rng.random() < 0.18:
        angle = np.linspace(0, 2 * np.pi, 36, endpoint=False)
        return np.stack([f.width / 2 * np.cos(angle), f.depth / 2 * np.sin(angle)], axis=-1)
    x, z = f.width / 2, f.depth / 2
    behind = x * float(rng.uniform(0.84, 1.0))
    corners = np.array([(-x, -z), (x, -z), (behind, z), (-behind, z)])
    return solids.rounded(corners, float(rng.uniform(0.02, 0.16)), 6)


def seat(rng: np.random.Generator, f: Frame, plan: Float64[np.ndarray, "N 2"]) -> Manifold:
    return solids.slab(plan, f.height - f.thickness, f.height, float(rng.uniform(0.2, 0.5)) * f.thickness)


def cushion(rng: np.random.Generator, f: Frame, plan: Float64[np.ndarray, "N 2"]) -> Manifold:
    high = float(rng.uniform(0.03, 0.08))
    return solids.slab(0.95 * plan, f.height - 0.02, f.height + high, 0.48 * high)


def leg_corners(f: Frame, plan: Float64[np.ndarray, "N 2"], inset: float) -> list[tuple[float, float]]:
    """Where the legs meet the seat on the right side: front and rear (x, z)."""
    corners = []
    for end in (-1, 1):
        z = end * (f.depth / 2 - inset)
        near = np.abs(plan[:, 1] - z) < 0.25 * f.depth
        reach = plan[near & (plan[:, 0] > 0)]
        # On a round seat the corner of the rectangle would be outside: move it onto the rim.
        x = float(reach[:, 0].max()) - inset
        while not solids.covers(plan, x + 0.8 * f.bar, z + 0.8 * end * f.bar) and x > 0.05:
            x, z = 0.97 * x, 0.97 * z
        corners.append((x, z))
    return corners


def four_legs(
    rng: np.random.Generator,
    f: Frame,
    corners: Sequence[tuple[float, float]],
    splay: float,
    taper: float,
    segments: int,
    stretchers: float,
) -> Manifold:
    """Four legs, with stretchers between them with probability `stretchers`."""
    top = f.height - 0.5 * f.thickness
    radii = np.array([taper, 1.0]) * f.bar
    feet, legs = [], []
    for x, z in corners:
        foot = np.array([x + splay * np.sign(x), 0.0, z + splay * 0.9 * np.sign(z)])
        feet.append((foot, np.array([x, top, z])))
        legs.append(solids.tube([foot, (x, top, z)], radii, segments))
    parts = [solids.mirrored(solids.union(legs))]
    if rng.random() < stretchers:
        at = float(rng.uniform(0.25, 0.55))
        (front, rear) = [foot + at * (head - foot) for foot, head in feet]
        bar = max(0.014, 0.65 * f.bar)
        parts.append(solids.mirrored(solids.tube([front, rear], bar, segments)))
        middle = front + float(rng.choice([0.0, 0.5])) * (rear - front)
        parts.append(solids.tube([middle * (-1, 1, 1), middle], bar, segments))
        if rng.random() < 0.5:
            parts.append(solids.tube([rear * (-1, 1, 1), rear], bar, segments))
    return solids.union(parts)


def apron(f: Frame, corners: Sequence[tuple[float, float]]) -> Manifold:
    """The apron: four boards under a seat that connect the legs."""
    (xf, zf), (xr, zr) = corners
    y = f.height - f.thickness - 0.025
    plan = np.array([(-xf, zf), (xf, zf), (xr, zr), (-xr, zr)])
    ring = np.stack([plan[:, 0], np.full(4, y), plan[:, 1]], axis=-1)
    bars = [solids.tube(ends, 0.014, 4) for ends in zip(ring, np.roll(ring, -1, axis=0), strict=True)]
    # Boards, taller than thick.
    return solids.union(bar.scale((1, 2.2, 1)).translate((0, -1.2 * y, 0)) for bar in bars)


def panel(width: float, low: float, high: float, thick: float, bow: float, crest: float = 0.0) -> Manifold:
    """An upright board curved around the sitter: its ends are `bow` in front of its centre.

    crest: height of the centre of the upper edge above its ends.
    """
    u = np.linspace(-1, 1, 15)
    edge = 0.4 * min(thick, high - low)
    top = high - crest * u**2
    front, behind = np.full(15, -thick / 2), np.full(15, thick / 2)
    foot = np.full(15, low)
    corners = np.array([[foot, foot, top, top], [front, behind, behind, front]]).T  # [15, 4, (y, z)]
    ring = solids.rounded(corners, edge, 2)
    x = np.broadcast_to((u * width / 2)[:, None], ring.shape[:2])
    z = ring[..., 1] - bow * (u**2)[:, None]
    return solids.loft(np.stack([x, ring[..., 0], z], axis=-1))


def back(rng: np.random.Generator, f: Frame, width: float, kind: str) -> Manifold:
    """An upright back of one kind: slats, ladder, solid, open, cross or spindles."""
    bow = float(rng.uniform(0.0, 0.07)) if kind != "cross" else 0.0
    crest = float(rng.uniform(0.0, 0.05))
    half, bar, high = width / 2, f.bar, f.back
    thick = max(0.024, 1.1 * bar)
    if kind == "solid":
        gap = float(rng.choice([0.0, 0.12, 0.2])) * high
        board = panel(width, gap, high, float(rng.uniform(0.026, 0.06)), bow, crest)
        if gap == 0:
            return board
        posts = solids.tube([(0.7 * half, 0, -0.49 * bow), (0.7 * half, gap + 0.05, -0.49 * bow)], bar)
        return board + solids.mirrored(posts)
    posts = solids.mirrored(
        solids.tube([(half - bar, 0, -bow), (half - bar, high, -bow)], bar, 4 if rng.random() < 0.6 else 12)
    )
    head = float(rng.uniform(0.05, 0.13))
    rail = panel(width, high - head, high + 0.02, thick, bow, crest)
    parts = [posts, rail]
    if kind == "ladder":
        count = int(rng.integers(1, 5))
        rung = float(rng.uniform(0.03, 0.065))
        for y in np.linspace(0.12 * high, high - head - 0.02, count + 1)[:-1] + 0.02:
            parts.append(panel(width - bar, float(y), float(y) + rung, thick, bow))
    elif kind == "cross":
        y = 0.1 * high, high - head + 0.01
        for side in (-1, 1):
            parts.append(
                solids.tube([(-side * (half - bar), y[0], 0), (side * (half - bar), y[1], 0)], max(0.013, 0.7 * bar))
            )
    elif kind in ("slats", "spindles"):
        count = int(rng.integers(2, 6)) if kind == "slats" else int(rng.integers(4, 8))
        flat = float(rng.uniform(0.3, 0.6)) * width / count / 2 if kind == "slats" else 0.012
        for x in np.linspace(-half, half, count + 2)[1:-1]:
            z = -bow * (x / half) ** 2
            wide = max(flat, 0.013)
            parts.append(
                solids.block(
                    (2 * wide, high - head + 0.02, max(0.026, 0.5 * thick)),
                    (x, (high - head + 0.02) / 2, z),
                    0.006,
                    1,
                )
            )
    return solids.union(parts)


def arms(rng: np.random.Generator, f: Frame, half: float) -> Manifold:
    """Two armrests on posts, extending into the back at half = |x| of the back's edge."""
    y = f.height + float(rng.uniform(0.18, 0.26))
    rise = y - f.height
    behind = f.rear + np.tan(np.radians(f.rake)) * rise + 0.01
    x, front = f.width / 2 - 0.01, -f.depth / 2 + float(rng.uniform(0.03, 0.14))
    bar = max(0.016, 0.9 * f.bar)
    path = solids.bent([(half - f.bar, y, behind), (x + 0.02, y, 0.3 * behind), (x + 0.02, y - 0.01, front)], 0.1)
    rest = solids.tube(path, bar, 12)
    post = solids.tube([(x - 0.03, f.height - f.thickness / 2, front + 0.05), (x + 0.02, y, front + 0.05)], bar)
    return solids.mirrored(rest + post)


def shell(
    path: Float64[np.ndarray, "S 2"],
    widths: Float64[np.ndarray, " S"],
    raise_edges: Float64[np.ndarray, " S"],
    thick: float,
) -> Manifold:
    """A moulded strip along a side view.

    path: (z, y).  raise_edges: height of the rims above the centre line,
    towards the left of the path's direction.
    """
    path = np.asarray(path, np.float64)
    step = np.gradient(path, axis=0)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=-1)
    u = np.linspace(-1, 1, 13)
    upper = np.asarray(raise_edges)[:, None] * np.abs(u) ** 2.5
    lift = np.concatenate([upper + thick / 2, (upper - thick / 2)[:, ::-1]], axis=1)
    across = np.concatenate([u, u[::-1] * 0.97])
    side = path[:, None] + lift[..., None] * normal[:, None]
    x = np.asarray(widths)[:, None] / 2 * across
    return solids.loft(np.stack([x, side[..., 1], side[..., 0]], axis=-1))


def resampled(path: Float64[np.ndarray, "S 2"], count: int) -> Float64[np.ndarray, "N 2"]:
    """A path of N = count points at equal distances."""
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    equal = np.linspace(0, along[-1], count)
    return np.stack([np.interp(equal, along, path[:, axis]) for axis in (0, 1)], axis=-1)


def ring(points: Float64[np.ndarray, "N 3"], bar: float) -> Manifold:
    """A bar bent into a closed level ring through points."""
    n = len(points)
    half = n // 2 + 1
    around = np.concatenate([points, points[:2]])
    return solids.tube(around[:half], bar, 10) + solids.tube(around[half - 1 : n + 1], bar, 10) + solids.union(
        solids.ball((bar, bar, bar), tuple(points[i]), 12) for i in (0, half - 1)
    )  # fmt: skip


def star_base(rng: np.random.Generator, top: float, castors: bool, bar: float = 0.02) -> Manifold:
    """Five arms on castors or feet, and the column up to `top`."""
    reach = float(rng.uniform(0.25, 0.31))
    y = 0.075 if castors else 0.03
    rise = float(rng.uniform(0.01, 0.05))
    arm = solids.tube([(0, y + rise, 0), (0, y, -reach)], [1.4 * bar, bar])
    if castors:
        wheel = solids.turned(
            solids.rounded(np.array([(0, -0.024), (0.032, -0.024), (0.032, 0.024), (0, 0.024)]), 0.006, 1),
            "x",
            segments=18,
        )
        arm += wheel.translate((0, 0.032, -reach + 0.005))
        arm += solids.tube([(0, 0.03, -reach + 0.005), (0, y + 0.01, -reach + 0.005)], 0.014, 8)
    else:
        arm += solids.turned([(0, 0), (0.026, 0), (0.02, 0.04), (0, 0.04)], "y", (0, 0, -reach), 16)
    arms = solids.union(arm.rotate((0, 72.0 * i, 0)) for i in range(5))
    thick = float(rng.uniform(0.02, 0.032))
    column = solids.turned(
        [
            (0, y - 0.02),
            (0.045, y - 0.02),
            (0.045, y + 0.06 + rise),
            (thick, y + 0.1 + rise),
            (thick, top),
            (0, top),
        ],
        "y",
        segments=20,
    )
    return arms + column


def disc_base(rng: np.random.Generator, top: float) -> Manifold:
    """A round foot that tapers into a column."""
    reach, thick = float(rng.uniform(0.19, 0.26)), float(rng.uniform(0.022, 0.035))
    flare = float(rng.uniform(0.0, 0.1))
    profile = [
        (0, 0),
        (reach, 0),
        (reach, 0.022),
        (0.5 * reach, 0.04 + 0.2 * flare),
        (thick + 0.01, 0.06 + flare),
        (thick, top - 0.08),
        (thick + 0.03, top),
        (0, top),
    ]
    return solids.turned(profile, "y", segments=36)
