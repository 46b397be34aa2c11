"""Feeds: the sources of batches for a training loop.

A feed returns a batch by its number, deterministically (see `draws`), so resuming
needs no state. Two classes implement it and give bitwise equal batches:
`pipeline.PipelineFeed` streams records of a dataset of any size through tf.data,
`resident.ResidentFeed` keeps a small split in device memory.

The arithmetic that converts stored integers to network inputs is shared, and is here.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8

from imfield_jax.batches import Inputs
from imfield_jax.camera import view_camera
from imfield_jax.coordinates import index_to_point
from imfield_jax.dataset.draws import Draw, draw
from imfield_jax.framing import frame, framed_square
from imfield_jax.types import SameArray

if TYPE_CHECKING:  # reading a dataset needs TFDS, feeding packed arrays must not
    from imfield_jax.dataset.rows import Row


@dataclasses.dataclass(frozen=True)
class FeedConfig:
    """The configuration of a feed's batches.

    seed:    of the order of shapes and the choice of points and views.
    batch:   shapes in the global batch.
    points:  labelled points per shape; all of them if a level stores fewer.
    inputs:  what the encoders see.
    host, hosts: index and number of the processes that divide the global batch.
    visits:  how often an epoch visits each shape of the split; once each if empty.
    """

    seed: int = 0
    batch: int = 32
    points: int = 4096
    inputs: Inputs = dataclasses.field(default_factory=Inputs)
    host: int = 0
    hosts: int = 1
    visits: tuple[int, ...] = ()


def draw_batch(config: FeedConfig, step: int, shapes: int, stored: int = 0, views: int = 0) -> Draw:
    """The draw of a feed for one step, from `shapes` shapes of `stored` points and `views` views each.

    Raises ValueError when the visits are not of as many shapes.
    """
    if len(config.visits or range(shapes)) != shapes:
        raise ValueError(f"visits: expected those of {shapes} shapes, found {len(config.visits)}")
    visited = np.repeat(np.arange(shapes, dtype=np.int32), config.visits or 1)
    drawn = draw(
        config.seed,
        step,
        shapes=len(visited),
        batch=config.batch,
        stored=stored,
        points=min(config.points, stored),
        views=views,
        host=config.host,
        hosts=config.hosts,
    )
    return dataclasses.replace(drawn, index=visited[drawn.index])


def framed(row: Row, number: int, inputs: Inputs) -> tuple[UInt8[np.ndarray, "S S C"], Float32[np.ndarray, " 7"]]:
    """A view of a shape as the network sees it, and its camera."""
    image = row.view(number)
    square = framed_square(image, inputs.framing)
    return frame(image, inputs.framing, inputs.view_size), view_camera(row.cameras[number], len(image), square)


def indices_to_points(indices: UInt8[SameArray, "*shape 3"], grid: int) -> Float32[SameArray, "*shape 3"]:
    """Stored points (cells of a grid of `grid` cells per axis) as their centres in the cube."""
    return index_to_point(indices.astype(np.float32), grid)
