"""`proxy.settings.build_egress`: the way out of an upstream as transports read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.model.egress import DIRECT, Egress, ForwardProxy
from proxy.settings.build import build
from tests.unit.settings.example import changed, load_text

POOL = "pool: {connections_max: 32}"
ENVIRON = {"PROXY_PASSWORD": "p:ss"}


def built(folder: Path, written: str) -> Egress:
    """What one upstream's block means."""
    loaded = load_text(folder, changed((POOL, f"egress: {written}")), ENVIRON)
    assert loaded.warnings == []
    return build(loaded.settings).upstreams["north-a"].egress


@pytest.mark.parametrize(
    ("written", "egress"),
    [
        ("{}", DIRECT),
        ("{source_address: 192.0.2.7}", Egress(("192.0.2.7",))),
        ("{source_address: [192.0.2.7, '2001:DB8::7']}", Egress(("192.0.2.7", "2001:db8::7"))),
        ("{proxy: {url: 'http://proxy:3128'}}", Egress((), ForwardProxy("proxy", 3128))),
        ("{proxy: {url: 'http://[::1]'}}", Egress((), ForwardProxy("::1", 80))),
        (
            "{source_address: 192.0.2.7, proxy: {url: 'https://p.example', ca_file: ca.pem}}",
            Egress(("192.0.2.7",), ForwardProxy("p.example", 443, True, "ca.pem")),
        ),
    ],
)
def test_the_way_out(tmp_path: Path, written: str, egress: Egress) -> None:
    """Direct unless the file says otherwise; a source, a proxy, or both."""
    (tmp_path / "ca.pem").write_text("x")
    found = built(tmp_path, written)
    if egress.proxy is not None and egress.proxy.ca_file is not None:
        assert found.proxy is not None
        assert found.proxy.ca_file == str(tmp_path / egress.proxy.ca_file)
    else:
        assert found == egress
    assert found.source_addresses == egress.source_addresses


def test_credentials_are_basic_and_out_of_sight(tmp_path: Path) -> None:
    """RFC 7617; no repr shows them."""
    proxy = "{url: 'https://proxy', username: us, password: '${PROXY_PASSWORD}'}"
    egress = built(tmp_path, f"{{proxy: {proxy}}}")
    assert egress.proxy is not None
    assert egress.proxy.authorization == b"Basic dXM6cDpzcw=="
    assert "dXM6" not in repr(egress)
