"""No card, code or secret of ours reaches a browser, an alert or an export, in whatever disguise.

The house's partner is named `KNOWN`: wherever the search finds no canary, it finds that name
or one that was planted, so that it is known to look.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watched
from tests.browser.held import Held, views
from tests.browser.stage import CLOSE_AFTER, Stage
from tests.support import canary
from tests.support.canary_calls import (
    ENVIRONMENT,
    EXPECTED,
    SECRETS,
    Caller,
    document,
    endings,
    partner,
)
from tests.support.origin import Origin
from tests.support.peer import Peer, answer
from tests.support.sidecar import Sidecar

KNOWN = "known-canary-of-a-name"
PLANTED = "4929000000006237"
_SECRET = PLANTED.encode()
OURS = {"ADMIN": "adm_canary_7vGq2LzXp4TnWc9R", "HOOK": "hook_canary_T4mZ8kQwY6nBx3Ld"}
TROUBLE_S = 60.0
_PAUSE_S = 0.1
_VIEWS = ("", f"partner/{KNOWN}", "incidents", "doubts", "config")
_DIMENSIONS = [
    {"name": "scheme", "bin": "/card/number"},
    {"name": "mistaken", "pointer": "/card/number"},
]
_PLANT = """(text) => {
  const found = document.getElementById("planted");
  const place = found || document.body.appendChild(document.createElement("aside"));
  place.id = "planted";  // its own: what the page has there, it writes anew every second
  place.textContent = text;
  localStorage.setItem("planted", text);
  history.replaceState(text, "");
  console.log(text);
}"""
_KEPT_IN = ("page: planted", "storage, forms, history", "console")


def _thanks(peer: Peer) -> None:
    """One answer for each connection, so that none lies idle for longer than a peer waits."""
    peer.read_request()
    peer.send(answer())


@dataclass
class House:
    """A sidecar that was sent canaries, in trouble, and who is told of that."""

    sidecar: Sidecar
    caller: Caller
    origin: Origin
    pagers: Mapping[str, Origin]
    journal: Path

    def trouble(self) -> str:
        """The partner fails until an incident is open and told; its id."""
        ends_at = time.monotonic() + TROUBLE_S
        number = 0
        while not all(each.received for each in self.pagers.values()):
            assert time.monotonic() < ends_at, "no incident was told"
            number += 1
            self.caller.pay(f"trouble {number}", f"trouble-{number}", ending="500")
            time.sleep(_PAUSE_S)
        told: list[dict[str, str]] = json.loads(self.sidecar.admin_get("/incidents"))["incidents"]
        return told[0]["id"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two pagers, one for each form of an alert."""
    folder = Path(tmp_path_factory.mktemp("canary"))
    with Origin(partner) as origin, Origin(_thanks) as pager, Origin(_thanks) as chat:
        settings = document(folder / "journal", origin, dimensions=_DIMENSIONS)
        settings["partners"] = {KNOWN: settings["partners"].pop("partner")}
        settings["partners"][KNOWN]["upstreams"]["a"]["pool"] = {"reuse": False}
        settings |= {
            "admin": {"address": "127.0.0.1:0", "token": "${ADMIN}"},
            "incidents": {"file": str(folder / "incidents.json"), "close_after": CLOSE_AFTER},
            "alerts": {"webhooks": {
                "pager": {"url": f"http://127.0.0.1:{pager.port}/${{HOOK}}"},
                "chat": {"url": f"http://127.0.0.1:{chat.port}/", "form": "slack",
                         "headers": {"Authorization": "${HOOK}"}},
            }},
        }  # fmt: skip
        with Sidecar(settings, folder, environment={**ENVIRONMENT, **OURS}) as sidecar:
            pagers = {"pager": pager, "chat": chat}
            yield House(sidecar, Caller(sidecar), origin, pagers, folder / "journal" / "j.db")


