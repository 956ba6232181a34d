"""Addresses, hosts and URLs: where we listen and where partners live.

Nothing here resolves a name. A host is lower-case ASCII; names in other scripts
become their `xn--` form, except where the two IDNA standards disagree about
which host that is.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from proxy.settings.problems import Wrong

UNIX_PATH_BYTES_MAX = 107
"""What `sun_path` holds on Linux, less its terminating zero."""

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_ADDRESS = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([0-9]{1,5})")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?(#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:\[\]@]*)(?::([0-9]*))?")
_PATH = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")
_IDNA_DISPUTED = re.compile("[\u00df\u03c2\u200c\u200d]")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener binds: `host` (an IP, without brackets) and `port`, or `unix_path`."""

    host: str = ""
    port: int = 0
    unix_path: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.unix_path is not None or is_loopback(self.host)

    def clashes(self, other: Address) -> bool:
        """Whether both can't be bound at once; port 0 never clashes."""
        if self.unix_path is not None or other.unix_path is not None:
            return self.unix_path == other.unix_path
        wild = any(ipaddress.ip_address(each.host).is_unspecified for each in (self, other))
        return self.port == other.port != 0 and (wild or self.host == other.host)


@dataclass(frozen=True, slots=True)
class Url:
    """A partner's base URL; `host` has no brackets, `path` no slash at its end."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header: the port only where it is not the scheme's own."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (443 if self.tls else 80) else f"{shown}:{self.port}"


def parse_address(text: str) -> Address:
    """`127.0.0.1:8080`, `[::1]:8080` or `unix:/run/tidegate/pay.sock`."""
    if text.startswith("unix:"):
        return Address(unix_path=_unix_path(text.removeprefix("unix:")))
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise Wrong("is not an address", "write IP:PORT, [IPV6]:PORT or unix:/path")
    host = parse_ip(found[1].strip("[]"))
    return Address(host=host, port=_port(found[2], lowest=0))


def is_loopback(host: str) -> bool:
    """Whether a host, by name or IP, is this machine and nothing else."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_ip(host: str) -> bool:
    """Whether a host is an IP address and no name, with or without brackets."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _unix_path(path: str) -> str:
    if not path.startswith("/"):
        raise Wrong("has a socket path that is not absolute", "write unix:/run/tidegate/pay.sock")
    if len(path.encode()) > UNIX_PATH_BYTES_MAX:
        raise Wrong("has a socket path over 107 bytes", "choose a shorter path")
    if path.endswith("/") or not path.isprintable():
        raise Wrong("has a socket path that names no file", "write unix:/run/tidegate/pay.sock")
    return path


def parse_ip(text: str) -> str:
    """An IPv4 or IPv6 address in its canonical spelling."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Wrong("is not an IP address", "write an IP such as 127.0.0.1, not a name") from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        raise Wrong("is an IP address with a zone", "leave out % and what follows")
    return str(address)


def _port(text: str, lowest: int) -> int:
    port = int(text or "-1")
    if not lowest <= port <= 65535:
        raise Wrong("has a port out of range", f"choose a port from {lowest} to 65535")
    return port


def parse_host(text: str) -> str:
    """A host as URLs and Host headers name it, lower-case; IPv6 keeps its brackets."""
    if text.startswith("[") and text.endswith("]"):
        host = parse_ip(text[1:-1])
        if ":" not in host:
            raise Wrong("has brackets around an IPv4 address", "remove the brackets")
        return f"[{host}]"
    host = _ascii(text).lower()
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        remedy = "write a host name such as api.example.com, without scheme, port or final dot"
        raise Wrong("is not a host name", remedy)
    if labels[-1][0].isdigit() and _looks_numeric(labels[-1]):
        return parse_ip(host)
    return host


def _looks_numeric(label: str) -> bool:
    return label.isdigit() or re.fullmatch(r"0x[0-9a-f]*", label) is not None


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    remedy = "write the host in its xn-- form"
    if _IDNA_DISPUTED.search(text):
        raise Wrong("has a host that two IDNA standards read differently", remedy)
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        raise Wrong("has a host that IDNA can't encode", remedy) from None


def parse_url(text: str) -> Url:
    """`https://host[:port][/base]`; user info, query and fragment have no place in it."""
    found = _URL.fullmatch(text)
    if found is None:
        raise Wrong("is not a URL", "write https://host or https://host/base")
    scheme, authority, path, query, fragment = found.groups()
    if scheme.lower() not in ("http", "https"):
        raise Wrong("has a scheme other than http and https", "write https://")
    if "@" in authority:
        raise Wrong("has a user or password in it", "send credentials with headers.set")
    if query is not None or fragment is not None:
        raise Wrong("has a query or fragment", "end the URL before ? and #")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise Wrong("has no readable host", "write https://host or https://host:port")
    tls = scheme.lower() == "https"
    port = _port(parts[2], lowest=1) if parts[2] is not None else (443 if tls else 80)
    return Url(tls, parse_host(parts[1]).strip("[]"), port, parse_path(path or "/").rstrip("/"))


def parse_path(text: str) -> str:
    """An absolute URL path without empty, `.` or `..` segments."""
    if not text.startswith("/"):
        raise Wrong("is not a path", "begin it with /")
    if _PATH.fullmatch(text) is None:
        raise Wrong("has characters that no URL path has", "percent-encode them, end before ?")
    segments = text[1:].split("/")
    if any(segment in (".", "..") for segment in segments) or "" in segments[:-1]:
        raise Wrong("has an empty, . or .. segment", "write the path without them")
    return text


def parse_prefix(text: str) -> str:
    """A path that routes match by: one whose every reading is the same (see routing/table.py)."""
    if "%" in text or ";" in text:
        remedy = "choose a prefix of plain characters: no call is matched by another spelling"
        raise Wrong("has characters that partners read in different ways", remedy)
    return parse_path(text)
