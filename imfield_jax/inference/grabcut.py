"""GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004): the unsure part of a matte, decided by colours and edges.

Pixels that a matte is sure about stay. The others go to the side whose colours theirs resemble, with a border along the
edges of the image: the minimum of an energy, found as a minimum cut. It is OpenCV's `grabCut` with scipy's maximum
flow, because OpenCV would be the largest dependency of the project.
"""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
from jaxtyping import Bool, Float, Int64
from scipy import sparse
from scipy.cluster.vq import kmeans2
from scipy.sparse import csgraph

SURE = 0.9  # beyond this, or below 1 minus this, a matte is sure
_ROUNDS = 3  # of fitting the colours and cutting
_COLORS = 5  # components of each side's mixture
_NOISE = 25.0  # variance of colours of 0 to 255 that is added to each component's
_CONTRAST = 50.0  # weight of the border's length where the image has no edge
_STEPS = 1000.0  # of a unit of energy, as capacities are integers
_LARGEST = 1e6  # capacity in units of energy, far above those of pixels
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # rows and columns to half of the 8 neighbours


def grabcut(rgb: Float[np.ndarray, "H W 3"], matte: Float[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Which pixels are the object. rgb: 0 to 255. The matte as it is if it is not sure of any object and background."""
    inside, sure = matte > 0.5, (matte > SURE) | (matte < 1 - SURE)
    if sure.all() or not (sure & inside).any() or not (sure & ~inside).any():
        return inside
    pairs, weights = borders(rgb)
    for _ in range(_ROUNDS):
        costs = np.stack([unlikeliness(rgb, side) for side in (~inside, inside)], axis=-1)
        before, inside = inside, cut(costs, pairs, weights, inside, sure)
        if (before == inside).all():
            break
    return inside


def borders(rgb: Float[np.ndarray, "H W 3"]) -> tuple[Int64[np.ndarray, "N 2"], Float[np.ndarray, " N"]]:
    """Pairs of neighbouring pixels, by flat index, and the energy of a border between them: small across edges."""
    height, width = rgb.shape[:2]
    numbers = np.arange(height * width).reshape(height, width)
    pairs, lengths = [], []
    for down, right in _NEIGHBOURS:
        here = numbers[: height - down, max(0, -right) : width - max(0, right)]
        there = numbers[down:, max(0, right) : width - max(0, -right)]
        pairs.append(np.stack([here.ravel(), there.ravel()], axis=1))
        lengths.append(np.full(here.size, np.hypot(down, right)))
    both = np.concatenate(pairs)
    contrast = ((rgb.reshape(-1, 3)[both[:, 0]] - rgb.reshape(-1, 3)[both[:, 1]]) ** 2).sum(axis=1)
    return both, _CONTRAST * np.exp(-contrast / (2 * contrast.mean() + 1e-9)) / np.concatenate(lengths)


def cut(
    costs: Float[np.ndarray, "H W 2"],
    pairs: Int64[np.ndarray, "N 2"],
    weights: Float[np.ndarray, " N"],
    inside: Bool[np.ndarray, "H W"],
    fixed: Bool[np.ndarray, "H W"],
) -> Bool[np.ndarray, "H W"]:
    """The pixels of the object that minimise the sum of each pixel's cost and of the weights between unlike pairs.

    costs: of a pixel in the background, and in the object. fixed: pixels that stay as in `inside`.
    """
    free = np.flatnonzero(~fixed)
    node = np.full(fixed.size, -1)
    node[free] = np.arange(len(free))
    of_background, of_object = (costs.reshape(-1, 2)[free] - costs.reshape(-1, 2)[free].min(axis=1, keepdims=True)).T
    nodes = node[pairs]
    for one, other in ((0, 1), (1, 0)):  # a fixed neighbour is a cost of its own
        beside = (nodes[:, one] >= 0) & (nodes[:, other] < 0)
        is_object = inside.ravel()[pairs[beside, other]]
        for cost, chosen in ((of_background, is_object), (of_object, ~is_object)):
            np.add.at(cost, nodes[beside, one][chosen], weights[beside][chosen])
    between = (nodes >= 0).all(axis=1)
    a, b = nodes[between].T
    source, sink, every = len(free), len(free) + 1, np.arange(len(free))
    rows = np.concatenate([a, b, np.full(len(free), source), every])
    columns = np.concatenate([b, a, every, np.full(len(free), sink)])
    energies = np.concatenate([weights[between], weights[between], of_background, of_object])
    capacities = np.round(_STEPS * np.minimum(energies, _LARGEST)).astype(np.int32)
    graph = sparse.csr_matrix((capacities, (rows, columns)), (len(free) + 2,) * 2)
    left = graph - csgraph.maximum_flow(graph, source, sink).flow
    left.eliminate_zeros()
    reached = csgraph.breadth_first_order(left, source, return_predecessors=False)
    found = inside.copy().ravel()
    found[free] = False
    found[free[reached[reached < source]]] = True
    return found.reshape(inside.shape)


@dataclasses.dataclass(frozen=True)
class _Component:
    """A normal distribution of colours, and its share."""

    share: float
    mean: Float[np.ndarray, " 3"]
    covariance: Float[np.ndarray, "3 3"]

    def unlikeliness(self, colors: Float[np.ndarray, "P 3"]) -> Float[np.ndarray, " P"]:
        away = colors - self.mean
        distance = (away @ np.linalg.inv(self.covariance) * away).sum(axis=1)
        return (distance + np.linalg.slogdet(self.covariance)[1]) / 2 - np.log(self.share)


def unlikeliness(rgb: Float[np.ndarray, "H W 3"], side: Bool[np.ndarray, "H W"]) -> Float[np.ndarray, "H W"]:
    """The negative logarithm of the likelihood of each pixel among the colours of one side; large if that is empty."""
    colors = rgb[side].astype(np.float64)
    if not len(colors):
        return np.full(side.shape, _LARGEST / _STEPS)
    count = min(_COLORS, len(np.unique(colors, axis=0)))
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # a component without pixels is left out
        _, labels = kmeans2(colors, count, minit="++", rng=np.random.default_rng(0))
    components = [
        _Component(len(own) / len(colors), own.mean(axis=0), np.cov(own.T, bias=True) + _NOISE * np.eye(3))
        for own in (colors[labels == label] for label in np.unique(labels))
    ]
    everything = rgb.reshape(-1, 3).astype(np.float64)
    return np.min([each.unlikeliness(everything) for each in components], axis=0).reshape(side.shape)
