"""The server under more requests than it can serve, and under bad uploads: what is refused, and what memory grows to.

    python -m benchmarks.load --clients=200

Starts `imfield serve` with a queue of a quarter of the clients, lets all of them post the sample image at once, and
checks that every answer is a closed mesh of the right size or 503 with Retry-After. Then it posts bad uploads.
Memory is the resident set of the server, before, at the peak and after.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import trimesh
from absl import flags
from PIL import Image

from imfield_jax.commands.entry import run
from imfield_jax.inference.model import SHIPPED

_CLIENTS = flags.DEFINE_integer("clients", 200, "Requests at the same time.", lower_bound=4)
_RESOLUTION = flags.DEFINE_integer("resolution", 64, "Cells per axis of each.", lower_bound=16)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "How often; memory may grow in the first.", lower_bound=2)
_PATH = "/v1/reconstructions?format=stl"


def main() -> None:
    picture = (SHIPPED / "car.png").read_bytes()
    with _server(_CLIENTS.value // 4) as (address, process):
        for _ in range(3):
            httpx2.post(address + _PATH, files={"picture": picture}, data={"resolution": _RESOLUTION.value}, timeout=60)
        print(f"{_CLIENTS.value} clients, a queue of {_CLIENTS.value // 4}; before: {_resident(process):,.0f} MB")
        for number in range(_ROUNDS.value):
            started = time.perf_counter()
            answers = asyncio.run(_flood(address, picture))
            seconds = time.perf_counter() - started
            counts = collections.Counter(answers)
            print(f"round {number + 1}: {dict(counts)} in {seconds:.0f} s, then {_resident(process):,.0f} MB")
        before = _resident(process)
        statuses = [httpx2.post(address + _PATH, files={"picture": bad}, timeout=60).status_code for bad in _bad()]
        print(f"bad uploads: {statuses}, memory grew by {_peak(process) - before:,.0f} MB at the peak")
        assert all(400 <= status < 500 for status in statuses), "a bad upload was accepted"
        assert httpx2.get(f"{address}/healthz").status_code == 200


async def _flood(address: str, picture: bytes) -> list[str]:
    """What became of each request."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(limits=limits, timeout=600) as client:
        posts = [
            client.post(address + _PATH, files={"picture": picture}, data={"resolution": _RESOLUTION.value})
            for _ in range(_CLIENTS.value)
        ]
        return [_verdict(answer) for answer in await asyncio.gather(*posts)]


def _verdict(answer: httpx2.Response) -> str:
    if answer.status_code == 503:
        return "refused" if int(answer.headers["Retry-After"]) > 0 else "WRONG"
    mesh = trimesh.load_mesh(io.BytesIO(answer.content), file_type="stl")
    return "served" if mesh.is_watertight and abs(mesh.extents.max() - 100) < 0.01 else "WRONG"


def _bad() -> list[bytes]:
    """Files that are damaged, of other kinds, or bombs of few bytes and many pixels."""
    bombs = []
    for side in (10_000, 13_000):
        file = io.BytesIO()
        Image.new("1", (side, side)).save(file, "PNG")
        bombs.append(file.getvalue())
    good = (SHIPPED / "car.png").read_bytes()
    return [b"", b"%PDF-1.7" + good, b"PK\x03\x04" + bytes(1000), good[:1000], bytes(30 << 20), *bombs, *bombs]


@contextlib.contextmanager
def _server(queue: int) -> Iterator[tuple[str, subprocess.Popen]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "experiments.serve", f"--port={port}", f"--queue={queue}", "--categories=car"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            with contextlib.suppress(httpx2.TransportError):
                httpx2.get(f"{address}/healthz")
                break
            time.sleep(0.2)
        yield address, process
    finally:
        process.terminate()
        process.wait(30)


def _resident(process: subprocess.Popen) -> float:
    return _status(process, "VmRSS")


def _peak(process: subprocess.Popen) -> float:
    return _status(process, "VmHWM")


def _status(process: subprocess.Popen, name: str) -> float:
    """A line of /proc/PID/status, in MB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(name))


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    run(sys.modules[__name__])
