"""Deck chairs and wing chairs."""

from __future__ import annotations

import numpy as np
from manifold3d import Manifold

from imfield_jax.sources.procedural import chair_parts as parts
from imfield_jax.sources.procedural import solids
from imfield_jax.sources.procedural.furniture_colors import FABRICS, PAINTS, WOODS, pick
from imfield_jax.sources.procedural.solids import Piece


def deck_chair(rng: np.random.Generator) -> list[Piece]:
    """A sling between two crossed frames, or a slatted steamer chair."""
    return _sling(rng) if rng.random() < 0.65 else _steamer(rng)


def _sling(rng: np.random.Generator) -> list[Piece]:
    """A long frame from the front of the ground to the head, a short one across it, a prop, and cloth."""
    wood = pick(rng, WOODS)
    half, bar = float(rng.uniform(0.27, 0.31)), float(rng.uniform(0.015, 0.019))
    inner = half - 2 * bar + 0.003
    head = np.array([float(rng.uniform(0.86, 1.0)), float(rng.uniform(0.48, 0.6))])  # (y, z)
    foot = np.array([0.5 * bar, float(rng.uniform(-0.42, -0.34))])
    knee = np.array([float(rng.uniform(0.34, 0.42)), float(rng.uniform(-0.56, -0.48))])
    rest = np.array([0.5 * bar, float(rng.uniform(0.44, 0.54))])
    segments = int(rng.choice([4, 12]))

    def pair(x: float, a: np.ndarray, b: np.ndarray) -> Manifold:
        return solids.mirrored(solids.tube(np.array([(x, *a), (x, *b)]), bar, segments))

    def across(x: float, at: np.ndarray) -> Manifold:
        return solids.tube(np.array([(-x, *at), (x, *at)]), 0.95 * bar, segments)

    middle = foot + 0.72 * (head - foot)
    frames = [
        pair(half, foot, head),
        pair(inner, knee, rest),
        pair(inner - 2 * bar + 0.003, middle, rest - np.array([0.0, 0.01])),
    ]
    # The prop hangs on a rod of the long frame, and both ends of each frame are tied.
    frames += [
        across(half, head),
        across(inner, knee),
        across(inner, rest),
        across(half, middle),
        across(half, foot + 0.12 * (head - foot)),
    ]
    arms = rng.random() < 0.35
    if arms:
        y, z = knee[0] + 0.2, foot[1] + (knee[0] + 0.2) / head[0] * (head[1] - foot[1])
        rail = solids.block((0.05, 0.026, z - knee[1] + 0.06), (half + 0.01, y, (z + knee[1]) / 2 + 0.05), 0.008)
        frames += [solids.mirrored(rail), pair(half - 0.012, knee + np.array([0, 0.01]), np.array([y, knee[1] + 0.06]))]
    pieces: list[Piece] = [(wood, solids.union(frames))]
    sag = float(rng.uniform(0.02, 0.1))
    control = np.array([sag, 0.12 + 0.2 * (head[1] - knee[1]) + knee[1] + 0.25])
    t = np.linspace(0, 1, 24)[:, None]
    path = (1 - t) ** 2 * knee + 2 * t * (1 - t) * control + t**2 * head
    width = 2 * (inner - 2.2 * bar) * float(rng.uniform(0.94, 1.0))
    cloth = parts.shell(path[:, ::-1], np.full(24, width), np.zeros(24), 0.016)
    first, second = pick(rng, FABRICS + PAINTS), pick(rng, FABRICS)
    count = int(rng.choice([1, 5, 7, 9]))
    if count == 1:
        return [*pieces, (first, cloth)]
    edges = np.linspace(-width / 2, width / 2, count + 1)
    edges[[0, -1]] = -9, 9
    for i, color in enumerate([first, second] * count):
        if i < count:
            stripe = Manifold.cube((edges[i + 1] - edges[i], 9, 9), True).translate(
                ((edges[i] + edges[i + 1]) / 2, 0, 0)
            )
            pieces.append((color, cloth ^ stripe))
    return pieces


