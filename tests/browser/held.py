"""What a page shows and holds, and all that its browser was sent, as DevTools tell it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from html import unescape
from typing import Any

from playwright.sync_api import Page

_BUFFER_BYTES = 100_000_000
"""Above all that a test makes a browser receive, so that no body is forgotten."""
_KEPT = """async () => [
  {...localStorage}, {...sessionStorage}, document.cookie, await indexedDB.databases(),
  await caches.keys(), document.title, location.href, history.state,
  [...document.querySelectorAll("input, textarea, select")].map((at) => at.value),
]"""
_TOLD = {
    "Runtime.consoleAPICalled": "console",
    "Log.entryAdded": "console",
    "Runtime.exceptionThrown": "console",
    "Network.eventSourceMessageReceived": "events",
    "Network.requestWillBeSent": "requests",
    "Network.responseReceived": "responses",
    "Network.responseReceivedExtraInfo": "responses",
}


def views(text: str) -> bytes:
    """A text as it is, and as it is once HTML's entities are undone, in two encodings."""
    ways = dict.fromkeys((text, unescape(text)))
    return b"\n".join(
        way.encode(encoding, "replace") for way in ways for encoding in ("utf-8", "latin-1")
    )


def _read(text: str) -> str:
    """It, and if it is JSON all the texts in it, without JSON's escapes."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    return "\n".join((text, *_texts(document)))


def _texts(document: Any) -> Iterator[str]:
    """Names and values, those that are JSON themselves read as well."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield name
            yield from _texts(value)
    elif isinstance(document, list):
        for value in document:
            yield from _texts(value)
    else:
        yield _read(document) if isinstance(document, str) else str(document)


class Held:
    """All that becomes known of one page from now on; `seen` is by place."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._tools = page.context.new_cdp_session(page)
        self._finished: dict[str, None] = {}
        self._addresses: dict[str, str] = {}
        self._chunks: list[str] = []
        self.seen: defaultdict[str, str] = defaultdict(str)
        for event, place in _TOLD.items():
            self._tools.on(event, lambda told, place=place: self._note(place, told))
        self._tools.on("Network.loadingFinished", self._ended)
        self._tools.on("HeapProfiler.addHeapSnapshotChunk", self._chunk)
        buffers = {"maxTotalBufferSize": _BUFFER_BYTES, "maxResourceBufferSize": _BUFFER_BYTES}
        self._tools.send("Network.enable", buffers)
        for room in ("Runtime", "Log"):
            self._tools.send(f"{room}.enable")

    def look(self, place: str) -> None:
        """Keep what the page is now, and the bodies that have come since."""
        self.seen[f"page: {place}"] += self._page.content()
        kept = self._page.evaluate(_KEPT)
        self.seen["storage, forms, history"] += "\n".join(_texts(kept))
        went = self._tools.send("Page.getNavigationHistory")
        self.seen["history"] += "\n".join(_texts(went))
        for request in list(self._finished):
            body = self._tools.send("Network.getResponseBody", {"requestId": request})
            assert not body["base64Encoded"], self._addresses[request]
            self.seen[f"body: {self._addresses[request]}"] += _read(body["body"])
        self._finished.clear()

    def heap(self) -> None:
        """Keep all texts that the page's scripts hold, seen or not."""
        self._chunks.clear()
        self._tools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
        self.seen["heap"] = "\n".join(json.loads("".join(self._chunks))["strings"])

    def _note(self, place: str, told: dict[str, Any]) -> None:
        if place == "responses" and "response" in told:
            self._addresses[told["requestId"]] = told["response"]["url"]
        self.seen[place] += "\n".join((*_texts(told), ""))

    def _ended(self, told: dict[str, Any]) -> None:
        self._finished[told["requestId"]] = None

    def _chunk(self, told: dict[str, Any]) -> None:
        self._chunks.append(told["chunk"])
