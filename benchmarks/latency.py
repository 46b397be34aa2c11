"""How long a person waits: from a picture to a mesh in a new process, in a process that is warm, and over HTTP.

    python -m benchmarks.latency

Medians, in seconds, for the sample images: `imfield extract` to a GLB in a process of its own, a call of a model that
has made a mesh before, with the GLB, and a request to a server that has loaded and compiled.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial

import httpx2
import uvicorn
from absl import flags

from imfield_jax.commands.entry import run
from imfield_jax.inference.model import SHIPPED
from imfield_jax.inference.reconstructor import Reconstructor
from imfield_jax.mesh.export import encode
from imfield_jax.server.app import create_app
from imfield_jax.server.config import Config
from imfield_jax.server.models import Models

_CATEGORIES = flags.DEFINE_list("categories", ["car", "any"], "Shipped weights.")
_RESOLUTION = flags.DEFINE_integer("resolution", 128, "Cells per axis.", lower_bound=16)
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Times that each is done.", lower_bound=1)


def main() -> None:
    print("| weights | new process | warm | warm, in colour | request |\n| --- | --- | --- | --- | --- |")
    for category in _CATEGORIES.value:
        cells = [_median(partial(_new_process, category)), *_warm(category), _request(category)]
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


def _request(category: str) -> float:
    models = Models([category])
    models.warm_up()
    server = uvicorn.Server(uvicorn.Config(create_app(Config((category,)), models), port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1/reconstructions?format=glb"
    picture = (SHIPPED / f"{category}.png").read_bytes()

    def post() -> None:
        form = {"category": category, "resolution": _RESOLUTION.value}
        httpx2.post(address, files={"picture": picture}, data=form, timeout=60).raise_for_status()

    try:
        post()
        return _median(post)
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    run(sys.modules[__name__])
