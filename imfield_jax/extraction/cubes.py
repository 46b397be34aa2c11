"""The 256 cases of marching cubes, derived by code instead of from a literal table.

A case is a byte whose bit c says that corner c of the cell is inside. On each face of the cell the
inside corners, read around the face, form runs; one directed segment cuts off each run. On a face
with two inside corners on a diagonal this separates them: the choice needs nothing but the face's
own four corners, so two neighbouring cells always agree on their common face and the mesh has no cracks.
Every cut edge of the cell is left by the segment of one face and entered by that of another, so the
segments form closed loops, with the inside on the same side throughout.

Each loop is cut into triangles. A diagonal between two points of the same face could be drawn again
by the cell on the other side, and four triangles would meet there; the triangulation with the fewest
such diagonals is taken, and among those the one with the shortest diagonals. No case needs such a diagonal.

(The cases of Lorensen and Cline 1987 with a fixed answer to their ambiguous faces.)
"""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Bool, Int, Int8

from imfield_jax.extraction.lattice import CORNERS

# Edge e runs along axis EDGE_AXES[e] from corner EDGE_STARTS[e]. The axis is the slow index.
EDGE_AXES = np.repeat(np.arange(3), 4)  # [12]
EDGE_STARTS = np.array([c for axis in range(3) for c in range(8) if not CORNERS[c, axis]])  # [12]
AXIS_CORNERS = np.array([4, 2, 1])  # [3], the corner one step along x, y, z from corner 0

_EDGE_OF = {
    frozenset((int(start), int(start + AXIS_CORNERS[axis]))): edge
    for edge, (axis, start) in enumerate(zip(EDGE_AXES, EDGE_STARTS, strict=True))
}
_MIDDLES = CORNERS[EDGE_STARTS] + 0.5 * np.eye(3)[EDGE_AXES]  # [12, 3], middle of each edge


def _face(axis: int, side: int) -> tuple[int, ...]:
    """Corners of a face, counter-clockwise seen from outside the cell."""
    second, third = AXIS_CORNERS[(axis + 1) % 3], AXIS_CORNERS[(axis + 2) % 3]
    base = side * AXIS_CORNERS[axis]
    ring = (base, base + second, base + second + third, base + third)
    return tuple(int(corner) for corner in (ring if side else ring[::-1]))


# Row f of FACE_MOVES leads to the cell across face f.
FACE_MOVES = np.array([(2 * side - 1) * np.eye(3, dtype=int)[axis] for axis in range(3) for side in (0, 1)])
FACES = tuple(_face(axis, side) for axis in range(3) for side in (0, 1))


def _segments(case: int) -> dict[int, int]:
    """The directed segments on all faces: edge it starts on -> edge it ends on."""
    segments = {}
    for face in FACES:
        inside = [case >> corner & 1 for corner in face]
        edges = [_EDGE_OF[frozenset((face[i], face[(i + 1) % 4]))] for i in range(4)]
        for first in range(4):
            if inside[first] and not inside[first - 1]:
                last = first
                while inside[(last + 1) % 4]:
                    last += 1
                segments[edges[first - 1]] = edges[last % 4]
    return segments


def loops(case: int) -> list[list[int]]:
    """The closed polygons of a case as cycles of edges, counter-clockwise seen from outside the solid."""
    segments, found = _segments(case), []
    while segments:
        start, loop = min(segments), []
        while start in segments:
            loop.append(start)
            start = segments.pop(start)
        found.append(loop)
    return found


def on_one_face(edge: int, other: int) -> bool:
    """Whether two edges of the cell bound a common face."""
    return bool(((_MIDDLES[edge] == _MIDDLES[other]) & (_MIDDLES[edge] % 1 == 0)).any())


def _diagonal_cost(edge: int, other: int) -> tuple[int, float]:
    return int(on_one_face(edge, other)), float(((_MIDDLES[edge] - _MIDDLES[other]) ** 2).sum())


def triangulate(loop: list[int]) -> list[tuple[int, int, int]]:
    """The triangles of one loop with the fewest diagonals on faces, then the shortest diagonals."""

    @functools.cache
    def best(first: int, last: int) -> tuple[tuple[int, float], tuple[tuple[int, int, int], ...]]:
        """Cost and triangles of the part of the loop from `first` to `last`, closed by their chord."""
        if last - first < 2:
            return (0, 0.0), ()
        options = []
        for apex in range(first + 1, last):
            faces, length = 0, 0.0
            triangles: tuple[tuple[int, int, int], ...] = ((loop[first], loop[apex], loop[last]),)
            for low, high in ((first, apex), (apex, last)):
                below, inner = best(low, high)
                chord = _diagonal_cost(loop[low], loop[high]) if high - low > 1 else (0, 0.0)
                faces, length = faces + below[0] + chord[0], length + below[1] + chord[1]
                triangles += inner
            options.append(((faces, length), triangles))
        return min(options)

    return list(best(0, len(loop) - 1)[1])


@functools.cache
def triangle_table() -> tuple[Int8[np.ndarray, "256 T 3"], Int[np.ndarray, " 256"]]:
    """All cases: triangles, as three edges each, and how many of them are in use."""
    cases = [[triangle for loop in loops(case) for triangle in triangulate(loop)] for case in range(256)]
    counts = np.array([len(case) for case in cases])
    table = np.zeros((256, counts.max(), 3), np.int8)
    for case, triangles in enumerate(cases):
        table[case, : len(triangles)] = np.reshape(triangles, (-1, 3))
    return table, counts


@functools.cache
def face_changes() -> Bool[np.ndarray, "256 6"]:
    """Which faces of each case carry a sign change."""
    masks = np.array([sum(1 << corner for corner in face) for face in FACES])
    bits = np.arange(256)[:, None] & masks
    return (bits != 0) & (bits != masks)
