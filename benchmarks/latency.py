"""How long a person waits: from a picture to a mesh in a new process, in a warm one, over HTTP and on the page.

    python -m benchmarks.latency

Medians, in seconds, for the sample images: `imfield extract` to a GLB in a process of its own, a call of a model that
has made a mesh before, with the GLB, a request to a server that has loaded and compiled, and the time from a drop on
its page until a headless Chromium on the same machine, which draws without a GPU, has drawn the coarse mesh and then
that of 128 cells, in colour.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2
from absl import flags, logging

from benchmarks.browser import NAMES, chromium, installed, seconds_to_meshes
from imfield_jax.commands.entry import run
from imfield_jax.inference.model import SHIPPED
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh.export import encode
from imfield_jax.server.background import serving
from imfield_jax.server.config import Config

_CATEGORIES = flags.DEFINE_list("categories", ["car", "any"], "Shipped weights.")
_RESOLUTION = flags.DEFINE_integer("resolution", 128, "Cells per axis.", lower_bound=16)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Times that each is done.", lower_bound=1)


def main() -> None:
    print("| weights | new process | warm | warm, in colour | request | page, coarse | page |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for category in _CATEGORIES.value:
        cells = [_median(partial(_new_process, category)), *_warm(category)]
        with serving(Config((category,))) as address:
            picture = SHIPPED / f"{category}.png"
            cells += [_request(address, picture), *_page(address, picture)]
        print(f"| {category} | " + " | ".join(f"{seconds:.2f}" for seconds in cells) + " |", flush=True)


def _median(action: Callable[[], object]) -> float:
    def seconds() -> float:
        started = time.perf_counter()
        action()
        return time.perf_counter() - started

    return statistics.median(seconds() for _ in range(_ROUNDS.value))


def _new_process(category: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "experiments.extract", f"--category={category}", "--formats=glb"]
        command += [f"--resolution={_RESOLUTION.value}", f"--out={folder}"]
        subprocess.run(command, check=True, capture_output=True)


def _warm(category: str) -> list[float]:
    """Without and with the colours of the picture."""
    model, picture = Reconstructor.shipped(category), SHIPPED / f"{category}.png"
    times = []
    for color in (False, True):

        def call(color: bool = color) -> bytes:
            return encode(model(picture, _RESOLUTION.value, color=color).mesh, "glb")

        call()
        times.append(_median(call))
    return times


def _request(address: str, picture: Path) -> float:
    form = {"resolution": _RESOLUTION.value}

    def post() -> None:
        answer = httpx2.post(
            f"{address}/v1/reconstructions?format=glb", files={"picture": picture.read_bytes()}, data=form, timeout=60
        )
        answer.raise_for_status()

    post()
    return _median(post)


def _page(address: str, picture: Path) -> list[float]:
    """Until the page shows the first, coarse mesh, and that of 128 cells."""
    if not installed():
        logging.warning("no browser, so the page is not timed: expected one of %s", ", ".join(NAMES))
        return [float("nan")] * 2
    with chromium() as browser:
        found = [seconds_to_meshes(browser, address, picture.read_bytes()) for _ in range(_ROUNDS.value)]
    return [statistics.median(times) for times in zip(*found, strict=True)]


if __name__ == "__main__":
    run(sys.modules[__name__])
