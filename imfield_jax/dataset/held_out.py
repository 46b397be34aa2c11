"""The held-out shapes of a training run, read from a split in full.

The type is in `batches`, because training does not import the dataset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32

from imfield_jax.batches import HeldOut, Inputs
from imfield_jax.framing import frame, to_unit
from imfield_jax.preparation.sampling import uniform_points

if TYPE_CHECKING:  # reading a dataset needs TFDS, the type does not
    from imfield_jax.dataset.rows import Row
    from imfield_jax.dataset.storage import Split


def held_out(split: Split, inputs: Inputs, shapes: int = 32, points: int = 8192, seed: int = 0) -> HeldOut:
    """`shapes` shapes of a split, evenly spread, shape i of them with its view i modulo K and random points of its own.

    The first shapes of a mixture would be of one dataset.
    """
    rows, views = _spread(split, inputs, min(shapes, len(split)))
    labelled = [uniform_points(row.solid, points, [seed, number]) for number, row in enumerate(rows)]
    return HeldOut(
        voxels=np.stack([row.voxels_of(inputs.voxel_size) for row in rows]),
        view=views,
        points=np.stack([points for points, _ in labelled]),
        occupancy=np.stack([values for _, values in labelled]).astype(bool),
    )


def spread_views(split: Split, inputs: Inputs, count: int) -> Float32[np.ndarray, "N S S C"]:
    """So many different views in [0, 1], or all, of shapes that are evenly spread."""
    return _spread(split, inputs, min(count, len(split) * split.views))[1]


def _spread(split: Split, inputs: Inputs, count: int) -> tuple[list[Row], np.ndarray]:
    """Shapes, and a view of each."""
    rows = [split[number * len(split) // count] for number in range(count)]
    views = [
        frame(row.view(number % row.view_count), inputs.framing, inputs.view_size) for number, row in enumerate(rows)
    ]
    return rows, to_unit(np.stack(views))
