"""What the file says is what the stack works with, defaults and layers applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.model.outcome import Execution
from proxy.model.route import HeaderRules, Money, Retry, Timeouts, TlsFiles
from proxy.model.setup import Built
from proxy.settings.build import build
from proxy.settings.kinds import OPERATIONS
from proxy.settings.load import load
from tests.unit.settings.example import BASE, SANDBOX, changed, line_of, load_text

URL = "url: https://a.north.example"
POOL = "pool: {connections_max: 32}"
OPERATION = "operation: authorize"
CANDIDATES = "candidates: [north-a, north-b]"


def _built(directory: Path, *changes: tuple[str, str]) -> Built:
    return build(load_text(directory, changed(*changes)).settings)


def test_upstreams_belong_to_their_partners(tmp_path: Path) -> None:
    """By name, with the address that the file gives."""
    built = _built(tmp_path, (URL, "url: https://A.north.example:8443/v1/"))
    upstream = built.upstreams["north-a"]
    assert {name: each.partner for name, each in built.upstreams.items()} == {
        "north-a": "north",
        "north-b": "north",
        "south-a": "south",
    }
    assert (upstream.tls, upstream.host, upstream.port) == (True, "a.north.example", 8443)
    assert upstream.authority == b"a.north.example:8443"
    assert upstream.base_path == b"/v1"
    assert upstream.server_name == "a.north.example"
    assert upstream.tls_files == TlsFiles()


def test_ipv6_has_brackets_only_in_the_host_header(tmp_path: Path) -> None:
    """Sockets and certificates take the bare address."""
    upstream = _built(tmp_path, (URL, "url: 'https://[2001:db8::1]'")).upstreams["north-a"]
    assert (upstream.host, upstream.server_name) == ("2001:db8::1", "2001:db8::1")
    assert upstream.authority == b"[2001:db8::1]"


def test_tls_files_and_names_arrive(tmp_path: Path) -> None:
    """With the paths that can be opened from anywhere."""
    for name in ("ca.pem", "c.pem", "c.key"):
        (tmp_path / name).write_text("x")
    tls = (
        "tls: {ca_file: ca.pem, client_certificate_file: c.pem, client_key_file: c.key, "
        "server_name: Other.example}\n        addresses: [192.0.2.1]"
    )
    upstream = _built(tmp_path, (POOL, tls)).upstreams["north-a"]
    paths = [str(tmp_path / name) for name in ("ca.pem", "c.pem", "c.key")]
    assert upstream.tls_files == TlsFiles(*paths)
    assert upstream.server_name == "other.example"
    assert upstream.addresses == ("192.0.2.1",)


def test_pool_limits_arrive(tmp_path: Path) -> None:
    """In seconds and bytes; idle connections are never more than all."""
    pool = "pool: {connections_max: 32, idle_age_max: 2s, response_body_bytes_max: 1KiB}"
    limits = _built(tmp_path, (POOL, pool)).upstreams["north-a"].pool
    assert (limits.connections_max, limits.idle_max) == (32, 32)
    assert (limits.idle_age_max_s, limits.age_max_s, limits.linger_s) == (2.0, 600.0, 10.0)
    assert (limits.header_bytes_max, limits.body_bytes_max) == (32768, 1024)
    assert (limits.reuse, limits.prewarm, limits.waiters_max, limits.lingering_max) == (
        True,
        0,
        64,
        64,
    )


def test_a_route_overrides_an_upstreams_timeouts_one_by_one(tmp_path: Path) -> None:
    """What it doesn't name stays the upstream's; the upstream itself keeps its own."""
    built = _built(
        tmp_path,
        (POOL, "timeouts: {connect: 1s, body: 2s}"),
        (OPERATION, "timeouts: {connect: 500ms, first_byte: 3s}"),
    )
    own = Timeouts(1.0, 5.0, 1.0, 4.0, 10.0, 30.0, 2.0)
    assert built.upstreams["north-a"].timeouts == own
    assert built.routes[0].candidates[0].timeouts == Timeouts(1.0, 5.0, 0.5, 4.0, 10.0, 3.0, 2.0)
    assert built.routes[0].candidates[1].timeouts == Timeouts(1.0, 5.0, 0.5, 4.0, 10.0, 3.0, 10.0)


def test_header_rules_of_the_route_come_last(tmp_path: Path) -> None:
    """It may replace what the upstream sets, take it away, or bring back what it removes."""
    built = _built(
        tmp_path,
        (POOL, "headers: {set: {X-A: a1, X-B: b1, X-C: c1}, remove: [X-D, X-E]}"),
        (OPERATION, "headers: {set: {x-a: a2, x-d: d2}, remove: [X-B]}"),
    )
    assert built.upstreams["north-a"].headers == HeaderRules(
        ((b"x-a", b"X-A", b"a1"), (b"x-b", b"X-B", b"b1"), (b"x-c", b"X-C", b"c1")),
        frozenset({b"x-d", b"x-e"}),
    )
    assert built.routes[0].candidates[0].headers == HeaderRules(
        ((b"x-a", b"x-a", b"a2"), (b"x-c", b"X-C", b"c1"), (b"x-d", b"x-d", b"d2")),
        frozenset({b"x-b", b"x-e"}),
    )


def test_operations_have_defaults_and_a_partners_own_words(tmp_path: Path) -> None:
    """Exact statuses beside classes; money as written."""
    table = "{money: false, execution: {'402': none, 5xx: done, '409': done}}"
    built = _built(tmp_path, ('{execution: {"402": none}}', table))
    own = built.upstreams["north-a"].operations
    assert set(own) == set(OPERATIONS)
    assert own["authorize"].money is Money.NO
    assert own["authorize"].statuses[402] is Execution.NONE
    assert own["authorize"].statuses[5] is Execution.DONE
    assert own["authorize"].statuses[409] is Execution.DONE
    assert own["authorize"].statuses[429] is Execution.NONE
    assert own["capture"].money is Money.YES
    assert built.upstreams["south-a"].operations["authorize"].statuses[5] is Execution.UNKNOWN
    assert built.routes[0].candidates[0].rule is own["authorize"]
    assert built.routes[1].candidates[0].rule is built.upstreams["south-a"].operations["other"]


@pytest.mark.parametrize(
    ("change", "retry"),
    [
        ((OPERATION, "operation: other"), Retry(1, 0.05, 0.5)),
        ((OPERATION, "retry: {attempts_max: 3, backoff_base: 10ms}"), Retry(3, 0.01, 0.5)),
        ((CANDIDATES, "candidates: [north-a]"), Retry(2, 0.05, 0.5)),
    ],
)
def test_attempts_depend_on_the_candidates(
    change: tuple[str, str], retry: Retry, tmp_path: Path
) -> None:
    """One each where there are several, two where there is one, unless the file says otherwise."""
    assert _built(tmp_path, change).routes[0].retry == retry


@pytest.mark.parametrize(
    ("change", "prefix"),
    [
        ("operation: void", None),
        ("strip_prefix: false", None),
        ("strip_prefix: true", b""),
        ("replace_prefix: /v2", b"/v2"),
    ],
)
def test_prefixes_are_kept_stripped_or_replaced(
    change: str, prefix: bytes | None, tmp_path: Path
) -> None:
    """None keeps it, nothing strips it."""
    assert _built(tmp_path, (OPERATION, change)).routes[0].replace_prefix == prefix


def test_routes_arrive_in_the_order_of_the_file(tmp_path: Path) -> None:
    """With all that the stack reads of them."""
    change = ("path: /psp/,", "path: /psp/, host: [PSP.example, '[::1]'],")
    first, second = _built(tmp_path, change, (OPERATION, "allow_eof_body: true")).routes
    assert (first.name, first.path_prefix) == ("charges", b"/psp/")
    assert first.hosts == {b"psp.example", b"[::1]"}
    assert first.methods == {b"POST"}
    assert [each.upstream.name for each in first.candidates] == ["north-a", "north-b"]
    assert (first.deadline_s, first.allow_eof_body, first.operation) == (30.0, True, "other")
    assert first.line == line_of(BASE, "name: charges")
    assert (second.name, second.hosts, second.methods) == ("rest", frozenset(), frozenset())


def test_the_sandbox_routes_lead_to_the_sandbox_partners() -> None:
    """On the ports where `tidegate sandbox up` starts them, without their prefixes."""
    built = build(load(SANDBOX, {}).settings)
    assert {name: each.port for name, each in built.upstreams.items()} == {
        "processor-a": 9101,
        "processor-b": 9102,
        "acquirer-a": 9111,
        "threeds-a": 9121,
        "threeds-b": 9122,
    }
    assert all(route.replace_prefix == b"" for route in built.routes)
    charges = next(route for route in built.routes if route.name == "processor-charges")
    assert charges.path_prefix == b"/processor/"
    assert charges.operation == "authorize"
    assert [each.upstream.name for each in charges.candidates] == ["processor-a", "processor-b"]
