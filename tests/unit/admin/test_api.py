"""`proxy.admin.api`: the real listener on both loops, its pages and its sockets."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.admin.api import AdminListener, start
from proxy.model.errors import StartError
from tests.support.client import Client
from tests.support.sidecar import Address, parse_address
from tests.unit.admin.serving import BOTH_LOOPS, Told, get, serving


@BOTH_LOOPS
def test_every_page_answers_with_its_type(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Health, readiness, metrics in Prometheus' type, findings as JSON."""
    finding = {"partner": "acme", "count": 3}
    told = Told(findings={"schema": 1, "findings": [finding]})

    def use(address: Address) -> None:
        assert (get(address, "/healthz").status, get(address, "/healthz").body) == (200, b"ok\n")
        assert get(address, "/readyz").body == b"ready\n"
        told.ready = False
        not_ready = get(address, "/readyz")
        assert (not_ready.status, not_ready.body) == (503, b"not ready\n")
        metrics = get(address, "/metrics")
        assert metrics.body == b"tidegate_x 1\n"
        assert metrics.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
        findings = get(address, "/findings")
        assert json.loads(findings.body)["findings"] == [finding]
        assert findings.header("content-type") == "application/json; charset=utf-8"

    serving(loop, use, told=told)


@BOTH_LOOPS
def test_every_answer_has_the_security_headers_and_not_the_servers_version(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Refusals and unknown pages too."""

    def use(address: Address) -> None:
        replies = [
            get(address, "/findings"),
            get(address, "/nothing"),
            get(address, "/healthz", host="evil.example"),
            get(address, "/healthz", ("Origin", "null")),
        ]
        assert [reply.status for reply in replies] == [200, 404, 421, 403]
        for reply in replies:
            assert reply.header("server") == "tidegate"
            assert reply.header("cache-control") == "no-store"
            assert reply.header("x-content-type-options") == "nosniff"
            assert "default-src 'none'" in (reply.header("content-security-policy") or "")

    serving(loop, use)


@BOTH_LOOPS
def test_a_unix_socket_has_its_mode_and_takes_any_host(
    loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path
) -> None:
    """Who may connect is the mode's business."""
    path = str(tmp_path / "admin.sock")

    def use(address: Address) -> None:
        assert address == path
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert get(address, "/healthz", host="anything").status == 200
        assert get(address, "/healthz", ("Origin", "null")).status == 403

    serving(loop, use, unix_path=path)
    assert not os.path.exists(path), "and it is gone with the listener"


async def _start(port: int = 0, unix_path: str | None = None) -> AdminListener:
    return await start(Told().reports(), "127.0.0.1", port, unix_path, 0o600)


async def test_a_port_that_is_taken_is_named_with_a_remedy() -> None:
    """The start fails and says which setting to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=rf"127\.0\.0\.1:{port}: .*admin\.address"):
            await _start(port)


async def test_the_socket_of_a_dead_sidecar_is_replaced_and_a_living_ones_is_not(
    tmp_path: Path,
) -> None:
    """A second sidecar must not take the first one's listener away."""
    path = str(tmp_path / "admin.sock")
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    dead.bind(path)
    dead.close()
    listener = await _start(unix_path=path)
    with pytest.raises(StartError, match=r"admin\.sock: .*in use"):
        await _start(unix_path=path)
    assert (await asyncio.to_thread(get, path, "/healthz")).status == 200
    await listener.close()


async def test_a_file_is_never_removed(tmp_path: Path) -> None:
    """A path written by mistake costs a start, not a file."""
    path = tmp_path / "important"
    path.write_text("data", encoding="utf-8")
    with pytest.raises(StartError):
        await _start(unix_path=str(path))
    assert path.read_text(encoding="utf-8") == "data"


async def test_closing_ends_open_connections() -> None:
    """The drain is not held up by a scraper that keeps its connection."""
    listener = await _start()
    address, ended = parse_address(listener.url), threading.Event()

    def hold() -> None:
        with Client(address) as client:
            assert client.call("GET", "/healthz", None, host="localhost").status == 200
            ended.set()
            assert client.at_end()

    holding = asyncio.create_task(asyncio.to_thread(hold))
    await asyncio.to_thread(ended.wait, 5.0)
    async with asyncio.timeout(5.0):
        await listener.close()
        await holding
    with pytest.raises(ConnectionRefusedError):
        await asyncio.to_thread(get, address, "/healthz")
