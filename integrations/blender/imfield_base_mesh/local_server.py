# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of imfield on this machine, started and stopped by the extension."""

from __future__ import annotations

import atexit
import os
import pathlib
import subprocess
import tempfile
import threading
import time
from typing import BinaryIO

from .client import Client, Problem, Watch

_PATIENCE = 120  # seconds until it answers: it loads and compiles the networks first
_process: subprocess.Popen | None = None
_starting = threading.Lock()


def is_running() -> bool:
    """Whether the server that was started here still runs."""
    return _process is not None and _process.poll() is None


def start(environment: str, client: Client, watch: Watch) -> None:
    """Start the server of an environment at the port of a client, unless one answers there, and wait until it answers.

    environment: the folder of a Python environment in which imfield_jax is installed.
    Raises Problem in one line, and what `watch` raises.
    """
    program = _program(environment)
    environ = dict(os.environ, PYTHONNOUSERSITE="1", **({"IMFIELD_TOKEN": client.token} if client.token else {}))
    for name in ("PYTHONPATH", "PYTHONHOME"):  # Blender's own
        environ.pop(name, None)
    with _starting, tempfile.TemporaryFile() as log:  # one that was cancelled may still be ending
        if not client.answers():
            _start([str(program), "serve", f"--port={client.port}"], environ, log)
            try:
                _wait(client, watch, log)
            except BaseException:
                stop()
                raise


def _start(command: list[str], environ: dict[str, str], log: BinaryIO) -> None:
    global _process
    stop()
    try:
        _process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
    except OSError as error:
        raise Problem(f"{command[0]} cannot be started: {error.strerror}") from None


def _wait(client: Client, watch: Watch, log: BinaryIO) -> None:
    """Until the server answers."""
    until = time.monotonic() + _PATIENCE
    while not client.answers():
        watch("starting the server")
        if not is_running():
            raise Problem(f"The server ended at once: {_last_line(log)}")
        if time.monotonic() > until:
            raise Problem(f"The server does not answer after {_PATIENCE} seconds: {_last_line(log)}")
        time.sleep(0.2)


def stop() -> None:
    """Stop the server, if it was started here."""
    global _process
    if is_running():
        _process.terminate()
        try:
            _process.wait(10)
        except subprocess.TimeoutExpired:
            _process.kill()
    _process = None


def _program(environment: str) -> pathlib.Path:
    folder = pathlib.Path(environment).expanduser()
    places = [folder / "bin" / "imfield", folder / "Scripts" / "imfield.exe"]
    for place in places:
        if place.is_file():
            return place
    raise Problem(
        f"{folder} has no imfield: expected the folder of an environment in which imfield_jax is installed with the "
        f"extra `serve`, such as .venv after `make serve`"
    )


def _last_line(log: BinaryIO) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"


atexit.register(stop)
