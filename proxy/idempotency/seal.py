"""Seals what a partner answered before it reaches a disk: AES-256-GCM.

A sealed answer is `length of key id | key id | 12 bytes nonce | ciphertext`. The
row's identity is associated data, so an answer that was moved to another row
does not open. Keys have ids and there may be several: the first seals, all open,
so a key is rotated by putting a new one in front.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from proxy.idempotency.hygiene import Hygiene
from proxy.model.message import NEVER_STORED, Response

KEY_BYTES = 32
_NONCE_BYTES = 12


class SealError(Exception):
    """An answer cannot be opened: its key is missing, or it is not what was sealed."""


class Sealer:
    """Seals with the first of `keys` (id -> 32 bytes, in order) and opens with any of them.

    Members with the names of `never_store` are not even sealed.
    """

    def __init__(
        self, keys: Mapping[str, bytes], never_store: Iterable[str] = NEVER_STORED
    ) -> None:
        self._hygiene = Hygiene(never_store)
        self._keys = {kid.encode(): AESGCM(key) for kid, key in keys.items()}
        self._first = next(iter(self._keys))

    def seal_answer(self, row_id: bytes, answer: Response) -> bytes:
        """What of an answer may be stored, sealed; empty where nothing may (see hygiene.py)."""
        kept = self._hygiene.storable(answer)
        return b"" if kept is None else self.seal(row_id, _pack(kept))

    def seal(self, row_id: bytes, plain: bytes) -> bytes:
        """`plain`, only to be opened for the same row."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[self._first].encrypt(nonce, plain, row_id)
        return bytes((len(self._first),)) + self._first + nonce + sealed

    def open(self, row_id: bytes, sealed: bytes) -> bytes:
        """What was sealed for this row. Raises SealError."""
        kid, rest = self._split(sealed)
        key = self._keys.get(kid)
        if key is None:
            raise SealError(f"no sealing key {kid.decode(errors='replace')!r} is configured")
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], row_id)
        except (InvalidTag, ValueError):
            raise SealError(f"the answer of row {row_id.hex()} was altered") from None

    def current(self, sealed: bytes) -> bool:
        """Whether it is sealed with the key that is used now."""
        return self._split(sealed)[0] == self._first

    @staticmethod
    def _split(sealed: bytes) -> tuple[bytes, bytes]:
        length = sealed[0] if sealed else 0
        return sealed[1 : 1 + length], sealed[1 + length :]


def _pack(answer: Response) -> bytes:
    """An answer as bytes: status and headers as JSON, a line feed, the body."""
    headers = [
        [name.decode("latin-1"), value.decode("latin-1")] for _, name, value in answer.headers
    ]
    head = json.dumps([answer.status, headers], separators=(",", ":"))
    return head.encode() + b"\n" + answer.body


def unpack(packed: bytes) -> Response:
    """The answer that was packed."""
    head, _, body = packed.partition(b"\n")
    status, pairs = json.loads(head)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    return Response(status, [(name.lower(), name, value) for name, value in headers], body)
