"""Listeners are for this machine unless a token says otherwise; other checks are joined here."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.settings.checks import upstream_names
from proxy.settings.reader import read_tree
from tests.unit.settings.example import BASE, changed, line_of, load_text, problems_of

LISTEN = "address: 127.0.0.1:8080"
ADMIN = "address: 127.0.0.1:8081"
TOKEN = {"TOKEN": "sixteen-characters-or-more"}


def _warnings(directory: Path, text: str, environ: dict[str, str]) -> list[tuple[str, str]]:
    return [(each.path, each.message) for each in load_text(directory, text, environ).warnings]


@pytest.mark.parametrize(
    ("listen", "admin"),
    [
        ("address: 0.0.0.0:8080\n  token: ${TOKEN}", ADMIN),
        ("address: 192.0.2.1:8080\n  token: ${TOKEN}", ADMIN),
        ("address: unix:/run/t/pay.sock", "address: unix:/run/t/admin.sock"),
        ('address: "[::1]:8080"', 'address: "[::1]:8081"'),
        ("address: 127.0.0.1:0", "address: 127.0.0.1:0"),
        ("address: 127.0.0.1:80", "address: 127.0.0.2:80"),
    ],
)
def test_listeners_that_are_fine(listen: str, admin: str, tmp_path: Path) -> None:
    """Loopback, sockets, and the world with a token."""
    text = changed((LISTEN, listen), (ADMIN, admin))
    assert load_text(tmp_path, text, TOKEN).warnings == []


@pytest.mark.parametrize(
    ("listen", "admin", "path"),
    [
        ("address: 0.0.0.0:8080", ADMIN, "listen.address"),
        ('address: "[::]:8080"', ADMIN, "listen.address"),
        (LISTEN, 'address: "[::]:8081"', "admin.address"),
        (LISTEN, "address: 10.0.0.1:8081", "admin.address"),
        ("address: 0.0.0.0:8081\n  token: ${TOKEN}", ADMIN, "admin.address"),
        ("address: unix:/run/t", "address:  unix:/run/t", "admin.address"),
        ("methods: []", ADMIN, "listen.methods"),
    ],
)
def test_listeners_that_are_not(listen: str, admin: str, path: str, tmp_path: Path) -> None:
    """Reachable without a token, an admin port beyond loopback, one place for both."""
    text = changed((LISTEN, listen), (ADMIN, admin))
    found = [problem.path for problem in problems_of(tmp_path, text, TOKEN)]
    assert path in found
    assert len(found) == (2 if path == "listen.methods" else 1)


def test_a_token_in_the_file_and_a_short_one_are_worth_a_look(tmp_path: Path) -> None:
    """Both are warnings: they may be right on a laptop."""
    plain = changed((LISTEN, "token: written-here-at-length"))
    short = changed((LISTEN, "token: ${TOKEN}"))
    assert _warnings(tmp_path, plain, {}) == [("listen.token", "stands in the file itself")]
    assert _warnings(tmp_path, short, {"TOKEN": "x" * 15}) == [
        ("listen.token", "is short enough to guess")
    ]


def test_the_operators_token_is_looked_at_alike(tmp_path: Path) -> None:
    """Whoever guesses it can end doubts."""
    address = "  address: 127.0.0.1:8081\n"
    plain = changed((address, address + "  token: short\n"))
    assert _warnings(tmp_path, plain, {}) == [
        ("admin.token", "stands in the file itself"),
        ("admin.token", "is short enough to guess"),
    ]


def test_warnings_have_places_too(tmp_path: Path) -> None:
    """And remedies, like problems."""
    text = changed((LISTEN, "token: written-here-at-length"))
    [warning] = load_text(tmp_path, text).warnings
    assert warning.line == line_of(text, "token:")
    assert warning.remedy == "refer to it: ${NAME} or ${file:/path}"


def test_wrong_upstreams_still_have_names() -> None:
    """A candidate is not unknown only because its upstream has another mistake."""
    root, _ = read_tree(changed(("url: https://south.example", "url: ~")).encode())
    assert root is not None
    assert upstream_names(root) == {"north-a", "north-b", "south-a"}


def test_names_are_found_in_any_shape_of_file() -> None:
    """Also where partners are no mapping."""
    for text in ("partners: x\n", "partners: [a]\n", "partners: {a: {upstreams: [b]}}\n", BASE):
        root, _ = read_tree(text.encode())
        assert root is not None
        assert all(isinstance(name, str) for name in upstream_names(root))
