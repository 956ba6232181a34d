"""The plain aiohttp relay as a subject; the relay itself is `loadtests/bench/relay.py`."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import version

from loadtests.bench.calllog import LogFields
from loadtests.bench.subjects.base import Launch, Place


class AiohttpRelay:
    """What a team would write first: aiohttp on both edges, on uvloop."""

    name = "aiohttp"
    fields = LogFields()
    told = None

    def absent(self) -> str | None:
        """When one of its two packages is not installed."""
        missing = [name for name in ("aiohttp", "uvloop") if importlib.util.find_spec(name) is None]
        return f"not installed: {', '.join(missing)}" if missing else None

    def version(self) -> str:
        """Of the library, with uvloop's."""
        return f"{version('aiohttp')} (uvloop {version('uvloop')})"

    def launch(self, place: Place) -> Launch:
        """The relay writes its log itself."""
        argv = [
            *(sys.executable, "-m", "loadtests.bench.relay"),
            *("--port", str(place.port), "--upstream-port", str(place.upstream_port)),
            *("--log", str(place.log)),
        ]
        return Launch(argv, logs_to_stdout=False)
