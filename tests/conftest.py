"""Strictness for every test, set before JAX starts.

Four CPU devices, so data parallelism is tested on any machine, set through the configuration of this
process and not the environment, which the programs that tests start would inherit. Rank promotion
raises: a [3] that silently meets a [P, 3] is how points and shapes get mixed up. There is no persistent
compilation cache on purpose: JAX writes its entries in place, so two test workers, or a test that
kills a training run, could leave half of one for the next run to read.

Warnings that point at our own code are errors; see `filterwarnings` in setup.cfg.
"""

from __future__ import annotations

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
import pytest

jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def rng():
    """A numpy generator that draws the same numbers in every run."""
    return np.random.default_rng(20190616)
