"""The server in a thread of this process, at a free port of this machine: for notebooks, tests and measurements."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import uvicorn

from imfield_jax.server.app import create_app
from imfield_jax.server.config import Config
from imfield_jax.server.models import Models


@contextlib.contextmanager
def serving(config: Config) -> Iterator[str]:
    """The address of a server whose models are loaded and compiled, until the block ends."""
    models = Models(list(config.categories))
    models.warm_up()
    server = uvicorn.Server(uvicorn.Config(create_app(config, models), port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start: its log says why")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
