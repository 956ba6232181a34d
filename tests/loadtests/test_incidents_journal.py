"""The parts of the journal's replays: configurations, callers, the batch, the refusal to play."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtests.incidents import callers as calling
from loadtests.incidents import (
    disk,
    inc_15,
    inc_15_pause,
    inc_16,
    inc_24,
    inc_25,
    mutant_normal,
    process,
)
from loadtests.incidents.__main__ import main
from loadtests.incidents.aged import age
from loadtests.incidents.asker import Asker
from loadtests.incidents.batch import batch_lines, payments_of, told_lines, told_of
from loadtests.incidents.callers import Callers, ask_each, reread
from loadtests.incidents.journals import SqliteJournal
from loadtests.incidents.mortal import free_port
from loadtests.incidents.payments import PATHS, Payment, Told
from loadtests.incidents.progress import Progress
from loadtests.incidents.registry import REPLAYS
from loadtests.incidents.run import Measured, Run
from proxy.idempotency.record import State
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.sqlite_read import counts
from proxy.settings.load import load

URL = "http://127.0.0.1:4"
URLS = {"processor": URL, "acquirer": URL, "asked": URL}
DONE = Told(200, "done", "answered", nonce="a", headers=(("x", "y"),), body=b"\xe9")
Serve = Callable[[Sequence[bytes]], Any]


@pytest.mark.parametrize("factor", [1.0, 0.4])
def test_the_configurations_are_valid(tmp_path: Path, factor: float) -> None:
    """The sidecar accepts what the replays give it, without a warning, scaled or not."""
    run = Run(quick=False, factor=factor, directory=tmp_path, progress=Progress("test"))
    journal = SqliteJournal(tmp_path)
    configs = [
        inc_15.sidecar_config(run, 8000, journal.settings(), URLS),
        inc_16.sidecar_config(8000, journal.settings(), URL),
        inc_24.sidecar_config(8000, journal, URL),
        inc_25.sidecar_config(run, 8000, journal.settings(), URLS),
    ]
    for number, config in enumerate(configs):
        path = tmp_path / f"{number}.yaml"
        path.write_text(json.dumps(config), encoding="utf-8")
        assert load(path, {}).warnings == []


def test_a_batch_travels_to_another_process_and_back() -> None:
    """The chain reads what was written for it, and what it was told is read whole."""
    payments = [Payment(f"b-{n}", "acquirer", 100 * n, PATHS["acquirer"]) for n in (1, 2)]
    assert payments_of(batch_lines(payments).splitlines()) == payments
    told = [DONE, Told(error="ConnectionResetError")]
    assert told_of(told_lines(told).splitlines()) == told


def test_a_key_is_sent_only_by_who_has_one() -> None:
    """The night chain of INC-16 knows of no keys."""
    payment = Payment("a", "acquirer", 100, PATHS["acquirer"])
    assert b"Idempotency-Key: a\r\n" in payment.request("h:1")
    assert b"Idempotency-Key" not in payment.request("h:1", keyed=False)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a peer that gives these answers, one for each request; gives its URL."""
    servers = []

    async def start(answers: Sequence[bytes]) -> str:
        left = iter(answers)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while head := await _request(reader):
                writer.write(next(left).replace(b"NONCE", _nonce(head)))
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = int(head.rpartition(b"Content-Length: ")[2].split()[0])
    return head + await reader.readexactly(length)


def _nonce(request: bytes) -> bytes:
    return request.partition(b"Sandbox-Nonce: ")[2].split(b"\r\n")[0]