def test_no_canary_is_shown_held_sent_or_told(browser: Browser, house: House) -> None:
    """Every view, every body and event, storage, history, console and heap, alerts and exports."""
    watched = Watched(browser.new_page(), _stage(house))
    held = Held(watched.page)
    watched.at(_stage(house))
    assert endings(house.caller, house.journal) == EXPECTED
    incident = house.trouble()
    expect(watched.page.locator("#verdict")).to_contain_text(KNOWN, timeout=15_000)
    expect(watched.page.locator("#count-doubts")).not_to_have_text("", timeout=15_000)
    for place in (*_VIEWS, f"incident/{incident}"):
        watched.at(_stage(house), place)
        watched.page.wait_for_timeout(1500)
        held.look(place or "overview")
    held.heap()
    links = watched.page.get_by_role("link", name=re.compile("^as (Markdown|JSON)$"))
    exports = [str(each.get_attribute("href")) for each in links.all()]
    watched.page.close()
    seen = {place: views(text) for place, text in held.seen.items()}
    seen |= {f"export: {path}": _export(browser, house, path) for path in exports}
    for name, pager in house.pagers.items():
        seen[f"alert: {name}"] = b"\n".join(each.body for each in pager.received)
    assert {place for place in _known_in(incident) if not _is_known(seen[place])} == set()
    assert _canaries(seen) == {}


def _is_known(data: bytes) -> bool:
    return bool(canary.found(KNOWN.encode(), data, deep=0))


def _known_in(incident: str) -> Iterator[str]:
    """Where the partner's name has to be found, in whatever place it stands."""
    yield from (f"page: {place or 'overview'}" for place in _VIEWS)
    yield from (
        f"page: incident/{incident}",
        f"export: /incidents/{incident}.md",
        f"export: /incidents/{incident}",
        "events",
        "requests",
    )
    yield from ("responses", "history", "storage, forms, history", "heap")
    yield from ("alert: pager", "alert: chat")


def _export(browser: Browser, house: House, path: str) -> bytes:
    """All that a tab of its own is sent and shows."""
    page = browser.new_page()
    held = Held(page)
    page.goto(f"{_stage(house).url}{path}")
    held.look("export")
    page.close()
    return views("\n".join(held.seen.values()))


def _canaries(seen: Mapping[str, bytes]) -> dict[str, list[str]]:
    secrets = [*SECRETS.values(), *(secret.encode() for secret in OURS.values())]
    told = {place: canary.found_any(secrets, data) for place, data in seen.items()}
    return {place: how for place, how in told.items() if how}


def _stage(house: House) -> Stage:
    return Stage(house.sidecar, {}, threading.Event())


def test_a_canary_that_came_by_the_sidecar_is_found(browser: Browser, house: House) -> None:
    """A key is shown as it was sent: the search finds it in page and body."""
    assert house.caller.pay("planted", f"key-{PLANTED}", ending="reset").status == 502
    watched = Watched(browser.new_page(), _stage(house))
    held = Held(watched.page)
    watched.at(_stage(house), "doubts")
    expect(watched.page.locator("tbody")).to_contain_text(PLANTED, timeout=15_000)
    held.look("doubts")
    watched.page.close()
    found = {place for place, text in held.seen.items() if canary.found(_SECRET, views(text))}
    assert found == {"page: doubts", f"body: {_stage(house).url}/doubts"}


@pytest.fixture(scope="module")
def planting(browser: Browser, house: House) -> Iterator[tuple[Page, Held]]:
    """A page to plant something in."""
    watched = Watched(browser.new_page(), _stage(house))
    held = Held(watched.page)
    watched.at(_stage(house), "config")
    yield watched.page, held
    watched.page.close()


@pytest.mark.parametrize("name", canary.ENCODERS)
def test_a_canary_in_the_page_is_found_in_each_disguise(
    planting: tuple[Page, Held], name: str
) -> None:
    """Where a page shows, keeps or says it."""
    page, held = planting
    held.seen.clear()
    held.look("planted")
    assert [place for place in _KEPT_IN if canary.found(_SECRET, views(held.seen[place]))] == []
    page.evaluate(_PLANT, canary.disguised(PLANTED)[name].decode("latin-1"))
    held.look("planted")
    page.evaluate(_PLANT, "")
    assert [place for place in _KEPT_IN if not canary.found(_SECRET, views(held.seen[place]))] == []
