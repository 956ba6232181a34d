"""The sidecar's own side of the configuration: listeners, log, retry budget."""

from __future__ import annotations

from typing import Annotated

from proxy.settings.base import Model, key
from proxy.settings.kinds import METHODS, Address, File, Host, Method, Mode, Token
from proxy.settings.scalars import duration, flag, number, size, whole

Wait = Annotated[float, duration("1ms", "1h")]


class Listen(Model):
    """The payment port: who may call, and how much of everything."""

    address: Address = key("127.0.0.1:8080", "IP:PORT or unix:/path; port 0 is any")
    unix_mode: Mode = key("0600", "file mode of a Unix socket")
    token: Token | None = key(None, "what callers send in Tidegate-Token; required beyond loopback")
    hosts: tuple[Host, ...] = key(
        ("localhost", "127.0.0.1", "[::1]"), "accepted Host names besides those that routes name"
    )
    connections_max: Annotated[int, whole(1, 65_536)] = key(
        1024, "open connections of applications"
    )
    in_flight_max: Annotated[int, whole(1, 65_536)] = key(
        512, "calls at work at once; more are refused with 503"
    )
    request_line_bytes_max: Annotated[int, size("256B", "64KiB")] = key(
        "8KiB", "method, target and version of a request"
    )
    header_bytes_max: Annotated[int, size("256B", "1MiB")] = key(
        "32KiB", "header block of a request"
    )
    header_count_max: Annotated[int, whole(1, 1000)] = key(100, "header lines of a request")
    body_bytes_max: Annotated[int, size("1B", "64MiB")] = key("1MiB", "body of a request")
    methods: tuple[Method, ...] = key(METHODS, "accepted methods")
    timeout_header_s: Wait = key(
        "10s", "from first byte to end of the header block", "timeout_header"
    )
    timeout_body_s: Wait = key(
        "10s", "from end of the header block to end of the body", "timeout_body"
    )
    timeout_idle_s: Wait = key(
        "75s", "silence between two requests of a connection", "timeout_idle"
    )
    timeout_write_s: Wait = key("10s", "for the application to take its answer", "timeout_write")
    timeout_drain_s: Wait = key("30s", "for calls at work to end after SIGTERM", "timeout_drain")


class Admin(Model):
    """The operators' port."""

    address: Address = key("127.0.0.1:8081", "loopback IP:PORT or unix:/path")
    unix_mode: Mode = key("0600", "file mode of a Unix socket")
    token: Token | None = key(
        None, "what whoever brings news of a call, or moves calls, shows as a bearer token"
    )
    overrides: File | None = key(
        None, "file that keeps operators' overrides over a restart; unset: beside the journal's"
    )


class Log(Model):
    """What is written to stdout."""

    calls: Annotated[bool, flag()] = key(True, "one canonical JSON line per call")


class RetryBudget(Model):
    """How many of all attempts may be retries."""

    ratio: Annotated[float, number(0.0, 1.0)] = key(0.2, "retries per call within the window")
    window_s: Annotated[float, duration("1s", "10m")] = key(
        "10s", "how far back calls and retries are counted", "window"
    )
    retries_min: Annotated[int, whole(0, 1000)] = key(
        3, "retries allowed per window however few calls there are"
    )
