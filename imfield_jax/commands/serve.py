"""A web page and an HTTP API that make meshes of pictures, on this machine.

    imfield serve                           http://127.0.0.1:8000, for this machine only
    imfield serve --host=0.0.0.0 --token=SECRET --categories=any

The page is for people; programs post a picture and get a mesh:

    curl -F picture=@car.png 'http://127.0.0.1:8000/v1/reconstructions?format=glb' -o car.glb

Ctrl-C ends the server. Needs the packages of the extra `serve`.
"""

from __future__ import annotations

import ipaddress
import os

from absl import flags, logging

from imfield_jax.inference.model import shipped_categories

_HOST = flags.DEFINE_string("host", "127.0.0.1", "Address to listen on.")
_PORT = flags.DEFINE_integer("port", 8000, "Port to listen on.", lower_bound=1, upper_bound=65535)
_TOKEN = flags.DEFINE_string("token", None, "Secret that requests have to show; default: $IMFIELD_TOKEN, or none.")
_CATEGORIES = flags.DEFINE_list(
    "categories", shipped_categories(), "Shipped weights to serve; the first is the default."
)
_QUEUE = flags.DEFINE_integer("queue", 8, "Reconstructions that may wait; more are refused.", lower_bound=1)
_RESOLUTION = flags.DEFINE_integer("max_resolution", 256, "Most cells per axis.", lower_bound=16, upper_bound=1024)
_MEGABYTES = flags.DEFINE_integer("max_megabytes", 20, "Largest request.", lower_bound=1, upper_bound=1000)
_MEGAPIXELS = flags.DEFINE_integer("max_megapixels", 24, "Largest picture.", lower_bound=1, upper_bound=80)

GROUPS = {
    "Address": (_HOST, _PORT, _TOKEN),
    "Work": (_CATEGORIES, _QUEUE, _RESOLUTION, _MEGABYTES, _MEGAPIXELS),
}


def main() -> None:
    unknown = sorted(set(_CATEGORIES.value) - set(shipped_categories()))
    if unknown or not _CATEGORIES.value:
        raise ValueError(
            f"--categories: expected some of {', '.join(shipped_categories())}, found {','.join(_CATEGORIES.value)!r}"
        )
    token = _TOKEN.value or os.environ.get("IMFIELD_TOKEN")
    if not token and not _is_loopback(_HOST.value):
        raise ValueError(f"--host={_HOST.value}: others can reach this server, so give it a --token")
    import uvicorn  # the packages of the extra `serve`, which --help does not need

    from imfield_jax.server.app import create_app
    from imfield_jax.server.config import Config
    from imfield_jax.server.models import Models

    config = Config(
        categories=tuple(_CATEGORIES.value),
        token=token,
        waiting=_QUEUE.value,
        max_bytes=_MEGABYTES.value << 20,
        max_pixels=_MEGAPIXELS.value * 1_000_000,
        max_resolution=_RESOLUTION.value,
    )
    models = Models(list(config.categories))
    logging.info("loading %s", ", ".join(config.categories))
    models.warm_up()
    logging.info("http://%s:%d (Ctrl-C ends)", _HOST.value, _PORT.value)
    uvicorn.run(
        create_app(config, models),
        host=_HOST.value,
        port=_PORT.value,
        log_config=None,  # the log of the commands
        access_log=False,  # the server has its own
        server_header=False,
        timeout_keep_alive=5,
        limit_concurrency=256,
        h11_max_incomplete_event_size=32 << 10,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
