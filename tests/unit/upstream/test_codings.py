"""Rules for the codings that a partner may use for an answer that has to be kept."""

from __future__ import annotations

import gzip
import zlib

import pytest

from proxy.idempotency.hygiene import Hygiene
from proxy.model.message import READABLE_CODINGS, Response, header
from proxy.upstream.codings import readable


@pytest.mark.parametrize(
    ("accepted", "asked"),
    [
        (b"gzip, deflate", b"gzip, deflate"),
        (b"gzip,deflate;q=0.5 , identity", b"gzip,deflate;q=0.5 , identity"),
        (b"gzip, deflate, br, zstd", b"gzip, deflate"),
        (b"br;q=1.0, GZIP;q=0.8, *;q=0.1", b"GZIP;q=0.8"),
        (b"br", b"identity"),
        (b"*", b"identity"),
        (b"identity;q=0, br", b"identity;q=0"),
        (b"", b"identity"),
    ],
)
def test_only_what_can_be_read_is_asked_for(accepted: bytes, asked: bytes) -> None:
    """With its weight; a header that asks for nothing else stays as it is, byte for byte."""
    assert readable(accepted) == asked


@pytest.mark.parametrize("coding", sorted(READABLE_CODINGS))
def test_what_may_be_asked_for_can_be_kept(coding: bytes) -> None:
    """Each of them is looked into."""
    body = b'{"cvv": "737"}'
    packed = zlib.compress(body) if coding == b"deflate" else gzip.compress(body)
    kept = Hygiene(["cvv"]).storable(Response(200, [header(b"Content-Encoding", coding)], packed))
    assert kept is not None
    assert b"737" not in kept.body
