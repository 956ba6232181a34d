"""`proxy.app_parts`: the parts of the house, made from settings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.app_parts import Around, make_dns, make_edge, make_journal
from proxy.inbound.listener import listen_tcp
from proxy.model.clock import SystemClock
from proxy.model.events import BadRequest, Event
from proxy.model.message import Request, Response
from proxy.settings.build_setup import build_setup
from proxy.settings.load import load
from tests.support.client import Client
from tests.support.house import written
from tests.support.origin import Origin


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


def _around(path: Path, told: list[Event]) -> Around:
    loop = asyncio.get_running_loop()
    setup = build_setup(load(path))
    return Around(setup, loop, SystemClock(), told.append, lambda error: None)


async def test_no_journal_is_made_where_none_is_configured(tmp_path: Path, origin: Origin) -> None:
    """Databases and cryptography are then never imported."""
    around = _around(written(tmp_path, origin), [])
    assert make_journal(around, lambda: None) is None


async def test_the_journal_is_the_one_of_the_file(tmp_path: Path, origin: Origin) -> None:
    """It lies where the configuration says, and takes what is written."""
    over = {"journal": {"path": str(tmp_path / "journal.sqlite")}}
    opened = make_journal(_around(written(tmp_path, origin, **over), []), lambda: None)
    assert opened is not None
    await opened.open()
    assert (tmp_path / "journal.sqlite").exists()
    assert await opened.journal.close(5.0)


async def test_names_are_those_of_the_upstreams(tmp_path: Path, origin: Origin) -> None:
    """An address needs no asking: it is reported as pinned."""
    around = _around(written(tmp_path, origin), [])
    names = make_dns(around, around.setup.built.upstreams).report()["names"]
    assert names == [{"name": "processor", "state": "pinned", "addresses": ["127.0.0.1"]}]


async def test_the_edge_keeps_the_bounds_of_the_file(tmp_path: Path, origin: Origin) -> None:
    """A header block above the bound is refused and told of; the handler never sees it."""
    told: list[Event] = []
    over = {"listen": {"address": "127.0.0.1:0", "header_bytes_max": "1KiB"}}
    around = _around(written(tmp_path, origin, **over), told)

    async def handler(request: Request) -> Response:
        raise AssertionError

    def failed(error: Exception) -> Response:
        raise error

    edge = make_edge(around, handler, failed)
    host, port = await listen_tcp(edge, "127.0.0.1", 0)

    def ask() -> int:
        with Client((host, port)) as client:
            client.send(b"GET /x HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 2_000 + b"\r\n\r\n")
            return client.receive().status

    assert await asyncio.to_thread(ask) == 431
    assert [type(each) for each in told] == [BadRequest]
    assert await edge.drain(1.0)