def _steamer(rng: np.random.Generator) -> list[Piece]:
    """A reclining chair of slats with arms, crossed legs and a rest for the legs."""
    wood = pick(rng, WOODS)
    half, bar = float(rng.uniform(0.26, 0.3)), 0.018
    seat, long = float(rng.uniform(0.34, 0.4)), float(rng.uniform(0.36, 0.55))
    rake = np.radians(float(rng.uniform(32, 46)))
    back = float(rng.uniform(0.7, 0.8))
    points = np.array(
        [
            (seat - 0.04 - 0.12 * long, -0.3 - long),
            (seat + 0.02, -0.3),
            (seat - 0.03, 0.2),
            (seat - 0.03 + back * np.cos(rake), 0.2 + back * np.sin(rake)),
        ]
    )
    pieces: list[Piece] = []
    rails = [solids.tube(np.stack([np.full(4, half - bar), points[:, 0], points[:, 1]], axis=-1), bar, 4)]
    slats = []
    for k in range(3):
        a, b = points[k], points[k + 1]
        span = float(np.linalg.norm(b - a))
        tilt = float(np.degrees(np.arctan2(b[0] - a[0], b[1] - a[1])))
        for t in np.arange(0.045, span - 0.02, 0.075):
            at = a + t / span * (b - a)
            board = solids.block((2 * half - 0.01, 0.022, 0.05), (0, 0, 0), 0.005, 1).rotate((-tilt, 0, 0))
            slats.append(board.translate((0, at[0] + 0.016, at[1])))
    legs = [((0.0, 0.36), (seat, -0.25)), ((0.0, -0.32), (seat + 0.17, 0.12))]
    x = half + bar - 0.004
    legs_solid = [solids.tube(np.array([(x, *a), (x, *b)]), bar, 4) for a, b in legs]
    front = (0.0, points[0][1] + 0.1), (points[0][0] + 0.02, points[0][1] + 0.06)
    legs_solid.append(solids.tube(np.array([(half - bar, *front[0]), (half - bar, *front[1])]), bar, 4))
    arm_y = seat + 0.19
    lean = 0.2 + (arm_y - seat + 0.03) * np.tan(rake)
    arm = solids.block((0.065, 0.028, lean + 0.34), (x, arm_y, (lean - 0.34) / 2), 0.01)
    stay = solids.tube(np.array([(x, seat - 0.03, -0.26), (x, arm_y, -0.26)]), bar, 4)
    pin = solids.tube(
        np.array([(half - 2 * bar, arm_y - 0.004, lean - 0.01), (x, arm_y - 0.004, lean - 0.01)]), 0.016, 8
    )
    tie = solids.tube(np.array([(-x, 0.1, 0.36 - 0.1 * 0.61 / seat), (x, 0.1, 0.36 - 0.1 * 0.61 / seat)]), 0.014, 4)
    pieces.append((wood, solids.mirrored(solids.union([*rails, *slats, *legs_solid, arm, stay, pin])) + tie))
    if rng.random() < 0.35:
        path = solids.bent(points + np.array([0.04, 0]), 0.08, 4)
        pad = parts.shell(path[1:, ::-1], np.full(len(path) - 1, 1.75 * half), np.zeros(len(path) - 1), 0.05)
        pieces.append((pick(rng, FABRICS), pad))
    return pieces


