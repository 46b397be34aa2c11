"""Whether a mesh prints: the surface itself, and the solid on the plate of a printer.

Slicers repair or reject surfaces that are not closed, that cross themselves or face inward; such a mesh fails. Loose
pieces, thin walls, overhangs and a base that tips are no faults of the surface, and depend on size, printer and
material: they get advice.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from imfield_jax.mesh.check import Report, check
from imfield_jax.mesh.floaters import pieces_of
from imfield_jax.mesh.intersections import self_intersections
from imfield_jax.mesh.layout import PRINTED_MM, layout
from imfield_jax.mesh.normals import face_vectors
from imfield_jax.mesh.thickness import walls
from imfield_jax.types import Mesh

LAYER_MM = 0.3  # the lowest layer: what is in it lies on the plate
THINNEST_MM = 0.8  # of a wall, two lines of the usual nozzle
STEEPEST_DEGREES = 45.0  # from the vertical, that a wall may lean over without support
_IGNORED = 0.01  # share of the surface whose walls may be thinner: tips and rims


@dataclasses.dataclass(frozen=True)
class PrintCheck:
    """A mesh as a slicer gets it: z up, on the plate, in millimetres.

    surface:       after welding by position, as readers of STL do.
    crossings:     pairs of faces that cross.
    pieces, cavities: of the solid.
    smallest_wall: thickness in mm that 1 % of the surface falls below.
    overhang:      share of the surface that leans over by more than 45 degrees, above the plate.
    size, center_of_mass: mm.   area: mm^2.   volume: mm^3.
    stands:        whether the centre of mass is above what lies on the plate.
    """

    surface: Report
    crossings: int
    pieces: int
    cavities: int
    smallest_wall: float
    overhang: float
    size: tuple[float, float, float]
    area: float
    volume: float
    center_of_mass: tuple[float, float, float]
    stands: bool

    @property
    def passed(self) -> bool:
        """Whether the surface has no fault."""
        return all(verdict != "FAIL" for verdict, _ in self.lines())

    def lines(self) -> list[tuple[str, str]]:
        """What was found: pass, FAIL, advice or a fact, and a sentence."""
        surface = self.surface
        odd = surface.nonmanifold_edges + surface.misoriented_edges + surface.degenerate_faces
        width, depth, height = self.size
        faults = [
            (not surface.boundary_edges, "closed", f"open: {surface.boundary_edges:,} edges have one face"),
            (not odd, "manifold", f"not manifold: {odd:,} edges or faces"),
            (surface.signed_volume > 0, "faces outward", "faces point inward, or enclose nothing"),
            (not self.crossings, "no faces cross", f"{self.crossings:,} pairs of faces cross"),
        ]
        wall = f"{self.smallest_wall:.2f} mm"
        advice = [
            (self.pieces == 1, "one piece", f"{self.pieces} separate pieces: loose ones print apart, or not at all"),
            (not self.cavities, "no cavities", f"{self.cavities} closed cavities, which trap material"),
            (
                self.smallest_wall >= THINNEST_MM,
                f"walls of {wall} or more",
                f"walls down to {wall}, and a usual nozzle needs {THINNEST_MM} mm: print it larger",
            ),
            (self.stands, "stands on its base", "tips over: the centre of mass is not above what lies on the plate"),
        ]
        size = f"{width:.1f} x {depth:.1f} x {height:.1f} mm"
        return [
            *(("pass", good) if holds else ("FAIL", bad) for holds, good, bad in faults),
            *(("pass", good) if holds else ("advice", bad) for holds, good, bad in advice),
            ("fact", f"{size}, {self.area / 100:.1f} cm^2, {self.volume / 1000:.2f} cm^3"),
            ("fact", f"{self.overhang:.0%} of the surface overhangs by more than {STEEPEST_DEGREES:.0f} degrees"),
        ]


def print_check(mesh: Mesh, size_mm: float = PRINTED_MM) -> PrintCheck:
    """Examines a mesh in the cube, printed with this longest side. Raises ValueError if the mesh is empty."""
    if not len(mesh.faces):
        raise ValueError("the mesh is empty, there is nothing to print")
    placed = _welded(layout(mesh, "stl", size_mm).of(mesh))
    surface = check(placed)
    cavities = int((pieces_of(placed).volumes < 0).sum())
    vectors = face_vectors(placed)
    areas = np.linalg.norm(vectors, axis=1) / 2
    corners = placed.vertices[placed.faces].astype(np.float64)
    on_plate = corners[..., 2].max(axis=1) < LAYER_MM
    leaning = vectors[:, 2] < -np.sin(np.radians(STEEPEST_DEGREES)) * 2 * areas
    center = _center_of_mass(corners)
    thicknesses = walls(placed, np.random.default_rng(0))
    return PrintCheck(
        surface=surface,
        crossings=len(self_intersections(placed)),
        pieces=surface.components - cavities,
        cavities=cavities,
        smallest_wall=float(np.quantile(thicknesses, _IGNORED)) if len(thicknesses) else 0.0,
        overhang=float(areas[leaning & ~on_plate].sum() / areas.sum()),
        size=tuple(np.ptp(placed.vertices, axis=0).tolist()),
        area=float(areas.sum()),
        volume=surface.signed_volume,
        center_of_mass=tuple(center.tolist()),
        stands=_stands(placed.vertices[placed.vertices[:, 2] < LAYER_MM, :2], center[:2]),
    )


def _welded(mesh: Mesh) -> Mesh:
    """The mesh with one vertex per position; faces without extent are left out, as readers do."""
    vertices, index = np.unique(mesh.vertices, axis=0, return_inverse=True)
    faces = index.reshape(-1)[mesh.faces].astype(np.int32)
    return Mesh(vertices, faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)])


def _center_of_mass(corners: np.ndarray) -> np.ndarray:
    """Of the solid, from the tetrahedra of all faces and the origin."""
    volumes = np.linalg.det(corners)
    total = volumes.sum()
    return (volumes[:, None] * corners.sum(axis=1)).sum(axis=0) / (4 * total if total else np.inf)


def _stands(base: np.ndarray, center: np.ndarray) -> bool:
    """Whether a point is above the convex hull of points on the plate."""
    try:
        hull = ConvexHull(base)
    except (QhullError, ValueError):  # fewer than three points, or all on a line
        return False
    return bool((hull.equations[:, :2] @ center + hull.equations[:, 2] <= 0).all())
