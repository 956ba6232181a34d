"""`proxy.admin.api`: the real listener on both loops; whom it serves, and what it never repeats."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop

from proxy.admin.api import AdminListener, Reports, start
from proxy.model.errors import StartError
from tests.support.client import Client, Reply
from tests.support.sidecar import Address, parse_address
from tests.support.values import CARD

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [
    asyncio.new_event_loop,
    uvloop.new_event_loop,
]
BOTH_LOOPS = pytest.mark.parametrize("loop", LOOPS, ids=["asyncio", "uvloop"])


@dataclass(slots=True)
class _Told:
    """What the composition root would say."""

    ready: bool = True
    findings: dict[str, Any] = field(default_factory=lambda: {"schema": 1, "findings": []})

    def reports(self) -> Reports:
        """As functions."""
        return Reports(lambda: self.ready, lambda: "tidegate_x 1\n", lambda: self.findings)


def _serving(
    loop: Callable[[], asyncio.AbstractEventLoop],
    use: Callable[[Address], None],
    *,
    told: _Told | None = None,
    unix_path: str | None = None,
) -> None:
    """Run a listener, and `use` it from another thread."""

    async def main() -> None:
        reports = (told or _Told()).reports()
        listener = await start(reports, "127.0.0.1", 0, unix_path, 0o600)
        try:
            await asyncio.to_thread(use, parse_address(listener.url))
        finally:
            await listener.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())


def _get(
    address: Address,
    path: str,
    *fields: tuple[str, str],
    host: str = "127.0.0.1",
    method: str = "GET",
) -> Reply:
    with Client(address) as client:
        return client.call(method, path, None, fields, host=host)


@BOTH_LOOPS
def test_every_page_answers_with_its_type(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Health, readiness, metrics in Prometheus' type, findings as JSON."""
    finding = {"partner": "acme", "count": 3}
    told = _Told(findings={"schema": 1, "findings": [finding]})

    def use(address: Address) -> None:
        assert (_get(address, "/healthz").status, _get(address, "/healthz").body) == (200, b"ok\n")
        assert _get(address, "/readyz").body == b"ready\n"
        told.ready = False
        not_ready = _get(address, "/readyz")
        assert (not_ready.status, not_ready.body) == (503, b"not ready\n")
        metrics = _get(address, "/metrics")
        assert metrics.body == b"tidegate_x 1\n"
        assert metrics.header("content-type") == "text/plain; version=0.0.4; charset=utf-8"
        findings = _get(address, "/findings")
        assert json.loads(findings.body)["findings"] == [finding]
        assert findings.header("content-type") == "application/json; charset=utf-8"

    _serving(loop, use, told=told)


