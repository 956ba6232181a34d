"""`proxy.cli`: what an operator types, and what comes back."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from proxy.admin.api import Reports, start
from proxy.cli import app
from tests.support import config

FINDING = {
    "partner": "acme",
    "upstream": "a",
    "phase": "connect",
    "reason": "refused",
    "origin": "partner",
    "since": 1.0,
    "last": 2.0,
    "count": 3,
}


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file with one route to one upstream."""
    routes = [config.route("/psp/", ["a"], name="charges", deadline="12s")]
    return config.write(tmp_path, config.document({"a": config.upstream(9)}, routes))


def test_a_good_file_is_ok_with_its_size_and_hash(good: Path) -> None:
    """Exit 0."""
    done = _run("check", good)
    assert done.exit_code == 0, done.output
    assert "ok: 1 routes, 1 partners, 1 upstreams, hash " in done.stdout


def test_all_problems_of_a_file_come_at_once_on_standard_error(tmp_path: Path) -> None:
    """Exit 1; each with its place; nothing on standard output."""
    document = config.document({"a": config.upstream(9)}, [config.route("/psp/", ["b"])])
    document["listen"]["colour"] = "red"
    document["routes"][0]["deadline"] = "3"
    done = _run("check", config.write(tmp_path, document))
    assert done.exit_code == 1
    assert done.stdout == ""
    for part in ("colour", "deadline", "candidates"):
        assert part in done.stderr


def test_warnings_forbid_nothing(tmp_path: Path) -> None:
    """They are said on standard error, and the exit code is 0."""
    upstreams = {"a": config.upstream(9), "unused": config.upstream(10)}
    document = config.document(upstreams, [config.route("/psp/", ["a"])])
    done = _run("check", config.write(tmp_path, document))
    assert done.exit_code == 0
    assert re.search(r"warning: .*\.yaml:\d+: ", done.stderr)
    assert "unused" in done.stderr


def test_a_certificate_that_cannot_be_used_fails_the_check(tmp_path: Path) -> None:
    """Not only its path is looked at."""
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    upstream = {"url": "https://127.0.0.1:9", "tls": {"ca_file": "ca.pem"}}
    document = config.document({"a": upstream}, [config.route("/psp/", ["a"])])
    done = _run("check", config.write(tmp_path, document))
    assert done.exit_code == 1
    assert "ca.pem" in done.stderr


