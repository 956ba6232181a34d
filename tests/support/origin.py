"""A scripted origin: a real server on 127.0.0.1 whose every byte a test decides.

Each accepted connection runs the script in force at that moment in a thread of
its own, with a `Peer` to read requests and to send, close or reset. When a
script returns, its connection is closed; a script that raises anything but
`GoneError` fails the test at `forget` or `close`.
"""

from __future__ import annotations

import socket
import ssl
import threading
from types import TracebackType
from typing import Self

from tests.support.peer import TIMEOUT_S, GoneError, Peer, Received, Script, always, answer

OK = answer(200, b"ok", reason="OK")


class Origin:
    """A listening origin; use as a context manager. `script` may be replaced at any time.

    `receive_bytes` keeps the kernel from taking more than about that much of a
    request that no script reads.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        receive_bytes: int | None = None,
    ) -> None:
        self.script: Script = script or always(OK)
        self._tls = tls
        self._changed = threading.Condition()
        self._received: list[Received] = []
        self._errors: list[Exception] = []
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        if receive_bytes is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def received(self) -> list[Received]:
        """Every request read whole since the last `forget`."""
        with self._changed:
            return list(self._received)

    @property
    def accepted(self) -> int:
        """How many connections came since the last `forget`, failed handshakes included."""
        with self._changed:
            return self._accepted

    def wait_received(self, count: int, timeout_s: float = TIMEOUT_S) -> list[Received]:
        """Wait until at least so many whole requests were read."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._received) >= count, timeout_s)
            return list(self._received)

    def wait_accepted(self, count: int, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until at least so many connections came."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._accepted >= count, timeout_s)

    def forget(self, script: Script | None = None) -> None:
        """Cut every open connection, forget what was received, and take another script."""
        self.script = script or always(OK)
        self._cut_all()
        with self._changed:
            self._received.clear()
            self._accepted = 0
            errors, self._errors = self._errors, []
        if errors:
            raise AssertionError("a script of the origin failed") from errors[0]

    def close(self) -> None:
        """Stop listening and end every connection; a failed script raises here."""
        _shut(self._listener)
        self._acceptor.join(TIMEOUT_S)
        self._listener.close()
        self.forget()

    def _cut_all(self) -> None:
        with self._changed:
            threads, self._threads = self._threads, []
            for connection in self._open:
                _shut(connection)
        for thread in threads:
            thread.join(TIMEOUT_S + 5)  # a script may be in a wait of its own
            assert not thread.is_alive(), "a script of the origin hangs"

    def _note(self, received: Received) -> None:
        with self._changed:
            self._received.append(received)
            self._changed.notify_all()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(TIMEOUT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._accepted += 1
                self._open.add(connection)
                arguments = (connection, self._accepted, self.script)
                thread = threading.Thread(target=self._serve, args=arguments, daemon=True)
                self._threads.append(thread)
                self._changed.notify_all()
            thread.start()

    def _serve(self, connection: socket.socket, number: int, script: Script) -> None:
        try:
            if self._tls is not None:
                connection = self._secure(self._tls, connection)
            script(Peer(connection, number, self._note))
        except (GoneError, ssl.SSLError, ConnectionError):
            pass  # the sidecar hung up or refused our certificate: the test looks at its side
        except Exception as error:  # noqa: BLE001 - handed to the test by `forget`
            with self._changed:
                self._errors.append(error)
        finally:
            with self._changed:
                self._open.discard(connection)
            connection.close()

    def _secure(self, tls: ssl.SSLContext, connection: socket.socket) -> socket.socket:
        """The same connection after the handshake, tracked in place of the plain one."""
        with self._changed:
            self._open.discard(connection)
        secured = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._changed:
            self._open.add(secured)
        try:
            secured.do_handshake()
        except OSError:
            with self._changed:
                self._open.discard(secured)
            secured.close()
            raise
        return secured


def _shut(connection: socket.socket) -> None:
    """End both directions, which wakes a thread that reads; an ended socket stays as it is."""
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return
