"""Bounds of decoders in boxes against the decoder at many points, in float32 and in float64."""

from __future__ import annotations

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from imfield_jax.models import bounds
from imfield_jax.models.bounds import signed_logit_bounds
from imfield_jax.models.decoder import (
    NEGATIVE_SLOPE,
    SURFACE_LOGITS,
    DecoderConfig,
    FoldedDecoder,
    FoldedLayer,
    ImplicitDecoder,
    signed_logit,
)

CONFIGS = {
    "paper": DecoderConfig(8, (90, 60, 30, 20), skips=True, output="sigmoid"),
    "improved": DecoderConfig(8, (90, 60, 30, 20), skips=False, output="leaky_clip"),
    "compact": DecoderConfig(8, (90, 60, 30, 20), skips=True, output="sigmoid", initial_std=None, octaves=4),
}


def made(name, fill) -> FoldedDecoder:
    decoder = ImplicitDecoder(CONFIGS[name])
    params = fill(jax.eval_shape(decoder.init, jax.random.key(0), jnp.zeros(8), jnp.zeros(3))["params"])
    return decoder.apply({"params": jax.tree.map(jnp.asarray, params)}, jnp.full(8, 0.5), method="fold")


def in_float64(folded: FoldedDecoder, points: np.ndarray) -> np.ndarray:
    """The field in float64: [P, 3] -> [P]."""
    angles = [np.pi * 2.0**octave * points for octave in range(folded.octaves)]
    features = np.concatenate([points, *map(np.sin, angles), *map(np.cos, angles)], axis=1)
    hidden = None
    for layer in folded.layers:
        value = np.asarray(layer.bias, np.float64)
        if layer.point is not None:
            value = value + features @ np.asarray(layer.point, np.float64)
        if layer.hidden is not None:
            value = value + np.where(hidden > 0, hidden, NEGATIVE_SLOPE * hidden) @ np.asarray(layer.hidden, np.float64)
        hidden = value
    return hidden[:, 0] - SURFACE_LOGITS[folded.output]


def boxes(rng, count, side):
    centers = rng.uniform(-0.5, 0.5, (count, 3)) * (1 - side)
    return np.concatenate([centers, rng.uniform(0.1, 0.5, (count, 3)) * side], axis=1).astype(np.float32)


def within(rng, box, count):
    """Points of a box, its corners among them."""
    offsets = np.concatenate([rng.uniform(-1, 1, (count, 3)), rng.choice([-1, 1], (count, 3))])
    return (box[:3] + offsets * box[3:]).astype(np.float32)


@pytest.mark.parametrize("side", [0.0, 1 / 256, 1 / 64, 1 / 8, 0.9])
@pytest.mark.parametrize("name", CONFIGS)
def test_no_value_in_a_box_is_outside_of_its_bounds(name, side, fill, rng):
    folded = made(name, fill)
    drawn = boxes(rng, 40, side)
    low, high = np.asarray(jax.jit(jax.vmap(partial(signed_logit_bounds, folded)))(drawn)).T
    field = jax.jit(jax.vmap(partial(signed_logit, folded)))
    for box, least, most in zip(drawn, low, high, strict=True):
        points = within(rng, box, 100)
        assert least < np.asarray(field(points)).min() and np.asarray(field(points)).max() < most
        values = in_float64(folded, points.astype(np.float64))
        assert least < values.min() and values.max() < most


@pytest.mark.parametrize("name", CONFIGS)
def test_bounds_of_small_boxes_are_little_wider_than_the_values(name, fill, rng):
    folded = made(name, fill)
    drawn = boxes(rng, 40, 1 / 256)
    low, high = np.asarray(jax.jit(jax.vmap(partial(signed_logit_bounds, folded)))(drawn)).T
    spans = [np.ptp(in_float64(folded, within(rng, box, 200).astype(np.float64))) for box in drawn]
    assert np.median((high - low) / spans) < 1.5


@pytest.mark.parametrize("name", CONFIGS)
def test_symbols_of_the_layers_make_bounds_tighter(name, fill, rng, monkeypatch):
    folded = made(name, fill)
    drawn = boxes(rng, 40, 1 / 8)
    widths = []
    for symbols in (1, 16, 90):
        monkeypatch.setattr(bounds, "SYMBOLS", symbols)
        low, high = np.asarray(jax.jit(jax.vmap(partial(signed_logit_bounds, folded)))(drawn)).T
        widths.append(np.median(high - low))
    assert widths[2] < widths[1] < widths[0]


def test_a_box_of_one_point_is_as_wide_as_rounding_may_be(fill):
    """Weights of a thousand that cancel: float32 is off by more than the value, and the bounds say so."""
    folded = made("paper", fill)
    first = folded.layers[0]
    doubled = FoldedLayer(None, jnp.tile(first.point, (1, 2)), jnp.tile(first.bias, 2))
    opposite = folded.layers[1]
    cancelling = dataclasses.replace(
        opposite, hidden=jnp.concatenate([1e6 * jnp.ones_like(opposite.hidden), -1e6 * jnp.ones_like(opposite.hidden)])
    )
    folded = dataclasses.replace(folded, layers=(doubled, cancelling, *folded.layers[2:]))
    point = np.float32([0.1, 0.2, 0.3])
    low, high = signed_logit_bounds(folded, np.concatenate([point, np.zeros(3, np.float32)]))
    exact = in_float64(folded, point[None].astype(np.float64))[0]
    assert low < exact < high and low < signed_logit(folded, point) < high
    assert high - low > 0.1
