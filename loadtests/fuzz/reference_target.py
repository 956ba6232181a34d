"""The reference reading of a request target, against the Host it came with. PURE."""

from __future__ import annotations

import re
from typing import Protocol

from loadtests.fuzz import limits

PLAIN = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*")
"""What RFC 3986 allows in a path and query."""
FORBIDDEN = re.compile(rb'[^\x21-\x7e]|[#"<>]')
ODD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})|%(?:[01][0-9A-Fa-f]|2[eEfF]|5[cC]|7[fF])")
ODD_SEGMENT = re.compile(rb"//|/\.{1,2}(?:/|$)")


class TargetHead(Protocol):
    """The part of a head that a target touches."""

    hard: set[int]
    soft: set[int]
    odd: bool
    method: bytes
    target: bytes


def read_target(head: TargetHead, raw: bytes, authority: bytes | None) -> None:
    """Turn any form of target into origin-form; `authority` is the Host, if there is one."""
    if FORBIDDEN.search(raw):
        head.hard.add(400)
        return
    if not raw.startswith(b"/"):
        path = _absolute(head, raw, authority)
        if path is None:
            return
        raw = path
    head.target = raw
    path = raw.partition(b"?")[0]
    head.odd |= not PLAIN.fullmatch(raw)
    head.odd |= bool(ODD_ESCAPE.search(raw) or ODD_SEGMENT.search(path))
    if path != limits.PATH_PREFIX and not path.startswith(limits.PATH_PREFIX + b"/"):
        head.soft |= {400, 404} if head.odd else {404}


def _absolute(head: TargetHead, raw: bytes, authority: bytes | None) -> bytes | None:
    """The path of an absolute-form target; None when there is no telling."""
    if raw == b"*" and head.method == b"OPTIONS":
        head.soft |= {400, 404}
        return None
    matched = re.fullmatch(rb"(https?)://([^/?]*)(.*)", raw, re.IGNORECASE)
    if matched is None:
        head.hard.add(400)
        return None
    if authority is None or matched[2].lower() != authority.lower():
        head.hard |= {400, 421}
    if matched[1] != b"http" or not matched[3].startswith(b"/"):
        head.odd = True
    return matched[3] if matched[3].startswith(b"/") else b"/" + matched[3]
