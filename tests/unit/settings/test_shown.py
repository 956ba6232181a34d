"""`proxy.settings.shown`: everything in force, a row a setting, and no credential."""

from __future__ import annotations

from pathlib import Path

from proxy.settings.load import read
from proxy.settings.shown import shown

_FILE = b"""
version: 1
listen: {address: 127.0.0.1:8080, unix_mode: "0660", timeout_drain: 45s}
admin: {address: "unix:/run/admin.sock", token: "${TOKEN}"}
partners:
  acme:
    upstreams:
      acme-eu:
        url: "https://${HOST}/v2"
        headers: {set: {Authorization: "Bearer literal-credential-123456"}}
      acme-us: {url: "https://api.example.com/v2"}
routes:
  - name: charges
    match: {path: /, methods: [POST]}
    operation: authorize
    candidates: [acme-eu, acme-us]
    deadline: 10s
"""
_ENVIRON = {"TOKEN": "a-token-from-the-environment-42", "HOST": "tenant.example.com"}


def _rows() -> dict[str, tuple[str, bool]]:
    settings = read(_FILE, Path("x.yaml"), _ENVIRON).settings
    return {row["path"]: (row["value"], row["set"]) for row in shown(settings)}


def test_values_are_as_in_the_file_with_their_path_and_where_they_come_from() -> None:
    """Durations with a unit, modes in octal, addresses as one writes them."""
    rows = _rows()
    assert rows["listen.address"] == ("127.0.0.1:8080", True)
    assert rows["listen.unix_mode"] == ("0660", True)
    assert rows["listen.timeout_drain"] == ("45s", True)
    assert rows["listen.timeout_header"] == ("10s", False)
    assert rows["listen.body_bytes_max"] == ("1048576", False)
    assert rows["admin.address"] == ("unix:/run/admin.sock", True)
    assert rows["log.calls"] == ("on", False)
    assert rows["routes[0].candidates"] == ("acme-eu, acme-us", True)
    assert rows["partners.acme.upstreams.acme-us.url"] == ("https://api.example.com/v2", True)
    assert rows["partners.acme.upstreams.acme-us.resolve_as"] == ("unset", False)


def test_no_credential_and_no_reference_is_shown() -> None:
    """Neither from the environment nor from the file itself."""
    rows = _rows()
    assert rows["admin.token"] == ("***", True)
    assert rows["partners.acme.upstreams.acme-eu.url"][0] == "***"
    text = repr(rows)
    for secret in ("literal-credential", "a-token-from", "tenant.example"):
        assert secret not in text
