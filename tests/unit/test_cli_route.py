"""`tidegate route`: what an operator types, and what comes back."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from proxy import cli_route
from proxy.admin.api import Reports, start
from proxy.cli import app
from proxy.cli_route import TOKEN
from proxy.routing.orders import Orders
from proxy.routing.overrides import Overrides
from tests.support import config
from tests.support.manual_clock import ManualClock
from tests.support.values import candidate, route

SECRET = "sesame-open-0123456789"
A, B = candidate("a"), candidate("b")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["route", *arguments])


class _Admin:
    """An admin listener with real overrides, in a thread of its own."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._started, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        assert self._started.wait(10.0)

    async def _run(self) -> None:
        routes = [route(A, B), route(A, name="a", operation="refund")]
        overrides = Overrides(routes, {"a": A, "b": B}, self.clock, lambda _: None)
        overrides.holds = lambda upstream: upstream != "b"
        orders = Orders(overrides, None, self.clock)
        reports = Reports(lambda: True, lambda: "", dict, token=SECRET.encode(), routes=orders)
        listener = await start(reports, "127.0.0.1", 0, None, 0o600)
        self.url = listener.url
        self._started.set()
        await self._stop.wait()
        await listener.close()

    def run(self, *arguments: str) -> Result:
        """A command to it."""
        return _run(*arguments, "--admin", self.url)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10.0)
        self._loop.close()


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Admin]:
    """A running listener, and its token in the environment."""
    monkeypatch.setenv(TOKEN, SECRET)
    running = _Admin()
    yield running
    running.close()


def test_a_forced_route_is_told_and_listed(admin: _Admin) -> None:
    """With until when, by whom and why; what is by the file says so."""
    said = admin.run(
        "force", "charges", "b", "--reason", "their page", "--for", "2h", "--by", "ann"
    )
    assert (said.exit_code, "route charges: new calls go to b alone" in said.stdout) == (0, True)
    assert "admin.overrides" in said.stderr, "no file is configured, and that is told"
    lines = admin.run("list").stdout.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["route", "operation", "candidates", "new", "calls", "go", "to"],
        ["charges", "authorize", "a,", "b", "b"],
        ["a", "refund", "a", "(by", "the", "file)"],
    ]
    assert lines[-1].startswith("force  charges  b")
    assert lines[-1].endswith("02:00:00  ann  their page")


def test_the_document_is_as_it_is_served(admin: _Admin) -> None:
    """For scripts."""
    admin.run("drain", "a", "--reason", "r", "--for", "7d", "--by", "ann")
    found: dict[str, Any] = json.loads(admin.run("list", "--json").stdout)
    assert (found["schema"], found["routes"][0]["now"]) == (1, ["b"])
    assert found["overrides"][0]["remaining_s"] == 604_800.0
    assert "7.0 d" in admin.run("list").stdout


def test_a_drain_of_the_last_upstream_is_done_and_warned_of(admin: _Admin) -> None:
    """Which routes refuse from now on."""
    admin.run("drain", "a", "--reason", "r")
    said = admin.run("drain", "b", "--reason", "r")
    assert "no new payments go there" in said.stdout
    assert "warning: new calls of route charges are refused" in said.stderr
    assert "nowhere: they are refused" in admin.run("list").stdout


def test_what_is_released_goes_by_the_file_again(admin: _Admin) -> None:
    """By the name alone; where that is two things, somebody has to say which."""
    admin.run("drain", "a", "--reason", "r")
    admin.run("force", "a", "a", "--reason", "r")
    both = admin.run("release", "a")
    assert (both.exit_code, "--kind force or drain" in both.stderr) == (2, True)
    assert admin.run("release", "a", "--kind", "drain").stdout == "released: upstream a\n"
    assert admin.run("release", "a").stdout == "released: route a\n"
    assert "force" not in admin.run("list").stdout
    assert admin.run("release", "a", "--kind", "x").exit_code == 2


def test_an_isolated_upstream_is_told_listed_and_released(admin: _Admin) -> None:
    """Until when is said; an upstream without a breaker is refused, with those that have one."""
    said = admin.run("isolate", "a", "--reason", "r", "--for", "5m")
    assert "upstream a: nothing goes there, until " in said.stdout
    assert "warning: new calls of route a are refused" in said.stderr
    assert "isolate" in admin.run("list").stdout
    assert admin.run("release", "a").stdout == "released: upstream a\n"
    refused = admin.run("isolate", "b", "--reason", "r")
    assert (refused.exit_code, "There are: a." in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["force", "charge", "b", "--reason", "r"], ["no such route", "There are: a, charges"]),
        (["force", "charges", "c", "--reason", "r"], ["no candidate", "There are: a, b"]),
        (["drain", "x", "--reason", "r"], ["no such upstream", "There are: a, b"]),
        (["drain", "a", "--reason", "r", "--for", "1w"], ["`for`", "from 1m to 7d"]),
        (["drain", "a", "--reason", ""], ["`reason`"]),
        (["release", "charges"], ["nothing stands for", "there are: none"]),
    ],
)
def test_a_mistake_is_one_sentence_with_what_would_be_right(
    admin: _Admin, arguments: list[str], parts: list[str]
) -> None:
    """Exit code 1, and the names that there are."""
    said = admin.run(*arguments)
    assert (said.exit_code, said.stdout, len(said.stderr.splitlines())) == (1, "", 1)
    assert all(part in said.stderr for part in parts), said.stderr


def test_without_a_reason_nothing_is_asked(admin: _Admin) -> None:
    """It is required."""
    assert admin.run("drain", "a").exit_code == 2


def test_the_token_is_the_configurations(
    admin: _Admin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the environment's; without one the remedy is told. The address is the file's, too."""
    monkeypatch.delenv(TOKEN)
    said = admin.run("drain", "a", "--reason", "r")
    assert (said.exit_code, TOKEN in said.stderr, "--config" in said.stderr) == (1, True, True)
    file = config.write(tmp_path, config.document(
        {"a": config.upstream(1)}, [config.route("/", ["a"])],
        admin={"address": admin.url.removeprefix("http://"), "token": SECRET},
    ))  # fmt: skip
    assert _run("drain", "a", "--reason", "r", "--config", str(file)).exit_code == 0


def test_who_says_it_is_the_login_name(admin: _Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the number of a user that has none."""

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", lambda: "carol")
    admin.run("drain", "a", "--reason", "r")
    monkeypatch.setattr("getpass.getuser", nobody)
    admin.run("drain", "b", "--reason", "r")
    found = json.loads(admin.run("list", "--json").stdout)["overrides"]
    assert found[0]["by"] == "carol"
    assert found[1]["by"].startswith("uid ")


def test_nobody_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address that was asked."""
    monkeypatch.setattr(cli_route, "DEFAULT_ADMIN", "http://127.0.0.1:1")
    said = _run("list")
    assert (said.exit_code, "no answer from http://127.0.0.1:1" in said.stderr) == (1, True)
