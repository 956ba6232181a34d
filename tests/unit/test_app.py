"""`proxy.app`: the house as it is assembled, in this process, with real sockets."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.app import Sidecar, explain_call, files_are_usable, refusal
from proxy.http1.grammar import Reject
from proxy.model.errors import StartError
from proxy.settings.load import load
from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.peer import Peer, answer
from tests.support.prometheus import parse
from tests.support.sidecar import parse_address
from tests.support.values import CARD

CARD_BYTES = CARD.encode()


@pytest.fixture(autouse=True)
def _unfrozen() -> Iterator[None]:
    """A sidecar freezes what is alive when it is ready; here that is the tests too."""
    yield
    gc.unfreeze()


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


Ask = Callable[..., Awaitable[Reply]]


class _Running:
    """A sidecar that has started; `ask` makes one call, `page` fetches an admin page."""

    def __init__(self, sidecar: Sidecar) -> None:
        self.sidecar = sidecar

    async def ask(self, *arguments: Any, **keywords: Any) -> Reply:
        """One `Client.call` on a connection of its own."""

        def call() -> Reply:
            with Client(parse_address(self.sidecar.payments)) as client:
                return client.call(*arguments, **keywords)

        return await asyncio.to_thread(call)

    async def raw(self, data: bytes) -> Reply:
        """The reply to these bytes."""

        def call() -> Reply:
            with Client(parse_address(self.sidecar.payments)) as client:
                client.send(data)
                return client.receive()

        return await asyncio.to_thread(call)

    async def page(self, path: str) -> Reply:
        """An admin page."""

        def call() -> Reply:
            with Client(parse_address(self.sidecar.admin)) as client:
                return client.call("GET", path, None, host="127.0.0.1")

        return await asyncio.to_thread(call)


@asynccontextmanager
async def _running(folder: Path, origin: Origin, **over: Any) -> AsyncIterator[_Running]:
    sidecar = Sidecar(load(_written(folder, origin, **over)), asyncio.get_running_loop())
    await sidecar.start()
    try:
        yield _Running(sidecar)
    finally:
        await sidecar.drain()


def _written(folder: Path, origin: Origin, **over: Any) -> Path:
    at: Mapping[str, Any] = over.pop("upstream", {})
    document = config.document(
        {"processor": config.upstream(origin.port, **at)},
        over.pop("routes", [config.route("/psp/", ["processor"], name="charges")]),
        **over,
    )
    return config.write(folder, document)


def _lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


async def test_a_call_travels_the_house_and_leaves_one_line(
    tmp_path: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    """Answer and labels to the application, a line on stdout, counts at the admin listener."""
    async with _running(tmp_path, origin) as running:
        reply = await running.ask("POST", "/psp/charges", b"{}")
        metrics = parse((await running.page("/metrics")).body.decode())
    assert (reply.status, reply.body) == (200, b"ok")
    assert (reply.outcome, reply.execution) == ("answered", "done")
    (line,) = _lines(capfd)
    assert line["call"] == reply.header("tidegate-call")
    assert (line["route"], line["upstream"], line["status"]) == ("charges", "processor", 200)
    assert sum(metrics["tidegate_calls_total"].samples.values()) == 1
    assert sum(metrics["tidegate_attempts_total"].samples.values()) == 1
    pools = metrics["tidegate_pool_connections"]
    assert pools.value("tidegate_pool_connections", upstream="processor", state="idle") == 1


async def test_who_may_call_is_asked_before_what_the_call_is(
    tmp_path: Path, origin: Origin
) -> None:
    """A caller without the token learns nothing of routes, and the partner nothing of the token."""
    async with _running(tmp_path, origin, listen={"token": "s3cret-token-0123456789"}) as running:
        for target in ("/psp/charges", "/nowhere", "/psp/.."):
            assert (await running.ask("POST", target)).status == 401
        token = [("Tidegate-Token", "s3cret-token-0123456789")]
        assert (await running.ask("POST", "/nowhere", b"", token)).status == 404
        assert (await running.ask("POST", "/psp/..", b"", token)).status == 400
        assert (await running.ask("POST", "/psp/x", b"", token, host="evil.example")).status == 421
        assert origin.received == []
        assert (await running.ask("POST", "/psp/x", b"", token)).status == 200
    (received,) = origin.received
    assert b"s3cret" not in received.raw


async def test_a_host_that_a_route_names_is_accepted(tmp_path: Path, origin: Origin) -> None:
    """Beside those of `listen.hosts`."""
    routes = [config.route("/psp/", ["processor"], match={"host": "Api.Example.com"})]
    async with _running(tmp_path, origin, routes=routes) as running:
        assert (await running.ask("POST", "/psp/x", host="api.example.com")).status == 200
        assert (await running.ask("POST", "/psp/x", host="localhost")).status == 404


async def test_refusals_are_recorded_like_everything_else(
    tmp_path: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    """By reason, without a byte of what was refused."""
    async with _running(tmp_path, origin) as running:
        await running.ask("POST", f"/{CARD}?x={CARD}", CARD_BYTES, [("X-Pan", CARD)])
        await running.ask("POST", "/psp/x", b"", [("Origin", CARD)])
        await running.ask("POST", "/psp/x", b"", [("Tidegate-Deadline-Ms", CARD)])
        metrics = (await running.page("/metrics")).body.decode()
        findings = (await running.page("/findings")).body.decode()
    out = capfd.readouterr().out
    reasons = [json.loads(line)["reason"] for line in out.splitlines()]
    assert reasons == ["no_route", "browser", "deadline_header"]
    assert CARD not in out + metrics + findings


async def test_bytes_that_are_no_request_are_refused_with_labels_and_counted(
    tmp_path: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    """None is said, since nothing was sent; the offending bytes are nowhere."""
    async with _running(tmp_path, origin) as running:
        reply = await running.raw(f"POST /{CARD} HTTP/1.1\r\nX y: {CARD}\r\n\r\n".encode())
        metrics = parse((await running.page("/metrics")).body.decode())
    assert reply.status == 400
    assert (reply.outcome, reply.execution) == ("refused", "none")
    assert reply.problem["execution"] == "none"
    assert CARD_BYTES not in reply.raw
    assert sum(metrics["tidegate_inbound_rejected_total"].samples.values()) == 1
    seen = capfd.readouterr()
    assert CARD not in seen.out + seen.err


def test_every_rejection_of_the_edge_has_a_reply() -> None:
    """The status and the reason are the edge's, the sentence is ours."""
    reply = refusal(Reject(431, "header_bytes_max"))
    members = json.loads(reply.body)
    assert reply.status == members["status"] == 431
    assert members["reason"] == "header_bytes_max"