def _answer(status: int, execution: str, body: bytes = b"{}", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nTidegate-Execution: {execution}\r\nSandbox-Nonce: NONCE\r\n"
    return f"{head}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def test_an_asker_reads_one_whole_reply(serve: Serve) -> None:
    """Labels are read and kept apart from the partner's own headers."""
    asker = Asker(await serve([_answer(200, "done", b"{1}", "Tidegate-Replayed: true\r\n")]))
    told = await asker.ask(Payment("a", "acquirer", 100, "/"))
    asker.close()
    headers = (("sandbox-nonce", "a"), ("content-length", "3"))
    assert told == Told(200, "done", "", True, "a", headers, b"{1}")


async def test_an_asker_says_why_there_was_no_reply(serve: Serve) -> None:
    """A reply that is cut, or none, leaves the status 0; the next one has a new connection."""
    whole = _answer(200, "done", b"{}")
    cut = whole.replace(b"Content-Length: 2", b"Content-Length: x")
    asker = Asker(await serve([cut, whole]))
    payment = Payment("a", "acquirer", 100, "/")
    assert (await asker.ask(payment)).error == "ValueError"
    assert (await asker.ask(payment)).status == 200
    asker.close()
    nobody = Asker(f"http://127.0.0.1:{free_port(random.Random(1))}")
    assert (await nobody.ask(payment)).error == "ConnectionRefusedError"


async def test_callers_repeat_a_key_until_they_know(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One key, the same bytes, until the reply is final; then the answer is read again."""
    monkeypatch.setattr(calling, "_PAUSE_S", (0.0, 0.0))
    answers = [_answer(409, "unknown"), _answer(200, "done"), _answer(200, "done", b"[]")]
    url = await serve(answers)
    callers = Callers(url, 1, 1, ("acquirer",))
    await asyncio.sleep(0)
    await callers.finish()
    [payment] = callers.payments
    assert [(told.status, told.final) for told in payment.told] == [(409, False), (200, True)]
    await reread(url, callers.payments)
    assert payment.reread is not None
    assert not payment.reread.same_answer(payment.told[-1])


async def test_callers_give_a_key_up_and_ask_a_last_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four replies that say unknown are enough for now; the last retry is counted."""
    monkeypatch.setattr(calling, "_PAUSE_S", (0.0, 0.0))
    url = await serve([_answer(409, "unknown")] * 4 + [_answer(200, "done")])
    callers = Callers(url, 1, 1, ("acquirer",))
    await asyncio.sleep(0)
    await callers.finish()
    assert callers.payments[0].final is None
    assert await callers.last_retries() == 1
    assert callers.payments[0].final is not None


async def test_replies_come_in_the_order_of_the_payments(serve: Serve) -> None:
    """Whoever was answered first, each reply stays with its payment."""
    url = await serve([_answer(200, "done")] * 40)
    payments = [Payment(f"p-{n}", "acquirer", 100, "/") for n in range(40)]
    assert [told.nonce for told in await ask_each(url, payments)] == [p.key for p in payments]


def test_a_replay_that_cannot_be_played_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without root INC-24 is no pass: exit code 2, and the remedy in its last line."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    out = tmp_path / "out.json"
    assert main(["--only", "INC-24", "--json", str(out)]) == 2
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("INC-24 refused: needs root")
    assert "sudo make incidents ONLY=INC-24" in last
    [replay] = json.loads(out.read_text(encoding="utf-8"))["replays"]
    assert (replay["held"], replay["refused"]) == (False, True)


def test_a_disk_needs_its_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root without mkfs.ext4 is told which package has it."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "e2fsprogs" in str(disk.obstacle())


def test_the_number_of_kills_is_told_to_the_replay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """KILLS=10000 is the long long form."""
    seen: list[Run] = []

    async def play(run: Run) -> Measured:
        seen.append(run)
        return Measured()

    monkeypatch.setitem(REPLAYS, "INC-15", replace(REPLAYS["INC-15"], play=play))
    main(["--only", "INC-15", "--kills", "10000", "--json", str(tmp_path / "out.json")])
    assert (seen[0].kills, seen[0].store) == (10_000, "sqlite")


async def test_an_aged_journal_is_one_that_a_sidecar_opens(tmp_path: Path) -> None:
    """Rows written past the sidecar are rows that it could have written."""
    loop, path = asyncio.get_running_loop(), tmp_path / "journal.db"
    for rows in (20_001, 0):
        store = SqliteStore(path, loop, wall=lambda: 1.0, failed=lambda _: None)
        await store.close()
        if rows:
            age(path, rows)
    assert store.resumed == {State.IN_DOUBT: 2}
    assert counts(path) == {State.SETTLED: 19_995, State.IN_DOUBT: 6}
    assert len(SqliteJournal(tmp_path).rows()) == 20_001


def test_the_mutant_is_the_product_but_for_one_pragma(tmp_path: Path) -> None:
    """It opens the same file, and commits without waiting for the disk."""
    connection: sqlite3.Connection = mutant_normal.connect(tmp_path / "journal.db")
    modes = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in
             ("journal_mode", "synchronous")]  # fmt: skip
    connection.close()
    assert modes == ["wal", 1]


def test_what_alters_the_product_runs_on_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the compiled package a mutant would be the product itself, and never be caught."""
    monkeypatch.setenv("TIDEGATE_PACKAGE", "/somewhere/compiled")
    for command in (inc_24.MUTANT, inc_15_pause.SLEEPER):
        assert "/somewhere/compiled" not in process.environment(command)["PYTHONPATH"]
    path = process.environment(("-m", "proxy", "run"))["PYTHONPATH"]
    assert path.startswith("/somewhere/compiled:")
