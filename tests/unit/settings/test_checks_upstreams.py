"""Card data stays encrypted, certificates come with keys, limits fit each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import changed, load_text, problems_of

A = "partners.north.upstreams.north-a"
URL = "url: https://a.north.example"
POOL = "pool: {connections_max: 32}"
TABLE = 'authorize: {execution: {"402": none}}'
MORE = "\n        "


def _problems(directory: Path, *changes: tuple[str, str]) -> list[str]:
    return [problem.path for problem in problems_of(directory, changed(*changes))]


def _warnings(directory: Path, *changes: tuple[str, str]) -> list[str]:
    return [warning.path for warning in load_text(directory, changed(*changes)).warnings]


@pytest.mark.parametrize(
    "url",
    [
        "url: http://127.0.0.1:9101",
        "url: http://localhost:9101",
        "url: http://[::1]:9101",
        f"url: http://psp.test{MORE}addresses: [127.0.0.1, '::1']",
    ],
)
def test_clear_text_may_stay_on_this_machine(url: str, tmp_path: Path) -> None:
    """By name, by IP, or pinned to one."""
    assert _problems(tmp_path, (URL, url)) == []


@pytest.mark.parametrize(
    "url",
    [
        "url: http://psp.test",
        "url: http://192.0.2.7",
        f"url: http://localhost{MORE}addresses: [192.0.2.7]",
        f"url: http://psp.test{MORE}addresses: [127.0.0.1, 192.0.2.7]",
    ],
)
def test_clear_text_may_not_leave_it(url: str, tmp_path: Path) -> None:
    """What counts is where the bytes go; `allow_cleartext` turns the mistake into a warning."""
    assert _problems(tmp_path, (URL, url)) == [f"{A}.url"]
    assert _warnings(tmp_path, (URL, f"{url}{MORE}allow_cleartext: true")) == [f"{A}.url"]


def test_certificates_are_files_that_can_be_read(tmp_path: Path) -> None:
    """Each one that is not there is named."""
    (tmp_path / "ca.pem").write_text("x")
    tls = "tls: {ca_file: ca.pem, client_certificate_file: no.pem, client_key_file: ./}"
    assert _problems(tmp_path, (POOL, tls)) == [
        f"{A}.tls.client_certificate_file",
        f"{A}.tls.client_key_file",
    ]


@pytest.mark.parametrize(
    ("pool", "wrong"),
    [
        ("{connections_max: 64, idle_max: 64, prewarm: 64}", None),
        ("{connections_max: 8}", None),
        ("{connections_max: 8, prewarm: 8}", None),
        ("{connections_max: 8, idle_max: 9}", "idle_max"),
        ("{connections_max: 8, prewarm: 9}", "prewarm"),
        ("{idle_max: 4, prewarm: 5}", "prewarm"),
    ],
)
def test_pool_limits_fit_each_other(pool: str, wrong: str | None, tmp_path: Path) -> None:
    """The default of idle_max gives way to a small connections_max; a written one does not."""
    expected = [] if wrong is None else [f"{A}.pool.{wrong}"]
    assert _problems(tmp_path, (POOL, f"pool: {pool}")) == expected


@pytest.mark.parametrize(
    ("table", "warned"),
    [
        ('authorize: {execution: {"5xx": none}}', ["authorize.execution.5xx"]),
        ('authorize: {execution: {"200": none}}', ["authorize.execution.200"]),
        ('other: {execution: {"503": none}}', ["other.execution.503"]),
        ('authorize: {execution: {"4xx": none, "503": unknown, "2xx": done}}', []),
        ('inquire: {execution: {"5xx": none}}', []),
        ('authorize: {money: false, execution: {"5xx": none}}', []),
        ('inquire: {money: true, execution: {"5xx": none}}', ["inquire.execution.5xx"]),
    ],
)
def test_dangerous_proofs_are_worth_a_look(table: str, warned: list[str], tmp_path: Path) -> None:
    """2xx or 5xx as "nothing was executed", where money moves: that may be a second charge."""
    assert _warnings(tmp_path, (TABLE, table)) == [
        f"partners.north.operations.{place}" for place in warned
    ]


def test_a_credential_in_the_file_is_worth_a_look(tmp_path: Path) -> None:
    """By the header's name; other headers may well be written out."""
    headers = "headers: {set: {Authorization: Bearer x, X-Channel: web}}"
    assert _warnings(tmp_path, (POOL, headers)) == [f"{A}.headers.set.Authorization"]


def test_a_partner_has_an_upstream(tmp_path: Path) -> None:
    """Otherwise nothing can be sent to it."""
    text = "partners:\n  empty: {upstreams: {}}"
    assert _problems(tmp_path, ("partners:", text)) == ["partners.empty.upstreams"]


def test_header_rules_do_not_contradict_each_other(tmp_path: Path) -> None:
    """Names are compared without case."""
    headers = "headers: {set: {X-A: a, X-B: b, x-b: c}, remove: [x-a, X-C]}"
    assert _problems(tmp_path, (POOL, headers)) == [
        f"{A}.headers.set.x-b",
        f"{A}.headers.remove[0]",
    ]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("resolve_as: 10.0.0.1", "is an IP address"),
        ("resolve_as: '[::1]'", "is an IP address"),
        (f"addresses: [192.0.2.1]{MORE}resolve_as: eu.psp.test", "is not used"),
    ],
)
def test_a_name_to_ask_for_is_a_name_and_is_asked_for(
    said: str, words: str, tmp_path: Path
) -> None:
    """An address is pinned under `addresses`; beside it no name is asked for."""
    (problem,) = problems_of(tmp_path, changed((URL, URL + MORE + said)))
    assert (problem.path, words in problem.message) == (f"{A}.resolve_as", True)
    assert "addresses" in problem.remedy
