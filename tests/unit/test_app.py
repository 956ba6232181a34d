"""`proxy.app`: the house as it is assembled, in this process, with real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.app import Sidecar
from proxy.model.errors import StartError
from tests.support import config
from tests.support.house import Running, running_sidecar, setup_of, start
from tests.support.origin import Origin
from tests.support.peer import Peer, answer
from tests.support.prometheus import parse


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


def _lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


async def test_a_call_travels_the_house_and_leaves_one_line(
    tmp_path: Path, origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    """Answer and labels to the application, a line on stdout, counts at the admin listener."""
    async with running_sidecar(tmp_path, origin) as running:
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
    async with running_sidecar(
        tmp_path, origin, listen={"token": "s3cret-token-0123456789"}
    ) as running:
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
    async with running_sidecar(tmp_path, origin, routes=routes) as running:
        assert (await running.ask("POST", "/psp/x", host="api.example.com")).status == 200
        assert (await running.ask("POST", "/psp/x", host="localhost")).status == 404


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
    sidecar = Sidecar(setup_of(tmp_path, origin), asyncio.get_running_loop())
    await start(sidecar)
    running = Running(sidecar)
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
        setup = setup_of(tmp_path, origin, admin=admin)
        sidecar = Sidecar(setup, asyncio.get_running_loop())
        with pytest.raises(StartError, match=r"admin\.address"):
            await sidecar.start()
    with pytest.raises(ConnectionRefusedError):
        await Running(sidecar).ask("POST", "/psp/x")
    assert not sidecar._sink.lines._writer.is_alive()


async def test_both_listeners_can_be_unix_sockets(tmp_path: Path, origin: Origin) -> None:
    """Addresses are told as they are written."""
    payments, admin = f"unix:{tmp_path}/pay.sock", f"unix:{tmp_path}/admin.sock"
    over = {"listen": {"address": payments}, "admin": {"address": admin}}
    async with running_sidecar(tmp_path, origin, **over) as running:
        assert (running.sidecar.payments, running.sidecar.admin) == (payments, admin)
        assert (await running.ask("POST", "/psp/x")).status == 200
        assert (await running.page("/healthz")).status == 200
    assert list(tmp_path.glob("*.sock")) == []
