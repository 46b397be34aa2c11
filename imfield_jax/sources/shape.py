"""One object of a source: source modules list these, and preparation makes records from them.

A source module has a function `shapes(...) -> list[Shape]` that lists without reading meshes, so that
listing 7,000 cars is quick and each worker process loads only its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from imfield_jax.sources.scene import Scene

Diagnostics: TypeAlias = dict[str, float | str | list[str]]

OWN_LONGEST_SIDE = 0.9  # sources without a normalisation of their own fill this much of the cube


class Fields(TypedDict, total=False):
    """The fields of a `preparation.record.Record` that a source already has, by name."""

    solid: Bool[np.ndarray, "256 256 256"]
    voxels: UInt8[np.ndarray, "64 64 64"]
    points: dict[int, UInt8[np.ndarray, "_ 3"]]
    values: dict[int, UInt8[np.ndarray, " _"]]
    grids: dict[int, int]
    views: UInt8[np.ndarray, "K H H 4"]
    cameras: Float32[np.ndarray, "K 4"]
    center: Float32[np.ndarray, " 3"]
    scale: np.float32
    diagnostics: Diagnostics


@dataclasses.dataclass(frozen=True)
class Cloud:
    """Points of a closed surface, in the cube, from a source without meshes.

    normals: outward.
    queries, inside: labelled points to check the resulting solid with.
    """

    points: Float[np.ndarray, "P 3"]
    normals: Float[np.ndarray, "P 3"]
    queries: Float[np.ndarray, "Q 3"]
    inside: Bool[np.ndarray, " Q"]


@dataclasses.dataclass(frozen=True)
class Partial:
    """A shape that its source has partly prepared.

    fields: those that exist; preparation makes the missing ones.
    scene:  mesh for missing views or a missing solid; in the cube.
    cloud:  points for a missing solid, instead of `scene`.
    """

    fields: Fields
    scene: Scene | None = None
    cloud: Cloud | None = None


@dataclasses.dataclass(frozen=True)
class Shape:
    """One object of a source, not yet loaded. Picklable, so worker processes can load it.

    name:         unique within the dataset and stable, "<group>/<model id>".
    split:        one of SPLITS.
    load:         reads the mesh (y up, front -z, source units) or the partly prepared shape.
                  Raises OSError or ValueError with one clear line (file, what is wrong) when it cannot.
    longest_side: see `scene.place`; None for sources that are already normalised.
    credit:       author and licence of the mesh, "" when the source has one credit for all.
    stamp:        changes with the mesh, so that a repaired one is prepared again; "" where meshes do not change.
    """

    name: str
    split: str
    load: Callable[[], Scene | Partial]
    longest_side: float | None = OWN_LONGEST_SIDE
    credit: str = ""
    stamp: str = ""


@dataclasses.dataclass(frozen=True)
class Listing:
    """The shapes of a source.

    left_out: one line for each entry of a folder that is not read, or that belongs to no mesh.
    copies:   how to treat meshes that are nearly the same. "ignored": the splits are the source's own. "together":
              they go to one split. "reported": the user chose the splits, and a line names copies in different splits.
    """

    shapes: list[Shape]
    left_out: tuple[str, ...] = ()
    copies: Literal["ignored", "together", "reported"] = "ignored"


def stamp_of(path: Path) -> str:
    """The size and modification time of a file, which change when it is written to."""
    found = path.stat()
    return f"{found.st_size} bytes, {found.st_mtime_ns} ns"
