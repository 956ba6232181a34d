"""Ways out that cannot work, or that show a password, are told before anything is connected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import changed, load_text, problems_of

A = "partners.north.upstreams.north-a"
POOL = "pool: {connections_max: 32}"
MORE = "\n        "
ENVIRON = {"PASSWORD": "secret"}


def said(folder: Path, written: str) -> tuple[list[str], list[str]]:
    """Places of problems and of warnings."""
    text = changed((POOL, written))
    problems = [each.path for each in problems_of(folder, text, ENVIRON)]
    if problems:
        return problems, []
    return [], [each.path for each in load_text(folder, text, ENVIRON).warnings]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("egress: {source_address: eth0}", "egress.source_address"),
        ("egress: {source_address: [192.0.2.7, 192.0.2.8]}", "egress.source_address"),
        ("egress: {source_address: 0.0.0.0}", "egress.source_address"),
        ("egress: {source_address: '::'}", "egress.source_address"),
        ("egress: {source_address: 224.0.0.1}", "egress.source_address"),
        (
            f"addresses: [192.0.2.7]{MORE}egress: {{source_address: '2001:db8::7'}}",
            "egress.source_address",
        ),
        ("egress: {proxy: {}}", "egress.proxy.url"),
        ("egress: {proxy: {url: 'socks5://proxy'}}", "egress.proxy.url"),
        ("egress: {proxy: {url: 'http://us:secret@proxy'}}", "egress.proxy.url"),
        ("egress: {proxy: {url: 'http://proxy/path'}}", "egress.proxy.url"),
        ("egress: {proxy: {url: 'http://proxy', username: us}}", "egress.proxy.username"),
        (
            "egress: {proxy: {url: 'http://proxy', password: '${PASSWORD}'}}",
            "egress.proxy.password",
        ),
        (
            "egress: {proxy: {url: 'https://p', username: 'u:s', password: '${PASSWORD}'}}",
            "egress.proxy.username",
        ),
        ("egress: {proxy: {url: 'https://proxy', ca_file: none.pem}}", "egress.proxy.ca_file"),
        ("egress: {proxy: {url: 'http://proxy', ca_file: tidegate.yaml}}", "egress.proxy.ca_file"),
        (
            f"allow_private: true{MORE}egress: {{proxy: {{url: 'http://proxy'}}}}",
            "allow_private",
        ),
        ("egress: {via: proxy}", "egress.via"),
    ],
)
def test_what_cannot_work_is_refused(written: str, place: str, tmp_path: Path) -> None:
    """At its place, and nothing else is said."""
    assert said(tmp_path, written) == ([f"{A}.{place}"], [])


@pytest.mark.parametrize(
    ("url", "password", "warned"),
    [
        ("https://proxy.internal", "'${PASSWORD}'", False),
        ("http://127.0.0.1:3128", "'${PASSWORD}'", False),
        ("http://proxy.internal", "'${PASSWORD}'", True),
        ("https://proxy.internal", "secret", True),
    ],
)
def test_a_password_that_others_can_read(
    url: str, password: str, warned: bool, tmp_path: Path
) -> None:
    """In the file, or on the wire beyond this machine, is a warning."""
    proxy = f"{{url: '{url}', username: us, password: {password}}}"
    places = [f"{A}.egress.proxy.password"] if warned else []
    assert said(tmp_path, f"egress: {{proxy: {proxy}}}") == ([], places)
