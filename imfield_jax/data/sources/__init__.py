"""Where shapes come from: one module per origin, all yielding `Shape`s.

A source module has one public function `shapes(...) -> list[Shape]` that lists without reading
meshes, so that listing 7,000 cars takes a moment and each worker process loads only its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from imfield_jax.data.scene import Scene

if TYPE_CHECKING:  # a record knows what it is made from
    from imfield_jax.data.record import Partial

SPLITS = ("train", "validation", "test")
OWN_LONGEST_SIDE = 0.9  # sources without a normalisation of their own fill this much of the cube


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


def stamp_of(path: Path) -> str:
    """What changes when somebody writes to a file."""
    found = path.stat()
    return f"{found.st_size} bytes, {found.st_mtime_ns} ns"


def split_sorted(names: list[str]) -> dict[str, str]:
    """The 80/10/10 split of sorted names that sources without an official one use.

    The first int(0.8 n) names train (as IM-NET's), the next half of the rest validates.
    """
    names = sorted(names)
    train = int(0.8 * len(names))
    validation = train + (len(names) - train) // 2
    return {name: "train" if i < train else "validation" if i < validation else "test" for i, name in enumerate(names)}
