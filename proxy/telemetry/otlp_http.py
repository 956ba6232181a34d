"""OTLP over HTTP, by the standard library, with a bound on everything that a collector may do.

A connection for each export: some bytes more every second, and no state that a
collector could leave behind. The socket's timeout is for each wait; the whole is
bounded by `give_up`, which cuts the socket from another thread.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time

from proxy.model.telemetry import Collector
from proxy.telemetry.senders import ANSWER_BYTES_MAX, Sent

_AGAIN = frozenset((429, 502, 503, 504))
"""What the protocol calls worth another try."""
_TAKEN = range(200, 300)


class HttpSender:
    """Posts to `/v1/traces` and `/v1/metrics` of one collector."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._headers = {
            **dict(collector.headers),
            "Content-Type": "application/x-protobuf",
            "User-Agent": "tidegate",
            "Connection": "close",
        }
        self._tls: ssl.SSLContext | None = None
        self._socket: socket.socket | None = None
        self._ends_at = 0.0

    def send(self, signal: str, body: bytes) -> Sent:
        """One POST, on a connection of its own."""
        self._ends_at = time.monotonic() + self._collector.timeout_s
        connection: http.client.HTTPConnection | None = None
        try:
            connection = self._connection()
            connection.connect()
            self._socket = connection.sock
            connection.request("POST", f"{self._collector.path}/v1/{signal}", body, self._headers)
            response = connection.getresponse()
            answer = response.read(ANSWER_BYTES_MAX)
        except ssl.SSLError:
            return Sent("tls")
        except TimeoutError:
            return Sent("timeout", again=True)
        except ConnectionRefusedError:
            return Sent("refused", again=True)
        except (OSError, http.client.HTTPException, ValueError):
            late = time.monotonic() >= self._ends_at
            return Sent("timeout" if late else "connection", again=True)
        finally:
            self._socket = None
            if connection is not None:
                connection.close()
        if time.monotonic() >= self._ends_at:  # what was cut can look like a whole answer
            return Sent("timeout", again=True)
        if response.status in _TAKEN:
            return Sent(answer=answer)
        return Sent(f"status_{response.status}", again=response.status in _AGAIN)

    def give_up(self, now: float) -> None:
        """Cut a sending whose time is up: a trickle never runs into the socket's own timeout."""
        cut = self._socket
        if cut is not None and now >= self._ends_at:
            with contextlib.suppress(OSError):  # it has just ended by itself
                socket.socket.shutdown(cut, socket.SHUT_RDWR)

    def close(self) -> None:
        """Nothing is kept between two sendings."""

    def _connection(self) -> http.client.HTTPConnection:
        there, timeout_s = self._collector, self._collector.timeout_s
        if not there.tls:
            return http.client.HTTPConnection(there.host, there.port, timeout=timeout_s)
        if self._tls is None:
            self._tls = context(there)
        return http.client.HTTPSConnection(
            there.host, there.port, timeout=timeout_s, context=self._tls
        )


def context(there: Collector) -> ssl.SSLContext:
    """Trust, and our own certificate where the collector wants one."""
    made = ssl.create_default_context(cafile=there.ca_file)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if there.client_certificate_file is not None:
        made.load_cert_chain(there.client_certificate_file, there.client_key_file)
    return made
