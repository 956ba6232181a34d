"""A headless Chromium, as Debian has it, and a page in it that tells of every error."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.browser.stage import Stage, on_stage

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of the machine; nothing is downloaded."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found is not None, "no chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=_FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """What the page looks at."""
    with on_stage(Path(tmp_path_factory.mktemp("stage"))) as running:
        yield running


class Watched:
    """A page; `errors` are those of its console and its scripts, and what it asked of others."""

    def __init__(self, page: Page, stage: Stage) -> None:
        self.page = page
        self.errors: list[str] = []
        self._own = stage.url
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._asked)

    def _said(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(said.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self._own):
            self.errors.append(request.url)

    def at(self, stage: Stage, place: str = "") -> Page:
        """The page at a place, live."""
        self.page.goto(f"{stage.url}/#/{place}")
        self.page.wait_for_selector("#link:has-text('live')", timeout=10_000)
        return self.page


@pytest.fixture
def watched(browser: Browser, stage: Stage) -> Iterator[Watched]:
    """A desk's screen. What went wrong in it fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    made = Watched(page, stage)
    yield made
    page.close()
    assert made.errors == []
