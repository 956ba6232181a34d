"""`proxy.telemetry.exporter`: bounded in number and time, whatever the collector does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from proxy.telemetry import exporter as module
from proxy.telemetry.exporter import Exporter
from proxy.telemetry.senders import Sent

WAIT_S = 10.0


class Collector:
    """Takes everything, unless it is told what to say."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.says: list[Sent] = []
        self.open = threading.Event()
        self.open.set()
        self.given_up = 0
        self.closed = False

    def send(self, signal: str, body: bytes) -> Sent:
        self.open.wait(WAIT_S)
        self.taken.append((signal, body))
        return self.says.pop(0) if self.says else Sent()

    def give_up(self, now: float) -> None:
        self.given_up += 1

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second is waited for."""
    monkeypatch.setattr(module, "_GATHER_S", 0.005)
    monkeypatch.setattr(module, "_PAUSES_S", (0.001, 0.001))
    monkeypatch.setattr(module, "_CLOSE_S", 0.2)


@pytest.fixture
def collector() -> Iterator[Collector]:
    """One that hangs no longer than its test."""
    made = Collector()
    yield made
    made.open.set()


def _exporter(collector: Collector, waiting_max: int = 100) -> Exporter:
    return Exporter(lambda: collector, waiting_max)


def _until(holds: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.001)


def test_what_waits_is_sent_together(collector: Collector) -> None:
    """Messages of one type put together are one message."""
    made = _exporter(collector)
    made.offer(b"a")
    made.offer(b"b")
    made.offer_metrics(b"mn")
    made.close()
    assert b"".join(body for signal, body in collector.taken if signal == "traces") == b"ab"
    assert ("metrics", b"mn") in collector.taken
    assert (made.tallies["traces"].sent, made.tallies["metrics"].sent) == (2, 1)
    assert collector.closed


def test_while_a_collector_hangs_what_is_too_much_is_counted(collector: Collector) -> None:
    """Offering never waits, and of metrics only the newest is kept."""
    collector.open.clear()
    made = _exporter(collector, waiting_max=5)
    made.offer_metrics(b"first")
    _until(lambda: not made._metrics)
    for _ in range(8):
        if made.room(besides=1):
            made.offer(b"t")
    made.offer_metrics(b"old")
    made.offer_metrics(b"new")
    assert (made.waiting(), made.tallies["traces"].overflowed) == (4, 4)
    assert made.tallies["metrics"].overflowed == 1
    began_at = time.monotonic()
    made.close()
    assert time.monotonic() - began_at < 2.0
    collector.open.set()
    _until(lambda: collector.closed)
    assert ("metrics", b"new") in collector.taken


def test_what_may_be_sent_again_is_twice_at_most(collector: Collector) -> None:
    """Then it is counted as lost; what comes later has its own tries."""
    collector.says = [Sent("refused", again=True)] * 3
    made = _exporter(collector)
    made.offer(b"a")
    _until(lambda: made.tallies["traces"].failed == 1)
    assert made.trouble == "refused"
    made.offer(b"b")
    _until(lambda: made.tallies["traces"].sent == 1)
    assert made.trouble == ""
    made.close()
    assert [body for _, body in collector.taken] == [b"a", b"a", b"a", b"b"]


def test_what_the_collector_does_not_want_is_not_sent_again(collector: Collector) -> None:
    """Such as a wrong token."""
    collector.says = [Sent("status_401")]
    made = _exporter(collector)
    made.offer(b"a")
    made.close()
    assert len(collector.taken) == 1
    assert made.tallies["traces"].failed == 1


def test_a_sender_that_cannot_be_made_is_no_end_of_the_thread(collector: Collector) -> None:
    """A certificate may be put right while the sidecar runs."""
    tries = []

    def make() -> Collector:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no file")
        return collector

    made = Exporter(make, 10)
    made.offer(b"a")
    _until(lambda: made.trouble == "bug_OSError")
    made.offer(b"b")
    _until(lambda: made.tallies["traces"].sent == 1)
    made.close()


def test_a_sending_is_watched_from_outside(collector: Collector) -> None:
    """The thread itself cannot, while it waits."""
    made = _exporter(collector)
    made.watch()
    made.offer(b"a")
    _until(lambda: bool(collector.taken))
    made.watch()
    made.close()
    assert collector.given_up == 1
