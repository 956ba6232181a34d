"""PURE. Which content codings a partner may use for an answer that has to be kept.

An answer is looked into before it is stored, so it must come in a coding that can be
read: of `br` or `zstd` nothing could be kept, and a retry could not be given it.
"""

from __future__ import annotations

from functools import lru_cache

from proxy.model.message import READABLE_CODINGS

_KEPT = READABLE_CODINGS | {b"identity"}


@lru_cache(maxsize=64)
def readable(accepted: bytes) -> bytes:
    """An Accept-Encoding (RFC 9110 12.5.3) without the codings that cannot be read.

    `*` is left out too, since it stands for any; where nothing is left, the body as it is.
    """
    wanted = [part.strip() for part in accepted.split(b",")]
    kept = [part for part in wanted if part.partition(b";")[0].strip().lower() in _KEPT]
    if len(kept) == len(wanted):
        return accepted
    return b", ".join(kept) or b"identity"
