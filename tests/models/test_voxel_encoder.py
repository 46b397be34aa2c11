"""The voxel encoder: products in place of convolutions, and what normalisation must not mix."""

from __future__ import annotations

import itertools

import jax
import numpy as np
import pytest

from imfield_jax.models.voxel_encoder import (
    InstanceNorm,
    StridedConvolution,
    VoxelEncoder,
    VoxelEncoderConfig,
    convolution,
    product_of_blocks,
    product_of_patches,
)

PRODUCTS = {2: product_of_blocks, 4: product_of_patches}
PADDING = {2: 1, 4: 0}


@pytest.fixture
def problem(rng):
    """grid [B, R, R, R, C] and kernel [4, 4, 4, C, out]."""
    return rng.normal(size=(2, 8, 8, 8, 3)).astype(np.float32), rng.normal(size=(4, 4, 4, 3, 5)).astype(np.float32)


@pytest.mark.parametrize("stride", [2, 4])
def test_the_convolution_equals_its_definition(problem, stride):
    grid, kernel = problem
    pad = PADDING[stride]
    padded = np.pad(grid, [(0, 0), *[(pad, pad)] * 3, (0, 0)])
    out = convolution(grid, kernel, stride)
    size = 8 // stride
    assert out.shape == (2, size, size, size, 5)
    for i, j, k in itertools.product(range(size), repeat=3):
        seen = padded[:, stride * i :, stride * j :, stride * k :][:, :4, :4, :4]
        expected = np.einsum("bxyzc,xyzco->bo", seen, kernel)
        np.testing.assert_allclose(out[:, i, j, k], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("stride", [2, 4])
def test_the_product_and_its_gradients_are_those_of_the_convolution(problem, stride, rng):
    out, pull = jax.vjp(PRODUCTS[stride], *problem)
    expected, pull_expected = jax.vjp(lambda grid, kernel: convolution(grid, kernel, stride), *problem)
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)
    weights = rng.normal(size=out.shape).astype(np.float32)
    for gradient, gradient_expected in zip(pull(weights), pull_expected(weights), strict=True):
        np.testing.assert_allclose(gradient, gradient_expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("stride", [2, 4])
def test_the_layer_has_the_parameters_of_the_convolution(problem, stride, fill):
    grid, _ = problem
    layer = StridedConvolution(5, stride, use_bias=True)
    params = fill(jax.eval_shape(layer.init, jax.random.key(0), grid)["params"])
    assert jax.tree.map(np.shape, params) == {"kernel": (4, 4, 4, 3, 5), "bias": (5,)}
    expected = convolution(grid, params["kernel"], stride) + params["bias"].reshape(1, 1, 1, 1, 5)
    np.testing.assert_allclose(layer.apply({"params": params}, grid), expected, rtol=1e-4, atol=1e-4)


def test_instance_norm_takes_out_mean_and_size_of_each_element_and_channel(rng):
    grid = rng.normal(size=(2, 6, 6, 6, 3)).astype(np.float32)
    norm = InstanceNorm(affine=False)
    out = norm.apply({}, grid)
    np.testing.assert_allclose(np.mean(out, axis=(1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(np.var(out, axis=(1, 2, 3)), 1, rtol=1e-3)
    np.testing.assert_allclose(norm.apply({}, 7 * grid + 100), out, atol=1e-3)


@pytest.mark.parametrize(("affine", "stem_stride"), [(True, 2), (False, 4)])
def test_an_element_ignores_its_neighbours(affine, stem_stride, fill, rng):
    encoder = VoxelEncoder(VoxelEncoderConfig(8, width=2, affine=affine, stem_stride=stem_stride))
    voxels = rng.integers(2, size=(3, 64, 64, 64), dtype=np.uint8)
    params = fill(jax.eval_shape(encoder.init, jax.random.key(0), voxels)["params"])
    encode = jax.jit(lambda voxels: encoder.apply({"params": params}, voxels))
    z = encode(voxels)
    assert z.shape == (3, 8) and (np.asarray(z) > 0).all() and (np.asarray(z) < 1).all()
    assert np.ptp(z, axis=0).min() > 1e-4  # other shapes, other latents
    voxels[0], voxels[2] = 0, 1
    np.testing.assert_allclose(encode(voxels)[1], z[1], rtol=1e-5)


def test_empty_and_full_voxels_have_finite_gradients(networks, variables):
    params, _ = variables
    voxels = np.stack([np.zeros((64,) * 3, np.uint8), np.ones((64,) * 3, np.uint8)])
    gradients = jax.jit(jax.grad(lambda params: networks.encode_voxels(params, voxels).sum()))(params)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
