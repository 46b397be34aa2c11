"""Annotated shapes are checked while the tests run: a wrong one raises where it is handed over."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from imfield_jax.batches import PointBatch
from imfield_jax.training.losses import latent_loss
from imfield_jax.types import Mesh


def test_a_wrong_shape_is_caught():
    with pytest.raises(TypeCheckError, match="vertices"):
        Mesh(np.zeros((4, 2), np.float32), np.zeros((1, 3), np.int32))


def test_a_wrong_dtype_is_caught():
    with pytest.raises(TypeCheckError, match="faces"):
        Mesh(np.zeros((4, 3), np.float32), np.zeros((1, 3), np.float32))


def test_a_letter_has_one_value_throughout_a_call():
    with pytest.raises(TypeCheckError, match="target"):
        latent_loss(jnp.zeros((2, 8)), jnp.zeros((2, 7)))


def test_the_fields_of_a_batch_agree():
    arrays = np.zeros(2, np.int32), np.zeros((2, 64, 64, 64), np.uint8), np.zeros((2, 5, 3), np.float32)
    with pytest.raises(TypeCheckError, match="occupancy"):
        PointBatch(*arrays, np.zeros((2, 6), np.float32))
