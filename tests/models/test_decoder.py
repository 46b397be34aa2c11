"""The folded decoder against the network as the paper draws it, with (point, z) concatenated at every fed layer."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from imfield_jax.coordinates import LEVEL
from imfield_jax.models.decoder import (
    DecoderConfig,
    FoldedDecoder,
    FoldedLayer,
    ImplicitDecoder,
    activate,
    occupancy,
    point_features,
    signed_logit,
)

CONFIGS = {
    "paper": DecoderConfig(8, (24, 16, 12, 8), skips=True, output="sigmoid"),
    "improved": DecoderConfig(8, (24, 16, 12, 8), skips=False, output="leaky_clip"),
    "compact": DecoderConfig(8, (24, 16, 12, 8), skips=True, output="sigmoid", initial_std=None, octaves=3),
}


def made(config, fill):
    decoder = ImplicitDecoder(config)
    shapes = jax.eval_shape(decoder.init, jax.random.key(0), jnp.zeros(config.latent), jnp.zeros(3))
    return decoder, fill(shapes["params"])


def reference(config, params, z, point):
    """IM-NET layer by layer in float64: the value before the output function."""
    waves = [[wave(np.pi * 2**o * float(x)) for o in range(config.octaves) for x in point] for wave in (np.sin, np.cos)]
    fed = np.concatenate([point, *waves, z]).astype(np.float64)
    hidden = np.zeros(0)
    for number in range(1, len(config.widths) + 2):
        is_fed = number == 1 or (config.skips and number <= len(config.widths))
        seen = np.concatenate([hidden, fed]) if is_fed else hidden
        value = seen @ params[f"layer_{number}_kernel"].astype(np.float64) + params[f"layer_{number}_bias"]
        hidden = np.where(value > 0, value, 0.02 * value)
    return value[0]


@pytest.mark.parametrize("name", CONFIGS)
def test_folding_z_changes_nothing_beyond_rounding(name, fill, rng):
    config = CONFIGS[name]
    decoder, params = made(config, fill)
    points = rng.uniform(-0.5, 0.5, (50, 3)).astype(np.float32)
    for z in rng.uniform(0, 1, (3, config.latent)).astype(np.float32):
        folded = decoder.apply({"params": params}, z, method="fold")
        values = jax.vmap(folded.logit)(points)
        expected = [reference(config, params, z, point) for point in points]
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)
        whole = jax.vmap(lambda point, z=z: decoder.apply({"params": params}, z, point))(points)
        np.testing.assert_allclose(whole, activate(values, config.output), rtol=1e-6)


def test_the_folded_decoder_is_a_network_of_the_point_alone(fill):
    decoder, params = made(CONFIGS["paper"], fill)
    folded = decoder.apply({"params": params}, np.zeros(8, np.float32), method="fold")
    rows = [
        sum(matrix.shape[0] for matrix in (layer.hidden, layer.point) if matrix is not None) for layer in folded.layers
    ]
    assert rows == [3, 24 + 3, 16 + 3, 12 + 3, 8]


def test_features_of_a_point_have_the_periods_of_their_octaves():
    point = np.array([0.11, -0.23, 0.4], np.float32)
    features = np.asarray(point_features(point, 4))
    np.testing.assert_array_equal(features[:3], point)
    np.testing.assert_allclose(features[3:15] ** 2 + features[15:] ** 2, 1, rtol=1e-5)
    for octave in range(4):
        moved = np.asarray(point_features(point + np.float32(2 / 2**octave), 4))
        waves = [slice(start + 3 * octave, start + 12) for start in (3, 15)]  # this octave and all that are higher
        for wave in waves:
            np.testing.assert_allclose(moved[wave], features[wave], atol=1e-4)


def test_batched_logits_equal_the_logits_of_each_point(networks, variables, rng):
    params, _ = variables
    logits = jax.jit(networks.logits, static_argnames="sequential")
    z = rng.uniform(0, 1, (3, 8)).astype(np.float32)
    points = rng.uniform(-0.5, 0.5, (3, 40, 3)).astype(np.float32)
    values = logits(params, z, points)
    assert len(np.unique(values)) == values.size
    order = rng.permutation(40)
    np.testing.assert_allclose(logits(params, z, points[:, order]), values[:, order], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(logits(params, z, points, sequential=True), values, rtol=1e-5, atol=1e-6)
    # Neighbours that are not even numbers must not be noticed.
    z[[0, 2]], points[[0, 2]], points[1, 20:] = np.nan, np.nan, np.nan
    for sequential in (False, True):
        alone = logits(params, z, points, sequential=sequential)
        np.testing.assert_allclose(alone[1, :20], values[1, :20], rtol=1e-5, atol=1e-6)


def test_the_leaky_clip_is_the_identity_in_between_and_leaks_outside():
    values = np.array([-300.0, -1.0, 0.0, 0.3, 0.5, 1.0, 2.0, 300.0])
    expected = [-3.0, -0.01, 0.0, 0.3, 0.5, 1.0, 1.01, 3.99]
    np.testing.assert_allclose(activate(values, "leaky_clip"), expected, rtol=1e-6)
    slopes = jax.vmap(jax.grad(lambda value: activate(value, "leaky_clip")))(np.array([-300.0, 0.3, 300.0]))
    np.testing.assert_allclose(slopes, [0.01, 1.0, 0.01], rtol=1e-6)


def test_the_sigmoid_puts_the_surface_at_logit_zero():
    np.testing.assert_allclose(activate(np.array([-np.log(3), 0.0, np.log(3)]), "sigmoid"), [0.25, 0.5, 0.75], 1e-6)


@pytest.mark.parametrize("output", ["sigmoid", "leaky_clip"])
def test_the_field_has_the_sign_of_occupancy_less_its_level(output):
    for value in np.linspace(-2, 2, 41).astype(np.float32):
        layer = FoldedLayer(hidden=None, point=jnp.zeros((3, 1)), bias=value[None])
        folded, origin = FoldedDecoder((layer,), output, octaves=0), jnp.zeros(3)
        assert np.sign(signed_logit(folded, origin)) == np.sign(occupancy(folded, origin) - LEVEL)


def test_an_unknown_output_is_refused():
    with pytest.raises(ValueError, match="expected sigmoid or leaky_clip, found 'tanh'"):
        activate(np.zeros(3), "tanh")


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_gradients_of_a_saturated_field_are_finite(name, far, fill):
    config = CONFIGS[name]
    decoder, params = made(config, fill)
    params[f"layer_{len(config.widths) + 1}_bias"][:] = far

    def field(params, z, point):
        return occupancy(decoder.apply({"params": params}, z, method="fold"), point)

    z, point = np.full(8, 0.5, np.float32), np.zeros(3, np.float32)
    value, gradients = jax.jit(jax.value_and_grad(field, argnums=(0, 1, 2)))(params, z, point)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def initialised(config):
    decoder = ImplicitDecoder(config)
    key = jax.random.key(3, impl="rbg")
    return decoder, jax.jit(decoder.init)(key, jnp.zeros(config.latent), jnp.zeros(3))


def test_initial_weights_are_normal_as_in_the_paper():
    _, variables = initialised(DecoderConfig(61, (96, 96), skips=False, output="sigmoid"))
    for number in (1, 2):
        assert not np.any(variables["params"][f"layer_{number}_bias"])
        kernel = np.asarray(variables["params"][f"layer_{number}_kernel"])
        assert kernel.std() == pytest.approx(0.02, rel=0.05)
        assert np.mean(np.abs(kernel) < 0.02) == pytest.approx(0.683, abs=0.02)


def test_balanced_weights_put_the_kinks_into_the_cube():
    decoder, variables = initialised(DecoderConfig(128, (96, 96), skips=True, output="sigmoid", initial_std=None))
    folded = decoder.apply(variables, np.full(128, 0.5, np.float32), method="fold")
    reach = 0.5 * np.abs(folded.layers[0].point).sum(axis=0)  # of a unit's value, from the centre to a corner
    assert np.mean(np.abs(folded.layers[0].bias) < reach) > 0.95


def test_balanced_weights_start_where_a_clip_has_a_slope(rng):
    config = DecoderConfig(8, (64, 64, 32), skips=False, output="leaky_clip", initial_std=None)
    decoder, variables = initialised(config)
    folded = decoder.apply(variables, rng.uniform(0.4, 0.6, 8).astype(np.float32), method="fold")
    values = jax.vmap(folded.logit)(rng.uniform(-0.5, 0.5, (500, 3)).astype(np.float32))
    assert 0.01 < np.std(values) < 0.5 and np.mean((values > 0) & (values < 1)) > 0.9
