"""The times of the page: the coarse mesh comes before the fine one, each within what its events allow."""

from __future__ import annotations

import math
import time

import pytest
from absl import flags

from benchmarks import latency
from benchmarks.browser import installed
from imfield_jax.inference.model import SHIPPED
from imfield_jax.server.background import serving
from imfield_jax.server.config import Config


@pytest.fixture(autouse=True)
def rounds():
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    flags.FLAGS["rounds"].value = 1
    yield
    flags.FLAGS["rounds"].value = flags.FLAGS["rounds"].default


@pytest.mark.skipif(not installed(), reason="NO BROWSER: the page of the server was not tested")
def test_the_page_is_timed_from_the_drop_to_each_of_its_meshes():
    started = time.perf_counter()
    with serving(Config(("car",))) as address:
        coarse, fine = latency.page_seconds(address, SHIPPED / "car.png")
    assert 0 < coarse < fine < time.perf_counter() - started


def test_without_a_browser_the_page_has_no_times(monkeypatch):
    monkeypatch.setattr(latency, "installed", lambda: None)
    assert all(map(math.isnan, latency.page_seconds("http://127.0.0.1:9", SHIPPED / "car.png")))
