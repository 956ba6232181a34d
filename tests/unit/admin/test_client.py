"""`proxy.admin.client`: an answer, or one sentence that says what to look at."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.admin.api import Reports, start
from proxy.admin.client import AdminUnreachable, get, put_result
from tests.unit.admin.serving import Office, Told

REPORTS = Reports(lambda: False, lambda: "m 1\n", lambda: {"schema": 1, "findings": []})


@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
async def test_a_page_is_fetched_with_its_status(unix: bool, tmp_path: Path) -> None:
    """Over either kind of address; a status other than 200 is no error here."""
    path = str(tmp_path / "admin.sock") if unix else None
    listener = await start(REPORTS, "127.0.0.1", 0, path, 0o600)
    assert await asyncio.to_thread(get, listener.url, "/metrics") == (200, "m 1\n")
    assert await asyncio.to_thread(get, listener.url, "/readyz") == (503, "not ready\n")
    await listener.close()


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def _no_socket() -> str:
    return "unix:/nonexistent/admin.sock"


@pytest.mark.parametrize("address", [_closed_port, _no_socket])
def test_nobody_there_names_the_address_and_the_remedy(address: Callable[[], str]) -> None:
    """No traceback for an operator."""
    admin = address()
    with pytest.raises(AdminUnreachable, match=r"admin\.address") as raised:
        get(admin, "/healthz")
    assert admin in str(raised.value)


@pytest.mark.parametrize(
    "admin",
    ["127.0.0.1:8081", "http://127.0.0.1:port", "http://127.0.0.1:99999", "ftp://x", "", "http://"],
)
def test_what_is_no_address_is_said_to_be_none(admin: str) -> None:
    """Instead of asking port 80 of somewhere."""
    with pytest.raises(AdminUnreachable, match="is no address"):
        get(admin, "/healthz")


def test_an_answer_that_is_no_http_is_no_answer() -> None:
    """Another program listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail ready\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(AdminUnreachable, match="BadStatusLine"):
            get(f"http://127.0.0.1:{server.getsockname()[1]}", "/healthz")
        thread.join()


@pytest.mark.parametrize("token", [None, "sesame-open"])
async def test_news_of_a_call_is_brought(token: str | None) -> None:
    """With the token, by a key that is encoded; the answer is a document."""
    office = Office()
    told = Told(desk=office, token=token.encode() if token else None)
    listener = await start(told.reports(), "127.0.0.1", 0, None, 0o600)
    news = {"execution": "none", "reason": "asked by phone"}
    found = await asyncio.to_thread(put_result, listener.url, "a/b ?", news, token)
    assert found == office.answer
    assert office.taken == [(("a/b ?", None, None), news)]
    await listener.close()


def test_what_is_no_sidecar_is_told_apart() -> None:
    """Its answer is no document."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(AdminUnreachable, match="does not answer as a sidecar"):
            put_result(f"http://127.0.0.1:{server.getsockname()[1]}", "k1", {}, None)
        thread.join()
