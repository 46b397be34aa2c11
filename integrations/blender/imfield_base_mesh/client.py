# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a server of imfield for reconstructions, over HTTP and with the standard library alone."""

from __future__ import annotations

import contextlib
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
from typing import Any

Watch = Callable[[str], None]  # is called with the name of each step; what it raises ends the work

DOWNLOAD = "download"  # the last step; the others are the server's
_POLL = 0.1  # seconds between looks at a job
_SHORT, _LONG = 10, 120  # seconds for an answer: to a question, and with a file
_PATIENCE = 10  # times that a full queue is tried


class Problem(Exception):
    """What went wrong, in one line for the user."""


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """glb: the file of the mesh.   about: `faces`, `notes` and `camera` of the server's answer."""

    glb: bytes
    about: dict


@dataclasses.dataclass(frozen=True)
class Client:
    """A server. address: such as http://127.0.0.1:8000.   token: that it wants to see, if any."""

    address: str
    token: str = ""

    def __post_init__(self) -> None:
        if not _is_address(self.address):
            raise Problem(f"The address of the server is {self.address!r}: expected one such as http://127.0.0.1:8000")
        if not (self.token.isascii() and self.token.isprintable()):
            raise Problem("The token in the preferences has characters that no token of a server has: enter it again")

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine."""
        host = urllib.parse.urlsplit(self.address).hostname
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def port(self) -> int | None:
        """Where a server can be started for this address on this machine; None if it cannot."""
        parts = urllib.parse.urlsplit(self.address)
        can = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
        return (parts.port or 80) if can else None

    def answers(self) -> bool:
        """Whether a server of imfield is there."""
        try:
            return self._json("GET", "/healthz") == {"status": "ok"}
        except Problem:
            return False

    def categories(self) -> list[str]:
        """The categories that it knows, its default first."""
        return self._known()["categories"]

    def reconstruct(self, picture: bytes, options: dict[str, object], watch: Watch) -> Reconstruction:
        """The mesh of a picture, an image file. options: form fields of `POST /v1/reconstructions`.

        Raises Problem, and whatever `watch` raises after it has told the server to stop.
        """
        try:
            return self._reconstruct(picture, options, watch)
        except (KeyError, TypeError) as error:
            raise Problem(
                f"{self.address} does not answer as this extension expects ({type(error).__name__}: {error}): update "
                "imfield_jax and the extension"
            ) from None

    def _reconstruct(self, picture: bytes, options: dict[str, object], watch: Watch) -> Reconstruction:
        watch("sending")
        body, kind = _form(picture, options)
        most = self._known()["limits"]["bytes"]
        if len(body) > most:  # it would close the connection before it has all
            raise Problem(f"The picture has {len(body) / 1e6:.1f} MB, the server takes {most / 1e6:.1f} MB at most")
        job = self._submitted(body, kind, watch)
        path = f"/v1/reconstructions/{job['id']}"
        try:
            while job["state"] in ("waiting", "running"):
                watch(f"waiting for {job['place']} others" if job["place"] else job["step"] or "starting")
                time.sleep(_POLL)
                job = self._json("GET", path)
        except BaseException:
            with contextlib.suppress(Problem):
                self._ask("DELETE", path)
            raise
        if job["state"] != "done":
            raise Problem(job["error"] or "The server has cancelled the reconstruction")
        watch(DOWNLOAD)
        about = {name: job[name] for name in ("faces", "notes", "camera")}
        return Reconstruction(self._ask("GET", f"{path}/mesh.glb", seconds=_LONG), about)

    def _known(self) -> dict:
        """Categories and limits."""
        found = self._json("GET", "/v1/categories")
        if not {"categories", "limits"} <= found.keys():
            raise Problem(f"{self.address} is no server of imfield: check the address")
        return found

    def _submitted(self, body: bytes, kind: str, watch: Watch) -> dict:
        """The job of a form."""
        tries = 0
        while True:
            try:
                return self._json("POST", "/v1/reconstructions", body, kind, _LONG)
            except _Busy as busy:
                tries += 1
                if tries == _PATIENCE:
                    raise
                until = time.monotonic() + busy.seconds
            while time.monotonic() < until:
                watch("the server is busy")
                time.sleep(_POLL)

    def _json(self, *request: Any) -> dict:
        """The answer to a request, see `_ask`."""
        try:
            found = json.loads(self._ask(*request))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Problem(f"{self.address} is no server of imfield: check the address")
        return found

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
            after = error.headers.get("Retry-After") or ""
            return _Busy(float(after) if after.replace(".", "", 1).isdecimal() else 1.0)
        try:
            detail = json.loads(error.read())["detail"]
            if isinstance(detail, list):  # of fields that are out of range
                detail = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in detail)
            return Problem(detail[:1].upper() + detail[1:])
        except (ValueError, KeyError, TypeError, OSError):
            return Problem(f"{error.code} {error.reason} from {error.url}: is this a server of imfield?")


class _Busy(Problem):
    def __init__(self, seconds: float):
        super().__init__("The server has too much to do: try again later")
        self.seconds = seconds


def _is_address(text: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
        _ = parts.port  # ValueError if it is none
    except ValueError:
        return False
    plain = text.isascii() and not any(letter.isspace() for letter in text)
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def _form(picture: bytes, options: dict[str, object]) -> tuple[bytes, str]:
    """The body of a form and its content type (RFC 7578)."""
    boundary = uuid.uuid4().hex
    parts = [('form-data; name="picture"; filename="picture"\r\nContent-Type: application/octet-stream', picture)]
    parts += [(f'form-data; name="{name}"', str(value).encode()) for name, value in options.items()]
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: {head}\r\n\r\n".encode() + value + b"\r\n" for head, value in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
