"""Rules for each fault, seen on the wire: what comes, how it ends, and what was executed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from proxy.sandbox.client import SandboxPartner
from proxy.sandbox.faults import IN_PLACE, STRAY_NONCE
from proxy.sandbox.kinds import KINDS, Stage
from tests.unit.sandbox.talk import (
    Answer,
    ask,
    charge,
    connect,
    eventually,
    is_silent,
    read_answer,
    read_to_end,
    request,
)

Rows = Callable[[], list[str]]


def test_every_fault_of_the_answer_stage_is_done_by_something() -> None:
    """The table of kinds and the table of deeds name the same faults."""
    assert set(IN_PLACE) == {name for name, kind in KINDS.items() if kind.stage is Stage.ANSWER}


@pytest.mark.parametrize(("kind", "end"), [("reset", "rst"), ("close", "fin")])
@pytest.mark.parametrize("after_bytes", [0, 1, 17, 34_464])
def test_cut_answers_end_after_exactly_so_many_bytes(
    processor: SandboxPartner, reference: str, rows: Rows, kind: str, end: str, after_bytes: int
) -> None:
    """The first N bytes arrive, or all there are, then RST or FIN; the charge was executed."""
    processor.set_faults({"kind": kind, "after_bytes": after_bytes})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        got, how = read_to_end(peer)
    assert how == end
    if after_bytes < 100:
        assert len(got) == after_bytes
    else:
        assert len(got) == len(got.partition(b"\r\n\r\n")[0]) + 4 + Answer(got).length
    assert rows() == ["authorize"]


@pytest.mark.parametrize(("execute", "operations"), [("after", ["authorize"]), ("never", [])])
def test_a_cut_connection_may_execute_later_or_never(
    processor: SandboxPartner, reference: str, rows: Rows, execute: str, operations: list[str]
) -> None:
    """What the peer saw says nothing about what was executed."""
    processor.set_faults({"kind": "reset", "execute": execute})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        assert read_to_end(peer) == (b"", "rst")
    assert eventually(rows, operations)


@pytest.mark.parametrize(("execute", "operations"), [("before", ["authorize"]), ("never", [])])
def test_a_hanging_request_stays_open_without_an_answer(
    processor: SandboxPartner, reference: str, rows: Rows, execute: str, operations: list[str]
) -> None:
    """Nothing comes, also after the fault is gone; others are answered meanwhile."""
    processor.set_faults({"kind": "hang", "match": {"scheme": "visa"}, "execute": execute})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        assert is_silent(peer)
        assert ask(processor.port, charge("x", card={"scheme": "amex"})).status == 200
        processor.clear()
        assert ask(processor.port, charge("x")).status == 200
        assert is_silent(peer, 0.02)
    assert rows() == operations


@pytest.mark.parametrize("then", ["close", "stall"])
def test_half_an_answer_promises_more_than_it_sends(
    processor: SandboxPartner, reference: str, rows: Rows, then: str
) -> None:
    """Half of the body comes; then the connection ends, or nothing more happens."""
    processor.set_faults({"kind": "half_answer", "then": then})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        if then == "close":
            raw, how = read_to_end(peer)
            assert how == "fin"
        else:
            raw = peer.recv(65536)
            assert is_silent(peer)
    answer = Answer(raw)
    assert answer.length // 2 == len(answer.raw_body) > 0
    assert rows() == ["authorize"]


@pytest.mark.parametrize(
    ("status", "execute", "operations"),
    [(503, "never", []), (500, "before", ["authorize"]), (204, "before", ["authorize"])],
)
def test_a_status_comes_in_place_of_the_answer(
    processor: SandboxPartner,
    reference: str,
    rows: Rows,
    status: int,
    execute: str,
    operations: list[str],
) -> None:
    """The status says nothing about the execution, and the connection stays usable."""
    processor.set_faults({"kind": "status", "status": status, "execute": execute})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference), nonce="n"))
        answer = read_answer(peer)
        assert (answer.status, answer.headers["sandbox-nonce"]) == (status, "n")
        assert ("content-length" in answer.headers) == (status != 204)
        processor.clear()
        peer.sendall(request(method="GET", path="/v1/charges?reference=none"))
        assert read_answer(peer).status == 200
    assert rows() == operations


@pytest.mark.parametrize("execute", ["before", "never"])
def test_a_wrong_status_line_goes_out_as_asked(
    processor: SandboxPartner, reference: str, rows: Rows, execute: str
) -> None:
    """The bent answer is on the wire byte for byte."""
    fault = {"kind": "wrong_status", "variant": "status_999", "execute": execute}
    processor.set_faults(fault)
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        assert peer.recv(65536).startswith(b"HTTP/1.1 999 X\r\n")
    assert rows() == (["authorize"] if execute == "before" else [])


def test_an_answer_without_length_ends_with_the_connection(
    processor: SandboxPartner, reference: str, rows: Rows
) -> None:
    """No framing header, the whole body, then FIN."""
    processor.set_faults({"kind": "eof_body"})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        raw, how = read_to_end(peer)
    assert how == "fin"
    assert "content-length" not in Answer(raw).headers
    assert "transfer-encoding" not in Answer(raw).headers
    assert raw.endswith(b"}")
    assert rows() == ["authorize"]


@pytest.mark.parametrize("delay_ms", [0, 20])
def test_stray_bytes_follow_a_complete_answer(
    processor: SandboxPartner, reference: str, rows: Rows, delay_ms: int
) -> None:
    """Without delay in the same segment, else later; the connection stays open."""
    processor.set_faults({"kind": "stray_bytes", "bytes": "GARBAGE", "delay_ms": delay_ms})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        answer = read_answer(peer)
        assert answer.status == 200
        assert (answer.beyond or peer.recv(65536)) == b"GARBAGE"
        assert (answer.beyond == b"") == (delay_ms > 0)
        assert is_silent(peer, 0.02)
    assert rows() == ["authorize"]


def test_a_second_answer_can_be_told_by_its_nonce(
    processor: SandboxPartner, reference: str
) -> None:
    """It is complete and proper, and answers nobody."""
    processor.set_faults({"kind": "stray_bytes", "second_answer": True})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference), nonce="mine"))
        first = read_answer(peer)
        second = Answer(first.beyond)
        assert first.headers["sandbox-nonce"] == "mine"
        assert second.headers["sandbox-nonce"] == second.body["nonce"] == STRAY_NONCE
        assert len(second.raw_body) == second.length


def test_a_delayed_stray_spares_a_request_under_way(
    processor: SandboxPartner, reference: str
) -> None:
    """Once another request is there it is answered, and nothing else goes out before or after."""
    processor.set_faults(
        {"kind": "stray_bytes", "second_answer": True, "delay_ms": 60, "match": {"method": "POST"}}
    )
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference), nonce="first"))
        read_answer(peer)
        peer.sendall(request(method="GET", path="/v1/charges?reference=x", nonce="second"))
        answer = read_answer(peer)
        assert answer.headers["sandbox-nonce"] == "second"
        assert answer.beyond == b""
        assert is_silent(peer, 0.15)


def test_an_idle_connection_gets_a_408_and_an_end(
    processor: SandboxPartner, reference: str
) -> None:
    """After the idle time a complete 408 nobody asked for, then FIN."""
    processor.set_faults({"kind": "idle_408", "delay_ms": 5, "match": {"method": "POST"}})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        first = read_answer(peer)
        raw, how = read_to_end(peer)
    assert first.status == 200
    # A reader that was kept waiting gets both at once.
    assert (Answer(first.beyond + raw).status, how) == (408, "fin")


def test_a_fresh_connection_gets_a_408_too(processor: SandboxPartner) -> None:
    """A rule without conditions does not wait for a first request."""
    processor.set_faults({"kind": "idle_408", "delay_ms": 5})
    with connect(processor.port) as peer:
        raw, how = read_to_end(peer)
    assert (Answer(raw).status, how) == (408, "fin")


@pytest.mark.parametrize("delay_ms", [0, 10])
def test_an_early_close_is_not_announced(
    processor: SandboxPartner, reference: str, delay_ms: int
) -> None:
    """The answer keeps the connection alive, and yet it ends."""
    processor.set_faults({"kind": "early_close", "delay_ms": delay_ms})
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        assert "connection" not in read_answer(peer).headers
        assert read_to_end(peer) == (b"", "fin")


def test_slow_goes_together_with_other_faults_and_both_are_counted(
    processor: SandboxPartner, reference: str, rows: Rows
) -> None:
    """A slow answer can also be cut; the statistics name each fault once."""
    before: dict[str, Any] = processor.stats()["faults"]
    processor.set_faults(
        {"kind": "slow", "delay_ms": 20, "execute": "before"}, {"kind": "reset", "after_bytes": 9}
    )
    begun = time.monotonic()
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        assert read_to_end(peer) == (b"HTTP/1.1 ", "rst")
    assert time.monotonic() - begun >= 0.019
    after: dict[str, Any] = processor.stats()["faults"]
    for kind in ("slow", "reset"):
        assert after[kind] - before.get(kind, 0) == 1
    assert rows() == ["authorize"]
