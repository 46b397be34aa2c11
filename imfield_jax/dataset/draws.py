"""The shapes, points and views of batch number `step`: a pure function of (seed, step).

Resuming a run needs no state and skips nothing: any step costs the same, and the same (seed, step)
always gives the same draw, on any number of hosts. To guarantee this across NumPy versions, only the
raw words of the Philox counter generator are used (NumPy keeps those stable, but not the streams of
`Generator` methods), with explicit arithmetic.

Shapes are visited in epochs: the concatenated batches of a run are one permutation of the split after
the other. Points and views are drawn independently for every position in every batch.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Int32, Int64

_ORDER, _POINTS, _VIEWS = range(3)  # streams of random words; never renumber
_WORDS_PER_BLOCK = 4  # per increment of the Philox counter, 64 bits each
_PIECES_PER_WORD = 4  # 16 bits suffice for a choice among few; they limit the number of stored points
_MAX_STORED = 2**16


@dataclasses.dataclass(frozen=True)
class Draw:
    """The indices that one host reads for one batch of B shapes.

    index:  rows of the split.
    points: rows of each shape's stored points.
    view:   index of each shape's view; zeros without views.
    """

    index: Int32[np.ndarray, " B"]
    points: Int32[np.ndarray, "B P"]
    view: Int32[np.ndarray, " B"]


def draw(
    seed: int,
    step: int,
    *,
    shapes: int,
    batch: int,
    stored: int = 0,
    points: int = 0,
    views: int = 0,
    host: int = 0,
    hosts: int = 1,
) -> Draw:
    """The part of `host` of batch `step`.

    shapes: shapes in the split.            batch: shapes in the global batch, over all hosts.
    stored: labelled points of each shape.  points: number of them to draw, P.
    views:  views of each shape.            host: takes positions host * B .. (host + 1) * B of the batch.

    Raises ValueError when a number is out of range or `hosts` does not divide `batch`.
    """
    _check(seed, step, shapes, batch, stored, points, views, host, hosts)
    local = batch // hosts
    place = np.arange(host * local, (host + 1) * local)
    return Draw(
        index=_indices(seed, step * batch + place, shapes).astype(np.int32),
        points=_subsets(seed, step, host * local, local, stored, points),
        view=_below(views, _words(seed, _VIEWS, step, 0, batch)[place] >> np.uint64(48)).astype(np.int32),
    )


def epoch_order(seed: int, epoch: int, shapes: int) -> Int64[np.ndarray, " {shapes}"]:
    """The order in which one epoch visits the shapes: a permutation of 0 .. shapes - 1."""
    return np.argsort(_words(seed, _ORDER, epoch, 0, shapes), kind="stable")


def _indices(seed: int, counters: np.ndarray, shapes: int) -> np.ndarray:
    """Rows at positions `counters` of the infinite sequence of epochs: [B] int64."""
    epochs, within = np.divmod(counters, shapes)
    rows = np.empty(len(counters), np.int64)
    for epoch in np.unique(epochs):
        chosen = epochs == epoch
        rows[chosen] = epoch_order(seed, int(epoch), shapes)[within[chosen]]
    return rows


def _subsets(seed: int, step: int, first: int, count: int, stored: int, points: int) -> np.ndarray:
    """A random subset of the stored points for each of `count` positions of the batch: [count, points] int32.

    The stored points, rotated by a random amount, are divided into `points` runs of equal length, and one
    is taken from each: no point is repeated, each is equally likely, the cost is 16 random bits per
    point, and because neighbours in storage are neighbours in space, the whole surface is always covered.
    """
    if not points:
        return np.zeros((count, 0), np.int32)
    blocks = -(-(points + 1) // (_PIECES_PER_WORD * _WORDS_PER_BLOCK))
    words = _words(seed, _POINTS, step, first * blocks, count * blocks * _WORDS_PER_BLOCK)
    pieces = words.astype("<u8").view("<u2").reshape(count, -1)
    edges = (np.arange(points + 1) * stored // points).astype(np.uint32)
    rotated = _below(np.diff(edges), pieces[:, :points]) + edges[:-1]
    rotated += _below(stored, pieces[:, points, None])
    return np.where(rotated < stored, rotated, rotated - np.uint32(stored)).astype(np.int32)


def _below(limit: int | np.ndarray, pieces: np.ndarray) -> np.ndarray:
    """Random integers in [0, limit), limit <= 2^16, from random 16-bit pieces by multiplication: uint32."""
    return pieces.astype(np.uint32) * np.asarray(limit, np.uint32) >> np.uint32(16)


def _words(seed: int, stream: int, row: int, first_block: int, count: int) -> np.ndarray:
    """`count` random 64-bit words of row `row` of a stream, from a given block on: [count] uint64."""
    generator = np.random.Philox(key=[seed, stream], counter=[first_block, row, 0, 0])
    return generator.random_raw(count)


def _check(
    seed: int, step: int, shapes: int, batch: int, stored: int, points: int, views: int, host: int, hosts: int
) -> None:
    if not 0 <= seed < 2**63 or step < 0:
        raise ValueError(f"seed and step must not be negative, found seed {seed}, step {step}")
    if shapes < 1 or batch < 1:
        raise ValueError(f"a batch of {batch} cannot be drawn from {shapes} shapes")
    if max(stored, views) > _MAX_STORED:
        raise ValueError(f"expected at most {_MAX_STORED} stored points or views, found {max(stored, views)}")
    if points > stored:
        raise ValueError(f"{points} points per shape: expected at most the {stored} that are stored")
    if batch % hosts or not 0 <= host < hosts:
        raise ValueError(f"a batch of {batch} shapes cannot be divided among {hosts} hosts (this is host {host})")
