"""What happens to every request before and after the work: limits, token, headers, log."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("imfield_jax.server")

# The page draws with WebGL and WebAssembly, styles the viewer inline, and shows pictures that it made itself.
_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; connect-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class SecurityHeaders:
    """Adds headers that keep browsers from doing more with an answer than this server means."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if scope["path"].startswith("/v1/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class RequestLog:
    """One line of JSON per request; paths that nobody defined are not repeated."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", None) or ("page" if status < 400 else "unknown")
            entry = {"method": scope["method"], "route": route, "status": status}
            log.info(json.dumps({**entry, "seconds": round(time.perf_counter() - started, 4)}))


class Token:
    """Refuses requests to the API without `Authorization: Bearer TOKEN`."""

    def __init__(self, app: ASGIApp, token: str):
        self._app, self._expected = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(("/v1/", "/metrics", "/openapi.json")):
            shown = Headers(scope=scope).get("authorization", "").encode()
            if not secrets.compare_digest(shown, self._expected):
                refusal = JSONResponse(
                    {"detail": "expected the server's token: Authorization: Bearer TOKEN"},
                    401,
                    {"WWW-Authenticate": "Bearer"},
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class SlowUploads:
    """Refuses requests whose body does not arrive in time, so that slow senders hold no memory."""

    def __init__(self, app: ASGIApp, seconds: float):
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline, complete, late = time.monotonic() + self._seconds, False, False

        async def timed() -> Message:
            nonlocal complete, late
            if complete:  # what follows is the end of the connection
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), deadline - time.monotonic())
            except TimeoutError:
                late = complete = True
                return {"type": "http.disconnect"}
            complete = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def timely(message: Message) -> None:
            if not late:  # otherwise the answer is about half a request
                await send(message)

        try:
            await self._app(scope, timed, timely)
        except ClientDisconnect:
            if not late:
                raise
        if late:
            detail = f"the request took longer than {self._seconds:g} seconds to arrive"
            refusal = JSONResponse({"detail": detail}, 408, {"Connection": "close"})
            await refusal(scope, receive, send)