def wing_chair(rng: np.random.Generator) -> list[Piece]:
    """A tall upholstered easy chair with wings beside the head, arms and short legs."""
    cloth = pick(rng, FABRICS)
    pillow = cloth if rng.random() < 0.75 else pick(rng, FABRICS)
    wide, deep = float(rng.uniform(0.68, 0.8)), float(rng.uniform(0.7, 0.8))
    legs, seat = float(rng.uniform(0.12, 0.2)), float(rng.uniform(0.42, 0.48))
    high, arm = float(rng.uniform(1.0, 1.18)), seat + float(rng.uniform(0.15, 0.2))
    thick, rake = float(rng.uniform(0.1, 0.14)), float(rng.uniform(6, 12))
    side = float(rng.uniform(0.085, 0.12))
    rear = deep / 2 - 0.07
    inner = wide - 2 * side
    base = solids.block((wide - 0.05, seat - 0.1 - legs, deep - 0.08), (0, (seat - 0.1 + legs) / 2, -0.01), 0.03, 3)
    cushion = solids.block((inner + 0.02, 0.15, deep - 0.1), (0, seat - 0.07, -0.06), 0.05, 4)
    tall = (high - legs) / np.cos(np.radians(rake))
    crest = float(rng.choice([0.0, 0.04, 0.07]))
    back = parts.panel(wide - 0.5 * side, 0, tall - 0.03, thick, -0.01, crest)
    pad = solids.block(
        (inner - 0.02, tall - seat + legs - 0.06, 0.1), (0, (tall + seat - legs) / 2 - 0.03, -0.45 * thick), 0.05, 4
    )

    def tilted(solid: Manifold) -> Manifold:
        return solid.rotate((rake, 0, 0)).translate((0, legs, rear - 0.06))

    pieces: list[Piece] = [(cloth, base), (pillow, cushion), (cloth, tilted(back)), (cloth, tilted(pad))]
    # Wings: boards with a rounded outline (z, y), as thick as the cloth is soft.
    reach, low = float(rng.uniform(0.24, 0.32)), arm - legs - 0.06
    outline = np.array(
        [
            (0.02, low - 0.1),
            (0.02, tall - 0.05 - crest),
            (-0.75 * reach, tall - 0.1 - crest),
            (-reach, 0.62 * tall + 0.3 * low),
            (-0.8 * reach, low - 0.1),
        ]
    )
    plan = solids.rounded(outline, np.array([0.02, 0.04, 0.16, 0.16, 0.05]), 6)
    board = solids.slab(plan, -0.42 * side, 0.42 * side, 0.4 * side)  # (x, z) -> (z, y): thickness along x
    wing = board.transform(np.array([(0.0, 1, 0, 0), (0, 0, 1, 0), (1, 0, 0, 0)]))
    flare = float(rng.uniform(0, 7))
    wing = wing.rotate((0, -flare, 0)).translate((wide / 2 - 0.5 * side - 0.005, 0, 0))
    pieces.append((cloth, solids.mirrored(tilted(wing))))
    front = -deep / 2 + 0.03 + float(rng.uniform(0.0, 0.05))
    panel = solids.block(
        (side, arm - legs - 0.03, rear - front),
        (wide / 2 - side / 2, (arm + legs - 0.03) / 2, (rear + front) / 2),
        0.035,
        3,
    )
    arms = [panel]
    if rng.random() < 0.6:  # rolled
        roll = 0.62 * side + 0.015
        profile = solids.rounded(
            np.array([(0, front - 0.012), (roll, front - 0.012), (roll, rear - 0.02), (0, rear - 0.02)]), 0.02, 2
        )
        arms.append(solids.turned(profile, "z", (wide / 2 - side / 2 + 0.015, arm - roll + 0.01, 0), 24))
    pieces.append((cloth, solids.mirrored(solids.union(arms))))
    return pieces + _short_legs(rng, wide, deep, legs)


def _short_legs(rng: np.random.Generator, wide: float, deep: float, legs: float) -> list[Piece]:
    """Tapered, or at the front curved outwards and in again."""
    wood = pick(rng, WOODS[:4])
    thick, x, z = float(rng.uniform(0.02, 0.028)), wide / 2 - 0.075, deep / 2 - 0.08
    if rng.random() < 0.4:
        heights = np.array([0.0, 0.12, 0.3, 0.65, 1.2])
        out = np.array([0.035, 0.02, 0.008, 0.02, 0.005])
        path = np.stack([x + out, heights * legs, -z - out], axis=-1)
        front = solids.tube(path, np.array([1.15, 0.9, 0.7, 1.2, 1.5]) * thick, 14)
    else:
        front = solids.tube(
            np.array([(x, 0, -z), (x, legs + 0.05, -z + 0.01)]), [0.7 * thick, 1.1 * thick], int(rng.choice([4, 14]))
        )
    rear = solids.tube(np.array([(x, 0, z + 0.05), (x, legs + 0.05, z - 0.02)]), [0.75 * thick, 1.1 * thick], 4)
    return [(wood, solids.mirrored(front + rear))]
