# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a server of imfield for reconstructions, over HTTP and with the standard library alone."""

from __future__ import annotations

import dataclasses
import http.client
import ipaddress
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable

Watch = Callable[[str], None]  # is called with the name of each step; what it raises ends the work

DOWNLOAD = "download"  # the last step; the others are the server's
_POLL = 0.1  # seconds between looks at a job
_SHORT, _LONG = 10, 120  # seconds for an answer: to a question, and with a file
_PATIENCE = 10  # times that a full queue is tried again


class Problem(Exception):
    """What went wrong, in one line for the user."""


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """glb: the file of the mesh.   about: what the server says about it, see `GET /v1/reconstructions/ID`."""

    glb: bytes
    about: dict


@dataclasses.dataclass(frozen=True)
class Client:
    """A server. address: such as http://127.0.0.1:8000.   token: that it wants to see, if any."""

    address: str
    token: str = ""

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Problem(f"The address of the server is {self.address!r}: expected one such as http://127.0.0.1:8000")

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine."""
        host = urllib.parse.urlsplit(self.address).hostname
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def answers(self) -> bool:
        """Whether a server of imfield is there."""
        try:
            return self._json("GET", "/healthz") == {"status": "ok"}
        except Problem:
            return False

    def categories(self) -> list[str]:
        """The categories that it knows, its default first."""
        return self._json("GET", "/v1/categories")["categories"]

    def reconstruct(self, picture: bytes, options: dict[str, object], watch: Watch) -> Reconstruction:
        """The mesh of a picture, an image file. options: form fields of `POST /v1/reconstructions`.

        Raises Problem, and whatever `watch` raises after it has told the server to stop.
        """
        job = self._submitted(picture, options, watch)
        path = f"/v1/reconstructions/{job['id']}"
        try:
            while job["state"] in ("waiting", "running"):
                watch(f"waiting for {job['place']} others" if job["place"] else job["step"] or "starting")
                time.sleep(_POLL)
                job = self._json("GET", path)
            if job["state"] != "done":
                raise Problem(job["error"] or "The server has cancelled the reconstruction")
            watch(DOWNLOAD)
            return Reconstruction(self._ask("GET", f"{path}/mesh.glb", seconds=_LONG), job)
        except Problem:
            raise
        except BaseException:
            self._ask("DELETE", path)
            raise

    def _submitted(self, picture: bytes, options: dict[str, object], watch: Watch) -> dict:
        body, kind = _form(picture, options)
        for attempt in range(_PATIENCE):
            watch("the server is busy" if attempt else "sending")
            try:
                return json.loads(self._ask("POST", "/v1/reconstructions", body, kind, _LONG))
            except _Busy as busy:
                until = time.monotonic() + busy.seconds
                while time.monotonic() < until:
                    watch("the server is busy")
                    time.sleep(_POLL)
        raise Problem("The server has too much to do: try again later")

    def _json(self, method: str, path: str) -> dict:
        try:
            return json.loads(self._ask(method, path))
        except ValueError:
            raise Problem(f"{self.address} is no server of imfield: check the address") from None

    def _ask(self, method: str, path: str, body: bytes | None = None, kind: str = "", seconds: float = _SHORT) -> bytes:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            headers["Content-Type"] = kind
        request = urllib.request.Request(self.address.rstrip("/") + path, body, headers, method=method)
        try:
            with self._opener().open(request, timeout=seconds) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Problem(
                f"No imfield server answers at {self.address} ({reason}): start one with `imfield serve`, or name its "
                "environment or address in the preferences of this extension"
            ) from None

    def _opener(self) -> urllib.request.OpenerDirector:
        """Through the proxy that the system names, unless the server is on this machine."""
        return urllib.request.build_opener(*[urllib.request.ProxyHandler({})] if self.is_local else [])

    def _refusal(self, error: urllib.error.HTTPError) -> Problem:
        if error.code == 401:
            found = "another token" if self.token else "no token"
            return Problem(f"The server at {self.address} expects its token, and the preferences have {found}")
        if error.code == 503:
            return _Busy(float(error.headers.get("Retry-After") or 1))
        try:
            detail = json.loads(error.read())["detail"]
        except (ValueError, KeyError, TypeError):
            detail = f"{error.code} {error.reason} from {error.url}: is this a server of imfield?"
        if isinstance(detail, list):  # of fields that are out of range
            detail = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in detail)
        return Problem(detail[:1].upper() + detail[1:])


class _Busy(Problem):
    def __init__(self, seconds: float):
        super().__init__("The server has too much to do: try again later")
        self.seconds = seconds


def _form(picture: bytes, options: dict[str, object]) -> tuple[bytes, str]:
    """The body of a form and its content type (RFC 7578)."""
    boundary = uuid.uuid4().hex
    parts = [('form-data; name="picture"; filename="picture"\r\nContent-Type: application/octet-stream', picture)]
    parts += [(f'form-data; name="{name}"', str(value).encode()) for name, value in options.items()]
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: {head}\r\n\r\n".encode() + value + b"\r\n" for head, value in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
