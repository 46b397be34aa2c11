"""A headless Chromium that opens the page of the server, and pictures dropped on it as a person does."""

from __future__ import annotations

import base64
import contextlib
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--disable-background-networking"]
_FLAGS += ["--disable-component-update", "--disable-sync", "--no-first-run"]
_DROP = """([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  for (const kind of ["dragover", "drop"])
    document.querySelector("#drop").dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true }));
}"""

_WATCH = """() => {
  const started = performance.now(), seen = () => window.drawn.push((performance.now() - started) / 1000);
  window.drawn = [];
  document.querySelector("#viewer").addEventListener("load", () => requestAnimationFrame(seen));
}"""


def installed() -> str | None:
    """The program of the first browser found, None without one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The installed browser, without a window; it draws without a GPU."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=_FLAGS)
        yield browser
        browser.close()


def drop(page: Page, contents: bytes, name: str = "car.png") -> None:
    """Drop a file on the page."""
    page.evaluate(_DROP, [base64.b64encode(contents).decode(), name])


def seconds_to_meshes(browser: Browser, address: str, contents: bytes) -> tuple[float, float]:
    """From a drop on the page of a server until it has drawn the coarse mesh, and the fine one."""
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.goto(address)
    page.wait_for_selector("#samples button")
    page.evaluate(_WATCH)
    drop(page, contents)
    page.wait_for_function("() => window.drawn.length == 2", timeout=120_000)
    coarse, fine = page.evaluate("window.drawn")
    page.close()
    return coarse, fine
