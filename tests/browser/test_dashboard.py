"""The dashboard in a real Chromium, before the real sidecar, while partners fail and recover."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watched
from tests.browser.stage import TOKEN, Stage, on_stage

TOLD_WITHIN_S = 5.0
_PLACES = ("", "partner/northpay", "incidents", "doubts", "config")
_SHOTS = os.environ.get("SCREENSHOTS")
"""A folder to keep pictures in; docs/ has those of a run."""
_LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}


def _until(true: Callable[[], object], within_s: float) -> float:
    """How long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, "it never came"
        time.sleep(0.05)
    return time.monotonic() - began


def _shot(page: Page, name: str) -> None:
    if _SHOTS:
        page.screenshot(path=str(Path(_SHOTS) / f"dashboard-{name}.png"))


def _accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_at_first_everybody_is_well(watched: Watched, stage: Stage) -> None:
    """It is said in words, and each partner has its tiles."""
    page = watched.at(stage)
    expect(page.locator("#verdict")).to_contain_text("No partner is degraded.", timeout=15_000)
    expect(page.locator(".partner")).to_have_count(3)
    expect(page.locator(".partner[aria-label=wallet] .tile").first).to_contain_text("well")


def test_a_partner_that_degrades_is_named_turns_and_recovers(
    watched: Watched, stage: Stage, browser: Browser
) -> None:
    """Sentence within 5 s of the verdict; tile, title, incident; then all of it back again."""
    page = watched.at(stage)
    tile = page.locator(".partner[aria-label=northpay] .tile", has_text="authorize").first
    expect(tile).to_contain_text("well", timeout=10_000)
    page.wait_for_timeout(4000)
    faults = {"kind": "status", "status": 503, "share": 0.6, "match": {"scheme": "visa"}}
    stage.partners["northpay-eu"].set_faults(faults)
    _until(stage.verdicts, 30)
    _until(lambda: "northpay" in page.locator("#verdict").inner_text(), TOLD_WITHIN_S)
    expect(page.locator("#verdict")).to_contain_text("scheme=visa")
    expect(tile).to_contain_text("scheme=visa: degraded", timeout=5000)
    expect(page.locator("#count-incidents")).to_have_text("1 open", timeout=5000)
    assert page.title().startswith("✕ 1")
    page.wait_for_timeout(3000)
    _everywhere(browser, stage)
    stage.partners["northpay-eu"].clear()
    expect(page.locator("#verdict")).to_contain_text("No partner is degraded.", timeout=120_000)
    expect(page.locator("#count-incidents")).to_have_text("", timeout=30_000)
    page.goto(f"{stage.url}/#/incidents")
    expect(page.locator("tbody tr").first).to_contain_text("closed", timeout=5000)


def _everywhere(browser: Browser, stage: Stage) -> None:
    """Each page in each look: accessible, nothing wider than the screen, a picture."""
    for look, over in _LOOKS.items():
        watched = Watched(browser.new_page(**over), stage)
        for place in _PLACES:
            page = watched.at(stage, place)
            page.wait_for_timeout(700)
            _accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
            _shot(page, f"{place.split('/')[0] or 'overview'}-{look}")
        page.goto(f"{stage.url}/#/incidents")
        page.locator("tbody a").first.click()
        expect(page.locator("h1")).to_contain_text("Incident")
        expect(page.locator("ol.line li").first).to_be_visible()
        _accessible(page)
        page.close()
        assert watched.errors == []


def test_everything_is_reached_by_keyboard(watched: Watched, stage: Stage) -> None:
    """Skip link first; a tile opens its partner; focus is seen."""
    page = watched.at(stage)
    page.wait_for_selector(".tile")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className").startswith("tile"):
            break
    page.wait_for_timeout(2500)
    assert page.evaluate("document.activeElement.className").startswith("tile")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("eastbank")


def test_an_operators_word_is_taken_with_the_token_alone(watched: Watched, stage: Stage) -> None:
    """Refused without; with it, it stands among the differences to the file until released."""
    page = watched.at(stage, "partner/wallet")
    page.get_by_label("Reason").fill("they have called")
    page.get_by_label("Admin token").fill("wrong")
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text("The token is missing or wrong.")).to_be_visible()
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Put in force").click()
    expect(page.get_by_text("It is in force.")).to_be_visible()
    expect(page.locator("#count-overrides")).to_have_text("1", timeout=5000)
    page.goto(f"{stage.url}/#/config")
    expect(page.get_by_text("they have called")).to_be_visible()
    assert TOKEN not in page.content()
    page.goto(f"{stage.url}/#/partner/wallet")
    page.get_by_label("Reason").fill("over")
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Release").click()
    expect(page.locator("#count-overrides")).to_have_text("", timeout=5000)
    watched.errors = [each for each in watched.errors if "401" not in each]


@pytest.mark.parametrize("wanted", ["timeout_drain", "NORTHPAY-EU.URL"])
def test_a_setting_is_found_by_its_path(watched: Watched, stage: Stage, wanted: str) -> None:
    """As one writes it, or not quite."""
    page = watched.at(stage, "config")
    page.get_by_label("Find").fill(wanted)
    expect(page.locator("tbody tr").first).to_contain_text(wanted.lower(), timeout=5000)


def test_a_sidecar_that_is_gone_is_said(browser: Browser, tmp_path: Path) -> None:
    """Nothing old passes for live."""
    with on_stage(tmp_path, token=False) as own:
        page = browser.new_page()
        Watched(page, own).at(own, "partner/wallet")
        expect(page.get_by_text("This page is read-only")).to_be_visible()
        own.kill()
        expect(page.locator("#link")).to_contain_text("stale", timeout=10_000)
        page.close()
