"""Addresses, hosts and URLs have one meaning each, or are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.settings.network import (
    Address,
    is_ip,
    is_loopback,
    parse_address,
    parse_host,
    parse_ip,
    parse_path,
    parse_prefix,
    parse_url,
)
from proxy.settings.problems import Wrong


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
        ("0.0.0.0:0", Address("0.0.0.0", 0)),
        ("[::1]:8080", Address("::1", 8080)),
        ("[0:0:0:0:0:0:0:1]:1", Address("::1", 1)),
        ("unix:/run/t/pay.sock", Address(unix_path="/run/t/pay.sock")),
    ],
)
def test_listening_addresses(text: str, address: Address) -> None:
    """An IP with a port, or the path of a socket."""
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        ":8080",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:٣",
        "::1:80",
        "localhost:80",
        "[::1]",
        "[fe80::1%eth0]:80",
        "127.0.0.1:80/",
        "unix:",
        "unix:a/b",
        "unix:/a/",
        "unix:/" + "x" * 107,
        "unix:/\u00e9" * 40,
        "unix:/a\nb",
        "http://127.0.0.1:1",
    ],
)
def test_other_listening_addresses_are_refused(text: str) -> None:
    """No names, no zones, no guesses."""
    with pytest.raises(Wrong):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("[::1]:1", True),
        ("unix:/a", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.168.0.1:1", False),
    ],
)
def test_local_is_what_only_this_machine_reaches(text: str, local: bool) -> None:
    """The wildcard is not local, a socket file is."""
    assert parse_address(text).is_local is local


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("127.0.0.1:1", "127.0.0.1:1", True),
        ("127.0.0.1:1", "127.0.0.1:2", False),
        ("127.0.0.1:1", "127.0.0.2:1", False),
        ("0.0.0.0:1", "127.0.0.1:1", True),
        ("127.0.0.1:0", "127.0.0.1:0", False),
        ("unix:/a", "unix:/a", True),
        ("unix:/a", "unix:/b", False),
        ("unix:/a", "127.0.0.1:1", False),
    ],
)
def test_addresses_clash_when_both_cannot_be_bound(one: str, other: str, clash: bool) -> None:
    """Either way round; port 0 is another port each time."""
    assert parse_address(one).clashes(parse_address(other)) is clash
    assert parse_address(other).clashes(parse_address(one)) is clash


@pytest.mark.parametrize(
    ("text", "tls", "host", "port", "path", "authority"),
    [
        ("https://a.example", True, "a.example", 443, "", "a.example"),
        ("https://a.example/", True, "a.example", 443, "", "a.example"),
        ("HTTPS://API.Example:443/v1/", True, "api.example", 443, "/v1", "api.example"),
        ("https://a.example:8443/v1", True, "a.example", 8443, "/v1", "a.example:8443"),
        ("http://127.0.0.1:80", False, "127.0.0.1", 80, "", "127.0.0.1"),
        ("http://a.example:443", False, "a.example", 443, "", "a.example:443"),
        ("http://[::1]:9000/a%20b", False, "::1", 9000, "/a%20b", "[::1]:9000"),
        ("https://[2001:DB8::7]", True, "2001:db8::7", 443, "", "[2001:db8::7]"),
        ("https://bücher.example", True, "xn--bcher-kva.example", 443, "", "xn--bcher-kva.example"),
    ],
)
def test_base_urls(text: str, tls: bool, host: str, port: int, path: str, authority: str) -> None:
    """Lower-case ASCII hosts, explicit ports, no slash at the end of the path."""
    url = parse_url(text)
    assert (url.tls, url.host, url.port, url.path) == (tls, host, port, path)
    assert url.authority == authority


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a URL"),
        ("a.example", "not a URL"),
        ("//a.example", "not a URL"),
        ("ws://a.example", "scheme other"),
        ("https://u@a.example", "user or password"),
        ("https://u:p@a.example", "user or password"),
        ("https://a.example?", "query or fragment"),
        ("https://a.example#", "query or fragment"),
        ("https://", "not a host name"),
        ("https://:443", "not a host name"),
        ("https://a.example:", "port out of range"),
        ("https://a.example:0", "port out of range"),
        ("https://a.example:65536", "port out of range"),
        ("https://a.example:80:80", "no readable host"),
        ("https://a.example:8a", "no readable host"),
        ("https://a b.example", "not a host name"),
        ("https://a.example/a b", "characters that no URL path has"),
        ("https://a.example/a/../b", "segment"),
        ("https://a.example\n", "not a host name"),
        ("https://[127.0.0.1]", "brackets around an IPv4"),
        ("https://straße.example", "two IDNA standards"),
    ],
)
def test_other_urls_are_refused(text: str, message: str) -> None:
    """Whatever could be read in two ways, or carries what belongs elsewhere."""
    with pytest.raises(Wrong, match=message):
        parse_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "a..b",
        ".a",
        "a.",
        "-a",
        "a-",
        "a:1",
        "*.a",
        "1.2.3",
        "127.1",
        "0x7f.1",
        "1.2.3.0x4",
        "a/b",
        "x" * 64,
        ".".join(["x" * 63] * 4) + ".x",
        "[::1",
        "::1",
        "a\u200db.example",
        "\u00e9..example",
    ],
)
def test_other_hosts_are_refused(text: str) -> None:
    """Spellings that resolvers and servers read differently, numeric ones above all."""
    with pytest.raises(Wrong):
        parse_host(text)


@pytest.mark.no_cover  # volume
@given(st.from_regex(r"[A-Za-z0-9_]{1,9}(\.[A-Za-z0-9-]{1,9}){0,3}", fullmatch=True))
def test_reading_a_host_twice_changes_nothing(text: str) -> None:
    """What a host becomes is a host, lower-case."""
    try:
        host = parse_host(text)
    except Wrong:
        return
    assert host == parse_host(host) == host.lower()


@given(st.ip_addresses())
def test_every_ip_address_is_read(address: object) -> None:
    """In its canonical spelling; in a URL and as a host as well."""
    text = str(address)
    shown = f"[{text}]" if ":" in text else text
    assert parse_ip(text) == text
    assert parse_host(shown) == shown
    assert parse_url(f"https://{shown}").host == text


@pytest.mark.parametrize("text", ["/", "/psp", "/psp/", "/a/b.c/~d", "/a%2Fb", "/a:b@c;d=1,2"])
def test_paths_keep_their_spelling(text: str) -> None:
    """A prefix is compared byte for byte, so nothing is rewritten."""
    assert parse_path(text) == text


@pytest.mark.parametrize(
    "text", ["", "a", "//", "/a//b", "/./a", "/a/..", "/a?b", "/a#b", "/a b", "/é", "/%2", "/a\\b"]
)
def test_other_paths_are_refused(text: str) -> None:
    """Empty and dot segments are read differently by different servers."""
    with pytest.raises(Wrong):
        parse_path(text)


@pytest.mark.parametrize("text", ["/a%62", "/a;v=1", "/a%"])
def test_a_prefix_has_one_reading(text: str) -> None:
    """The route table gives no route to a path that could be read as another."""
    with pytest.raises(Wrong, match="read in different ways"):
        parse_prefix(text)
    assert parse_prefix("/a/b.c") == "/a/b.c"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.8.0.1", True), ("::1", True), ("a.example", False), ("::", False)],
)
def test_loopback_is_known_without_a_resolver(host: str, loopback: bool) -> None:
    """Other names may resolve to loopback today and elsewhere tomorrow."""
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("host", "ip"),
    [("10.0.0.1", True), ("::1", True), ("[::1]", True), ("psp.test", False), ("10.test", False)],
)
def test_an_address_is_told_from_a_name(host: str, ip: bool) -> None:
    """No name server is asked for an address."""
    assert is_ip(host) is ip
