"""Networks small enough to compile in a second, and parameters for them."""

from __future__ import annotations

import pytest

from imfield_jax.models.networks import Networks


@pytest.fixture(autouse=True, scope="module")
def quickly(quick_compilation):
    """Compiling is nearly all that these tests do."""


@pytest.fixture(scope="session")
def networks(tiny_preset) -> Networks:
    return Networks(tiny_preset)


@pytest.fixture(scope="session")
def variables(networks, filled):
    """(params, batch_stats) of `networks`."""
    return filled(networks)
