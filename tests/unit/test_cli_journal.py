"""`tidegate journal`: what an operator types, and what comes back."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from loadtests.incidents.postgres import PostgresServer
from proxy.cli import app
from tests.support import config
from tests.support.client import Client
from tests.support.origin import Origin
from tests.support.peer import Peer
from tests.support.postgres import new_database
from tests.support.sidecar import Sidecar


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["journal", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a sidecar that made a payment, left one in doubt, and ended."""
    folder = tmp_path_factory.mktemp("journal")

    def drop(peer: Peer) -> None:
        peer.read_request()
        peer.reset()

    with Origin() as origin:
        document = config.document(
            {"a": config.upstream(origin.port)},
            [config.route("/psp/", ["a"])],
            journal={"path": str(folder / "j.db")},
        )
        with Sidecar(document, folder) as sidecar, Client(sidecar.payments) as client:
            for key, script in (("paid", None), ("lost", drop)):
                origin.forget(script)
                client.call("POST", "/psp/x", b"{}", [("Idempotency-Key", key)])
            assert sidecar.stop() == 0
    return folder / "tidegate.yaml"


def test_calls_are_listed(file: Path) -> None:
    """As a table, or as JSON Lines; by state, partner and age."""
    table = _run("list", "-c", file)
    assert table.exit_code == 0, table.output
    assert [line.split()[-1] for line in table.stdout.splitlines()] == ["key", "paid", "lost"]
    doubtful = _run("list", "-c", file, "--state", "in_doubt", "--json")
    assert [json.loads(line)["key"] for line in doubtful.stdout.splitlines()] == ["lost"]
    nobody = _run("list", "-c", file, "--partner", "nobody", "--json")
    assert (nobody.exit_code, nobody.stdout) == (0, "")
    assert "has no partner 'nobody'; known there: " in nobody.stderr
    assert _run("list", "-c", file, "--older-than-s", "3600", "--json").stdout == ""
    assert len(_run("list", "-c", file, "--limit", "1", "--json").stdout.splitlines()) == 1


def test_a_call_is_shown(file: Path) -> None:
    """By its key; one that is not there is exit code 1."""
    shown = json.loads(_run("show", "-c", file, "paid").stdout)
    assert (shown["class"], shown["status"], shown["answer_stored"]) == ("done", 200, True)
    assert _run("show", "-c", file, "none").exit_code == 1


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_calls_are_exported(file: Path, form: str) -> None:
    """All of them."""
    exported = _run("export", "-c", file, "--format", form)
    assert exported.exit_code == 0
    assert len(exported.stdout.splitlines()) == 2 + (form == "csv")


def test_a_call_in_doubt_is_resolved_once(file: Path) -> None:
    """With a reason; what has ended stays as it is."""
    found = json.loads(_run("show", "-c", file, "lost").stdout)
    done = _run("resolve", "-c", file, found["id"], "--done", "--reason", "in their portal")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["note"] == "in their portal"
    again = _run("resolve", "-c", file, found["id"], "--none", "--reason", "changed my mind")
    assert (again.exit_code, "cannot follow" in again.stderr) == (1, True)
    assert json.loads(_run("show", "-c", file, "lost").stdout)["state"] == "settled"


@pytest.mark.parametrize("reason", ["", "two\nlines", "\x1b[2J", "\udcff", "x" * 1001])
def test_a_reason_is_what_the_admin_listener_would_take(file: Path, reason: str) -> None:
    """Bytes that are no text come from a shell as lone surrogates, which no file can hold."""
    said = _run("resolve", "-c", file, "0" * 32, "--none", "--reason", reason)
    assert (said.exit_code, "printable" in said.stderr) == (2, True)


def test_a_key_that_is_no_text_is_not_there(file: Path) -> None:
    """Keys are printable."""
    assert "no call has the key" in _run("show", "-c", file, "\udcff").stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--state", "paused"], "choose claimed, sending"),
        (["export", "--format", "xml"], "choose jsonl or csv"),
        (["resolve", "abc", "--done", "--reason", "x"], "32 hexadecimal digits"),
    ],
)
def test_what_cannot_be_meant_is_refused(file: Path, arguments: list[str], words: str) -> None:
    """Exit code 2, with what could have been meant."""
    refused = _run(arguments[0], "-c", file, *arguments[1:])
    assert refused.exit_code == 2
    assert words in refused.stderr


def test_without_a_journal_there_is_nothing_to_list(tmp_path: Path) -> None:
    """Neither configured nor made yet."""
    document = config.document({"a": config.upstream(9)}, [config.route("/psp/", ["a"])])
    plain = config.write(tmp_path, document)
    assert "configures no journal" in _run("list", "-c", plain).stderr
    document["journal"] = {"path": str(tmp_path / "j.db")}
    assert "no journal" in _run("list", "-c", config.write(tmp_path, document)).stderr
    assert not (tmp_path / "j.db").exists()


def test_a_file_needs_no_migration(file: Path) -> None:
    """Only a shared journal has tables of its own."""
    told = _run("migrate", "-c", file)
    assert (told.exit_code, "needs no migration" in told.stderr) == (1, True)


def test_a_shared_journal_from_migration_to_replay(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """A sidecar refuses to start without the tables; with them, another one knows the payment."""
    url = asyncio.run(new_database(postgres_server))
    key = "5e" * 32
    with Origin() as origin:
        document = config.document(
            {"a": config.upstream(origin.port)},
            [config.route("/psp/", ["a"])],
            journal={
                "shared": {"url": url, "secret": key},
                "sealing_keys": [{"id": "k", "key": key}],
            },
        )
        path = tmp_path / "tidegate.yaml"
        path.write_text(json.dumps(document))
        ended = subprocess.run(
            [sys.executable, "-m", "proxy", "run", "-c", str(path)],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert (ended.returncode, "tidegate journal migrate" in ended.stderr) == (1, True)
        assert "has format 2" in _run("migrate", "-c", path).stdout
        bodies = []
        for number in (1, 2):
            folder = tmp_path / str(number)
            folder.mkdir()
            with Sidecar(document, folder) as sidecar, Client(sidecar.payments) as client:
                reply = client.call("POST", "/psp/x", b"{}", [("Idempotency-Key", "paid")])
                bodies.append((reply.status, reply.body, reply.header("tidegate-replayed")))
                assert sidecar.stop() == 0
        assert len(origin.received) == 1
    listed = _run("list", "-c", path, "--blocked", "--json").stdout.splitlines()
    assert [(row["key"], row["blocked"]) for row in map(json.loads, listed)] == [("paid", 1)]
    assert json.loads(_run("show", "-c", path, "paid").stdout)["state"] == "settled"
    assert len(_run("export", "-c", path).stdout.splitlines()) == 1
    assert "0 answers sealed anew" in _run("reseal", "-c", path).stderr
    assert bodies == [(200, bodies[0][1], None), (200, bodies[0][1], "true")]