@pytest.mark.parametrize("part", ["_log", "_metrics", "_lines"])
async def test_telemetry_that_fails_loses_telemetry_and_nothing_else(
    tmp_path: Path,
    origin: Origin,
    part: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer of a charge is not lost with its log line; the failure is counted as a bug."""

    def fail(*_: object) -> bytes:
        raise ValueError(CARD)

    async with _running(tmp_path, origin) as running:
        broken = getattr(running.sidecar, part)
        monkeypatch.setattr(broken, "write" if part == "_lines" else "call", fail)
        reply = await running.ask("POST", "/psp/charges")
        assert (reply.status, reply.execution) == (200, "done")
        metrics = parse((await running.page("/metrics")).body.decode())
    assert metrics["tidegate_bugs_total"].value("tidegate_bugs_total") == 1
    seen = capfd.readouterr()
    assert CARD not in seen.out + seen.err


async def test_a_bug_in_the_stack_is_answered_logged_and_counted(
    tmp_path: Path,
    origin: Origin,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """500 and none before a write; the message of the exception stays with us."""

    def fail(*_: object) -> None:
        raise ValueError(CARD)

    async with _running(tmp_path, origin) as running:
        monkeypatch.setattr(running.sidecar._table, "find", fail)
        reply = await running.ask("POST", "/psp/charges")
    assert (reply.status, reply.outcome, reply.execution) == (500, "refused", "none")
    kinds = {line["event"]: line for line in _lines(capfd)}
    assert set(kinds) == {"bug", "call"}
    assert kinds["bug"]["kind"] == "ValueError"
    assert CARD_BYTES not in reply.raw


async def test_lines_of_calls_can_be_switched_off(
    tmp_path: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    """Counts go on."""
    async with _running(tmp_path, origin, log={"calls": False}) as running:
        assert (await running.ask("POST", "/psp/charges")).status == 200
        metrics = parse((await running.page("/metrics")).body.decode())
    assert sum(metrics["tidegate_calls_total"].samples.values()) == 1
    assert capfd.readouterr().out == ""


async def test_an_answer_after_the_caller_was_left_in_doubt_is_told(
    tmp_path: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    """A line of its own, and a count: the charge that nobody heard of was made."""
    go_on = threading.Event()

    def late(peer: Peer) -> None:
        peer.read_request()
        assert go_on.wait(10.0)
        peer.send(answer(201))

    origin.script = late
    routes = [config.route("/psp/", ["processor"], timeouts={"first_byte": "50ms"})]
    async with _running(tmp_path, origin, routes=routes) as running:
        reply = await running.ask("POST", "/psp/charges")
        assert (reply.status, reply.execution) == (504, "unknown")
        go_on.set()
        async with asyncio.timeout(10.0):
            while not running.sidecar._metrics.late:
                await asyncio.sleep(0.005)
    call, ending = _lines(capfd)
    assert (ending["event"], ending["status"], ending["call"]) == (
        "late_ending",
        201,
        call["call"],
    )


async def test_what_keeps_failing_is_found(tmp_path: Path, origin: Origin) -> None:
    """Three refused connections, named with phase and origin at the admin listener."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    over = {"url": f"http://127.0.0.1:{port}"}
    retry = {"attempts_max": 1}
    routes = [config.route("/psp/", ["processor"], retry=retry)]
    async with _running(tmp_path, origin, upstream=over, routes=routes) as running:
        for _ in range(3):
            assert (await running.ask("POST", "/psp/x")).execution == "none"
        (finding,) = json.loads((await running.page("/findings")).body)["findings"]
    assert (finding["upstream"], finding["phase"]) == ("processor", "connect")
    assert (finding["reason"], finding["count"]) == ("refused", 3)


async def test_while_draining_it_is_not_ready_and_finishes_what_runs(
    tmp_path: Path, origin: Origin
) -> None:
    """The call at work gets its answer; new connections are not accepted."""
    go_on = threading.Event()

    def slow(peer: Peer) -> None:
        peer.read_request()
        assert go_on.wait(10.0)
        peer.send(answer(200, b"done"))

    origin.script = slow
    sidecar = Sidecar(load(_written(tmp_path, origin)), asyncio.get_running_loop())
    await sidecar.start()
    running = _Running(sidecar)
    assert (await running.page("/readyz")).status == 200
    asking = asyncio.create_task(running.ask("POST", "/psp/x"))
    await asyncio.to_thread(origin.wait_received, 1)
    draining = asyncio.create_task(sidecar.drain())
    await asyncio.sleep(0)
    assert (await running.page("/readyz")).status == 503
    with pytest.raises(ConnectionRefusedError):
        await running.ask("POST", "/psp/x")
    go_on.set()
    assert (await asking).body == b"done"
    assert await draining is True


async def test_an_admin_port_that_is_taken_ends_the_start_and_opens_nothing(
    tmp_path: Path, origin: Origin
) -> None:
    """The payment port, open a moment earlier, is drained and closed again."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        admin = {"address": f"127.0.0.1:{taken.getsockname()[1]}"}
        loaded = load(_written(tmp_path, origin, admin=admin))
        sidecar = Sidecar(loaded, asyncio.get_running_loop())
        with pytest.raises(StartError, match=r"admin\.address"):
            await sidecar.start()
    with pytest.raises(ConnectionRefusedError):
        await _Running(sidecar).ask("POST", "/psp/x")
    assert not sidecar._lines._thread.is_alive()


async def test_both_listeners_can_be_unix_sockets(tmp_path: Path, origin: Origin) -> None:
    """Addresses are told as they are written."""
    payments, admin = f"unix:{tmp_path}/pay.sock", f"unix:{tmp_path}/admin.sock"
    over = {"listen": {"address": payments}, "admin": {"address": admin}}
    async with _running(tmp_path, origin, **over) as running:
        assert (running.sidecar.payments, running.sidecar.admin) == (payments, admin)
        assert (await running.ask("POST", "/psp/x")).status == 200
        assert (await running.page("/healthz")).status == 200


def test_explain_says_what_would_happen(tmp_path: Path, origin: Origin) -> None:
    """From the same table that calls are routed by."""
    loaded = load(_written(tmp_path, origin))
    text = explain_call(loaded, "localhost", "/psp/charges", "POST")
    assert text is not None
    assert text.startswith("route charges")
    assert explain_call(loaded, "localhost", "/other", "POST") is None
    assert explain_call(loaded, "localhost", "/psp//x", "POST") is not None


def test_a_certificate_that_cannot_be_used_is_found_by_the_check(
    tmp_path: Path, origin: Origin
) -> None:
    """Before the start, with the file's name."""
    (tmp_path / "ca.pem").write_text(CARD, encoding="utf-8")
    over = {"url": "https://127.0.0.1:1", "tls": {"ca_file": "ca.pem"}}
    loaded = load(_written(tmp_path, origin, upstream=over))
    with pytest.raises(StartError, match=r"ca\.pem") as raised:
        files_are_usable(loaded)
    assert CARD not in str(raised.value)
    files_are_usable(load(_written(tmp_path, origin)))
