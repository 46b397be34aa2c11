"""The page in a real browser: drop, look, orbit, change, download, go wrong, by mouse, keyboard and on a phone.

It needs a Chromium (Debian: `apt install chromium`). Without one these tests are skipped, and the end of the test run
says so.
"""

from __future__ import annotations

import io

import numpy as np
import pytest
import trimesh
from PIL import Image

from benchmarks.browser import chromium, drop, installed
from imfield_jax.inference.model import SHIPPED
from imfield_jax.server.background import serving
from imfield_jax.server.config import Config

pytestmark = pytest.mark.skipif(not installed(), reason="NO BROWSER: the page of the server was not tested")
CLOSED = "/faces, closed/.test(document.querySelector('#status').textContent)"
DONE = f"() => {CLOSED}"


@pytest.fixture(scope="module")
def address():
    with serving(Config(("car",), max_resolution=96)) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, address, request):
    """The page, on a desktop unless a test says otherwise; requests to other hosts and errors fail the test."""
    made = browser.new_page(**getattr(request, "param", {"viewport": {"width": 1200, "height": 800}}))
    outside, errors = [], []
    made.on("request", lambda each: each.url.startswith((address, "blob:", "data:")) or outside.append(each.url))
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.goto(address)
    made.wait_for_selector("#samples button")
    yield made
    made.close()
    assert not outside and not errors


def colours(page):
    """Number of distinct colours of the viewer, as it is on the screen."""
    with Image.open(io.BytesIO(page.locator("#viewer").screenshot())) as image:
        return len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0))


def test_a_dropped_picture_becomes_a_mesh_that_turns_changes_and_is_downloaded(page, address, tmp_path):
    drop(page, (SHIPPED / "car.png").read_bytes())
    page.wait_for_function(DONE, timeout=60_000)
    page.wait_for_function("() => document.querySelector('#viewer').loaded", timeout=60_000)
    assert colours(page) > 300 and page.locator("#view").is_visible() and page.locator("#cutout").is_hidden()

    orbit = "() => document.querySelector('#viewer').getCameraOrbit().theta"
    before = page.evaluate(orbit)
    box = page.locator("#viewer").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 200, steps=5)
    page.mouse.up()
    page.wait_for_function(f"(before) => Math.abs(({orbit})() - before) > 0.1", arg=before, timeout=20_000)

    page.locator("#faces").fill("1")  # the second choice: 5,000
    few = "() => /^[1-4],[0-9]{3} faces/.test(document.querySelector('#status').textContent)"
    page.wait_for_function(few, timeout=60_000)
    page.locator("#size").fill("80")
    volumes = {}
    for kind in ("GLB", "OBJ", "PLY", "STL", "3MF"):
        with page.expect_download() as started:
            page.get_by_role("button", name=f"Download {kind}").click()
        started.value.save_as(tmp_path / f"mesh.{kind.lower()}")
        mesh = trimesh.load(tmp_path / f"mesh.{kind.lower()}", force="mesh")
        assert 1000 < len(mesh.faces) <= 5000
        volumes[kind] = mesh.volume / mesh.extents.max() ** 3
    np.testing.assert_allclose(list(volumes.values()), volumes["GLB"], rtol=1e-3)


def test_the_cut_out_is_corrected_with_a_box_and_strokes_and_these_are_undone(page):
    drop(page, (SHIPPED / "car.png").read_bytes())
    page.wait_for_function(DONE, timeout=60_000)
    page.get_by_text("Correct the cut-out").click()
    corrected = "document.querySelector('#notes').textContent.includes('corrected by hand')"

    def draw(*path):
        canvas = page.locator("#canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in path]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=4)
        page.mouse.up()

    width = "document.querySelector('#cutout').naturalWidth"
    draw((0.05, 0.05), (0.6, 0.95))
    page.wait_for_function(f"() => {CLOSED} && {corrected}", timeout=60_000)
    boxed = page.evaluate(width)
    assert boxed < 90  # of 128
    page.get_by_label("Keep").check()
    draw((0.7, 0.6), (0.9, 0.6))  # beyond the box
    page.wait_for_function(f"() => {width} > {boxed + 20}", timeout=60_000)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function(f"() => {width} === {boxed}", timeout=60_000)
    page.get_by_role("button", name="Start over").click()
    page.wait_for_function(f"() => {CLOSED} && !({corrected})", timeout=60_000)
    assert page.locator("#cutout").is_hidden()


def test_a_bad_picture_is_told_and_the_next_one_works(page):
    drop(page, b"not a picture")
    page.wait_for_function("() => document.querySelector('#status').classList.contains('bad')")
    assert "expected PNG" in page.inner_text("#status")
    page.locator("#samples button").first.press("Enter")  # by keyboard
    page.wait_for_function(DONE, timeout=60_000)


def test_escape_cancels(page):
    drop(page, (SHIPPED / "car.png").read_bytes())
    page.wait_for_function("() => !document.querySelector('#cancel').hidden")
    page.keyboard.press("Escape")
    assert page.inner_text("#status") == "Cancelled." and page.locator("#progress").is_hidden()


@pytest.mark.parametrize("page", [{"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}], indirect=True)
def test_a_phone_needs_no_sideways_scrolling_and_every_control_has_a_name(page):
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert max(int(value) for value in dark.strip("rgb()").split(",")) < 60
    unnamed = """() => [...document.querySelectorAll("button, select, input, img, model-viewer")].filter((each) =>
        !each.closest("[hidden]") && !each.closest("button img") && !(each.labels && each.labels.length)
        && !each.ariaLabel && !each.textContent.trim() && !each.hasAttribute("alt")).map((each) => each.outerHTML)"""
    assert page.evaluate(unnamed) == []


def test_a_token_in_the_address_is_shown_to_the_server(browser):
    with serving(Config(("car",), token="secret", max_resolution=64)) as url:
        for fragment, text in (("#token=secret", "Choose a picture"), ("", "expected the server's token")):
            page = browser.new_page()
            page.goto(f"{url}/{fragment}")
            page.wait_for_function(f"() => document.querySelector('#status').textContent.startsWith({text!r})")
            page.close()
