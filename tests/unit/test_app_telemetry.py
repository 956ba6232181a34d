"""`proxy.app`: what is told of calls, and that telling can fail without harm."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import config
from tests.support.house import running_sidecar
from tests.support.origin import Origin
from tests.support.peer import Peer, answer
from tests.support.prometheus import parse
from tests.support.values import CARD

CARD_BYTES = CARD.encode()


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


def _lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


async def test_refusals_are_recorded_like_everything_else(
    tmp_path: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    """By reason, without a byte of what was refused."""
    async with running_sidecar(tmp_path, origin) as running:
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
    async with running_sidecar(tmp_path, origin) as running:
        reply = await running.raw(f"POST /{CARD} HTTP/1.1\r\nX y: {CARD}\r\n\r\n".encode())
        metrics = parse((await running.page("/metrics")).body.decode())
    assert reply.status == 400
    assert (reply.outcome, reply.execution) == ("refused", "none")
    assert reply.problem["execution"] == "none"
    assert CARD_BYTES not in reply.raw
    assert sum(metrics["tidegate_inbound_rejected_total"].samples.values()) == 1
    seen = capfd.readouterr()
    assert CARD not in seen.out + seen.err


@pytest.mark.parametrize("part", ["_log", "metrics", "lines"])
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

    async with running_sidecar(tmp_path, origin) as running:
        broken = getattr(running.sidecar._sink, part)
        monkeypatch.setattr(broken, "write" if part == "lines" else "call", fail)
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

    async with running_sidecar(tmp_path, origin) as running:
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
    async with running_sidecar(tmp_path, origin, log={"calls": False}) as running:
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
    async with running_sidecar(tmp_path, origin, routes=routes) as running:
        reply = await running.ask("POST", "/psp/charges")
        assert (reply.status, reply.execution) == (504, "unknown")
        go_on.set()
        async with asyncio.timeout(10.0):
            while not running.sidecar._sink.metrics.late:
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
    async with running_sidecar(tmp_path, origin, upstream=over, routes=routes) as running:
        for _ in range(3):
            assert (await running.ask("POST", "/psp/x")).execution == "none"
        (finding,) = json.loads((await running.page("/findings")).body)["findings"]
    assert (finding["upstream"], finding["phase"]) == ("processor", "connect")
    assert (finding["reason"], finding["count"]) == ("refused", 3)


async def test_a_bug_outside_the_stack_is_answered_too(
    tmp_path: Path,
    origin: Origin,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reply claims nothing: how far the call got went down with the bug."""

    def fail(*_: object) -> None:
        raise ValueError(CARD)

    async with running_sidecar(tmp_path, origin) as running:
        monkeypatch.setattr("proxy.pipeline.rescue.reply_to", fail)
        reply = await running.ask("POST", "/psp/charges")
    assert (reply.status, reply.outcome, reply.execution) == (500, "in_doubt", "unknown")
    assert {line["event"] for line in _lines(capfd)} == {"bug", "call"}
    assert CARD_BYTES not in reply.raw
