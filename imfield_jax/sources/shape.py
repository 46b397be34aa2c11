"""One object of a source: what every source module lists, and what a record is made from.

A source module has a function `shapes(...) -> list[Shape]` that lists without reading meshes, so that
listing 7,000 cars takes a moment and each worker process loads only its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from imfield_jax.sources.scene import Scene

OWN_LONGEST_SIDE = 0.9  # sources without a normalisation of their own fill this much of the cube


@dataclasses.dataclass(frozen=True)
class Cloud:
    """Points of a closed surface, in the cube, where a source has those and no mesh.

    points, normals: [n, 3], the normals outward.
    queries, inside: [q, 3] and [q] bool, labelled points that the solid made of the others is checked with.
    """

    points: np.ndarray
    normals: np.ndarray
    queries: np.ndarray
    inside: np.ndarray


@dataclasses.dataclass(frozen=True)
class Partial:
    """What a source has prepared of a shape already.

    fields: of its `preparation.record.Record`, by name; what is missing is made.
    scene:  what missing pictures, or a missing solid, are made of; in the cube.
    cloud:  what a missing solid is made of instead.
    """

    fields: dict[str, object]
    scene: Scene | None = None
    cloud: Cloud | None = None


@dataclasses.dataclass(frozen=True)
class Shape:
    """One object of a source, not yet loaded. Picklable, so worker processes can load it.

    name:         unique within the dataset and stable, "<group>/<model id>".
    split:        one of SPLITS.
    load:         reads the mesh: y up, front -z, source units; or what a source has made of it already.
                  Raises OSError or ValueError with one clear line (file, what is wrong) when it cannot.
    longest_side: see `scene.place`; None for sources that are already normalised.
    credit:       author and licence of the mesh, "" when the source has one for all.
    stamp:        changes with the mesh, so that a repaired one is prepared anew; "" where meshes do not change.
    """

    name: str
    split: str
    load: Callable[[], Scene | Partial]
    longest_side: float | None = OWN_LONGEST_SIDE
    credit: str = ""
    stamp: str = ""


@dataclasses.dataclass(frozen=True)
class Listing:
    """What a source has.

    left_out: one line for each entry of a folder that is not read, or that no mesh belongs to.
    copies:   what to do about meshes that are nearly the same. "ignored": the splits are the source's own. "together":
              they go to one split. "reported": a user chose the splits, and hears which of them share such meshes.
    """

    shapes: list[Shape]
    left_out: tuple[str, ...] = ()
    copies: Literal["ignored", "together", "reported"] = "ignored"


def stamp_of(path: Path) -> str:
    """What changes when somebody writes to a file."""
    found = path.stat()
    return f"{found.st_size} bytes, {found.st_mtime_ns} ns"
