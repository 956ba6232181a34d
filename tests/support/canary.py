"""Secrets in many disguises, and a search that sees through them."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from urllib.parse import quote

Encoder = Callable[[bytes], bytes]

ENCODERS: Mapping[str, Encoder] = {
    "plain": lambda secret: secret,
    "spaced": lambda secret: b" ".join(_groups(secret)),
    "dashed": lambda secret: b"-".join(_groups(secret)),
    "in chunks": lambda secret: b"".join(b"4\r\n%b\r\n" % part for part in _groups(secret)),
    "reversed": lambda secret: secret[::-1],
    "base64": base64.b64encode,
    "base64 after one byte": lambda secret: base64.b64encode(b"x" + secret),
    "base64 after two bytes": lambda secret: base64.b64encode(b"xy" + secret),
    "base64url": lambda secret: base64.urlsafe_b64encode(secret).rstrip(b"="),
    "base64url after one byte": lambda secret: base64.urlsafe_b64encode(b"x" + secret),
    "base64url after two bytes": lambda secret: base64.urlsafe_b64encode(b"xy" + secret),
    "base64 twice": lambda secret: base64.b64encode(base64.b64encode(secret)),
    "base32": base64.b32encode,
    "hex": lambda secret: secret.hex().encode(),
    "hex in capitals": lambda secret: secret.hex().upper().encode(),
    "percent": lambda secret: b"".join(b"%%%02X" % octet for octet in secret),
    "percent twice": lambda secret: b"".join(b"%%25%02X" % octet for octet in secret),
    "json": lambda secret: b"".join(b"\\u%04x" % octet for octet in secret),
    "backslash": lambda secret: b"".join(b"\\x%02x" % octet for octet in secret),
    "octal": lambda secret: b"".join(b"\\%03o" % octet for octet in secret),
    "entities": lambda secret: b"".join(b"&#%d;" % octet for octet in secret),
    "entities in hex": lambda secret: b"".join(b"&#x%x;" % octet for octet in secret),
    "quoted-printable": lambda secret: b"".join(b"=%02X" % octet for octet in secret),
    "utf-16le": lambda secret: secret.decode().encode("utf-16le"),
    "utf-16be": lambda secret: secret.decode().encode("utf-16be"),
    "utf-32le": lambda secret: secret.decode().encode("utf-32le"),
    "gzip": lambda secret: gzip.compress(b'{"v":"' + secret + b'"}', mtime=0),
    "zlib": lambda secret: zlib.compress(b'{"v":"' + secret + b'"}'),
}
"""By name; the search undoes what compresses or encodes twice."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_GZIP = b"\x1f\x8b\x08"
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_INFLATED_MAX = 1 << 16
_APART = b"\xff|\xff"
"""No disguise goes over it."""


def found(secret: bytes, data: bytes, *, deep: int = 2) -> list[str]:
    """The disguises in which `secret` stands in `data`."""
    return found_any([secret], data, deep=deep)


def found_any(secrets: Iterable[bytes], data: bytes, *, deep: int = 2) -> list[str]:
    """The disguises in which any of these stands in `data`, which is opened once for all."""
    wanted = tuple(secrets)
    told = [
        name for secret in wanted for name, each in _patterns(secret).items() if each.search(data)
    ]
    if deep:
        told += [
            f"{how}: {name}"
            for how, inner in _opened(data).items()
            for name in found_any(wanted, inner, deep=deep - 1)
        ]
    return told


@cache
def _patterns(secret: bytes) -> dict[str, re.Pattern[bytes]]:
    """Those disguises that are text patterns; white space and separators may stand in between."""
    apart = rb"(?:[ \t_.-]|\r?\n[0-9a-fA-F]+\r?\n|\r\n)?"
    patterns = {
        "plain": re.compile(apart.join(re.escape(bytes((octet,))) for octet in secret)),
        "reversed": re.compile(re.escape(secret[::-1])),
        "utf-16 or utf-32": re.compile(
            rb"\x00{1,3}".join(re.escape(bytes((octet,))) for octet in secret)
        ),
    }
    wrapped = {
        "hex": rb"%02x", "percent": rb"%%%02x", "percent twice": rb"%%25%02x",
        "json": rb"\u00%02x", "backslash": rb"\x%02x", "entities in hex": rb"&#x%x;",
        "quoted-printable": rb"=%02x",
    }  # fmt: skip
    for name, form in wrapped.items():
        text = b"".join(form % octet for octet in secret)
        patterns[name] = re.compile(re.escape(text), re.IGNORECASE)
    for name, form in {"octal": rb"\%03o", "entities": rb"&#%d;"}.items():
        patterns[name] = re.compile(re.escape(b"".join(form % octet for octet in secret)))
    base32 = base64.b32encode(secret).rstrip(b"=")[:-2]
    return {**patterns, "base32": re.compile(re.escape(base32), re.IGNORECASE)}


def _opened(data: bytes) -> dict[str, bytes]:
    """What stands in `data` in base64, at any alignment, or compressed; pieces kept apart."""
    base64_ = []
    for text in {run[0] for run in _BASE64.finditer(data)}:
        usual = text.replace(b"-", b"+").replace(b"_", b"/")
        for shift in range(4):
            part = usual[shift:] if (len(usual) - shift) % 4 != 1 else usual[shift:-1]
            base64_.append(base64.b64decode(part + b"=" * (-len(part) % 4)))
    starts = [match.start() for match in re.finditer(re.escape(_GZIP), data)]
    gzip_ = [_inflated(data[at : at + _INFLATED_MAX], 31) for at in starts]
    zlib_ = [
        _inflated(data[at.start() : at.start() + _INFLATED_MAX], 15) for at in _ZLIB.finditer(data)
    ]
    inner = {"base64": base64_, "gzip": gzip_, "zlib": zlib_}
    return {how: _APART.join(filter(None, pieces)) for how, pieces in inner.items() if any(pieces)}


def _inflated(data: bytes, window: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(data, _INFLATED_MAX)
    except zlib.error:
        return b""


def _groups(secret: bytes) -> list[bytes]:
    return [secret[at : at + 4] for at in range(0, len(secret), 4)]


def disguised(secret: str) -> dict[str, bytes]:
    """A secret in each disguise."""
    return {name: encode(secret.encode()) for name, encode in ENCODERS.items()}


def as_query(secret: str) -> str:
    """Every disguise as query parameters."""
    return "&".join(f"d{n}={quote(each)}" for n, each in enumerate(disguised(secret).values()))


def as_headers(secret: str) -> list[tuple[str, str]]:
    """Every disguise that a header value can carry."""
    printable = [each for each in disguised(secret).values() if re.fullmatch(rb"[!-~ ]+", each)]
    return [(f"X-Canary-{n}", each.decode()) for n, each in enumerate(printable)]
