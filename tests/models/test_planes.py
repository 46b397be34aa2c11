"""Spatial latents against a slow reference, and that what they say is where it is said."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from imfield_jax.models.decoder import NEGATIVE_SLOPE, signed_logit
from imfield_jax.models.plane_voxel_encoder import PlaneVoxelEncoder, PlaneVoxelEncoderConfig
from imfield_jax.models.planes import PLANES, PlaneDecoder, PlaneDecoderConfig

CONFIG = PlaneDecoderConfig(resolution=5, channels=3, widths=(7, 4))
DECODER = PlaneDecoder(CONFIG)
Z = np.random.default_rng(0).normal(size=(3, CONFIG.latent)).astype(np.float32)


@pytest.fixture(scope="module")
def variables(fill):
    return {
        "params": fill(jax.eval_shape(DECODER.init, jax.random.key(0), jnp.zeros(CONFIG.latent), jnp.zeros(3)))[
            "params"
        ]
    }


def reference(params, z, point):
    """In float64, from the definition: the weight of a cell falls linearly to 0 at its neighbours' centres."""
    maps = z.astype(float).reshape(3, 5, 5, 3)
    features = []
    centres = (np.arange(5) + 0.5) / 5 - 0.5
    for (row, column), cells in zip(PLANES, maps, strict=True):
        inner = np.clip(point.astype(float), centres[0], centres[-1])
        down, right = (np.maximum(0, 1 - np.abs(inner[axis] - centres) * 5) for axis in (row, column))
        features.append(np.einsum("r,c,rcf->f", down, right, cells))
    hidden = np.concatenate(features)
    for number in (1, 2, 3):
        hidden = hidden if number == 1 else np.maximum(hidden, NEGATIVE_SLOPE * hidden)
        hidden = hidden @ params[f"layer_{number}_kernel"] + params[f"layer_{number}_bias"]
    return hidden[0]


def test_the_decoder_is_the_slow_reference(variables, rng):
    points = rng.uniform(-0.7, 0.7, (200, 3)).astype(np.float32)  # also beyond the cube
    expected = [[reference(variables["params"], z, point) for point in points] for z in Z]
    folded = DECODER.apply(variables, Z, method="fold")
    for number, values in enumerate(expected):
        of_points = jax.vmap(folded.of(jnp.int32(number)).logit)(points)
        np.testing.assert_allclose(of_points, values, atol=2e-5)
        unfolded = DECODER.apply(variables, Z[number], points, method="logits")
        np.testing.assert_allclose(unfolded, values, atol=2e-5)
        assert signed_logit(folded.of(jnp.int32(number)), points[0]) == pytest.approx(values[0], abs=2e-5)


def test_the_field_is_continuous_and_its_gradient_is_its_slope(variables, rng):
    folded = DECODER.apply(variables, Z[0], method="fold")
    field, slope = jax.vmap(folded.logit), jax.vmap(jax.grad(folded.logit))
    border = np.array([[0.2, 0.1, -0.3]], np.float32) - 0.1  # on the centre of a cell along x
    step = np.array([[1e-6, 0, 0]], np.float32)
    assert field(border - step)[0] == pytest.approx(float(field(border + step)[0]), abs=1e-4)
    points = rng.uniform(-0.4, 0.4, (50, 3)).astype(np.float32)
    moved = np.asarray(slope(points)) * 1e-4
    gained = np.asarray(field(points + moved) - field(points - moved))
    np.testing.assert_allclose(np.median(gained / (2e-4 * (np.asarray(slope(points)) ** 2).sum(1))), 1, atol=0.02)


def test_a_cell_of_a_map_speaks_of_its_own_column_only(variables):
    changed = Z[0].copy().reshape(3, 5, 5, 3)
    changed[0, 0, 0] += 1  # the corner of the x-y plane
    points = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 21, dtype=np.float32)] * 3, indexing="ij"), -1).reshape(
        -1, 3
    )
    before, after = (DECODER.apply(variables, z.ravel(), points, method="logits") for z in (Z[0], changed))
    differs = np.abs(np.asarray(before - after)) > 0
    near = (points[:, :2] < -0.5 + 0.3 - 1e-6).all(axis=1)  # up to the centres of the neighbours
    assert differs.any() and not differs[~near].any()


def test_lower_precision_changes_only_products_of_hidden_layers(variables):
    folded = DECODER.apply(variables, Z[0], method="fold")
    fast = folded.in_dtype(jnp.bfloat16)
    assert [kernel.dtype for kernel in fast.kernels] == [jnp.bfloat16, jnp.float32]
    assert fast.maps.dtype == jnp.float32
    exact, rounded = folded.logit(jnp.zeros(3)), fast.logit(jnp.zeros(3))
    assert rounded.dtype == jnp.float32 and 0 < abs(float(exact - rounded)) < 0.05 * max(1.0, abs(float(exact)))


def test_a_voxel_changes_the_maps_only_around_its_columns(fill, rng):
    config = PlaneVoxelEncoderConfig(resolution=32, channels=2, width=4)
    encoder = PlaneVoxelEncoder(config)
    variables = {"params": fill(jax.eval_shape(encoder.init, jax.random.key(0), jnp.zeros((1, 64, 64, 64))))["params"]}
    voxels = np.repeat(rng.integers(2, size=(1, 64, 64, 64), dtype=np.uint8), 2, axis=0)
    voxel = (10, 50, 30)
    voxels[(1, *voxel)] ^= 1
    one, other = np.asarray(encoder.apply(variables, voxels)).reshape(2, 3, 32, 32, 2)
    differs = np.abs(one - other).max(axis=-1) > 1e-4 * np.abs(one).max()  # else rounding
    for (row, column), changed in zip(PLANES, differs, strict=True):
        rows, columns = np.nonzero(changed)
        assert len(rows)
        for cells, axis in ((rows, row), (columns, column)):
            assert np.abs(cells - voxel[axis] / 2).max() <= 12  # cells: the reach of five 3x3 convolutions, two coarse


def test_latents_have_the_size_that_the_decoder_reads():
    config = PlaneDecoderConfig(resolution=32, channels=2, widths=(4,))
    encoder = PlaneVoxelEncoder(PlaneVoxelEncoderConfig(resolution=32, channels=2, width=4))
    shape = jax.eval_shape(lambda: encoder.init_with_output(jax.random.key(0), jnp.zeros((2, 64, 64, 64)))[0]).shape
    assert shape == (2, config.latent) and dataclasses.replace(config, channels=4).latent == 2 * config.latent
