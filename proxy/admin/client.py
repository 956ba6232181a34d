"""Asks a running sidecar's admin listener; what the command line's reports use."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

TIMEOUT_S = 5.0


class AdminUnreachable(Exception):
    """No answer from the admin listener; the message names the address and the remedy."""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self._path)


def get(admin: str, path: str) -> tuple[int, str]:
    """(status, text) of a GET; `admin` is `http://host:port` or `unix:/path`.

    Raises AdminUnreachable.
    """
    return _ask(admin, "GET", path, None, {})


def put_result(
    admin: str, call: str, news: Mapping[str, Any], token: str | None
) -> tuple[int, dict[str, Any]]:
    """(status, document) after news of a call, by key or id. Raises AdminUnreachable."""
    return send(admin, "PUT", f"/calls/{quote(call, safe='')}/result", news, token)


def send(
    admin: str, method: str, path: str, said: Mapping[str, Any] | None, token: str | None
) -> tuple[int, dict[str, Any]]:
    """(status, document) of a request; `said` is its body, if any. Raises AdminUnreachable."""
    fields = {"Content-Type": "application/json"} if said is not None else {}
    if token is not None:
        fields["Authorization"] = f"Bearer {token}"
    body = None if said is None else json.dumps(said).encode()
    status, text = _ask(admin, method, path, body, fields)
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise AdminUnreachable(f"{admin} does not answer as a sidecar does; is it one?")
    return status, document


def _ask(
    admin: str, method: str, path: str, body: bytes | None, fields: Mapping[str, str]
) -> tuple[int, str]:
    connection = _connection(admin)
    try:
        connection.request(method, path, body, dict(fields))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise AdminUnreachable(
            f"no answer from {admin}: {type(error).__name__}; is the sidecar running, and is this "
            "its `admin.address`?"
        ) from None
    finally:
        connection.close()


def _connection(admin: str) -> http.client.HTTPConnection:
    if admin.startswith("unix:"):
        return _UnixConnection(admin.removeprefix("unix:"))
    problem = AdminUnreachable(f"{admin} is no address: write http://host:port or unix:/path")
    try:
        parts = urlsplit(admin)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        raise problem from None
    if parts.scheme != "http" or host is None:
        raise problem
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