@pytest.mark.parametrize(
    "command", [("check",), ("run", "--config"), ("explain", "POST", "/", "-c")]
)
def test_a_file_that_is_not_there_is_said_in_words(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    """No traceback from any command."""
    done = _run(*command, tmp_path / "none.yaml")
    assert done.exit_code == 1
    assert "none.yaml" in done.stderr
    assert "Traceback" not in done.output


def test_profiles_are_listed_and_shown() -> None:
    """Without a name all names; with one its facts."""
    assert "stripe " in _run("profile").stdout
    done = _run("profile", "stripe")
    assert done.exit_code == 0
    assert "window: 24h" in done.stdout
    assert "sandbox-processor" in _run("profile", "nobody").stderr


def test_a_partner_is_shown_as_it_is_in_force(tmp_path: Path) -> None:
    """With `--config` the name is a partner's; a wrong file is reported as by `check`."""
    document = config.document({"a": config.upstream(9)}, [config.route("/psp/", ["a"])])
    document["partners"]["partner"]["profile"] = "adyen"
    done = _run("profile", "partner", "--config", config.write(tmp_path, document))
    assert "window: 168h" in done.stdout
    document["partners"]["partner"]["profile"] = "adyenn"
    done = _run("profile", "partner", "--config", config.write(tmp_path, document))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "did you mean adyen?" in done.stderr


def test_explain_prints_the_rules_of_the_route(good: Path) -> None:
    """The method may be written in lower case, and the path may have a query."""
    done = _run("explain", "post", "/psp/charges?x=1", "--config", good)
    assert done.exit_code == 0
    assert "route charges (line " in done.stdout
    assert "deadline   12 s" in done.stdout
    assert "candidate 1: a of partner, http://127.0.0.1:9" in done.stdout
    assert "never tried again" in done.stdout


def test_explain_says_when_there_is_no_route(good: Path) -> None:
    """Exit 1, with what was looked for."""
    done = _run("explain", "POST", "/other", "--config", good, "--host", "pay.example")
    assert done.exit_code == 1
    assert "refused: 421 unknown_host" in done.stderr
    done = _run("explain", "POST", "/other", "--config", good)
    assert "no route matches POST /other for host 127.0.0.1" in done.stderr
    done = _run("explain", "POST", "/psp/../charges", "--config", good)
    assert (done.exit_code, "refused: 400 dot_segment" in done.stderr) == (1, True)


def test_the_schema_is_a_json_schema_of_the_file() -> None:
    """Editors read it."""
    document = json.loads(_run("schema").stdout)
    assert document["$schema"].startswith("https://json-schema.org/")
    assert {"version", "listen", "partners", "routes"} <= set(document["properties"])
    profile = json.loads(_run("schema", "--profile").stdout)
    assert {"name", "extends", "sources", "idempotency"} <= set(profile["properties"])


def test_an_unknown_loop_is_refused(good: Path) -> None:
    """Before anything is started."""
    done = _run("run", "--config", good, "--loop", "twisted")
    assert done.exit_code == 2
    assert "uvloop or asyncio" in done.stderr


class _Admin:
    """An admin listener in a thread of its own; `ready` and `findings` may change."""

    def __init__(self) -> None:
        self.ready = True
        self.findings: list[dict[str, Any]] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._started, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._started.wait(10.0)

    async def _run(self) -> None:
        reports = Reports(
            lambda: self.ready,
            lambda: "tidegate_x 1\n",
            lambda: {"schema": 1, "findings": self.findings},
        )
        listener = await start(reports, "127.0.0.1", 0, None, 0o600)
        self.url = listener.url
        self._started.set()
        await self._stop.wait()
        await listener.close()

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10.0)
        self._loop.close()


@pytest.fixture
def admin() -> Iterator[_Admin]:
    """A running admin listener."""
    running = _Admin()
    yield running
    running.close()


@pytest.mark.parametrize(("ready", "code", "said"), [(True, 0, "ready"), (False, 1, "not ready")])
def test_status_is_in_words_and_in_the_exit_code(
    admin: _Admin, ready: bool, code: int, said: str
) -> None:
    """For people and for scripts."""
    admin.ready = ready
    done = _run("status", "--admin", admin.url)
    assert (done.exit_code, done.stdout) == (code, f"{said}\n")


def test_findings_are_sentences_or_the_document(admin: _Admin) -> None:
    """`--json` is what the listener serves."""
    assert _run("findings", "--admin", admin.url).stdout == "nothing found\n"
    admin.findings = [FINDING]
    sentence = _run("findings", "--admin", admin.url).stdout
    assert sentence == "acme a: refused in phase connect, origin partner, 3 times\n"
    document = json.loads(_run("findings", "--admin", admin.url, "--json").stdout)
    assert document == {"schema": 1, "findings": [FINDING]}


def test_metrics_are_printed_as_they_are_served(admin: _Admin) -> None:
    """Not a byte more."""
    assert _run("metrics", "--admin", admin.url).stdout == "tidegate_x 1\n"


@pytest.mark.parametrize("command", ["status", "findings", "metrics"])
def test_nobody_there_is_one_sentence_and_exit_1(command: str) -> None:
    """With the address and what to check."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    done = _run(command, "--admin", url)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert url in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["status", "findings", "metrics"])
def test_another_server_at_the_address_is_no_report(command: str) -> None:
    """A page of somebody else is not taken for findings, and its status is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n<html")

        thread = threading.Thread(target=refuse)
        thread.start()
        done = _run(command, "--admin", f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "answered 404" in done.stderr
