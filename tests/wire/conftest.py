"""One running sidecar per module and event loop, with two scripted origins behind it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.support import config
from tests.support.client import Client, Reply
from tests.support.origin import Origin
from tests.support.sidecar import Sidecar

LINE_BYTES_MAX = 2048
HEADER_BYTES_MAX = 8192
HEADER_COUNT_MAX = 50
BODY_BYTES_MAX = 1 << 20
ANSWER_BODY_BYTES_MAX = 65536
ANSWER_HEADER_BYTES_MAX = 8192


@dataclass(frozen=True, slots=True)
class House:
    """A sidecar and the origins `one` and `other` behind it.

    Routes: /one/ and /eof/ lead to `one`, /pool/ too but keeps its connections;
    /two/ and /ask/ try `one`, then `other`; /dead/ tries a port where nobody
    listens, then `other`. All authorize, except that /ask/ inquires.
    """

    sidecar: Sidecar
    one: Origin
    other: Origin

    def client(self) -> Client:
        """A new connection to the payment port."""
        return Client(self.sidecar.payments)

    def call(self, *arguments: Any, **keywords: Any) -> Reply:
        """One call on a connection of its own."""
        with self.client() as client:
            return client.call(*arguments, **keywords)

    def log_line(self, call: str | None) -> dict[str, Any]:
        """The canonical line of a call; waits for it."""
        for _ in range(400):
            for line in self.sidecar.log_lines():
                if line["call"] == call:
                    return line
            time.sleep(0.01)
        raise AssertionError("the call was not logged")


@contextmanager
def dead_port() -> Iterator[int]:
    """A port that refuses connections for as long as it is held."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def house_config(one: int, other: int, dead: int) -> config.Document:
    """The file behind `House`."""
    once = {
        "reuse": False,
        "response_body_bytes_max": ANSWER_BODY_BYTES_MAX,
        "response_header_bytes_max": ANSWER_HEADER_BYTES_MAX,
    }
    upstreams = {
        "one": config.upstream(one, pool=once),
        "pooled": config.upstream(one),
        "other": config.upstream(other, pool=once),
        "dead": config.upstream(dead),
    }
    routes = [
        config.route("/one/", ["one"]),
        config.route("/pool/", ["pooled"]),
        config.route("/eof/", ["one"], allow_eof_body=True),
        config.route("/two/", ["one", "other"]),
        config.route("/ask/", ["one", "other"], operation="inquire"),
        config.route("/dead/", ["dead", "other"]),
        config.route("/hosted/", ["one"], match={"host": "pay.example.test"}),
    ]
    listen = {
        "request_line_bytes_max": LINE_BYTES_MAX,
        "header_bytes_max": HEADER_BYTES_MAX,
        "header_count_max": HEADER_COUNT_MAX,
        "body_bytes_max": BODY_BYTES_MAX,
    }
    return config.document(upstreams, routes, listen=listen)


@pytest.fixture(scope="session", params=["uvloop", "asyncio"])
def loop_name(request: pytest.FixtureRequest) -> str:
    """Each event loop that the sidecar can run on."""
    return str(request.param)


@pytest.fixture(scope="module", autouse=True)
def _untraced() -> Iterator[None]:
    """No process is traced for coverage: the lines are those of tests/unit and tests/stack."""
    with patch.dict(os.environ):
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
        yield


@pytest.fixture(scope="module")
def shared_house(loop_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The module's house; tests take `house`, which is clean."""
    folder = tmp_path_factory.mktemp("house")
    with Origin() as one, Origin() as other, dead_port() as dead:
        settings = house_config(one.port, other.port, dead)
        with Sidecar(settings, folder, loop=loop_name) as sidecar:
            yield House(sidecar, one, other)
            assert sidecar.stop() == 0
            assert "Traceback" not in sidecar.stderr
            assert '"event": "bug"' not in sidecar.stdout


@pytest.fixture
def house(shared_house: House) -> Iterator[House]:
    """The house with both origins answering `ok`, nothing received and no connection open."""
    shared_house.one.forget()
    shared_house.other.forget()
    yield shared_house
    shared_house.one.forget()
    shared_house.other.forget()


Start = Callable[..., Sidecar]


@pytest.fixture
def start(loop_name: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a sidecar of the test's own from a configuration; ended with the test."""
    started: list[Sidecar] = []

    def start_one(settings: config.Document, **keywords: Any) -> Sidecar:
        folder = tmp_path / f"sidecar-{len(started)}"
        started.append(Sidecar(settings, folder, loop=loop_name, **keywords))
        return started[-1]

    yield start_one
    for sidecar in started:
        sidecar.kill()


@pytest.fixture
def origin() -> Iterator[Origin]:
    """An origin of the test's own."""
    with Origin() as only:
        yield only