@BOTH_LOOPS
def test_only_this_machine_by_name_is_served(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Any other Host, or none, is misdirected; that is how DNS rebinding shows."""

    def use(address: Address) -> None:
        for host in ("127.0.0.1", "127.0.0.1:8081", "localhost:1", "LocalHost", "[::1]", "[::1]:9"):
            assert _get(address, "/healthz", host=host).status == 200, host
        for host in ("evil.example", "127.0.0.1.evil.example", "", "localhost.", "127.0.0.2"):
            assert _get(address, "/healthz", host=host).status == 421, host
        with Client(address) as client:
            client.send(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert client.rest().startswith(b"HTTP/1.0 421")

    _serving(loop, use)


def test_a_request_without_a_host_asks_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up our own name would stop the loop that payments run on."""

    def fail(*_: object) -> str:
        raise AssertionError("the name of this machine was looked up")

    monkeypatch.setattr(socket, "getfqdn", fail)

    def use(address: Address) -> None:
        with Client(address) as client:
            client.send(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert client.rest().startswith(b"HTTP/1.0 421")

    _serving(asyncio.new_event_loop, use)


@BOTH_LOOPS
def test_pages_of_other_origins_are_refused(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Another port of this machine is another origin; typing the address is not."""

    def use(address: Address) -> None:
        for fields in (
            ("Origin", "http://evil.example"),
            ("Origin", "null"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
        ):
            assert _get(address, "/findings", fields).status == 403, fields
        for value in ("none", "same-origin"):
            assert _get(address, "/findings", ("Sec-Fetch-Site", value)).status == 200, value

    _serving(loop, use)


@BOTH_LOOPS
def test_it_is_read_only_and_knows_no_other_page(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """And what it does not know it does not repeat."""

    def use(address: Address) -> None:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert _get(address, "/healthz", method=method).status == 405
        unknown = _get(address, f"/{CARD}?pan={CARD}")
        assert unknown.status == 404
        assert CARD.encode() not in unknown.raw

    _serving(loop, use)


@BOTH_LOOPS
def test_every_answer_has_the_security_headers_and_not_the_servers_version(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Refusals and unknown pages too."""

    def use(address: Address) -> None:
        replies = [
            _get(address, "/findings"),
            _get(address, "/nothing"),
            _get(address, "/healthz", host="evil.example"),
            _get(address, "/healthz", ("Origin", "null")),
        ]
        assert [reply.status for reply in replies] == [200, 404, 421, 403]
        for reply in replies:
            assert reply.header("server") == "tidegate"
            assert reply.header("cache-control") == "no-store"
            assert reply.header("x-content-type-options") == "nosniff"
            assert "default-src 'none'" in (reply.header("content-security-policy") or "")

    _serving(loop, use)


BAD = [
    f"GET /{CARD} \x01 HTTP/1.1\r\n\r\n",
    f"{CARD}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: localhost\r\nX-Card\x12: {CARD}\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00{CARD}\r\n\r\n",
    f"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{CARD}zz\r\n",
    f"GET / HTTP/{CARD}\r\n\r\n",
    f"GET /{CARD * 1000} HTTP/1.1\r\nHost: localhost\r\n\r\n",
]


@BOTH_LOOPS
@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_offending_bytes_are_neither_echoed_nor_logged(
    loop: Callable[[], asyncio.AbstractEventLoop],
    bad: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A payment sent to the wrong port holds a card number; aiohttp would repeat and log it."""
    caplog.set_level(logging.DEBUG)

    def use(address: Address) -> None:
        with Client(address) as client:
            client.send(bad.encode("latin-1"))
            client.half_close()
            assert CARD.encode() not in client.rest()
        assert _get(address, "/healthz").status == 200

    _serving(loop, use)
    seen = capfd.readouterr()
    assert CARD not in caplog.text + seen.out + seen.err


@BOTH_LOOPS
def test_a_failing_report_says_nothing_of_the_failure(
    loop: Callable[[], asyncio.AbstractEventLoop], capfd: pytest.CaptureFixture[str]
) -> None:
    """500 without a traceback, and the listener lives."""

    def fail() -> str:
        raise ValueError(CARD)

    async def main() -> None:
        reports = Reports(lambda: True, fail, dict)
        listener = await start(reports, "127.0.0.1", 0, None, 0o600)
        address = parse_address(listener.url)
        reply = await asyncio.to_thread(_get, address, "/metrics")
        assert reply.status == 500
        assert CARD.encode() not in reply.raw
        assert (await asyncio.to_thread(_get, address, "/healthz")).status == 200
        await listener.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main())
    assert CARD not in "".join(capfd.readouterr())


@BOTH_LOOPS
def test_a_unix_socket_has_its_mode_and_takes_any_host(
    loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path
) -> None:
    """Who may connect is the mode's business."""
    path = str(tmp_path / "admin.sock")

    def use(address: Address) -> None:
        assert address == path
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert _get(address, "/healthz", host="anything").status == 200
        assert _get(address, "/healthz", ("Origin", "null")).status == 403

    _serving(loop, use, unix_path=path)


async def _start(port: int = 0, unix_path: str | None = None) -> AdminListener:
    return await start(_Told().reports(), "127.0.0.1", port, unix_path, 0o600)


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
    assert (await asyncio.to_thread(_get, path, "/healthz")).status == 200
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
        await asyncio.to_thread(_get, address, "/healthz")
