"""Seals what a partner answered before it reaches a disk: AES-256-GCM.

A sealed answer is `length of key id | key id | 12 bytes nonce | ciphertext`. The
row's identity is associated data, so an answer that was moved to another row
does not open. Keys have ids and there may be several: the first seals, all open,
so a key is rotated by putting a new one in front.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from proxy.idempotency.hygiene import Hygiene
from proxy.model.message import NEVER_STORED, Response

KEY_BYTES = 32
_NONCE_BYTES = 12
_NONCES = 64


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
        self._nonces = b""

    def seal_answer(self, row_id: bytes, answer: Response) -> bytes:
        """What of an answer may be stored, sealed; empty where nothing may (see hygiene.py)."""
        kept = self._hygiene.storable(answer)
        return b"" if kept is None else self.seal(row_id, _pack(kept))

    def seal(self, row_id: bytes, plain: bytes) -> bytes:
        """`plain`, only to be opened for the same row."""
        nonce = self._nonce()
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

    def _nonce(self) -> bytes:
        """From a stock: at each asking the kernel, the thread would let the interpreter go, and
        wait for it again behind the one that writes.
        """
        if not self._nonces:
            self._nonces = os.urandom(_NONCE_BYTES * _NONCES)
        nonce, self._nonces = self._nonces[:_NONCE_BYTES], self._nonces[_NONCE_BYTES:]
        return nonce

    @staticmethod
    def _split(sealed: bytes) -> tuple[bytes, bytes]:
        length = sealed[0] if sealed else 0
        return sealed[1 : 1 + length], sealed[1 + length :]


def _pack(answer: Response) -> bytes:
    """An answer as bytes: the status, the headers, an empty line, the body.

    No header of an answer that was let in has a line feed, and no name a colon.
    """
    lines = [b"%b:%b\n" % (name, value) for _, name, value in answer.headers]
    return b"%d\n%b\n%b" % (answer.status, b"".join(lines), answer.body)


def unpack(packed: bytes) -> Response:
    """The answer that was packed. Raises SealError."""
    head, _, body = packed.partition(b"\n\n")
    status, *lines = head.split(b"\n")
    if not status.isdigit():
        raise SealError("an answer that another release has packed in another way")
    headers = []
    for line in lines:
        name, _, value = line.partition(b":")
        headers.append((name.lower(), name, value))
    return Response(int(status), headers, body)
