"""The times of the page: the coarse mesh comes before the fine one, both within the time that the test took."""

from __future__ import annotations

import time

import pytest

from benchmarks.browser import chromium, installed, seconds_to_meshes
from imfield_jax.inference.model import SHIPPED
from imfield_jax.server.background import serving
from imfield_jax.server.config import Config


@pytest.mark.skipif(not installed(), reason="NO BROWSER: the page of the server was not tested")
def test_the_page_is_timed_from_the_drop_to_each_of_its_meshes():
    started = time.perf_counter()
    with serving(Config(("car",))) as address, chromium() as browser:
        coarse, fine = seconds_to_meshes(browser, address, (SHIPPED / "car.png").read_bytes())
    assert 0 < coarse < fine < time.perf_counter() - started
